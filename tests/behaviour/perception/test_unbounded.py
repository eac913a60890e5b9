"""The unbounded filter against a plain loop with scipy's W, values of hgfx 1.0.0 (HGF Toolbox 8.2.0), and extremes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, lambertw

from pcmodel.behaviour import perception
from pcmodel.behaviour.models.filters import three_levels
from pcmodel.behaviour.perception import (
    BinaryHgf,
    ContinuousHgf,
    HgfParameters,
    SharedVolatilityArms,
    make_inputs,
    unbounded_tapas,
)
from pcmodel.behaviour.perception.hgf import binary_mode
from pcmodel.behaviour.perception.interface import Prediction

perceive = jax.jit(perception.perceive, static_argnums=0)
BINARY = np.array([1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0], float)
CONTINUOUS = np.array([0.3, -0.2, 1.4, 5.0, 4.2, 4.4, -3.0, 0.1, 0.0, 0.2])


def volatility_by_hand(mean, precision, child):
    """The update as the toolbox writes it, in variances; child: before, predicted, after, moved, omega, kappa."""
    before, hat, after, moved, omega, kappa = child
    b, delta = after + moved**2, (after + moved**2) / hat - 1
    w = 1 / (1 + before / np.exp(kappa * mean + omega))
    pi1 = precision + kappa**2 / 2 * w * (1 - w)
    mu1 = mean + kappa * w * delta / (2 * pi1)
    k = precision / kappa**2
    gamma = kappa * mean + omega
    star = (
        gamma + lambertw(b / (2 * k) * np.exp(1 / (2 * k) - gamma)).real - 1 / (2 * k)
    )
    at = (star - omega) / kappa
    v = np.exp(kappa * at + omega)
    w2, d2 = v / (before + v), b / (before + v) - 1
    pi2 = precision + kappa**2 / 2 * w2 * (w2 + (2 * w2 - 1) * d2)
    if pi2 <= 0:
        pi2 = precision + kappa**2 / 2 * w2 * (1 - w2)
    mu2 = at + (kappa * w2 * d2 / 2 - precision * (at - mean)) / pi2
    heights = []
    for y in (mu1, mu2):
        spread = before + np.exp(kappa * y + omega)
        heights.append(-(np.log(spread) + b / spread + precision * (y - mean) ** 2) / 2)
    share = expit(heights[1] - heights[0])
    new = (1 - share) * mu1 + share * mu2
    variance = (1 - share) / pi1 + share / pi2 + share * (1 - share) * (mu1 - mu2) ** 2
    return new, 1 / variance


def by_hand(outcomes, parameters, *, binary):
    """Means and precisions of all levels after each trial."""
    p = jax.tree.map(np.asarray, parameters)
    mean, precision, rows = p.initial_mean.copy(), np.exp(p.initial_log_precision), []
    for u in outcomes:
        hat = mean + p.drift
        phasic = [*(p.kappa * mean[1:]), 0.0]
        variance = 1 / precision + np.exp(np.asarray(phasic) + p.omega)
        new, new_precision = hat.copy(), 1 / variance
        if binary:
            chance = np.clip(expit(hat[0]), 1e-3, 1 - 1e-3)
            new_precision[0] += chance * (1 - chance)
            new[0] += (u - chance) / new_precision[0]
        else:
            sensory = np.exp(p.sensory_log_precision)
            new_precision[0] += sensory
            new[0] += sensory / new_precision[0] * (u - hat[0])
        for i in range(1, len(mean)):
            child = (1 / precision[i - 1], variance[i - 1], 1 / new_precision[i - 1])
            child = (*child, new[i - 1] - hat[i - 1], p.omega[i - 1], p.kappa[i - 1])
            new[i], new_precision[i] = volatility_by_hand(
                hat[i], 1 / variance[i], child
            )
        mean, precision = new, new_precision
        rows.append([*mean, *precision])
    return np.asarray(rows)


def parameters_of(mean, variance, drift, kappa, omega, sensory=1.0):
    return HgfParameters(
        jnp.asarray(mean),
        -jnp.log(jnp.asarray(variance)),
        jnp.asarray(omega),
        jnp.asarray(kappa),
        jnp.asarray(drift),
        jnp.log(jnp.asarray(sensory)),
    )


# By hgfx 1.0.0: the levels after the last trial, then the highest one after the fifth.
GOLDEN = [
    (
        parameters_of([0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0], [-3.0, -6.0]),
        [
            *(-0.5903180636893465, 1.0760320239551675),
            *(1.412068942912002, 1.6372405404304784),
        ],
        [1.0342878158261835, 1.2619131996802848],
    ),
    (
        parameters_of([0.2, 0.5], [0.4, 1.5], [0.1, -0.05], [1.3], [1.0, 2.0]),
        [
            *(-1.6937380905534183, -0.4318802900791208),
            *(0.38011622408639667, 0.3187786660218403),
        ],
        [-0.503796726570191, 0.3159467707490125],
    ),
    (
        parameters_of([0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0], [3.0, 5.0]),
        [
            *(-806.126019326717, 3.3389471697237436),
            *(0.0010001322996975538, 0.13968233827599005),
        ],
        [-1.6602395580634741, 0.1270511615189127],
    ),
    (
        parameters_of([0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0], [-2.0, -3.0], 2.0),
        [
            *(0.17107158405770398, 2.77391621618637),
            *(2.3418517680155624, 2.590434930298962),
        ],
        [1.6140474607966093, 1.5939812286600008],
    ),
    (
        parameters_of(
            [0.2, 0.3, 1.0],
            [0.5, 0.8, 1.2],
            [0.05, -0.02, 0.01],
            [0.9, 1.2],
            [-1.0, -1.0, 1.5],
            4.0,
        ),
        [
            *(0.14438834446681686, -1.8193252236947575, 2.122564325558579),
            *(6.881721293388964, 0.14485856519699106, 0.31129493937702135),
        ],
        [1.5486117931427543, 0.3697668722677304],
    ),
]


@pytest.mark.parametrize("number", range(5))
def test_the_toolbox_and_a_plain_loop_agree_to_ten_digits(number):
    parameters, last, fifth = GOLDEN[number]
    binary = number < 3
    outcomes = BINARY if binary else CONTINUOUS
    model = (BinaryHgf if binary else ContinuousHgf)(unbounded_tapas)
    model = BinaryHgf(unbounded_tapas, 1e-3) if binary else model
    belief = perceive(model, parameters, make_inputs(outcomes)).belief
    found = np.column_stack([*belief.mean, *belief.precision])
    tolerance = (
        1e-6 if number == 2 else 1e-10
    )  # that one runs away, as the toolbox does
    with np.errstate(over="ignore"):  # of a height that counts for nothing
        hand = by_hand(outcomes, parameters, binary=binary)
    np.testing.assert_allclose(found, hand, rtol=tolerance)
    np.testing.assert_allclose(found[-1], last, rtol=tolerance)
    levels = found.shape[1] // 2
    np.testing.assert_allclose(found[4, [levels - 1, -1]], fifth, rtol=tolerance)


EXTREMES = [(a, b) for a in (-18.0, -3.0, 2.0, 9.0) for b in (-18.0, -6.0, 1.0, 6.0)]


@pytest.mark.parametrize("at_mode", [False, True])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_precisions_are_positive_and_slopes_finite_everywhere(at_mode, dtype):
    """Where the standard filter's precision falls below zero, too; variances of 1e-8 to 1e4 a step."""
    model = three_levels(rule=unbounded_tapas, at_mode=at_mode).model
    outcomes = np.tile([1.0, 1.0, 0.0, np.nan], 8)

    def total(omega):
        parameters = HgfParameters(
            jnp.asarray([0.0, 1.0], dtype),
            jnp.zeros(2, dtype),
            omega,
            jnp.ones(1, dtype),
            jnp.zeros(2, dtype),
            jnp.zeros((), dtype),
        )
        inputs = jax.tree.map(
            lambda x: x.astype(dtype) if x.dtype.kind == "f" else x,
            make_inputs(outcomes),
        )
        trace = perception.perceive(model, parameters, inputs)
        return trace.log_evidence.sum(), trace.belief

    run = jax.jit(jax.vmap(jax.value_and_grad(total, has_aux=True)))
    (evidence, belief), slope = run(jnp.asarray(EXTREMES, dtype))
    assert np.isfinite(evidence).all() and np.all(evidence < 0.0)
    assert bool(belief.valid.all()) and evidence.dtype == dtype
    for precision in belief.precision:
        assert np.all(np.asarray(precision) > 0.0)
    if at_mode:
        # The published step depends on its parameters chaotically at great variances: its slopes overflow there.
        assert np.isfinite(slope).all()
        assert np.abs(belief.mean[0]).max() < 40.0


