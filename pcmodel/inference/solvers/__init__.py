"""From a start to a mode: the steps that each solver takes.

The solve inside a step is `linear`, what an answer is worth is `certificates`.
"""
