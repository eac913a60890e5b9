"""Strict reading of users' input: numbers, arrays, files, keys, and arguments by their annotations.

May import: nothing but errors.
"""
