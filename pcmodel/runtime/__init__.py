"""How programs run: flags, threads, memory, progress, and which settings share a compiled program.

May import: `inputs`.
"""
