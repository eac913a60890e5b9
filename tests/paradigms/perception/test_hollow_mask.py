"""The hollow mask against adaptive quadrature, the package's own modes, and its theorems."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

import pcmodel
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
from pcmodel.paradigms.perception import HollowMask, flip_precision, hollow_mask

EVEN = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def felt(*x, y=0.0):
    given = jnp.asarray(x, float)
    return Effects(given, jnp.full_like(given, y), jnp.zeros_like(given))


def by_quadrature(mask, *, gains=(1, 1, 1), slopes=(1, 1), temperature=1.0, share=0.0):
    """Probability of convexity and mean predicted depth."""
    senses, depth, shape = np.asarray(gains) * mask.precisions
    series = 1 / (1 / senses + slopes[0] ** 2 / depth)

    def density(x):
        left = mask.seen - slopes[0] * np.tanh(slopes[1] * x)
        energy = 0.5 * shape * (x - mask.expected) ** 2 + 0.5 * series * left**2
        return np.exp(-energy / temperature)

    def convexity(x):
        if not share:
            return float(x > 0)
        mean = (1 - share) * x + share * mask.expected
        return norm.cdf(mean * np.sqrt(shape) / share)

    far = abs(mask.expected) + 12 / np.sqrt(shape / temperature) + 12

    def integral(f):
        ends = (-far, -3.0, 0.0, 3.0, far)
        return sum(quad(f, *pair, limit=400)[0] for pair in itertools.pairwise(ends))

    total = integral(density)
    return (
        integral(lambda x: density(x) * convexity(x)) / total,
        integral(lambda x: density(x) * np.tanh(slopes[1] * x)) / total,
    )


@pytest.mark.parametrize("seen", [-1.0, -0.3, 0.8])
@pytest.mark.parametrize(
    "precisions", [(4.0, 4.0, 1.5), (20.0, 9.0, 1.0), (0.5, 2.0, 6.0)]
)
def test_percepts_are_those_of_quadrature(seen, precisions):
    mask, x, y = HollowMask(seen, precisions=precisions), 0.4, 0.3
    cases = {
        Uniform(): dict(gains=(np.exp(-2 * x),) * 3),
        Rebus(): dict(gains=(1, np.exp(-2 * x), np.exp(-2 * x))),
        Sensory(): dict(gains=(np.exp(2 * x), 1, 1)),
        Noise(): dict(temperature=np.exp(2 * x)),
        Oneirogen(): dict(share=1 - np.exp(-x)),
        Dimmer(): dict(slopes=np.exp([-y, -y])),
    }
    for account, acting in cases.items():
        found = hollow_mask(mask, felt(x, y=y), account=account, anatomy=EVEN)
        expected = by_quadrature(mask, **acting)
        np.testing.assert_allclose(
            [found.convex[0], found.depth[0]], expected, atol=3e-4, err_msg=str(account)
        )


def test_a_concave_mask_looks_convex_and_a_relaxed_top_restores_it():
    found = hollow_mask(
        HollowMask(), felt(0.0, 0.5, 1.0, 2.0), account=Rebus(selectivity=20.0)
    )
    assert found.convex[0] > 0.9
    assert np.all(np.diff(found.convex) < 0) and found.convex[-1] < 0.1


def test_the_percept_flips_at_a_prior_precision():
    threshold = flip_precision(HollowMask())
    below, above = (
        hollow_mask(
            HollowMask(precisions=(8.0, 8.0, factor * threshold)),
            felt(0.0),
            account=Rebus(),
        )
        for factor in (0.9, 1.1)
    )
    assert below.convex[0] < 0.5 < above.convex[0]
    at = by_quadrature(HollowMask(precisions=(8.0, 8.0, threshold)))
    assert at[0] == pytest.approx(0.5, abs=1e-3)
    assert np.isnan(flip_precision(HollowMask(seen=1.0)))  # a convex face never flips


def test_two_maxima_are_the_two_modes_of_inference():
    """Started at either side, inference ends at a percept of its own; their energies are the density's maxima."""
    mask = HollowMask(expected=4.0, precisions=(16.0, 16.0, 1.5))
    found = hollow_mask(mask, felt(0.0), account=Rebus())
    assert found.modes[0] == 2 and found.barrier[0] > 0
    ends = [
        pcmodel.infer(mask_network(mask), np.array([-1.0]), initial=start)
        for start in starts(
            *(lowest(mask, *ends) for ends in ((-3.0, 0.0), (2.0, 6.0)))
        )
    ]
    tops = [float(end.latents[2][0]) for end in ends]
    assert tops[0] < 0 < tops[1]
    energies = np.array([energy(mask, top) for top in tops])
    grid = np.linspace(*sorted(tops), 20001)
    valley = max(energy(mask, x) for x in grid)
    assert float(found.barrier[0]) == pytest.approx(valley - energies.max(), abs=1e-3)


def mask_network(mask):
    from flax import nnx

    from pcmodel import Network
    from pcmodel.networks.layers.dense import Dense, identity

    layers = [Dense(1, 1, activation=f, rngs=nnx.Rngs(0)) for f in (identity, jnp.tanh)]
    for layer in layers:
        layer.weight[...] = jnp.ones((1, 1))
    return Network(
        layers,
        [1, 1, 1],
        log_precisions=list(np.log(mask.precisions)),
        prior_mean=np.array([mask.expected]),
    )


def lowest(mask, low, high):
    """Where the energy is lowest between two shapes."""
    return minimize_scalar(
        lambda x: energy(mask, x), bounds=(low, high), method="bounded"
    ).x


def starts(*tops):
    return [(jnp.array([-1.0]), depth_at(top), jnp.array([top])) for top in tops]


def depth_at(top):
    """The depth midway, by equal precisions, between what is seen and what the shape predicts."""
    return 0.5 * (jnp.tanh(jnp.array([top])) - 1.0)


def energy(mask, x):
    senses, depth, shape = mask.precisions
    series = 1 / (1 / senses + 1 / depth)
    return (
        0.5 * shape * (x - mask.expected) ** 2
        + 0.5 * series * (mask.seen - np.tanh(x)) ** 2
    )


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e4, 1e8])
def test_extreme_precisions_have_their_limits(wide, level, size):
    precisions = [8.0, 8.0, 1.5]
    precisions[level] = size
    with jax.enable_x64(wide):
        found = hollow_mask(
            HollowMask(precisions=tuple(precisions)), felt(0.0), account=Rebus()
        )
    numbers = [float(each[0]) for each in found]
    assert np.all(np.isfinite(numbers)) and -1e-6 <= numbers[0] <= 1 + 1e-6
    if size < 1e-3 and level < 2:  # no evidence: the prior
        assert numbers[0] == pytest.approx(norm.cdf(3.0 * np.sqrt(1.5)), abs=1e-3)
    if size > 1e3 and level == 2:
        assert numbers[0] == pytest.approx(1.0, abs=1e-3)
    if (
        size < 1e-3 and level == 2
    ):  # no prior: plateaus of either sign, the seen one the likelier
        likelier = 1 / (1 + np.exp(-0.5 * 4.0 * 4.0))
        assert numbers[0] == pytest.approx(1 - likelier, abs=0.02)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HollowMask(precisions=(1.0, 1.0)), "2 precisions"),
        (lambda: HollowMask(precisions=(1.0, 1.0, 0.0)), "above 0"),
        (lambda: HollowMask(seen=np.nan), "seen"),
        (lambda: hollow_mask(HollowMask(), felt(np.inf), account=Rebus()), "effect_2a"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
