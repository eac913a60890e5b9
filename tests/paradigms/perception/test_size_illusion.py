"""The size illusion against closed forms and a dense solve, over mechanisms, accounts and extremes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Dose, Effects, simulate_group
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    NmdaBlock,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms.perception import MECHANISMS, SizeIllusion, size_illusion

EVEN = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
CONTRAST = ("scale", "reference", "expectation")


def felt(*values):
    given = jnp.asarray(values)
    return Effects(given, 0.5 * given, jnp.zeros_like(given))


def variances(mechanism, precisions):
    """Noise n, sizes a and scale or norm q of the module's closed forms."""
    senses, middle, top = 1 / np.asarray(precisions, float)
    return (
        (senses + middle, top, top) if mechanism == "scale" else (senses, middle, top)
    )


def closed_form(mechanism, precisions):
    n, a, q = variances(mechanism, precisions)
    shared = (a + n) * (a + n + 2 * q)
    return {
        "scale": -a * q / shared,
        "reference": -a * q / shared,
        "expectation": -n * q / shared,
        "assimilation": n * q / shared,
    }[mechanism]


def dense(mechanism, precisions, *, coupling=1.0, slopes=(1.0, 1.0), top_down=0.0):
    """The perceived centre for a surround of 1, from the joint precision matrix, numpy alone."""
    names = MECHANISMS[mechanism]
    top = np.array(names.top, float)
    if names.is_coupled:
        top[0] *= coupling
    to_senses, to_middle = slopes[0] * np.eye(2), slopes[1] * top
    senses, middle, prior = precisions
    units = top.shape[1]
    hessian = np.block(
        [
            [
                senses * to_senses.T @ to_senses + middle * np.eye(2),
                -middle * to_middle,
            ],
            [
                -middle * to_middle.T,
                middle * to_middle.T @ to_middle + prior * np.eye(units),
            ],
        ]
    )
    drive = np.concatenate([senses * to_senses.T @ [0.0, 1.0], np.zeros(units)])
    found = np.linalg.solve(hessian, drive)
    above = (1 - top_down) * found[2:]
    below = (1 - top_down) * found[:2] + top_down * to_middle @ above
    return np.dot(names.sizes, below) + np.dot(names.norm, above)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("precisions", [(4, 4, 1), (0.3, 7, 2), (20, 0.1, 5)])
def test_the_closed_form_without_a_drug(mechanism, precisions):
    found = size_illusion(
        SizeIllusion(mechanism, precisions), felt(0.0), account=Rebus()
    )
    assert found.converged.all()
    expected = closed_form(mechanism, precisions)
    np.testing.assert_allclose(found.illusion, [expected], rtol=1e-5)
    np.testing.assert_allclose(found.in_large, -found.in_small, rtol=1e-5)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_account_against_a_dense_solve(mechanism):
    """Gains, slopes and mixing by hand from each account's definition, with receptors alike everywhere."""
    x, y, precisions = 0.4, 0.2, np.array([3.0, 5.0, 0.7])
    net = x - 3 * x * (1 - x)
    cases = {
        Rebus(): dict(gains=(1, np.exp(-2 * x), np.exp(-2 * x))),
        Rebus(sign=1): dict(gains=(1, np.exp(2 * x), np.exp(2 * x))),
        Sebus(): dict(gains=(1, np.exp(-2 * net), np.exp(-2 * net))),
        Sensory(): dict(gains=(np.exp(2 * x), 1, 1)),
        Uniform(): dict(gains=(np.exp(-2 * x),) * 3),
        Noise(): {},
        Dimmer(): dict(slopes=(np.exp(-y), np.exp(-y))),
        Oneirogen(): dict(top_down=1 - np.exp(-x)),
    }
    illusion = SizeIllusion(mechanism, tuple(precisions), coupling=0.8)
    for account, acting in cases.items():
        gains = np.array(acting.pop("gains", (1, 1, 1)))
        found = size_illusion(illusion, felt(x), account=account, anatomy=EVEN)
        by_hand = dense(mechanism, gains * precisions, coupling=0.8, **acting)
        np.testing.assert_allclose(found.illusion, [by_hand], rtol=2e-5)


