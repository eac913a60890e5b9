"""The unrolled hierarchy against textbook filters and its own invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour import Agent, log_likelihood, make_trials, run_participant
from pcmodel.behaviour.change_point.report import report_log_likelihood
from tests.behaviour.change_point.textbook import change_point, kalman

KALMAN = Agent(anchor="belief", change_points=False)


def steady_trials(num=60, noise_sd=10.0):
    rng = np.random.default_rng(0)
    return make_trials(
        outcome=np.clip(150 + noise_sd * rng.normal(size=num), 0, 300),
        report=np.full(num, np.nan),
        noise_sd=np.full(num, noise_sd),
        helicopter=np.full(num, 150.0),
        helicopter_seen=np.zeros(num, bool),
        block_start=np.arange(num) == 0,
    )


def with_variances(parameters, *, q, r, noise_sd=10.0):
    """Parameters whose assumed outcome variance at `noise_sd` is r."""
    scale = jnp.log(r / 250.0) - parameters.noise_exponent * jnp.log(
        noise_sd**2 / 250.0
    )
    return parameters._replace(log_scale=scale, log_process=jnp.log(q))


def test_kalman_agent_equals_the_textbook_filter(parameters):
    trials = steady_trials()
    run = run_participant(
        with_variances(parameters, q=30.0, r=100.0), trials, agent=KALMAN
    )
    means, variances, gains = kalman(np.asarray(trials.outcome), 30.0, 100.0)
    np.testing.assert_allclose(run.belief_mean, means, rtol=1e-10)
    np.testing.assert_allclose(run.belief_variance, variances, rtol=1e-10)
    np.testing.assert_allclose(run.learning_rate, gains, rtol=1e-10)


@pytest.mark.parametrize(
    ("ratio", "gain"), [(0.1, 0.270156), (1.0, 0.618034), (4.0, 0.828427)]
)
def test_steady_state_gain_is_the_known_one(parameters, ratio, gain):
    run = run_participant(
        with_variances(parameters, q=100.0 * ratio, r=100.0),
        steady_trials(),
        agent=KALMAN,
    )
    assert float(run.learning_rate[-1]) == pytest.approx(gain, abs=1e-6)


@pytest.mark.parametrize("anchor", ["report", "belief"])
def test_change_point_agent_equals_an_independent_loop(
    parameters, trials, columns, anchor
):
    run = run_participant(parameters, trials, agent=Agent(anchor=anchor))
    values = {
        "h": 1 / (1 + np.exp(2.0)),
        "k": np.exp(0.2),
        "b": 0.8,
        "q": np.exp(4.0),
        "sighting": np.exp(0.5),
    }
    expected = change_point(
        outcome=columns["outcome"],
        report=columns["report"],
        noise_sd=columns["noise_sd"],
        shown=columns["helicopter_seen"],
        helicopter=columns["helicopter"],
        start=columns["block_start"],
        values=values,
        anchor=anchor,
    )
    found = (
        run.predicted_report,
        run.belief_mean,
        run.belief_variance,
        run.change_probability,
    )
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-9)


def scaled(parameters, amount):
    return parameters._replace(
        log_scale=parameters.log_scale + amount,
        log_process=parameters.log_process + amount,
    )


@pytest.mark.parametrize("anchor", ["report", "belief"])
def test_kalman_reports_depend_on_the_precision_ratio_alone(parameters, trials, anchor):
    agent = Agent(anchor=anchor, change_points=False)
    one = log_likelihood(parameters, trials, agent=agent)
    other = log_likelihood(scaled(parameters, 1.3), trials, agent=agent)
    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_change_points_break_the_scaling(parameters, trials):
    one = log_likelihood(parameters, trials, agent=Agent()).sum()
    other = log_likelihood(scaled(parameters, 1.3), trials, agent=Agent()).sum()
    assert abs(float(one - other)) > 1.0


def test_report_anchor_starts_at_the_report_and_belief_anchor_does_not(
    parameters, trials
):
    report = run_participant(parameters, trials, agent=Agent(anchor="report"))
    belief = run_participant(parameters, trials, agent=Agent(anchor="belief"))
    np.testing.assert_array_equal(report.prior_mean, trials.report)
    np.testing.assert_array_equal(belief.prior_mean, belief.predicted_report)


def test_first_outcome_of_a_block_is_believed_as_it_is(parameters, trials, columns):
    run = run_participant(parameters, trials, agent=Agent())
    for t in (0, 20):
        assert not columns["helicopter_seen"][t]
        assert float(run.belief_mean[t]) == columns["outcome"][t]
        assert float(run.learning_rate[t]) == 1.0
        assert float(log_likelihood(parameters, trials, agent=Agent())[t]) == 0.0


def test_a_seen_helicopter_draws_the_belief_and_adds_confidence(parameters, trials):
    hidden = trials._replace(helicopter_seen=jnp.zeros(40, bool))
    shown = hidden._replace(helicopter_seen=hidden.helicopter_seen.at[8].set(True))
    before, after = (
        run_participant(parameters, t, agent=Agent()) for t in (hidden, shown)
    )
    gap = jnp.abs(jnp.stack([before.belief_mean, after.belief_mean])[:, 8] - 60.0)
    assert gap[1] < gap[0]
    assert after.confidence[8] > before.confidence[8]


def test_missing_trials_are_skipped_with_finite_gradients(parameters, columns):
    columns["report"][[3, 21]] = np.nan
    columns["outcome"][[7, 20]] = np.nan
    columns["helicopter"][9] = np.nan
    trials = make_trials(**columns)

    def total(p):
        return log_likelihood(p, trials, agent=Agent()).sum()

    value, slope = jax.jit(jax.value_and_grad(total))(parameters)
    assert np.all(np.isfinite(np.asarray([value, *slope])))
    run = run_participant(parameters, trials, agent=Agent())
    assert float(log_likelihood(parameters, trials, agent=Agent())[3]) == 0.0
    assert float(run.belief_mean[7]) == float(run.prior_mean[7])
    assert float(run.learning_rate[7]) == 0.0


def test_gradient_equals_finite_differences(parameters, trials):
    @jax.jit
    def total(vector):
        return log_likelihood(
            type(parameters)(*vector), trials, agent=Agent(anchor="belief")
        ).sum()

    vector = jnp.stack(parameters)
    step = 1e-5 * jnp.eye(vector.size)
    numeric = [(total(vector + s) - total(vector - s)) / 2e-5 for s in step]
    slope = jax.jit(jax.grad(total))(vector)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6)


def test_without_drift_the_process_variance_is_nothing(parameters, trials):
    still = log_likelihood(parameters, trials, agent=Agent(drift=False))
    other = parameters._replace(log_process=jnp.asarray(-3.0))
    np.testing.assert_array_equal(
        still, log_likelihood(other, trials, agent=Agent(drift=False))
    )
    small = parameters._replace(log_process=jnp.asarray(-40.0))
    np.testing.assert_allclose(
        still, log_likelihood(small, trials, agent=Agent()), rtol=1e-9
    )


def test_likelihood_is_traced_once_for_every_agent(parameters, trials):
    traces = []

    @jax.jit
    def total(p, switches):
        traces.append(1)
        return log_likelihood(p, trials, agent=switches).sum()

    for agent in (Agent(), Agent(anchor="belief"), KALMAN, Agent()):
        total(parameters, agent.switches())
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("outcome", 400.0, "screen units"), ("noise_sd", 0.0, "positive")],
)
def test_impossible_trials_are_refused(columns, field, value, words):
    columns[field][2] = value
    with pytest.raises(ValueError, match=words):
        make_trials(**columns)


def test_columns_of_unequal_length_are_refused(columns):
    columns["report"] = columns["report"][:-1]
    with pytest.raises(ValueError, match="report has shape"):
        make_trials(**columns)


def test_a_moved_mark_draws_the_report_by_its_share(parameters, columns):
    """By hand: the same report is as likely as one of a belief that much further on."""
    columns["push"] = np.zeros(40)
    columns["push"][7] = 10.0
    trials, plain = make_trials(**columns), make_trials(**(columns | {"push": None}))
    run = run_participant(parameters, plain, agent=Agent())
    found = log_likelihood(parameters, trials, agent=Agent(), start_weight=0.3)
    expected = report_log_likelihood(
        parameters,
        predicted=run.predicted_report[7] + 3.0,
        previous=run.previous_report[7] + 10.0,
        report=plain.report[7],
    )
    assert float(found[7]) == pytest.approx(float(expected), rel=1e-12)
    others = np.arange(40) != 7
    untouched = log_likelihood(parameters, plain, agent=Agent())
    np.testing.assert_array_equal(found[others], untouched[others])
