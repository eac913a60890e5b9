"""Alternation of rivalry with fatigue, against a master equation, quadrature and its limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from paradigms.alternation_oracle import Landscape, expected
from scipy.integrate import dblquad
from scipy.stats import norm

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Effects
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    Noise,
    Oneirogen,
    Rebus,
    Sensory,
    Uniform,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms.perception import Fatigue, Rivalry, alternation
from pcmodel.paradigms.perception.alternation import shape_of, times_of
from pcmodel.paradigms.perception.rivalry import nearness

EVEN = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
KEY = jax.random.key(0)
SMALL = dict(runs=2, steps=400)


def felt(*x, y=0.0):
    given = jnp.asarray(x, float)
    return Effects(given, jnp.full_like(given, y), jnp.zeros_like(given))


def series(eyes, blend, slope=1.0):
    return 1 / (1 / eyes + slope**2 / blend)


X = 0.15
LOW, HIGH = float(np.exp(-2 * X)), float(np.exp(2 * X))
DIM = float(np.exp(-X))
CASES = {
    "none": (Rivalry(), Fatigue(), Rebus(), felt(0.0), Landscape()),
    "much fatigue": (
        Rivalry(precisions=(1.0, 4.0, 18.0)),
        Fatigue(6.0, 5.0),
        Rebus(),
        felt(0.0),
        Landscape(causes=18.0, log_odds=6.0, time=5.0),
    ),
    "relaxed": (
        Rivalry(),
        Fatigue(),
        Rebus(),
        felt(X),
        Landscape(causes=14 * LOW, evidence=series(2, 4 * LOW)),
    ),
    "senses": (
        Rivalry(),
        Fatigue(),
        Sensory(),
        felt(X),
        Landscape(evidence=series(2 * HIGH, 4)),
    ),
    "dimmed": (
        Rivalry(),
        Fatigue(),
        Dimmer(),
        felt(0.0, y=X),
        Landscape(evidence=series(2, 4, DIM), slope=DIM**2),
    ),
    "noise": (Rivalry(), Fatigue(), Noise(), felt(X), Landscape(temperature=HIGH)),
    "one eye stronger": (
        Rivalry(strengths=(1.5, 1.0)),
        Fatigue(),
        Rebus(),
        felt(0.0),
        Landscape(evidence=series(2.5, 4), target=0.2),
    ),
    "another cause": (
        Rivalry(cause=1.5, precisions=(1.0, 1.0, 5.0)),
        Fatigue(2.0, 4.0),
        Rebus(),
        felt(0.0),
        Landscape(1.5, 5.0, series(2, 1), log_odds=2.0, time=4.0),
    ),
}


QUICK = {"one eye stronger"}


def variation(times):
    return np.nanstd(times) / np.nanmean(times)


def jackknife(measure, runs):
    """A measure of all runs and its standard error, by leaving out one run at a time."""
    left = np.array([measure(np.delete(runs, run, axis=0)) for run in range(len(runs))])
    return measure(runs), np.sqrt((len(runs) - 1) * left.var())


@pytest.mark.parametrize(
    "case",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in CASES
    ],
)
def test_alternation_is_that_of_the_master_equation(case):
    """Within three standard errors over runs, and two per cent for steps, cells and the beginning of runs."""
    rival, fatigue, account, effects, where = CASES[case]
    options = dict(fatigue=fatigue, key=jax.random.key(7), runs=80, steps=100_000)
    found = alternation(rival, effects, account=account, anatomy=EVEN, **options)
    by_hand = expected(where)
    for name, values in {
        "rate": found.rate[0],
        "mixed": found.mixed[0],
        "left": found.predominance[0] * (1 - found.mixed[0]),
        "dominance_left": found.dominance[0, :, 0],
        "dominance_right": found.dominance[0, :, 1],
    }.items():
        own = getattr(by_hand, name)
        error = np.nanstd(values) / np.sqrt(np.sum(~np.isnan(values)))
        assert abs(np.nanmean(values) - own) < 3 * error + 0.02 * own, name
        assert error < 0.08 * own, name
    if where.target == 0:
        # Over all runs: each alone has few times, which vary less.
        pooled, error = jackknife(variation, np.asarray(found.times[0]))
        wanted = by_hand.variation_left
        assert abs(pooled - wanted) < 3 * error + 0.02 * wanted
        assert error < 0.08 * wanted


def test_without_fatigue_times_are_exponential_and_those_of_quadrature():
    """The mean is the mean first passage from one region to the other (Gardiner 2009)."""
    rival = Rivalry(precisions=(1.0, 4.0, 8.0))
    found = alternation(
        rival,
        felt(0.0),
        account=Rebus(),
        key=KEY,
        fatigue=Fatigue(0.0),
        runs=100,
        steps=50_000,
    )

    def energy(x):
        return -np.logaddexp(-4 * (x - 1) ** 2, -4 * (x + 1) ** 2) + 0.5 * 4 / 3 * x**2

    passage = dblquad(
        lambda z, y: np.exp(energy(y) - energy(z)), -0.5, 0.5, lambda y: y, 6
    )[0]
    error = found.rate.std() / 10
    assert abs(found.rate.mean() - 1 / passage) < 3 * error + 0.02 / passage
    pooled = np.nanstd(found.times) / np.nanmean(found.times)
    assert pooled == pytest.approx(1.0, abs=0.08)


def test_fatigue_quickens_and_steadies_alternation():
    rates, variations = [], []
    for log_odds in (0.0, 2.0, 5.0):
        found = alternation(
            Rivalry(precisions=(1.0, 4.0, 10.0)),
            felt(0.0),
            account=Rebus(),
            key=KEY,
            fatigue=Fatigue(log_odds),
            steps=50_000,
        )
        rates.append(found.rate.mean())
        variations.append(np.nanstd(found.times) / np.nanmean(found.times))
    assert np.all(np.diff(rates) > 0) and np.all(np.diff(variations) < 0)


@pytest.mark.parametrize("log_odds", [0.0, 1.5])
def test_a_share_from_above_mixes_and_leaves_the_dynamics(log_odds):
    """Fatigue that is slower than the run stays near 0; and one without odds leaves the draws even."""
    fatigue = Fatigue(log_odds, 1e6)
    plain, mixed = (
        alternation(
            Rivalry(), felt(x), account=Oneirogen(), key=KEY, runs=20, steps=20_000, fatigue=fatigue
        )
        for x in (0.0, 0.5)
    )  # fmt: skip
    np.testing.assert_array_equal(mixed.activity, plain.activity)
    np.testing.assert_array_equal(mixed.rate, plain.rate)
    share = 1 - np.exp(-0.5)
    x = mixed.activity.ravel()
    draws = np.random.default_rng(0)
    drawn = draws.choice([-1.0, 1.0], x.shape) + draws.normal(size=x.shape) / 14**0.5
    by_draws = np.mean(np.abs((1 - share) * x + share * drawn) < 0.5)
    assert mixed.mixed.mean() == pytest.approx(by_draws, abs=0.01)
    assert mixed.mixed.mean() > plain.mixed.mean() + 0.1


@pytest.mark.parametrize("log_odds", [-3.0, 0.0, 0.4, 50.0])
def test_draws_from_a_tired_prior_mix_by_its_odds(log_odds):
    x = np.linspace(-2, 2, 9)
    found = nearness(jnp.asarray(x), jnp.asarray(1.0), jnp.asarray(14.0), jnp.asarray(0.4), log_odds)  # fmt: skip
    share, weight = 0.4, 1 / (1 + np.exp(-log_odds))
    expected_share = 0
    for sign, own in ((1, weight), (-1, 1 - weight)):
        made = norm(0.6 * x + share * sign, share / 14**0.5)
        expected_share = expected_share + own * (made.cdf(0.5) - made.cdf(-0.5))
    np.testing.assert_allclose(found, expected_share, atol=1e-6)


def test_no_drug_is_one_run_whatever_the_account():
    found = [
        alternation(Rivalry(), felt(0.0), account=account, key=KEY, **SMALL).activity
        for account in (Rebus(), Sensory(), Dimmer(), Noise(), Oneirogen(), Uniform())
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_axes_are_those_of_effects_and_runs():
    effects = jax.tree.map(lambda each: each.reshape(2, 3), felt(*np.linspace(0, 1, 6)))
    found = alternation(Rivalry(), effects, account=Rebus(), key=KEY, **SMALL)
    assert found.rate.shape == (2, 3, 2) and found.duration.shape == (2, 3)
    assert found.activity.shape == (2, 3, 2, 45) and found.dominance.shape[-1] == 2
    flat = alternation(
        Rivalry(), felt(*np.linspace(0, 1, 6)), account=Rebus(), key=KEY, **SMALL
    )
    np.testing.assert_array_equal(
        found.activity.reshape(flat.activity.shape), flat.activity
    )


def test_times_are_from_switch_to_switch():
    is_left = np.array([1, 1, 0, 0, 0, 1, 0, 0], bool)
    times, of_left = times_of(is_left)
    np.testing.assert_array_equal(times, [3, 1])
    np.testing.assert_array_equal(of_left, [False, True])
    assert all(len(each) == 0 for each in times_of(np.ones(5, bool)))


def test_the_shape_of_gamma_times_is_a_gamma_distribution_s():
    draws = np.random.default_rng(0)
    of_left = draws.random(100_000) < 0.5
    times = draws.gamma(4.0, np.where(of_left, 1.0, 3.0))
    variation, skewness = shape_of(times, of_left)
    assert variation == pytest.approx(0.5, abs=0.01)
    assert skewness == pytest.approx(1.0, abs=0.05)
    variation, skewness = shape_of(np.ones(4), np.array([True, False] * 2))
    assert variation == 0 and np.isnan(skewness)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("size", [1e-8, 1e-3, 1e3, 1e8])
def test_extremes_stay_numbers(wide, level, size):
    precisions = [1.0, 4.0, 14.0]
    precisions[level] = size
    with jax.enable_x64(wide):
        found = alternation(
            Rivalry(precisions=tuple(precisions)),
            felt(0.0),
            account=Rebus(),
            key=KEY,
            **SMALL,
        )
    for name in ("rate", "mixed", "duration", "activity", "switches"):
        assert np.all(np.isfinite(getattr(found, name))), name
    assert np.all((found.mixed >= 0) & (found.mixed <= 1 + 1e-6))
    if size == 1e8 and level == 2:
        assert not found.switches.any()
        assert np.isnan(found.dominance).all() and np.isnan(found.variation).all()


@pytest.mark.parametrize("time", [1e-8, 1e8])
@pytest.mark.parametrize("log_odds", [0.0, 1e-8, 1e8])
def test_extremes_of_fatigue_stay_numbers(time, log_odds):
    found = alternation(
        Rivalry(),
        felt(0.0),
        account=Rebus(),
        key=KEY,
        fatigue=Fatigue(log_odds, time),
        **SMALL,
    )
    assert np.all(np.isfinite(found.activity))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Fatigue(-1.0), "log_odds"),
        (lambda: Fatigue(time=0.0), "above 0"),
        (lambda: Fatigue(time=np.nan), "time"),
        (lambda: Fatigue(log_odds="much"), "log_odds"),
        (lambda: Rivalry(strengths=(1.0,)), "1 strengths"),
        (lambda: Rivalry(strengths=(1.0, 0.0)), "above 0"),
        (lambda: alternation(Rivalry(), felt(0.0), account=Rebus(), key=jax.random.split(KEY)), "one random key"),
        (lambda: alternation(Rivalry(), felt(0.0), account=Rebus(), key=KEY, runs=0), "runs"),
        (lambda: alternation(Rivalry(), felt(0.0), account=Rebus(), key=KEY, steps=20), "steps is 20"),
        (lambda: alternation(Rivalry(), felt(0.0), account=Rebus(), key=KEY, fatigue=2.0), "fatigue"),
        (lambda: alternation(Rivalry(), felt(np.inf), account=Rebus(), key=KEY), "effect_2a"),
        (lambda: alternation(Rivalry(cause=1e30), felt(0.0), account=Rebus(), key=KEY, **SMALL), "cannot be stepped"),
        (lambda: alternation(Rivalry(), felt(0.0), account=Rebus(), key=KEY, runs=10**6, steps=10**9), "memory"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
