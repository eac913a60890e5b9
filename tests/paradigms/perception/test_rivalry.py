"""Rivalry against adaptive quadrature, and against simulated Langevin dynamics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Effects
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    Noise,
    Oneirogen,
    Rebus,
    Sensory,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms.perception import Rivalry, rivalry

EVEN = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def felt(x, y=0.0):
    return Effects(jnp.asarray([x]), jnp.asarray([y]), jnp.zeros(1))


def energy_of(rival, gains=(1, 1, 1), slopes=(1, 1)):
    eyes, blend, causes = np.asarray(gains) * rival.precisions
    pull = (slopes[0] * slopes[1]) ** 2 / (1 / (2 * eyes) + slopes[0] ** 2 / blend)

    def energy(x):
        sides = np.logaddexp(
            -0.5 * causes * (x - rival.cause) ** 2,
            -0.5 * causes * (x + rival.cause) ** 2,
        )
        return -sides + 0.5 * pull * x**2

    return energy


X, Y = 0.3, 0.2
CASES = {
    "none": (Rebus(), felt(0.0), {}, 1.0),
    "relaxed": (Rebus(), felt(X), dict(gains=np.exp([0, -2 * X, -2 * X])), 1.0),
    "senses": (Sensory(), felt(X), dict(gains=np.exp([2 * X, 0, 0])), 1.0),
    "dimmed": (Dimmer(), felt(0.0, Y), dict(slopes=np.exp([-Y, -Y])), 1.0),
    "noise": (Noise(), felt(X), {}, float(np.exp(2 * X))),
}


@pytest.mark.parametrize("case", CASES)
def test_dwelling_and_mixing_are_those_of_quadrature(case):
    account, effects, acting, heat = CASES[case]
    rival = Rivalry()
    energy = energy_of(rival, **acting)
    found = rivalry(rival, effects, account=account, anatomy=EVEN)
    dwell = dblquad(
        lambda z, y: np.exp((energy(y) - energy(z)) / heat) / heat,
        -1,
        1,
        -9,
        lambda y: y,
    )[0]
    assert float(found.log_dwell[0]) == pytest.approx(np.log(dwell), abs=5e-3)
    total, inside = (
        quad(lambda x: np.exp(-energy(x) / heat), -end, end)[0] for end in (9, 0.5)
    )
    assert float(found.mixed[0]) == pytest.approx(inside / total, abs=2e-3)
    assert float(found.barrier[0]) == pytest.approx(energy(0.0) - energy(1.0), abs=1e-5)


@pytest.mark.slow
def test_dwelling_is_that_of_langevin_dynamics():
    """Many walkers from one cause until they first reach the other."""
    rival, step, walkers = Rivalry(precisions=(0.5, 4.0, 5.0)), 2e-3, 2000
    force = jax.grad(lambda x: jnp.sum(_energy(rival, x)))

    def walk(state, key):
        x, time = state
        x = x - step * force(x) + jnp.sqrt(2 * step) * jax.random.normal(key, x.shape)
        alive = time >= 0
        arrived = alive & (x >= rival.cause)
        return (
            x,
            jnp.where(arrived, -time - step, jnp.where(alive, time + step, time)),
        ), None

    start = (jnp.full((walkers,), -rival.cause), jnp.zeros((walkers,)))
    (_, times), _ = jax.lax.scan(
        walk, start, jax.random.split(jax.random.key(0), 30000)
    )
    assert np.mean(np.asarray(times) < 0) > 0.999
    expected = np.exp(float(rivalry(rival, felt(0.0), account=Rebus()).log_dwell[0]))
    # Steps miss crossings between them, which makes arrivals late by some per cent.
    assert np.abs(np.asarray(times)).mean() == pytest.approx(expected, rel=0.1)


def _energy(rival, x):
    eyes, blend, causes = rival.precisions
    pull = 1 / (1 / (2 * eyes) + 1 / blend)
    sides = jnp.logaddexp(
        -0.5 * causes * (x - rival.cause) ** 2, -0.5 * causes * (x + rival.cause) ** 2
    )
    return -sides + 0.5 * pull * x**2


@pytest.mark.parametrize("strengths", [(1.0, 1.0), (2.0, 1.0), (0.2, 0.5)])
def test_eyes_of_different_strength_are_left_at_different_times(strengths):
    rival = Rivalry(strengths=strengths, precisions=(1.0, 4.0, 6.0))
    left, right = strengths
    pull, target = 1 / (1 / (left + right) + 1 / 4), (left - right) / (left + right)

    def energy(x):
        sides = np.logaddexp(-3 * (x - 1) ** 2, -3 * (x + 1) ** 2)
        return -sides + 0.5 * pull * (target - x) ** 2

    found = rivalry(rival, felt(0.0), account=Rebus())
    leaving = {
        "log_dwell": dblquad(
            lambda z, y: np.exp(energy(y) - energy(z)), -1, 1, lambda y: y, 9
        ),
        "log_dwell_right": dblquad(
            lambda z, y: np.exp(energy(y) - energy(z)), -1, 1, -9, lambda y: y
        ),
    }
    for name, (time, _) in leaving.items():
        assert float(getattr(found, name)[0]) == pytest.approx(np.log(time), abs=5e-3)
    total, inside = (
        quad(lambda x: np.exp(-energy(x)), -end, end)[0] for end in (9, 0.5)
    )
    assert float(found.mixed[0]) == pytest.approx(inside / total, abs=2e-3)
    assert float(found.barrier[0]) == pytest.approx(energy(0.0) - energy(1.0), abs=1e-5)


def test_levelt_s_second_and_fourth_proposition_hold_without_fatigue():
    """A stronger eye shortens the other's time more than it changes its own; both stronger, both are shorter."""

    def times(*strengths):
        found = rivalry(Rivalry(strengths=strengths), felt(0.0), account=Rebus())
        return np.array([float(found.log_dwell[0]), float(found.log_dwell_right[0])])

    plain, one, both = times(1.0, 1.0), times(2.0, 1.0), times(2.0, 2.0)
    assert plain[1] - one[1] > 1.5 * abs(one[0] - plain[0])
    assert np.all(both < plain)


