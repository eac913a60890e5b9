"""Small participants and tasks shared by the behaviour tests."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour import ParticipantParameters, make_trials


@pytest.fixture
def parameters():
    """One plain participant."""
    values = (-2.0, 0.2, 0.8, 4.0, 0.5, 1.5, -1.5, -0.5, -1.0)
    return ParticipantParameters(*(jnp.asarray(v) for v in values))


@pytest.fixture
def columns():
    """Forty trials in two blocks with jumps, catch trials and reports, as numpy."""
    rng = np.random.default_rng(4)
    helicopter = np.repeat([60.0, 200.0, 130.0, 250.0], 10)
    noise_sd = np.repeat([10.0, 25.0], 20)
    outcome = np.clip(np.round(helicopter + noise_sd * rng.normal(size=40)), 0, 300)
    report = np.clip(np.round(helicopter + 20 * rng.normal(size=40)), 0, 300)
    report[5] = report[4]
    start = np.zeros(40, bool)
    start[[0, 20]] = True
    return {
        "outcome": outcome,
        "report": report,
        "noise_sd": noise_sd,
        "helicopter": helicopter,
        "helicopter_seen": rng.random(40) < 0.2,
        "block_start": start,
    }


@pytest.fixture
def trials(columns):
    return make_trials(**columns)


@pytest.fixture(autouse=True)
def standard_promotion():
    """NumPyro mixes integers and doubles; strict promotion refuses that."""
    with jax.numpy_dtype_promotion("standard"):
        yield