def test_the_mode_is_where_the_slope_of_the_posterior_is_zero():
    rng = np.random.default_rng(0)
    precision = 10.0 ** rng.uniform(-12, 6, 500)
    mean = rng.normal(size=500) * 10.0 ** rng.uniform(-1, 2, 500)
    outcome = rng.integers(0, 2, 500).astype(float)
    nothing = jnp.zeros(500)
    prediction = Prediction(
        nothing, (jnp.asarray(mean),), (jnp.asarray(precision),), ()
    )
    found = binary_mode(prediction, jnp.asarray(outcome))
    for i in range(500):
        # In units and from a place such that the root is of the order of 1.
        sign, p = 2 * outcome[i] - 1, precision[i]
        k = sign * mean[i]
        root = brentq(lambda d, k=k, p=p: d * p - expit(-(k + d)), 0.0, 1.0 / p + 1e-9)
        assert float(found.mean[i]) == pytest.approx(
            sign * (k + root), rel=1e-6, abs=1e-9
        )
        s = expit(float(found.mean[i]))
        assert float(found.precision[i]) == pytest.approx(p + s * (1 - s), rel=1e-9)


def test_the_mode_has_the_slopes_of_the_mode():
    def mean(x):
        prediction = Prediction(x[0], (x[0],), (jnp.exp(x[1]),), ())
        return binary_mode(prediction, jnp.asarray(1.0)).mean

    for place in ([0.3, -2.0], [-3.0, -4.0], [2.0, 1.0]):
        at = jnp.asarray(place)
        small = 1e-5 * np.eye(2)
        numeric = [(mean(at + e) - mean(at - e)) / 2e-5 for e in small]
        np.testing.assert_allclose(jax.grad(mean)(at), numeric, rtol=1e-7)


