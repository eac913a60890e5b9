"""Courses of two days in the typical person, and what their administrations leave behind."""

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.neuromodulation import Infusion, Oral, administrations, regimen, typical

HOURS = np.linspace(0, 72, 1441)
REFERENCES = {
    "psilocybin": (25.0, Oral()),
    "LSD": (0.1, Oral()),
    "MDMA": (125.0, Oral()),
    "ketamine": (35.0, Infusion(2 / 3)),
}


@pytest.fixture(scope="session")
def after(library, run_person):
    """`after(*doses)`: the administrations of the typical person who takes them."""

    def run(*doses, hours=HOURS, starts=None, table=None, library=library, **options):
        checked = regimen(*doses, library=library)
        person = typical(library, *(dose.compound for dose in doses))
        times = jnp.asarray(hours)
        course = run_person(checked, person, times, **options)
        return administrations(course, times, person, starts=starts, table=table)

    return run
