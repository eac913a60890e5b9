"""What time keeps of what was learned: the flow of its equations, its limits, and what it conserves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import pcmodel
from pcmodel.paradigms.lasting import Retention, Trace, after_days, begin, labile_part

TRACE = Trace(
    {"mean": jnp.asarray([3.0, -1.0]), "log_precision": jnp.asarray(2.0)},
    {"mean": jnp.asarray([1.0, 0.5]), "log_precision": jnp.asarray(0.3)},
    {"mean": jnp.asarray([-2.0, 0.5]), "log_precision": jnp.asarray(0.0)},
)
LEAVES = [np.concatenate([each["mean"], each["log_precision"][None]]) for each in TRACE]


def flat(tree):
    return np.concatenate([np.asarray(tree["mean"]), [float(tree["log_precision"])]])


def later(days, tau=2.0, share=0.7, forgetting=0.05, trace=TRACE):
    return after_days(
        trace,
        days,
        labile_days=tau,
        consolidation=share,
        forgetting_per_day=forgetting,
    )


@pytest.mark.parametrize(
    ("tau", "forgetting"), [(2.0, 0.05), (0.3, 3.0), (50.0, 0.5), (4.0, 0.25), (1.0, 0)]
)
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_it_is_the_flow_of_its_equations(tau, share, forgetting):
    """Against a numerical integration; 4 days and 0.25 a day are the case in which both rates are one."""

    def change(_, state):
        labile, slow = state[:3], state[3:]
        return np.concatenate(
            [-labile / tau, share * labile / tau - forgetting * (slow - LEAVES[2])]
        )

    start = np.concatenate([LEAVES[0] - LEAVES[1], LEAVES[1]])
    days = np.array([0.5, 3.0, 11.0])
    told = solve_ivp(
        change, (0, 11.0), start, t_eval=days, rtol=1e-10, atol=1e-12, method="LSODA"
    )
    for column, day in enumerate(days):
        found = later(day, tau, share, forgetting)
        labile, slow = told.y[:3, column], told.y[3:, column]
        np.testing.assert_allclose(flat(found.slow), slow, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(
            flat(found.current), slow + labile, rtol=1e-7, atol=1e-9
        )


@pytest.mark.parametrize("tau", [1e-8, 0.5, 40.0, 1e8])
@pytest.mark.parametrize("forgetting", [0.0, 1e-8, 2.0, 1e8])
def test_two_intervals_make_their_sum(tau, forgetting):
    """Labile part, consolidation and forgetting: looking more often changes nothing."""
    for first, second in ((0.3, 0.7), (1e-6, 5.0), (40.0, 1e4)):
        once = later(first + second, tau, 0.7, forgetting)
        twice = later(second, tau, 0.7, forgetting, later(first, tau, 0.7, forgetting))
        for got, expected in zip(twice, once, strict=True):
            np.testing.assert_allclose(flat(got), flat(expected), rtol=1e-9, atol=1e-12)


def test_without_forgetting_the_share_of_what_decayed_is_kept():
    """slow += c (1 - exp(-d / tau)) labile, and nothing is lost at c = 1."""
    decayed = 1 - np.exp(-3.0 / 2.0)
    labile = LEAVES[0] - LEAVES[1]
    found = later(3.0, forgetting=0.0)
    np.testing.assert_allclose(flat(found.slow), LEAVES[1] + 0.7 * decayed * labile)
    whole = later(3.0, share=1.0, forgetting=0.0)
    np.testing.assert_allclose(flat(whole.current), LEAVES[0], rtol=1e-12)


def test_its_limits():
    """No time changes nothing; much time leaves the consolidated share, or with forgetting the baseline."""
    for got, expected in zip(later(0.0), TRACE, strict=True):
        np.testing.assert_array_equal(flat(got), flat(expected))
    labile = LEAVES[0] - LEAVES[1]
    kept = later(1e9, forgetting=0.0)
    np.testing.assert_allclose(flat(kept.current), LEAVES[1] + 0.7 * labile)
    np.testing.assert_allclose(flat(later(1e9).current), LEAVES[2], atol=1e-12)
    lost = later(1e9, share=0.0, forgetting=0.0)
    np.testing.assert_allclose(flat(lost.current), LEAVES[1])
    instant = later(1.0, tau=1e-9, forgetting=0.0)
    np.testing.assert_allclose(flat(instant.slow), LEAVES[1] + 0.7 * labile)


def test_what_was_never_learned_is_not_forgotten():
    """A trace at its baseline stays there to the last bit, at any time."""
    still = begin(TRACE.current)
    for days in (0.0, 1.0, 1e8):
        for got, expected in zip(later(days, trace=still), still, strict=True):
            np.testing.assert_array_equal(flat(got), flat(expected))
    assert np.all(flat(labile_part(still)) == 0)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_people_together_are_people_one_by_one(dtype):
    """`vmap` over traces, times and options, dtype kept."""
    people = 4
    rng = np.random.default_rng(0)
    traces = jax.tree.map(
        lambda leaf: jnp.asarray(rng.normal(size=(people, *leaf.shape)), dtype), TRACE
    )
    given = jnp.asarray(
        [
            [0.0, 2.0, 0.1, 0.0],
            [1.0, 1.0, 0.5, 1.0],
            [9.0, 30.0, 1.0, 0.2],
            [2, 4, 1, 0.25],
        ],
        dtype,
    )

    def one(trace, row):
        return later(row[0], row[1], row[2], row[3], trace)

    together = jax.vmap(one)(traces, given)
    for person in range(people):
        own = one(jax.tree.map(lambda leaf, p=person: leaf[p], traces), given[person])
        for got, expected in zip(
            jax.tree.leaves(jax.tree.map(lambda leaf, p=person: leaf[p], together)),
            jax.tree.leaves(own),
            strict=True,
        ):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_it_can_be_differentiated_where_both_rates_are_one():
    """Fits of retention pass through the point at which the formula is 0 / 0."""

    def slow(forgetting):
        return later(3.0, 4.0, 0.7, forgetting).slow["log_precision"]

    step = 1e-5
    numerical = (slow(0.25 + step) - slow(0.25 - step)) / (2 * step)
    near = jax.grad(slow)(0.25)
    np.testing.assert_allclose(near, numerical, rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labile_days": 0.0}, "labile_days is 0"),
        ({"labile_days": float("inf")}, "labile_days"),
        ({"consolidation": 1.2}, "consolidation is 1.2"),
        ({"consolidation": float("nan")}, "consolidation"),
        ({"forgetting_per_day": -0.1}, "forgetting_per_day is -0.1"),
        ({"labile_days": "two"}, "labile_days"),
    ],
)
def test_what_is_no_retention_is_refused(options, words):
    with pytest.raises(pcmodel.UserError, match=words):
        Retention(**options)
