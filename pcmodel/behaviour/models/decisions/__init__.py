"""Models of decisions: two-step, probabilistic selection, offered options, discounting, ultimatum, go / no-go.

Each file holds one task's model with its parameters; `entries` lists them, `designs` makes up trials.
"""
