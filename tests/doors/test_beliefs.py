"""Beliefs that cannot be held, and scales of ratings whose probabilities are none."""

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel import Belief, UserError
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.report import report_log_likelihood
from pcmodel.behaviour.responses import RatingParameters, Scale, stepped_log_likelihood

BELIEFS = {
    "infinite mean": (lambda: Belief([np.inf, 0], 0), "infinity"),
    "infinite numpy mean": (lambda: Belief(np.array([np.inf, 0]), 0.0), "infinity"),
    "NaN precision": (lambda: Belief(jnp.zeros(2), jnp.asarray(jnp.nan)), "NaN"),
    "imaginary mean": (lambda: Belief.of(np.array([1 + 2j, 0]), 1.0), "complex"),
    "imaginary precision": (lambda: Belief.of(np.ones(2), 1 + 1j), "complex"),
    "masked mean": (lambda: Belief.of(np.ma.array([1.0, 2], mask=[0, 1]), 1), "masked"),
    "precision underflows": (
        lambda: Belief.of(np.zeros(1), 5e-324),
        "1e-323 cannot be held",
    ),
    "negative noise": (
        lambda: Belief.of(np.zeros(1), 1.0).propagate(noise_covariance=-5),
        "negative",
    ),
    "one negative variance": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(
            noise_covariance=np.array([1.0, -1e-3])
        ),
        "negative",
    ),
    "indefinite noise": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(
            noise_covariance=np.array([[1.0, 2], [2, 1]])
        ),
        "negative",
    ),
    "transition of another size": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(transition=np.eye(3)),
        "transition",
    ),
    "indefinite covariance": (
        lambda: Belief.from_covariance(
            np.zeros(2), np.array([[1.0, 2], [2, 1]]), ("top",)
        ),
        "eigenvalue -1",
    ),
    "lopsided covariance": (
        lambda: Belief.from_covariance(
            np.zeros(2), np.array([[1.0, 0.5], [0, 1]]), ("top",)
        ),
        "symmetric",
    ),
    "a precision of another size": (
        lambda: Belief(np.zeros(2), np.zeros(3)).covariance,
        "does not fit",
    ),
}


@pytest.mark.parametrize("name", BELIEFS)
def test_beliefs_that_cannot_be_held_are_refused(name):
    """Prevents a NaN belief from travelling to the next trial."""
    make, said = BELIEFS[name]
    with pytest.raises(UserError, match=said):
        make()


def test_a_scale_is_divided_by_its_step():
    """Prevents ratings whose probabilities sum to 1.32."""
    for low, high, step in (
        (0.0, 100.0, 30.0),
        (0.0, 1.0, 2.0),
        (0.0, np.inf, 1.0),
        (0.0, 1.0, np.nan),
    ):
        with pytest.raises(UserError, match="scale"):
            Scale(low, high, step)
    with pytest.raises(UserError, match="no steps"):
        stepped_log_likelihood(
            RatingParameters(jnp.zeros(())),
            jnp.zeros(1),
            jnp.zeros(1),
            scale=Scale(0.0, 1.0, 0.0),
        )


@pytest.mark.parametrize("seed", range(20))
def test_probabilities_of_ratings_and_reports_sum_to_one(seed):
    """Prevents a fit from buying likelihood with a probability above one."""
    rng = np.random.default_rng(seed)
    steps, step = int(rng.integers(1, 12)), float(10 ** rng.uniform(-2, 2))
    low = float(rng.normal())
    grid = jnp.asarray(np.resize(low + step * np.arange(steps + 1), 12))
    counted = np.arange(12) <= steps
    values = stepped_log_likelihood(
        RatingParameters(jnp.asarray(rng.uniform(-6, 6))),
        jnp.full(12, rng.uniform(low - 2 * step, low + (steps + 2) * step)),
        grid,
        scale=Scale(low, low + steps * step, step),
    )
    assert np.exp(values)[counted].sum() == pytest.approx(1, abs=1e-9)
    person = dict.fromkeys(ParticipantParameters._fields, jnp.zeros(()))
    person |= {
        "log_report_sd": jnp.asarray(rng.uniform(-6, 5)),
        "log_report_slope": jnp.asarray(-9.0),
        "stay_logit": jnp.asarray(rng.normal()),
    }
    reports = report_log_likelihood(
        ParticipantParameters(**person),
        predicted=jnp.full(301, rng.uniform(0, 300)),
        previous=jnp.full(301, float(rng.integers(0, 301))),
        report=jnp.arange(301.0),
    )
    assert float(jnp.exp(reports).sum()) == pytest.approx(1, abs=1e-9)
