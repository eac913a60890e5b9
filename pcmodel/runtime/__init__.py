"""What programs run on: flags, threads, memory, progress, and which settings share a program.

May import: `inputs`.
"""
