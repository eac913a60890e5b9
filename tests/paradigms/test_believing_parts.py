"""Belief courses of hierarchies with parts and with paths that meet again."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Level, UserError
from pcmodel.neuromodulation import Effects, anatomy
from pcmodel.paradigms import believe

PLACES = anatomy("sensory", "dorsal attention", "control", "default")
DATA = np.asarray([0.7, -1.2])


@dataclass(frozen=True)
class Acting:
    """An account whose factors on gains and on errors sent up are given powers of the effect's exponential."""

    gains: dict = field(default_factory=dict)
    passed: dict = field(default_factory=dict)
    needs = ("effect_2a",)

    def modulate(self, effects, anatomy):
        factor = jnp.exp(-effects.effect_2a)
        return pcmodel.Modulation(
            {place: factor**power for place, power in self.gains.items()},
            error_transmission={k: factor**power for k, power in self.passed.items()},
        )


def felt(values):
    values = np.asarray(values)
    none = np.zeros_like(values)
    return Effects(*(values if f == "effect_2a" else none for f in Effects._fields))


def diamond():
    return pcmodel.hierarchy(
        {
            "data": Level(2, parents=["left", "right"]),
            "left": Level(2, parents=["top"], parts={"self": 1, "world": 1}),
            "right": Level(2, parents=["top"]),
            "top": Level(1),
        },
        rngs=nnx.Rngs(1),
    )


def course(**options):
    return believe(
        diamond(),
        DATA,
        felt([0.0, 0.5, 1.0]),
        account=Acting(**options),
        anatomy=PLACES,
    )


def test_an_account_acts_on_a_part():
    """Every moment is the posterior under that modulation of the part's unit."""
    found = course(gains={"left/self": 2})
    for moment, effect in enumerate((0.0, 0.5, 1.0)):
        gains = np.asarray([np.exp(-2 * effect), 1.0])
        modulation = pcmodel.Modulation({"left": gains})
        alone = pcmodel.posterior(diamond(), DATA, modulation=modulation)
        for got, mean in zip(found.mean, alone.mean, strict=True):
            np.testing.assert_allclose(got[moment], mean, rtol=1e-6, atol=1e-9)
        assert found.gains[moment, 1] == pytest.approx(np.exp(-effect))


def test_errors_sent_up_alike_along_two_paths_are_gains():
    found = course(passed={"data": 1, "left": 2, "right": 2})
    gains = {"left": np.e, "right": np.e, "top": np.e**3}
    modulation = pcmodel.Modulation(gains)
    alone = pcmodel.posterior(diamond(), DATA, modulation=modulation)
    np.testing.assert_allclose(found.mean[3][2], alone.mean[3], rtol=1e-6)
    assert jax.tree.all(jax.tree.map(lambda x: np.isfinite(x).all(), found.mean))


def test_errors_sent_up_differently_along_two_paths_are_refused_before_a_run():
    with pytest.raises(UserError, match="different products"):
        course(passed={"left": 2, "right": 1})


def test_a_hypothesis_is_about_a_whole_level():
    with pytest.raises(UserError, match=r"'left/self' is a part.*whole level"):
        believe(
            diamond(),
            DATA,
            felt([0.0]),
            account=Acting(),
            anatomy=PLACES,
            hypothesis=lambda x: x[0] > 0,
            level="left/self",
            key=jax.random.key(0),
        )
