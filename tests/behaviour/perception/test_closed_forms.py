"""Baselines against closed forms, the package's own inference and plain numpy loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour import perception
from pcmodel.behaviour.change_point.participant import assimilate
from pcmodel.behaviour.perception import (
    BinaryHgf,
    HgfParameters,
    IndependentArms,
    Kalman,
    KalmanParameters,
    RescorlaWagner,
    RescorlaWagnerParameters,
    SharedVolatilityArms,
    enhanced_tapas,
    make_inputs,
    standard,
)

perceive = jax.jit(perception.perceive, static_argnums=0)


def hgf_parameters(**changes):
    parameters = HgfParameters(
        initial_mean=jnp.asarray([0.2, 0.5]),
        initial_log_precision=jnp.asarray([0.3, 1.0]),
        omega=jnp.asarray([-1.5, -3.0]),
        kappa=jnp.asarray([0.8]),
        drift=jnp.asarray([0.02, -0.01]),
        sensory_log_precision=jnp.asarray(0.0),
    )
    return parameters._replace(**changes)


KALMAN = KalmanParameters(*(jnp.asarray(v) for v in (3.0, -2.0, -0.5, -1.2)))


def test_kalman_equals_the_packages_own_inference():
    outcomes = 3.0 + 2.0 * np.random.default_rng(0).normal(size=25)
    trace = perceive(Kalman(), KALMAN, make_inputs(outcomes))
    infer = jax.jit(assimilate)
    mean, variance = 3.0, np.exp(2.0)
    for t, outcome in enumerate(outcomes):
        found = infer(
            mean=jnp.asarray(mean),
            log_precision=-jnp.log(variance + np.exp(0.5)),
            observation=jnp.asarray(outcome),
            sensory=jnp.asarray(-1.2),
        )
        mean, variance = float(found.mean), float(found.variance)
        assert float(trace.belief.mean[0][t]) == pytest.approx(mean, abs=1e-10)
        precision = float(trace.belief.precision[0][t])
        assert precision == pytest.approx(1.0 / variance, abs=1e-10)
        evidence = float(trace.log_evidence[t])
        assert evidence == pytest.approx(float(found.log_evidence), abs=1e-10)


@pytest.mark.parametrize(
    ("ratio", "gain"), [(0.1, 0.270156), (1.0, 0.618034), (4.0, 0.828427)]
)
def test_kalman_reaches_the_steady_state_gain(ratio, gain):
    """K = (-s + sqrt(s^2 + 4 s)) / 2 with s = q / r."""
    parameters = KALMAN._replace(
        prior_log_precision=-jnp.log(ratio) - 1.2,
        sensory_log_precision=jnp.asarray(-1.2),
    )
    trace = perceive(Kalman(), parameters, make_inputs(np.zeros(200)))
    reached = jnp.exp(-1.2) / trace.belief.precision[0][-1]
    exact = 0.5 * (-ratio + np.sqrt(ratio**2 + 4.0 * ratio))
    assert float(reached) == pytest.approx(exact, abs=1e-12)
    assert exact == pytest.approx(gain, abs=1e-6)


def test_rescorla_wagner_forgets_geometrically():
    parameters = RescorlaWagnerParameters(jnp.asarray(0.3), jnp.asarray(-1.0))
    outcomes = np.array([1.0, 0.0, np.nan, 1.0])
    trace = perceive(RescorlaWagner(), parameters, make_inputs(outcomes))
    rate = 1.0 / (1.0 + np.exp(1.0))
    kept = (1.0 - rate) ** np.arange(4)
    expected = kept[3] * 0.3 + rate * (kept[2] * 1.0 + kept[0] * 1.0)
    assert float(trace.belief.mean[0][-1]) == pytest.approx(expected, abs=1e-12)
    assert float(trace.log_evidence[0]) == pytest.approx(np.log(0.3))


MODELS = {
    "hgf": (BinaryHgf(), hgf_parameters()),
    "ehgf": (BinaryHgf(enhanced_tapas, 1e-3), hgf_parameters()),
    "kalman": (Kalman(), KALMAN),
    "arms": (SharedVolatilityArms(3), hgf_parameters()),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_missing_outcome_leaves_the_prediction_and_finite_gradients(name):
    """pyhgf's NaN outcomes give NaN gradients; whatever lies under the mask must not matter."""
    model, parameters = MODELS[name]
    outcomes = np.array([1.0, 0.0, np.nan, 1.0, 1.0, np.nan])
    inputs = make_inputs(outcomes)
    trace = perceive(model, parameters, inputs)
    for believed, predicted in zip(
        trace.belief.mean + trace.belief.precision,
        trace.prediction.mean + trace.prediction.precision,
        strict=True,
    ):
        np.testing.assert_array_equal(believed[2], predicted[2])
    assert float(trace.log_evidence[2]) == 0.0

    def total(parameters, outcome):
        changed = inputs._replace(outcome=outcome)
        return perception.perceive(model, parameters, changed).log_evidence.sum()

    hidden = jnp.where(inputs.seen, inputs.outcome, 7.0)
    value, slopes = jax.jit(jax.value_and_grad(total))(parameters, hidden)
    assert float(value) == pytest.approx(float(trace.log_evidence.sum()), abs=1e-12)
    for name, slope in slopes._asdict().items():
        assert np.isfinite(slope).all(), name


