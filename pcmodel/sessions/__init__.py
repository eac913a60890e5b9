"""Courses of treatment: preparation, dosing, integration, follow-up, in several arms.

- `protocol`   what a course is: a file in YAML, read into frozen dataclasses
- `protocols`  the files that come with the package
- `timeline`   from a protocol to the arrays of events that a simulation scans over
- `planning`   how many people a study needs to tell its rival explanations apart

Nothing here is clinical advice: the numbers of protocols are a simulation's, most of them assumed.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `networks`, `api`, `paradigms`,
`neuromodulation`, `memory`.
"""
