"""The natural scale of parameters: by hand, over extremes, and in the models."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.models.catalogue import MODELS, find_parameters
from pcmodel.behaviour.models.filters import rescorla_wagner, two_levels
from pcmodel.behaviour.models.rating import RatingData, RatingModel
from pcmodel.behaviour.perception import make_inputs, perceive
from pcmodel.behaviour.responses import Scale
from pcmodel.behaviour.responses.unit_square import response_log_odds
from pcmodel.errors import UserError

ALL = {
    (p.name, p.natural, p.mean): p
    for task in MODELS
    for model in MODELS[task]
    for p in find_parameters(task, model)
}
EXTREMES = (-1e8, -700.0, -40.0, -1e-8, 0.0, 1e-8, 0.3, 40.0, 700.0, 1e8)


def by_hand(parameter, x):
    """With Python's own numbers."""
    if parameter.transform == "identity":
        return x
    if parameter.transform == "logistic":
        return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(max(x, -1e4))
    return math.hypot(math.exp(x) if x < 709.0 else math.inf, parameter.floor)


def number(name, **more):
    return Parameter(name, 0.0, 1.0, **more)


SCALES = (
    number("same"),
    number("positive", natural="n", transform="exp"),
    number("bounded", natural="n", transform="exp", floor=0.02),
    number("share", natural="n", transform="logistic"),
)


@pytest.mark.parametrize("parameter", SCALES, ids=lambda p: p.name)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_natural_scale_by_hand(parameter, kind):
    x = np.array(EXTREMES, kind)
    found = parameter.to_natural(x)
    assert found.dtype == kind and not np.isnan(found).any()
    with np.errstate(over="ignore", under="ignore"):
        expected = np.array([by_hand(parameter, float(v)) for v in x]).astype(kind)
    # The exponential of 40 has a relative error of 40 roundings.
    np.testing.assert_allclose(found, expected, rtol=100 * np.finfo(kind).eps)
    assert np.all(found[1:] >= found[:-1])
    one = parameter.to_natural(0.3)
    assert float(one) == pytest.approx(by_hand(parameter, 0.3), rel=1e-14)
    assert np.isnan(parameter.to_natural(np.nan))
    assert parameter.to_natural(np.empty((0, 3))).shape == (0, 3)
    assert float(parameter.to_natural(0)) == pytest.approx(by_hand(parameter, 0.0))


@pytest.mark.parametrize("key", ALL, ids=lambda key: "-".join(map(str, key)))
def test_the_prior_on_the_natural_scale_has_the_quantiles_of_draws(key):
    own = ALL[key]
    draws = np.random.default_rng(0).normal(own.mean, own.sd, 400_000)
    natural = np.array([by_hand(own, float(x)) for x in draws[:40_000]])
    middle, low, high = own.natural_prior()
    assert low < middle < high
    for quantile, share in ((middle, 0.5), (low, 0.025), (high, 0.975)):
        assert np.mean(natural <= quantile) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("task", MODELS)
def test_everything_is_said_of_every_parameter(task):
    for model in MODELS[task]:
        own = find_parameters(task, model)
        names = [n for p in own for n in {p.name, p.natural_name, *p.names}]
        assert len(names) == len(set(names)), f"{model}: a name says two things"
        for p in own:
            assert p.about and (p.natural or p.unit or p.published or "1:" in p.about)
            logs = ("log_", "omega", "logit")
            is_log = p.name.startswith(logs) or p.name.endswith(
                ("_logit", "log_precision")
            )
            assert p.natural or not is_log, f"{p.name} has no natural scale"


def test_the_learning_rate_is_the_share_of_an_error():
    learner = rescorla_wagner()
    values = {
        "initial_value": jnp.asarray(0.5),
        "learning_rate_logit": jnp.asarray(-1.0),
    }
    own = {p.name: p for p in learner.parameters}
    trace = perceive(learner.model, learner.build(values), make_inputs(np.ones(1)))
    share = (float(trace.belief.mean[0][0]) - 0.5) / 0.5
    assert share == pytest.approx(float(own["learning_rate_logit"].to_natural(-1.0)))


def test_a_step_has_the_variance_and_the_first_prediction_the_probability():
    learner = two_levels()
    own = {p.name: p for p in learner.parameters}
    values = {"omega2": -1.3, "mu2_0": 0.7, "log_pi2_0": 0.4}
    natural = {name: float(own[name].to_natural(x)) for name, x in values.items()}
    trace = perceive(
        learner.model,
        learner.build({name: jnp.asarray(x) for name, x in values.items()}),
        make_inputs(np.ones(1)),
    )
    assert float(trace.prediction.outcome[0]) == pytest.approx(natural["mu2_0"])
    variance = 1.0 / natural["log_pi2_0"] + natural["omega2"]
    assert 1.0 / float(trace.prediction.precision[0][0]) == pytest.approx(variance)


def test_zeta_multiplies_the_log_odds():
    zeta = {p.name: p for p in find_parameters("binary", "hgf2")}["log_zeta"]
    found = response_log_odds(jnp.asarray(0.4), jnp.asarray(0.8))
    expected = float(zeta.to_natural(0.4)) * math.log(4.0)
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("x", [-9.0, -4.0, -2.0, 1.0])
def test_the_noise_of_ratings_is_that_of_the_model_at_its_bound_too(x):
    model = RatingModel(two_levels(), Scale(0.0, 1.0, 0.1))
    own = {p.name: p for p in model.parameters}
    values = {n: jnp.asarray(float(p.mean)) for n, p in own.items()}
    values |= {"log_rating_noise": jnp.asarray(x)}
    data = RatingData(make_inputs(np.ones(1)), jnp.zeros(1), jnp.ones(1, bool))
    _, log_noise, _ = model._latent(values, data)
    natural = float(own["log_rating_noise"].to_natural(x))
    assert natural == pytest.approx(math.exp(float(log_noise)))
    assert natural >= 0.02


def test_the_inverse_temperature_is_twice_that_of_outcomes_of_minus_one_and_one():
    """What the page says of hBayesDM: values from 0 with outcomes -1 and 1, and half the temperature."""
    rng = np.random.default_rng(1)
    rate, beta = 0.3, 4.0
    ours, theirs = np.full(2, 0.5), np.zeros(2)
    for choice, win in zip(rng.integers(0, 2, 50), rng.integers(0, 2, 50), strict=True):
        ours[choice] += rate * (win - ours[choice])
        theirs[choice] += rate * ((1 if win else -1) - theirs[choice])
        odds = beta * (ours[1] - ours[0]), beta / 2 * (theirs[1] - theirs[0])
        assert odds[0] == pytest.approx(odds[1], abs=1e-12)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"transform": "log", "natural": "n"}, "'identity' or 'exp' or 'logistic'"),
        ({"transform": "exp"}, "a name for exp and logistic"),
        ({"natural": "n"}, "none for identity"),
        ({"natural": "n", "transform": "exp", "floor": -1.0}, "0 or more"),
        ({"natural": "n", "transform": "exp", "floor": math.inf}, "0 or more"),
        ({"natural": "n", "transform": "exp", "floor": math.nan}, "floor is nan"),
        ({"natural": "n", "transform": "logistic", "floor": 0.1}, "else 0"),
    ],
)
def test_a_natural_scale_that_is_none_is_refused(wrong, said):
    with pytest.raises(UserError, match=said):
        number("odd", **wrong)