def test_the_standard_filter_says_when_its_precision_fails():
    """TAPAS stops with an error there; a fit must see it without a NaN."""
    parameters = hgf_parameters(
        omega=jnp.asarray([2.0, 6.0]), initial_log_precision=jnp.asarray([0.0, -6.0])
    )
    outcomes = np.tile([1.0, 1.0, 0.0], 20)
    trace = perceive(BinaryHgf(standard), parameters, make_inputs(outcomes))
    assert not bool(trace.belief.valid[-1])
    assert np.isfinite(trace.log_evidence).all()


def shared_volatility(parameters, outcomes, arms, num_arms):
    """Plain loop after the equations of Mathys et al. 2014, one belief an option."""
    m2, m3 = np.full(num_arms, 0.2), 0.5
    p2, p3 = np.full(num_arms, np.exp(0.3)), np.exp(1.0)
    rows = []
    for outcome, arm in zip(outcomes, arms, strict=True):
        v = np.exp(0.8 * m3 - 1.5)
        hat2, hat3 = m2 + 0.02, m3 - 0.01
        prec2, prec3 = 1 / (1 / p2 + v), 1 / (1 / p3 + np.exp(-3.0))
        chance = 1 / (1 + np.exp(-hat2))
        w = v * prec2[arm]
        p2, m2 = prec2.copy(), hat2.copy()
        p2[arm] += chance[arm] * (1 - chance[arm])
        m2[arm] += (outcome - chance[arm]) / p2[arm]
        d = (1 / p2[arm] + (m2[arm] - hat2[arm]) ** 2) * prec2[arm] - 1
        p3 = prec3 + 0.5 * 0.64 * w * (w + (2 * w - 1) * d)
        m3 = hat3 + 0.5 * 0.8 * w * d / p3
        rows.append((*m2, *p2, m3, p3))
    return np.asarray(rows)


def test_arms_with_shared_volatility_follow_a_plain_loop():
    rng = np.random.default_rng(2)
    outcomes, arms = rng.integers(0, 2, 30).astype(float), rng.integers(0, 3, 30)
    inputs = make_inputs(outcomes, arm=arms)
    trace = perceive(SharedVolatilityArms(3), hgf_parameters(), inputs)
    believed = trace.belief
    found = np.column_stack(
        [
            believed.mean[0],
            believed.precision[0],
            believed.mean[1],
            believed.precision[1],
        ]
    )
    expected = shared_volatility(hgf_parameters(), outcomes, arms, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_one_arm_is_the_binary_filter():
    inputs = make_inputs(np.random.default_rng(3).integers(0, 2, 20).astype(float))
    one = perceive(BinaryHgf(), hgf_parameters(), inputs)
    for model in (SharedVolatilityArms(1), IndependentArms(BinaryHgf(), 1)):
        many = perceive(model, hgf_parameters(), inputs)
        np.testing.assert_allclose(many.log_evidence, one.log_evidence, rtol=1e-12)
        np.testing.assert_allclose(
            np.ravel(many.belief.mean[1]), one.belief.mean[1], rtol=1e-12
        )


def test_independent_arms_learn_from_their_own_outcomes_only():
    outcomes, arms = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 1, 0, 1])
    parameters = RescorlaWagnerParameters(jnp.asarray(0.5), jnp.asarray(0.4))
    inputs = make_inputs(outcomes, arm=arms)
    both = perceive(IndependentArms(RescorlaWagner(), 2), parameters, inputs)
    for arm in (0, 1):
        own = make_inputs(outcomes[arms == arm])
        alone = perceive(RescorlaWagner(), parameters, own)
        assert float(both.belief.mean[0][-1, arm]) == pytest.approx(
            float(alone.belief.mean[0][-1])
        )


def test_participants_are_vmapped():
    outcomes = np.random.default_rng(5).integers(0, 2, (3, 12)).astype(float)
    rows = jax.tree.map(
        lambda leaf: jnp.stack([leaf, leaf + 0.1, leaf - 0.1]), hgf_parameters()
    )
    inputs = make_inputs(outcomes)
    model = BinaryHgf()
    together = jax.jit(jax.vmap(lambda p, x: perception.perceive(model, p, x)))(
        rows, inputs
    )
    for i in range(3):
        own = jax.tree.map(lambda leaf, i=i: leaf[i], (rows, inputs))
        alone = perceive(model, *own)
        np.testing.assert_allclose(
            together.belief.mean[1][i], alone.belief.mean[1], rtol=1e-12
        )
