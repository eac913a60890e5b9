"""The drug experiments' belief: exact moments against draws, and what perturbations change."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from experiments._believing import LEVELS, PRECISIONS, believe
from pcmodel import Modulation
from pcmodel.neuromodulation import Effects, anatomy
from pcmodel.neuromodulation.accounts.accounts import Noise, Oneirogen, Rebus, Together
from pcmodel.report import Perturbation

MIXED = Together((Rebus(1.0), Oneirogen(0.7), Noise(0.8)))


def felt(effect):
    return Effects(jnp.asarray(effect), jnp.zeros(()), jnp.zeros(()))


def chain(precisions=PRECISIONS):
    return pcmodel.linear_gaussian(
        [np.ones((1, 1))] * 3, precisions, prior_mean=np.full(1, -2.0), names=LEVELS
    )


@pytest.mark.slow
def test_moments_are_those_of_the_packages_own_draws():
    """Under relaxing, mixing and noise together."""
    number = 20000
    found = believe(felt(0.6), MIXED)
    modulation = MIXED.modulate(felt(0.6), anatomy(*PLACES))
    draws = pcmodel.activity(
        chain(),
        jax.random.key(0),
        np.ones(1),
        num_samples=number,
        modulation=modulation,
    )
    levels = np.concatenate([np.asarray(x) for x in draws[1:]], axis=1)
    error = found.sd / np.sqrt(number)
    assert np.all(np.abs(levels.mean(0) - found.mean) < 4 * error)
    np.testing.assert_allclose(levels.std(0), found.sd, rtol=0.03)


PLACES = ("sensory", "dorsal attention", "control", "default")


@pytest.mark.parametrize("end", ["prior", "evidence"])
def test_a_setting_is_a_chain_with_another_end(end):
    """Weight of the evidence, in series: 1 / (1 + P_top (1/P0 + 1/P1 + 1/P2))."""
    factor = 2.0
    found = believe(
        felt(0.0), Rebus(1.0), perturbation=Perturbation(f"belief.{end}", "", factor)
    )
    evidence, first, second, prior = PRECISIONS
    if end == "prior":
        prior *= factor
    else:
        evidence *= factor
    series = 1 / (1 / evidence + 1 / first + 1 / second)
    np.testing.assert_allclose(found.revision, series / (series + prior), rtol=1e-9)


def test_a_strength_is_what_it_is_in_the_account():
    """Scaling the effect stands for scaling the account's strength."""
    scaled = believe(
        felt(0.4), Rebus(1.0), perturbation=Perturbation("account.strength", "", 2.0)
    )
    strong = pcmodel.infer(
        chain(),
        np.ones(1),
        modulation=Modulation(Rebus(2.0).modulate(felt(0.4), anatomy(*PLACES)).gains),
    )
    np.testing.assert_allclose(scaled.mean[-1], strong.latents[-1][0], rtol=1e-8)
