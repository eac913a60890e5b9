"""The public functions: they check their arguments, build an inference problem and run it over examples.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `record`, `networks`.
"""
