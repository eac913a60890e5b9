"""What users hand in, read strictly: numbers, arrays, files, keys, calls held to their signatures.

May import: nothing but errors.
"""
