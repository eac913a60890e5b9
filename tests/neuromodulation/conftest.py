"""One compiled simulation for all tests of this directory."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest

from pcmodel.neuromodulation import load_compounds, regimen, simulate, typical

LIBRARY = load_compounds()


@partial(jax.jit, static_argnames="tolerance")
def _simulate(doses, person, times, tolerance=False):
    return simulate(doses, times, person, tolerance=tolerance)


@pytest.fixture(scope="session")
def run_person():
    """`run_person(doses, person, times)`, compiled."""
    return _simulate


@pytest.fixture(scope="session")
def library():
    return LIBRARY


@pytest.fixture(scope="session")
def take():
    """`take(*doses, times=...)`: the typical participant's course."""

    def run(*doses, times, library=LIBRARY, **options):
        checked = regimen(*doses, library=library)
        person = typical(library, *(dose.compound for dose in doses))
        return _simulate(checked, person, jnp.asarray(times), **options)

    return run