def test_a_share_from_above_mixes_percepts_and_leaves_the_dynamics():
    plain, mixed = (
        rivalry(Rivalry(), felt(x), account=Oneirogen()) for x in (0.0, 0.5)
    )
    assert mixed.mixed[0] > plain.mixed[0]
    np.testing.assert_array_equal(mixed.log_dwell, plain.log_dwell)
    draws = np.random.default_rng(0)
    share, number = 1 - np.exp(-0.5), 400_000
    grid = np.linspace(-5, 5, 20001)
    density = np.exp(-energy_of(Rivalry())(grid))
    x = draws.choice(grid, number, p=density / density.sum())
    drawn = draws.choice([-1.0, 1.0], number) + draws.normal(size=number) / np.sqrt(
        14.0
    )
    by_draws = np.mean(np.abs((1 - share) * x + share * drawn) < 0.5)
    assert float(mixed.mixed[0]) == pytest.approx(by_draws, abs=4e-3)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e4])
def test_extremes_stay_finite(wide, level, size):
    precisions = [1.0, 4.0, 6.0]
    precisions[level] = size
    with jax.enable_x64(wide):
        found = rivalry(
            Rivalry(precisions=tuple(precisions)), felt(0.0), account=Rebus()
        )
    assert all(np.isfinite(float(each[0])) for each in found)
    assert 0 <= float(found.mixed[0]) <= 1 + 1e-5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Rivalry(cause=0.0), "above 0"),
        (lambda: Rivalry(precisions=(1.0,)), "1 precisions"),
        (lambda: Rivalry(strengths=(1.0, 2.0, 1.0)), "3 strengths"),
        (lambda: rivalry(Rivalry(), felt(np.nan), account=Rebus()), "effect_2a"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
