"""Foreign images: what they are, and that the page says what their free energies say."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from training.tiny import GENERATIVE, PLAN, stripes

from pcmodel import calibration
from pcmodel.cli.pages.train_page import TrainPage
from pcmodel.training.evaluation.out_of_distribution import (
    detection,
    inverted,
    permuted,
)
from pcmodel.training.run import run_training

TRAINED = replace(GENERATIVE, epochs=4)


def laplace_free_energy(network, pixels):
    """E + log det H / 2 - n log(2 pi) / 2 of a 16-3-2 network, by brute force.

    H is the Gauss-Newton curvature J'J of the whitened errors, in the latents themselves.
    """
    (down, mid), roots = network.layers, []
    for value in network.log_precision:
        roots.append(jnp.exp(0.5 * value[...]))

    def whitened(state):
        hidden, top = state[:3], state[3:]
        errors = (
            pixels - down.weight[...] @ jnp.tanh(hidden) - down.bias[...],
            hidden - mid.weight[...] @ top - mid.bias[...],
            top - network.prior_mean[...],
        )
        return jnp.concatenate([r * e for r, e in zip(roots, errors, strict=True)])

    def energy(state):
        constant = sum(
            width * (0.5 * jnp.log(2 * jnp.pi) - jnp.log(root))
            for width, root in zip((16, 3, 2), roots, strict=True)
        )
        return 0.5 * jnp.sum(whitened(state) ** 2) + constant

    both = jax.jit(jax.value_and_grad(energy))
    mode = minimize(both, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-7})
    jacobian = np.asarray(jax.jacobian(whitened)(jnp.asarray(mode.x)))
    _, log_det = np.linalg.slogdet(jacobian.T @ jacobian)
    return mode.fun + 0.5 * log_det - 2.5 * np.log(2 * np.pi)


@pytest.mark.slow
def test_the_page_says_what_independent_free_energies_say():
    """Prevents images of one kind under another's name, a label that was told, a sign, or areas of
    other numbers than those reported."""
    done = run_training(TRAINED, data=stripes())
    page = TrainPage()
    outcome = page.take(done)
    summary = page.analyse(TRAINED, outcome)
    (section,) = (
        section
        for section in page.report(TRAINED, outcome, summary).sections
        if section.title == "Foreign images"
    )
    images = stripes().test_images
    order = np.random.default_rng(0).permutation(16)
    shuffled = images.reshape(-1, 16)[:, order]
    kinds = [images.reshape(-1, 16), shuffled, 255 - images.reshape(-1, 16)]
    own, *foreign = (
        np.array([laplace_free_energy(done.network, row / 255) for row in kind[::2]])
        for kind in kinds
    )
    for mine, theirs in zip(outcome.foreign, (own, *foreign), strict=True):
        np.testing.assert_allclose(mine[::2], theirs, atol=1e-3)
    ((_, first), (_, second)) = section.tables[0].rows
    for shown, name, scores in zip(
        (first, second), ("permuted", "inverted"), outcome.foreign[1:], strict=True
    ):
        inside = outcome.foreign.test
        area = calibration.auroc(inside, scores)
        error = calibration.auroc_standard_error(inside, scores)
        assert shown == f"{area:.3f} ± {error:.3f}" and 0 < error < 0.2
        assert summary.foreign[name] == (area, error)
        pairs = scores[None] - inside[:, None]
        np.testing.assert_allclose(area, np.mean(pairs > 0) + np.mean(pairs == 0) / 2)
    assert "not guaranteed" in section.paragraphs[0]


def test_foreign_images_keep_what_they_should():
    """Prevents another order for every image, or for every channel, and a wrap around of bytes."""
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 2)).astype(np.uint8)
    moved = permuted(images)
    assert moved.shape == images.shape and not np.array_equal(moved, images)
    flat, other = images.reshape(3, 20, 2), moved.reshape(3, 20, 2)
    (places,) = {
        tuple(int(np.flatnonzero((one == pixel).all(-1))[0]) for pixel in two)
        for one, two in zip(flat, other, strict=True)
    }
    assert sorted(places) == list(range(20))
    np.testing.assert_array_equal(
        inverted(images).astype(int) + images, np.full(images.shape, 255)
    )


@pytest.mark.slow
def test_a_classifier_has_no_free_energy_of_images():
    """Prevents the energy of a label, or of clamped images, from being shown as that of images."""
    done = run_training(PLAN, data=stripes())
    page = TrainPage()
    outcome = page.take(done)
    summary = page.analyse(PLAN, outcome)
    titles = [s.title for s in page.report(PLAN, outcome, summary).sections]
    assert outcome.foreign is None and summary.foreign == {}
    assert "Foreign images" not in titles


@pytest.mark.parametrize(
    ("own", "foreign"), [([1.0, np.nan], [2.0, 3.0]), ([1.0], [2.0]), ([], [])]
)
def test_an_area_that_cannot_be_told_is_not_a_number(own, foreign):
    """Prevents the end of a long training from failing over one image."""
    assert np.isnan(detection(np.asarray(own), np.asarray(foreign))).all()
