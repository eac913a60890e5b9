"""The brain: a modular hierarchy's activity, measures of regions' activity over time, and the reading of recordings.

`dynamics` holds the hierarchy, its spontaneous and driven activity, and what fMRI shows of it;
`measures` holds connectivity, graph, diversity and directed information of one person's series and
their statistics over people; `reading` holds files of series and the networks of regions.

May import: `inputs`, `runtime`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""
