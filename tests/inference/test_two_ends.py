"""Two ends with likelihoods of their own above one nonlinear hierarchy, against quadrature.

The mode is compared with the lowest minimum of the energy, the Laplace numbers with those written out by hand, and what
`diagnose` makes of importance ratios with integrals over the whole posterior.
"""

import jax
import numpy as np
import pytest
from quadrature import (
    Bent,
    energy,
    gradient_and_curvature,
    integrate,
    laplace,
    modes,
    predicted,
)
from scipy.special import softmax
from two_ends import SHAPES, draw_bent, network_of, seen

import pcmodel
from pcmodel import Modulation
from pcmodel.errors import UserError


def free_latents(bent: Bent, network, latents) -> np.ndarray:
    """The free units in the order of the shape."""
    by_name = dict(zip(network.names, latents, strict=True))
    whole = [np.asarray(by_name[name], float) for name in bent.shape.names]
    return np.concatenate(whole)[bent.free]


def nearest_mode(bent: Bent, point: np.ndarray) -> np.ndarray:
    """The minimum beside a point; the only one, where there is one."""
    return min(modes(bent), key=lambda other: np.abs(other - point).max())


@pytest.mark.parametrize(
    "name",
    [
        name if name == "two tops" else pytest.param(name, marks=pytest.mark.slow)
        for name in SHAPES
    ],
)
def test_mode_and_laplace_numbers_are_those_of_the_energy(name):
    """Prevents an end from being left out, counted twice, or given another end's likelihood."""
    for seed in range(3):
        bent = draw_bent(np.random.default_rng(seed), name)
        network = network_of(bent)
        found = pcmodel.posterior(network, seen(bent))
        assert found.result.converged
        mode = free_latents(bent, network, found.mean)
        nearest = nearest_mode(bent, mode)
        np.testing.assert_allclose(mode, nearest, rtol=1e-5, atol=1e-5)
        by_hand = laplace(bent, nearest)
        np.testing.assert_allclose(found.log_evidence, by_hand.log_evidence, rtol=1e-5)
        variances = free_latents(bent, network, found.variances)
        np.testing.assert_allclose(
            variances, np.diagonal(by_hand.covariance), rtol=1e-4
        )
        np.testing.assert_allclose(
            found.result.energy, energy(bent, mode[None])[0], rtol=1e-9
        )


@pytest.mark.parametrize(
    "name",
    ["two tops", pytest.param("gaussian end beside", marks=pytest.mark.slow)],
)
def test_corrected_evidence_and_moments_are_the_integrals(name):
    """Prevents importance ratios that leave out the likelihood of one end; Laplace itself is off by far more."""
    bent = draw_bent(np.random.default_rng(1), name, steepness=0.5)
    network = network_of(bent)
    exact = integrate(bent, modes(bent)[0])
    found = pcmodel.posterior(network, seen(bent))
    checked = found.diagnose(jax.random.key(0), num_samples=20_000)
    assert checked.trusted
    error = float(checked.log_evidence_error)
    assert error < 0.005
    assert abs(float(checked.log_evidence) - exact.log_evidence) < 4 * error
    assert abs(float(found.log_evidence) - exact.log_evidence) > 6 * error
    off = free_latents(bent, network, checked.mean) - exact.mean
    assert np.all(np.abs(off) < 4 * free_latents(bent, network, checked.mean_errors))
    variances = free_latents(bent, network, checked.variances)
    np.testing.assert_allclose(variances, np.diagonal(exact.covariance), rtol=0.08)


def test_an_end_that_is_not_observed_says_nothing():
    """Prevents a label that was not given from being read as zeros."""
    bent = draw_bent(np.random.default_rng(2), "shared middle")
    names, network = bent.shape.names, network_of(bent)
    unseen = bent._replace(shape=bent.shape._replace(masks={1: bent.shape.masks[1]}))
    found = pcmodel.posterior(network, {names[1]: bent.numbers.values[1]})
    mode = free_latents(bent, network, found.mean)
    exact = nearest_mode(unseen, mode)
    np.testing.assert_allclose(mode, exact, rtol=1e-5, atol=1e-5)
    by_hand = laplace(unseen, exact)
    np.testing.assert_allclose(found.log_evidence, by_hand.log_evidence, rtol=1e-5)


def test_a_gain_on_one_end_tempers_that_end_alone():
    """The mode of g log p(label) + log p(answer) + ..., and no evidence, for a tempered likelihood is none."""
    bent = draw_bent(np.random.default_rng(4), "shared middle")
    names, network = bent.shape.names, network_of(bent)
    plain = modes(bent)[0]
    for gain in (0.2, 5.0):
        tempered = bent._replace(numbers=bent.numbers._replace(gains={0: gain}))
        modulation = Modulation({names[0]: gain})
        found = pcmodel.posterior(network, seen(bent), modulation=modulation)
        mode = free_latents(bent, network, found.mean)
        exact = nearest_mode(tempered, mode)
        np.testing.assert_allclose(mode, exact, rtol=1e-5, atol=1e-5)
        assert np.abs(exact - plain).max() > 1e-2
        with pytest.raises(UserError):
            _ = found.log_evidence


@pytest.mark.slow
def test_a_label_moves_the_answer_only_through_what_they_share():
    """The label's pull on the shared level, and the answer's predicted chance before and after it."""
    bent = draw_bent(np.random.default_rng(5), "shared middle")
    names, network = bent.shape.names, network_of(bent)
    for label in np.eye(3):
        values = {**bent.numbers.values, 0: label}
        shape = bent.shape._replace(masks={0: np.ones(3, bool)})
        asked = Bent(shape, bent.numbers._replace(values=values), bent.likelihoods)
        found = pcmodel.infer(network, {names[0]: label})
        mode = free_latents(bent, network, found.latents)
        exact = nearest_mode(asked, mode)
        np.testing.assert_allclose(mode, exact, rtol=1e-5, atol=1e-5)
        gradient, _ = gradient_and_curvature(asked, mode)
        assert np.abs(gradient).max() < 1e-4
        whole = np.zeros((1, sum(shape.widths)))
        whole[0, bent.free] = mode
        chances = softmax(predicted(asked, whole, 0)[0])
        assert np.argmax(label - chances) == np.argmax(label)
