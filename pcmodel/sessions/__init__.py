"""Courses of therapy: protocols, simulated people, their events, arms and outcomes.

Fast inference over slow learning: each event is inferred by the hierarchy of a self-belief, moves its prior by a
learning step at a rate that the plasticity window scales, and time passes to the next.

A model of beliefs, not of patients: nothing here is clinical advice.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `networks`, `api`, `paradigms`, `neuromodulation`,
`memory`.
"""
