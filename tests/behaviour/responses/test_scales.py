"""Scales that do not start at 0 and whose steps are not 1; parameters of every trial."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pcmodel.behaviour.responses import (
    ChoiceParameters,
    RatingParameters,
    Scale,
    censored_log_likelihood,
    choice_log_probabilities,
    draw_censored,
    draw_stepped,
    ordered_log_probabilities,
    stepped_log_likelihood,
)
from pcmodel.errors import UserError

MANY = 20000
HALVES = Scale(-1.0, 2.0, 0.5)
NOISE = RatingParameters(jnp.log(jnp.asarray(0.6)))


@pytest.mark.parametrize(
    "accepted",
    [
        (0.0, 0.3, 0.1),
        (0.0, 0.5, 0.1),
        (-2.0, 1.0, 0.75),
        (3.0, 4.0, 1.0),
        (2.0, 9.0, 0),
    ],
)
def test_a_step_may_fit_any_number_of_times_and_be_decimal(accepted):
    assert Scale(*accepted).step == accepted[2]


@pytest.mark.parametrize(
    "refused",
    [
        (0.0, 10.0, 3.0),
        (0.0, 1.0, 1.5),
        (0.0, 1.0, 4.0),
        (-0.5, 0.5, 0.3),
        (0.0, 1.0, -1.0),
        (0.0, 1.0, np.inf),
        (1.0, 1.0, 0.0),
        (-np.inf, 1.0, 0.0),
        (0.0, np.inf, 0.0),
        (0.0, 1.0, 1.0 + 1e-6),
    ],
)
def test_a_step_that_does_not_lead_from_end_to_end_is_refused(refused):
    with pytest.raises(UserError, match="scale"):
        Scale(*refused)


def test_a_probability_has_its_place_between_the_ends():
    places = Scale(-3.0, 7.0).place(jnp.asarray([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(places, [-3.0, -0.5, 7.0])


def test_half_steps_take_what_is_nearest_and_the_ends_what_lies_beyond(getkey):
    ratings = jnp.arange(-1.0, 2.25, 0.5)
    law = stats.logistic(1.3, 0.6)
    edges = law.cdf(np.arange(-0.75, 2.0, 0.5))
    expected = np.diff([0.0, *edges, 1.0])
    values = stepped_log_likelihood(NOISE, jnp.full(7, 1.3), ratings, scale=HALVES)
    np.testing.assert_allclose(jnp.exp(values), expected, rtol=1e-10)
    drawn = draw_stepped(getkey(), NOISE, jnp.full(MANY, 1.3), scale=HALVES)
    counts = [np.sum(np.asarray(drawn) == rating) for rating in np.asarray(ratings)]
    assert sum(counts) == MANY
    error = np.sqrt(MANY * expected * (1 - expected))
    assert np.all(np.abs(counts - MANY * expected) < 4.5 * error)


def test_an_end_that_rounding_misses_is_the_end():
    """A tenth seven times is more than 0.7; what went through single precision may be less."""
    for shift in (0.0, 1e-8, -1e-8):
        ratings = 0.1 * np.arange(8) + shift
        assert ratings[-1] != 0.7
        values = stepped_log_likelihood(
            NOISE, jnp.full(8, 0.4), jnp.asarray(ratings), scale=Scale(0.0, 0.7, 0.1)
        )
        np.testing.assert_allclose(jnp.exp(values).sum(), 1.0, rtol=1e-7)


def test_censored_ratings_have_the_density_inside_and_the_tails_at_the_ends(getkey):
    scale, law = Scale(-1.0, 2.0, 0.0), stats.norm(0.9, 0.6)
    ratings = np.asarray([-1.0, -0.99, 0.4, 1.99, 2.0])
    found = censored_log_likelihood(
        NOISE, jnp.full(5, 0.9), jnp.asarray(ratings), scale=scale
    )
    expected = law.logpdf(ratings)
    expected[0], expected[-1] = law.logcdf(-1.0), law.logsf(2.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    drawn = draw_censored(getkey(), NOISE, jnp.full(MANY, 0.9), scale=scale)
    drawn = np.asarray(drawn)
    assert drawn.min() == -1.0 and drawn.max() == 2.0
    inside = drawn[(drawn > -1.0) & (drawn < 2.0)]
    low, high = law.cdf([-1.0, 2.0])
    cut = stats.kstest(inside, lambda x: (law.cdf(x) - low) / (high - low))
    assert cut.pvalue > 1e-3


def test_every_trial_may_have_cutpoints_and_choices_of_its_own():
    mean, first = np.asarray([0.4, -0.8]), np.asarray([-1.0, -0.3])
    gaps = np.asarray([[0.5, 2.0, 0.7], [1.5, 0.2, 0.9]])
    found = ordered_log_probabilities(*map(jnp.asarray, (mean, first, np.log(gaps))))
    for row in range(2):
        cuts = first[row] + np.asarray([0.0, *np.cumsum(gaps[row])])
        expected = np.diff([0.0, *stats.logistic(mean[row]).cdf(cuts), 1.0])
        np.testing.assert_allclose(jnp.exp(found[row]), expected, rtol=1e-10)
    beta, sticky, lapse = np.asarray([[3.0, 0.4], [0.7, -1.2], [-2.0, 0.3]])
    values, last = np.asarray([[0.2, 0.9, 0.5], [1.4, -0.3, 0.1]]), np.asarray([2, -1])
    parameters = ChoiceParameters(*map(jnp.asarray, (np.log(beta), sticky, lapse)))
    found = choice_log_probabilities(parameters, jnp.asarray(values), jnp.asarray(last))
    drive = beta[:, None] * values
    drive[0, 2] += 0.7
    weights = np.exp(drive) / np.exp(drive).sum(1, keepdims=True)
    share = 1 / (1 + np.exp(-lapse))[:, None]
    expected = (1 - share) * weights + share / 3
    np.testing.assert_allclose(jnp.exp(found), expected, rtol=1e-10)
