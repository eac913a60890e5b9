"""Planning against closed forms, with people whose outcomes are linear in the strengths and normal."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, nct, t

from pcmodel.cli.pages import power_page
from pcmodel.errors import UserError
from pcmodel.sessions.planning.explanations import Strengths
from pcmodel.sessions.planning.likelihood import Moments, log_likelihood, moments
from pcmodel.sessions.planning.outcome import DRAWS, Measure, Outcome
from pcmodel.sessions.planning.power import run_power
from pcmodel.sessions.planning.studies import (
    is_better,
    superiority_curve,
)
from tests.sessions.planning.linear_people import (
    BASE,
    EXPECTATION,
    PROTOCOL,
    RELAXATION,
    WINDOW,
    covariance,
    linear,
    plan_of,
)

POOLS = "pcmodel.sessions.planning.studies.NUM_POOLS"


def test_power_between_two_arms_is_that_of_the_t_test():
    plan = plan_of(questions=("therapy",), noise=1.5)
    found = run_power(plan, PROTOCOL, seed=3, simulate=linear()).superiority
    gap = (RELAXATION + WINDOW + EXPECTATION)[:, 1] @ [1, -1]
    sd = np.sqrt(covariance(1.5)[1, 1])
    assert found.difference == pytest.approx(gap, rel=1e-12)
    assert found.standardised == pytest.approx(gap / sd, abs=0.05)
    for size, share in zip(plan.participants, found.power.share, strict=True):
        limit = t.ppf(0.975, 2 * size - 2)
        exact = nct.sf(limit, 2 * size - 2, gap / sd * np.sqrt(size / 2))
        assert share == pytest.approx(exact, abs=0.05)


def test_a_treatment_that_does_nothing_is_significant_in_one_study_of_forty():
    """Two-sided at 5 %: one half of it for the better."""
    none = 0.0 * RELAXATION
    plan = plan_of(questions=("therapy",), studies=4000)
    simulate = linear(none, none, none)
    found = run_power(plan, PROTOCOL, seed=1, simulate=simulate).superiority
    assert found.power.share == pytest.approx([0.025, 0.025], abs=0.012)
    assert found.needed == 0


def exact_right(
    effect, rival, true_effect, true_rival, *, none, noise, size, studies=40_000
):
    """Share of right attributions, from normal means of studies and the lines of means that explanations allow."""
    rng, precision = np.random.default_rng(11), size * np.linalg.inv(covariance(noise))
    root = np.linalg.cholesky(covariance(noise) / size)

    def best(gaps, line, most):
        """Twice the loss of likelihood at the best size of a line through 0 in [0, most]."""
        bend = np.einsum("ad,de,ae->", line, precision, line)
        slope = np.einsum("sad,de,ae->s", gaps, precision, line)
        place = np.clip(slope / bend, 0.0, most)
        return place**2 * bend - 2 * place * slope

    def found(mean):
        gaps = mean + rng.standard_normal((studies, 2, 2)) @ root.T
        own, other = (
            best(gaps - none, effect, 2.0),
            best(gaps - rival[0], rival[1], rival[2]),
        )
        start = gaps - none
        zero = np.einsum("sad,de,sae->s", start, precision, start)
        shift = gaps - rival[0]
        base = np.einsum("sad,de,sae->s", shift, precision, shift)
        return np.mean((zero + own < base + other) & (-own > 3.84))

    return 0.5 * (found(true_effect) + 1 - found(true_rival))


@pytest.mark.parametrize("name", ["unblinding", "window"])
def test_attribution_is_right_as_often_as_normal_theory_says(name):
    plan = plan_of(questions=(name,))
    told = run_power(plan, PROTOCOL, seed=5, simulate=linear()).told[0]
    if name == "unblinding":
        none = BASE + EXPECTATION
        effect, rival = RELAXATION + WINDOW, (BASE + 0 * EXPECTATION, EXPECTATION)
    else:
        none = BASE + EXPECTATION + WINDOW
        effect, rival = RELAXATION, (BASE + EXPECTATION, WINDOW)
    mean = none + effect
    weight = np.linalg.inv(covariance(plan.noise))
    size = np.einsum("ad,de,ae->", mean - rival[0], weight, rival[1])
    size /= np.einsum("ad,de,ae->", rival[1], weight, rival[1])
    assert told.rival_size == pytest.approx(size, rel=0.05)
    for people, share in zip(plan.participants, told.right.share, strict=True):
        exact = exact_right(
            effect,
            (*rival, told.rival_limit),
            mean,
            rival[0] + size * rival[1],
            none=none,
            noise=plan.noise,
            size=people,
        )
        assert share == pytest.approx(exact, abs=0.035)


def test_rivals_that_do_the_same_are_alike_for_any_number_of_people():
    simulate = linear(window=0.5 * RELAXATION)
    told = run_power(
        plan_of(questions=("window",)), PROTOCOL, seed=5, simulate=simulate
    ).told[0]
    assert told.verdict == "alike" and told.needed == 0
    assert told.rival_size == pytest.approx(
        3.0, rel=1e-3
    )  # its own, and twice for the missing relaxation
    np.testing.assert_array_equal(told.right.share, 0.5)


@pytest.mark.parametrize("question", ["unblinding", "window"])
def test_a_rival_that_does_nothing_has_no_most_similar_size(question):
    """Prevents that a strength is told at which nothing looks like the effect."""
    idle = np.zeros((2, 2))
    plan = plan_of(questions=(question,), pool=200, studies=50)
    people = linear(window=idle, expectation=idle)
    told = run_power(plan, PROTOCOL, seed=0, simulate=people).told[0]
    assert np.isnan(told.rival_size) and np.isfinite(told.nats)
    assert power_page._size(told) == "any: it does nothing here"
    acting = run_power(plan, PROTOCOL, seed=0, simulate=linear()).told[0]
    assert np.isfinite(acting.rival_size)


def test_a_guess_tells_what_symptoms_do_not():
    """Where believers alone improve, and by as much, only who believes tells the drug from unblinding."""

    def simulate(protocol, *, arms, days, num_people, seed, strengths):
        rng = np.random.default_rng(seed)
        believed = rng.random((len(arms), num_people))
        level = rng.standard_normal((len(arms), num_people))
        drug = np.array([1.0, 0.0])[:, None]
        gain = 0.5 * (strengths.relaxation + strengths.window) * drug * 1.5
        gain = gain + strengths.expectation * 3.0 * (believed - 0.5 * (1 - drug))
        points = np.stack([0 * gain, -gain - level, -gain - level], axis=-1) + 20
        return Outcome(points, believed)

    options = {"questions": ("unblinding",), "pool": 600, "noise": 0.5, "studies": 50}
    told = [
        run_power(
            plan_of(guess=guess, **options), PROTOCOL, seed=2, simulate=simulate
        ).told[0]
        for guess in (False, True)
    ]
    assert told[1].nats > 1.2 * told[0].nats


def test_moments_are_those_of_what_is_measured():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2, 6000, 4)) @ rng.standard_normal((4, 4)) + 3.0
    outcome, measure = Outcome(points, rng.random((2, 6000))), Measure(0.7, True, 5)
    own, values = moments(outcome, measure), measure.draw(outcome)
    assert values.shape == (2, 6000, DRAWS, 4)
    for arm in range(2):
        flat = values[arm].reshape(-1, 4)
        np.testing.assert_allclose(own.mean[arm], flat.mean(axis=0), atol=0.03)
        np.testing.assert_allclose(
            own.covariance[arm], np.cov(flat.T), rtol=0.1, atol=0.1
        )
    np.testing.assert_array_equal(values, measure.draw(outcome))


@pytest.mark.parametrize("noise", [1e-8, 1e-3, 1.0, 1e8])
@pytest.mark.parametrize("people", [1, 2, 50])
def test_moments_and_likelihood_at_extremes(noise, people):
    rng = np.random.default_rng(people)
    points = 10 * rng.random((2, people, 3))
    own = moments(Outcome(points, np.zeros((2, people))), Measure(noise, False, 0))
    gaps = points[..., :1] - points[..., 1:]
    np.testing.assert_allclose(own.mean, gaps.mean(axis=1), rtol=1e-12)
    spread = [np.cov(arm.T) if people > 1 else np.zeros((2, 2)) for arm in gaps]
    errors = noise**2 * np.array([[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(
        own.covariance, np.array(spread) + errors, rtol=1e-9, atol=1e-25
    )
    if people == 2 and noise < 1e-6:
        return  # a covariance of rank one is told from its errors in no floating point
    values = own.mean[:, None, None] + noise * rng.standard_normal((2, 5, 3, 2))
    logs = log_likelihood(values, own)
    for arm in range(2):
        density = multivariate_normal(
            own.mean[arm], own.covariance[arm], allow_singular=True
        )
        np.testing.assert_allclose(
            logs[arm], density.logpdf(values[arm]), rtol=1e-6, atol=1e-6
        )


def test_measurements_without_any_spread_are_refused():
    own = Moments(np.zeros((1, 2)), np.ones((1, 2, 2)))
    with pytest.raises(
        UserError, match="noise: the measurements of an arm have no spread"
    ):
        log_likelihood(np.zeros((1, 2, 1, 2)), own)


def test_symptoms_that_are_not_finite_are_refused():
    def broken(protocol, *, arms, days, num_people, seed, strengths):
        return Outcome(np.full((2, num_people, 3), np.nan), np.zeros((2, num_people)))

    with pytest.raises(UserError, match="not finite"):
        run_power(plan_of(), PROTOCOL, seed=0, simulate=broken)


def test_welch_is_that_of_scipy():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(0)
    first = rng.standard_normal((200, 9)) * 3.0 + 1.5
    second = rng.standard_normal((200, 17))
    p = ttest_ind(first, second, axis=1, equal_var=False)
    np.testing.assert_array_equal(
        is_better(first, second), (p.pvalue < 0.05) & (p.statistic > 0)
    )
    assert 0.1 < is_better(first, second).mean() < 0.9


def test_equal_people_have_no_power_and_do_not_divide_by_zero():
    curve = superiority_curve(
        np.zeros((2, 10, 1)),
        participants=(1, 5),
        num_studies=20,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_array_equal(curve.share, 0.0)


@pytest.mark.slow
def test_intervals_hold_the_share_that_a_larger_pool_has(monkeypatch):
    """Of pools of 80 people, most bands hold what 3,000 people tell."""
    options = {"questions": ("window", "therapy"), "participants": (10,), "sizes": 5}
    many = plan_of(pool=3000, studies=4000, **options)
    truth = run_power(many, PROTOCOL, seed=99, simulate=linear())
    monkeypatch.setattr(POOLS, 60)
    held = np.zeros(2)
    for seed in range(20):
        few = plan_of(pool=80, studies=300, **options)
        found = run_power(few, PROTOCOL, seed=seed, simulate=linear())
        right, true = found.told[0].right, truth.told[0].right.share
        power, exact = found.superiority.power, truth.superiority.power.share
        held += [
            right.low[0] <= true[0] <= right.high[0],
            power.low[0] <= exact[0] <= power.high[0],
        ]
    assert (held >= 15).all(), held


def test_answers_are_stored_and_read_again(monkeypatch):
    plan, store = plan_of(pool=60, participants=(5,), studies=50), {}
    first = run_power(plan, PROTOCOL, seed=0, simulate=linear(), stored=store)
    assert sorted(store) == [0, 1]
    calls = []

    def counted(protocol, **given):
        calls.append(given["strengths"])
        return linear()(protocol, **given)

    again = run_power(plan, PROTOCOL, seed=0, simulate=counted, stored=store)
    assert again.told[0].nats == first.told[0].nats
    assert set(calls) == {Strengths()}  # the explanations were not simulated again
