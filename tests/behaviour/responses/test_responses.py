"""Every response model is a probability, says what its formula says, and draws alike."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from pcmodel.behaviour.perception import BinaryHgf, HgfParameters, make_inputs, perceive
from pcmodel.behaviour.responses import (
    ChoiceParameters,
    JudgementParameters,
    RatingParameters,
    Scale,
    as_trace,
    censored_log_likelihood,
    choice_log_probabilities,
    chosen_log_probability,
    confidence_log_likelihood,
    draw_binary,
    draw_censored,
    draw_choice,
    draw_confidence,
    draw_ordered,
    draw_reaction_time,
    draw_stepped,
    ordered_log_probabilities,
    reaction_time_log_likelihood,
    stepped_log_likelihood,
    unit_square_log_likelihood,
)
from pcmodel.errors import UserError
from tests.behaviour.shared_data import shared_file

MANY = 20000
JUDGEMENT = JudgementParameters(*(jnp.asarray(v) for v in (0.4, -0.3, -0.5)))
TEN = Scale(0.0, 10.0)


def agree(counts, probabilities):
    """Counts within 4.5 standard errors of what is expected."""
    expected = MANY * np.asarray(probabilities)
    spread = np.sqrt(np.maximum(expected * (1.0 - np.asarray(probabilities)), 1.0))
    assert np.abs((counts - expected) / spread).max() < 4.5


def test_choice_by_hand():
    parameters = ChoiceParameters(
        jnp.log(jnp.asarray(3.0)), jnp.asarray(0.7), jnp.asarray(-2.0)
    )
    values, last = jnp.asarray([0.2, 0.9, 0.5]), jnp.asarray(2)
    weight = np.exp(3.0 * np.array([0.2, 0.9, 0.5]) + [0, 0, 0.7])
    lapse = 1 / (1 + np.exp(2.0))
    expected = (1 - lapse) * weight / weight.sum() + lapse / 3
    found = jnp.exp(choice_log_probabilities(parameters, values, last))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("lapse", [-jnp.inf, -4.0, 3.0])
def test_the_chosen_option_alone_has_the_probability_it_has_among_all(lapse):
    """Values and derivatives, also where values are far apart."""
    rng = np.random.default_rng(0)
    scale = np.array([1e-8, 1.0, 30.0, 700.0, 1e8])[:, None]
    values = jnp.asarray(scale * rng.normal(size=(5, 4)))
    last = jnp.asarray([-1, 0, 1, 2, 3])

    def log_chance(log_beta, stickiness, chosen=None):
        parameters = ChoiceParameters(log_beta, stickiness, jnp.asarray(lapse))
        if chosen is None:
            return choice_log_probabilities(parameters, values, last)
        return chosen_log_probability(
            parameters, values, as_trace(last, values), chosen
        )

    at = (jnp.asarray(0.3), jnp.asarray(0.7))
    every = log_chance(*at)
    slopes = jax.jacfwd(log_chance, (0, 1))(*at)
    for arm in range(4):
        chosen = jnp.full(5, arm)
        np.testing.assert_allclose(log_chance(*at, chosen), every[:, arm], rtol=1e-11)
        own = jax.jacrev(log_chance, (0, 1))(*at, chosen)
        for found, expected in zip(own, slopes, strict=True):
            np.testing.assert_allclose(found, expected[:, arm], rtol=1e-9, atol=1e-12)


def test_no_last_choice_and_no_lapse(getkey):
    parameters = ChoiceParameters(
        jnp.asarray(0.0), jnp.asarray(9.0), jnp.asarray(-jnp.inf)
    )
    values = jnp.asarray([0.0, 1.0])
    found = choice_log_probabilities(parameters, values, jnp.asarray(-1))
    np.testing.assert_allclose(found, jax.nn.log_softmax(values), atol=1e-12)
    rows = jnp.broadcast_to(values, (MANY, 2))
    drawn = draw_choice(getkey(), parameters, rows, jnp.full(MANY, -1))
    agree(np.bincount(np.asarray(drawn), minlength=2), np.exp(found))


def test_unit_square_is_the_published_formula(getkey):
    p, zeta = jnp.linspace(0.02, 0.98, 9), 2.5
    log_zeta = jnp.full(9, np.log(zeta))
    yes = unit_square_log_likelihood(log_zeta, p, jnp.ones(9))
    no = unit_square_log_likelihood(log_zeta, p, jnp.zeros(9))
    expected = p**zeta / (p**zeta + (1 - p) ** zeta)
    np.testing.assert_allclose(jnp.exp(yes), expected, rtol=1e-10)
    np.testing.assert_allclose(jnp.exp(yes) + jnp.exp(no), 1.0, rtol=1e-12)
    drawn = draw_binary(getkey(), jnp.full(MANY, np.log(zeta)), jnp.full(MANY, 0.7))
    chance = 0.7**zeta / (0.7**zeta + 0.3**zeta)
    agree(np.array([drawn.sum()]), [chance])


def test_certain_beliefs_have_finite_slopes():
    slope = jax.grad(
        lambda p: unit_square_log_likelihood(jnp.asarray(3.0), p, jnp.asarray(1.0))
    )
    for p in (0.0, 1.0, 1e-9):
        assert np.isfinite(slope(jnp.asarray(p)))


def test_unit_square_on_the_golden_responses():
    name = "binary_2level_om2_m3.json"
    file = json.loads(shared_file("hgf_reference", name).read_text())
    parameters = HgfParameters(
        jnp.zeros(1),
        jnp.zeros(1),
        jnp.asarray([-3.0]),
        jnp.zeros(0),
        jnp.zeros(1),
        jnp.asarray(0.0),
    )
    p = perceive(BinaryHgf(), parameters, make_inputs(file["u"])).prediction.outcome
    response = jnp.asarray(file["y"], float)
    for power, surprise in file[
        "response_surprise_unitsq_by_inverse_temperature"
    ].items():
        log_zeta = jnp.full(p.shape, np.log(float(power)))
        total = unit_square_log_likelihood(log_zeta, p, response).sum()
        assert float(-total) == pytest.approx(surprise, abs=1e-8)


@pytest.mark.parametrize("mean", [-4.0, 0.2, 5.3, 14.0])
@pytest.mark.parametrize("noise", [0.1, 2.0, 30.0])
def test_stepped_ratings_sum_to_one(mean, noise):
    ratings = jnp.arange(11.0)
    parameters = RatingParameters(jnp.asarray(np.log(noise)))
    values = stepped_log_likelihood(parameters, jnp.full(11, mean), ratings, scale=TEN)
    assert float(jnp.exp(values).sum()) == pytest.approx(1.0, abs=1e-12)
    edges = stats.logistic(mean, noise).cdf(np.arange(10) + 0.5)
    expected = np.diff(np.concatenate([[0.0], edges, [1.0]]))
    np.testing.assert_allclose(jnp.exp(values), expected, atol=1e-12)


def test_stepped_draws_follow_their_likelihood(getkey):
    parameters = RatingParameters(jnp.asarray(0.5))
    drawn = draw_stepped(getkey(), parameters, jnp.full(MANY, 2.2), scale=TEN)
    values = stepped_log_likelihood(
        RatingParameters(jnp.asarray(0.5)),
        jnp.full(11, 2.2),
        jnp.arange(11.0),
        scale=TEN,
    )
    agree(np.bincount(np.asarray(drawn).astype(int), minlength=11), np.exp(values))


def test_censored_ratings_integrate_to_one_with_their_ends(getkey):
    parameters, mean = RatingParameters(jnp.asarray(0.8)), jnp.asarray(8.0)

    def density(rating):
        value = censored_log_likelihood(
            parameters, mean, jnp.asarray(rating), scale=TEN
        )
        return float(jnp.exp(value))

    inside, _ = integrate.quad(density, 1e-9, 10.0 - 1e-9)
    low, high = density(0.0), density(10.0)
    assert inside + low + high == pytest.approx(1.0, abs=1e-7)
    wide = RatingParameters(jnp.asarray(0.8))
    drawn = np.asarray(draw_censored(getkey(), wide, jnp.full(MANY, 8.0), scale=TEN))
    counts = [np.sum(drawn == 10.0), np.sum(drawn < 10.0)]
    agree(np.asarray(counts), [high, 1.0 - high])


def test_ordered_categories_lie_between_their_cutpoints(getkey):
    mean, first = jnp.asarray(0.4), jnp.asarray(-1.0)
    log_gaps = jnp.log(jnp.asarray([0.5, 2.0]))
    values = ordered_log_probabilities(mean, first, log_gaps)
    edges = stats.logistic(0.4).cdf([-1.0, -0.5, 1.5])
    expected = np.diff(np.concatenate([[0.0], edges, [1.0]]))
    np.testing.assert_allclose(jnp.exp(values), expected, rtol=1e-12)
    drawn = draw_ordered(
        getkey(),
        jnp.broadcast_to(mean, (MANY,)),
        jnp.broadcast_to(first, (MANY,)),
        jnp.broadcast_to(log_gaps, (MANY, 2)),
    )
    agree(np.bincount(np.asarray(drawn), minlength=4), expected)


def test_evenly_spaced_cutpoints_are_the_stepped_rating():
    noise, mean = 1.7, 3.1
    ordered = ordered_log_probabilities(
        jnp.asarray(mean / noise),
        jnp.asarray(0.5 / noise),
        jnp.full(9, -np.log(noise)),
    )
    stepped = stepped_log_likelihood(
        RatingParameters(jnp.asarray(np.log(noise))),
        jnp.full(11, mean),
        jnp.arange(11.0),
        scale=TEN,
    )
    np.testing.assert_allclose(ordered, stepped, rtol=1e-9)


def test_extreme_ratings_have_finite_slopes():
    for rating in (0.0, 5.0, 10.0):
        slope = jax.grad(
            lambda m, rating=rating: stepped_log_likelihood(
                RatingParameters(jnp.asarray(-3.0)), m, jnp.asarray(rating), scale=TEN
            )
        )
        for mean in (-500.0, 5.0, 500.0):
            assert np.isfinite(slope(jnp.asarray(mean)))


def test_reaction_times_are_lognormal(getkey):
    predictor, seconds = 0.8, np.linspace(0.1, 4.0, 7)
    mean, sd = 0.4 - 0.3 * predictor, np.exp(-0.5)
    found = reaction_time_log_likelihood(
        JUDGEMENT, jnp.full(7, predictor), jnp.asarray(seconds)
    )
    law = stats.lognorm(s=sd, scale=np.exp(mean))
    np.testing.assert_allclose(found, law.logpdf(seconds), rtol=1e-10)
    drawn = draw_reaction_time(getkey(), JUDGEMENT, jnp.full(MANY, predictor))
    assert stats.kstest(np.asarray(drawn), law.cdf).pvalue > 1e-3


def test_confidence_is_gaussian_in_the_log_precision(getkey):
    law = stats.norm(0.4 - 0.3 * 2.0, np.exp(-0.5))
    found = confidence_log_likelihood(JUDGEMENT, jnp.asarray(2.0), jnp.asarray(0.1))
    assert float(found) == pytest.approx(law.logpdf(0.1))
    drawn = draw_confidence(getkey(), JUDGEMENT, jnp.full(MANY, 2.0))
    assert stats.kstest(np.asarray(drawn), law.cdf).pvalue > 1e-3


def test_a_scale_must_rise():
    with pytest.raises(UserError, match="low < high"):
        Scale(10.0, 0.0)
