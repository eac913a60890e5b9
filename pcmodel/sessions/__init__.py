"""Courses of treatment: preparation, dosing, integration, follow-up, in several arms of simulated people.

- `protocol`     what a course is: a file in YAML, read into frozen dataclasses
- `protocols`    the files that come with the package
- `timeline`     from a protocol to the arrays of events that a simulation scans over
- `planning`     how many people a study needs to tell its rival explanations apart
- `person`       one person: traits, the hierarchy of a belief about the self, one event
- `treatment`    what an arm does to people whatever they believe
- `cohort`       the same people in all arms
- `readouts`     outcomes, effects between arms, who improves

Fast inference over slow learning: each event is inferred under the drug's gains, moves the belief's prior by a learning
step at a rate that the plasticity window scales, and time passes until the next.

Nothing here is clinical advice: the numbers of protocols are a simulation's, most of them assumed.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `networks`, `api`, `paradigms`,
`neuromodulation`, `memory`.
"""
