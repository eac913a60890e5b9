"""From bytes to levels: the order of units, the scale, and the way back."""

import jax
import numpy as np
import pytest

from pcmodel.data import standardisation as module
from pcmodel.data.standardisation import (
    as_images,
    as_level,
    as_levels,
    standardise,
    unit_scale,
)
from pcmodel.errors import UserError


def random_images(shape=(11, 5, 4, 3)):
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("chunk", [4, 4096])
def test_moments_are_those_of_every_pixel_of_a_channel(monkeypatch, chunk):
    """Prevents sums that overflow, and images lost between chunks."""
    monkeypatch.setattr(module, "CHUNK", chunk)
    images = random_images()
    found = standardise(images)
    np.testing.assert_allclose(found.mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.sd, images.std(axis=(0, 1, 2)), rtol=1e-12)


def test_moments_of_many_bright_pixels_do_not_overflow():
    """In 32 bits the squares would have from 66,000 white pixels on."""
    images = np.full((2000, 28, 28, 1), 255, np.uint8)
    images[:1000] = 253
    found = standardise(images)
    np.testing.assert_allclose(found.mean, [254.0], rtol=1e-12)
    np.testing.assert_allclose(found.sd, [1.0], rtol=1e-9)


def test_standardised_levels_have_mean_0_and_sd_1_in_every_channel():
    images = random_images()
    levels = as_levels(images, standardise(images))
    pixels = np.asarray(levels).reshape(-1, 3)
    np.testing.assert_allclose(pixels.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(pixels.std(axis=0), 1.0, atol=1e-6)
    assert levels.dtype == np.float32 and levels.shape == (11, 60)


def test_a_channel_that_never_varies_becomes_zero():
    """Prevents a division by zero."""
    images = random_images()
    images[..., 1] = 77
    levels = np.asarray(as_levels(images, standardise(images))).reshape(-1, 3)
    np.testing.assert_array_equal(levels[:, 1], 0.0)
    assert np.isfinite(levels).all()


def test_units_are_in_row_column_channel_order():
    """Prevents a convolution from seeing scrambled images."""
    image = np.zeros((5, 4, 3), np.uint8)
    image[2, 1, 0] = 255
    level = as_level(image, unit_scale(3))
    assert int(np.argmax(level)) == (2 * 4 + 1) * 3 + 0
    assert float(level.sum()) == 1.0


def test_a_batch_is_its_images_one_by_one_and_comes_back():
    images, scale = random_images(), standardise(random_images())
    levels = as_levels(images, scale)
    one_by_one = np.stack([as_level(image, scale) for image in images])
    np.testing.assert_array_equal(levels, one_by_one)
    np.testing.assert_array_equal(as_images(levels, scale, (5, 4, 3)), images)


def test_levels_beyond_black_and_white_are_clipped():
    back = as_images(np.array([[-0.5, 0.5, 1.5, 1.0]]), unit_scale(1), (2, 2, 1))
    np.testing.assert_array_equal(back[0, ..., 0], [[0, 128], [255, 255]])


def test_new_images_and_moments_do_not_recompile():
    traces = []

    @jax.jit
    def prepare(images, scale):
        traces.append(images.shape)
        return as_levels(images, scale)

    images = random_images()
    prepare(images, standardise(images))
    prepare(images + 1, unit_scale(3))
    assert len(traces) == 1


def test_no_images_have_no_moments():
    with pytest.raises(UserError, match="no images"):
        standardise(np.zeros((0, 2, 2, 1), np.uint8))