@pytest.mark.parametrize("mechanism", CONTRAST)
def test_a_top_relaxed_alone_strengthens_every_contrast(mechanism):
    found = size_illusion(
        SizeIllusion(mechanism), felt(0.0, 0.3, 1.0), account=Rebus(selectivity=20.0)
    )
    assert np.all(np.diff(found.illusion) < 0)


def test_relaxed_priors_have_a_sign_for_each_mechanism():
    """n^2 < a (a + 2 q) at the default precisions: sizes of the scale kind grow, pulls of a prior shrink."""
    for mechanism, sign in (("scale", -1), ("reference", -1), ("expectation", 1)):
        found = size_illusion(SizeIllusion(mechanism), felt(0.0, 0.5), account=Rebus())
        assert np.sign(found.illusion[1] - found.illusion[0]) == sign


def test_the_pull_of_a_prior_grows_again_where_the_senses_are_poor():
    """The other side of n^2 = a (a + 2 q)."""
    poor = SizeIllusion("expectation", (0.05, 4.0, 1.0))
    found = size_illusion(poor, felt(0.0, 0.2), account=Rebus())
    assert found.illusion[1] < found.illusion[0]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_only_ratios_of_precisions_matter(mechanism, scale):
    plain = size_illusion(SizeIllusion(mechanism), felt(0.2), account=Rebus())
    scaled = SizeIllusion(mechanism, tuple(scale * p for p in (4.0, 4.0, 1.0)))
    found = size_illusion(scaled, felt(0.2), account=Rebus())
    assert found.converged.all()
    np.testing.assert_allclose(found.illusion, plain.illusion, rtol=1e-4)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_extreme_ratios_in_both_precisions(mechanism):
    """Every corner of 1e-4..1e4 in single, 1e-8..1e8 in double precision: right, to the size of the surround."""
    for wide, ends in ((False, (1e-4, 1.0, 1e4)), (True, (1e-8, 1.0, 1e8))):
        with jax.enable_x64(wide):
            for precisions in np.stack(np.meshgrid(ends, ends, ends), -1).reshape(
                -1, 3
            ):
                found = size_illusion(
                    SizeIllusion(mechanism, tuple(precisions)),
                    felt(0.0),
                    account=Rebus(),
                )
                expected = closed_form(mechanism, precisions)
                assert not found.converged.all() or np.allclose(
                    found.illusion, expected, rtol=0, atol=1e-3
                ), (mechanism, precisions)
                assert np.all(np.isfinite(found.illusion))


def test_the_shape_is_that_of_the_effects():
    effects = jax.tree.map(lambda each: each.reshape(2, 3), felt(*np.linspace(0, 1, 6)))
    found = size_illusion(SizeIllusion(), effects, account=Rebus())
    assert found.illusion.shape == (2, 3)
    flat = size_illusion(SizeIllusion(), felt(*np.linspace(0, 1, 6)), account=Rebus())
    np.testing.assert_allclose(found.illusion.ravel(), flat.illusion)


def test_no_drug_is_bit_identical_whatever_the_account():
    accounts = (Rebus(), Sensory(), Sebus(), Oneirogen(), Dimmer(), Noise(), Uniform())
    found = {
        float(size_illusion(SizeIllusion(), felt(0.0), account=each).illusion[0])
        for each in accounts
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SizeIllusion("contrast"), "no mechanism is called 'contrast'"),
        (lambda: SizeIllusion(precisions=(1.0, 2.0)), "2 precisions"),
        (lambda: SizeIllusion(precisions=(1.0, 2.0, 0.0)), "above 0"),
        (lambda: SizeIllusion(precisions=(1.0, np.nan, 1.0)), "above 0"),
        (lambda: SizeIllusion(coupling=-1.0), "above 0"),
        (
            lambda: size_illusion(SizeIllusion(), felt(np.nan), account=Rebus()),
            "effect_2a",
        ),
        (
            lambda: size_illusion(
                SizeIllusion(),
                felt(0.1),
                account=Rebus(),
                anatomy=Anatomy(("a", "b"), (1.0, 1.0), (1.0, 1.0)),
            ),
            "anatomy: has 2 levels",
        ),
        (
            lambda: size_illusion(
                SizeIllusion(),
                simulate_group(
                    Dose("psilocybin", 10.0),
                    np.linspace(0, 2, 5),
                    num_people=1,
                    key=jax.random.key(0),
                ),
                account=NmdaBlock(),
            ),
            "nmdablock: needs nmda_block",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
