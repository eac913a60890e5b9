"""The checker that holds every annotated call in the tests to its annotation.

An int is accepted for a float, as the typing specification has it.
"""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