def largest_step(*, at_mode):
    """How far the prediction of any trial moves between neighbouring step sizes of the volatility."""
    outcomes = make_inputs((np.random.default_rng(4).random(40) < 0.75).astype(float))
    model = three_levels(rule=unbounded_tapas, at_mode=at_mode).model

    def predicted(omega3):
        parameters = HgfParameters(
            jnp.asarray([0.0, 1.0]),
            jnp.zeros(2),
            jnp.stack([jnp.asarray(0.5), omega3]),
            jnp.ones(1),
            jnp.zeros(2),
            jnp.asarray(0.0),
        )
        return perception.perceive(model, parameters, outcomes).prediction.mean[0]

    grid = jnp.linspace(-8.0, 1.0, 901)
    return float(jnp.abs(jnp.diff(jax.jit(jax.vmap(predicted))(grid), axis=0)).max())


def test_at_the_mode_the_filter_is_smooth_where_the_published_step_is_not():
    assert largest_step(at_mode=True) < 0.05
    assert largest_step(at_mode=False) > 1.0


def test_arms_at_the_mode_are_the_filter_at_the_mode():
    parameters = GOLDEN[1][0]
    inputs = make_inputs(BINARY)
    one = perceive(BinaryHgf(unbounded_tapas, at_mode=True), parameters, inputs)
    arms = perceive(
        SharedVolatilityArms(1, unbounded_tapas, at_mode=True), parameters, inputs
    )
    np.testing.assert_allclose(arms.belief.mean[1], one.belief.mean[1], rtol=1e-12)
