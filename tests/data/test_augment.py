"""Augmentation: known shifts and flips, their distribution, and what is compiled."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pcmodel.data.augment import Augmentation, flip_image, shift_image
from pcmodel.errors import UserError

SHAPE = (6, 5, 2)


def image():
    values = np.random.default_rng(0).integers(1, 256, SHAPE)
    return jnp.asarray(values, jnp.uint8)


def rolled(array, rows, columns):
    """Moved by rolling, then what came round the edge is blackened."""
    moved = np.roll(array, (rows, columns), axis=(0, 1))
    row, column = np.indices(array.shape[:2])
    came_round = (row < rows) | (row >= array.shape[0] + rows)
    came_round |= (column < columns) | (column >= array.shape[1] + columns)
    return np.where(came_round[..., None], 0, moved)


def cropped(array, top, left, pad, mode):
    """The usual description: pad, then cut a window of the image's size."""
    padded = np.pad(array, ((pad, pad), (pad, pad), (0, 0)), mode=mode)
    return padded[top : top + array.shape[0], left : left + array.shape[1]]


@pytest.mark.parametrize("rows", [-2, 0, 1])
@pytest.mark.parametrize("columns", [-1, 0, 2])
def test_a_shift_is_a_roll_with_zeros_for_what_comes_round(rows, columns):
    """Prevents shifts in the wrong direction, and edges that reappear opposite."""
    found = shift_image(image(), jnp.array([rows, columns]), max_shift=2)
    np.testing.assert_array_equal(found, rolled(image(), rows, columns))
    assert found.dtype == jnp.uint8


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_shifting_is_padding_and_cropping(mode):
    for top in range(7):
        for left in range(7):
            found = shift_image(
                image(),
                jnp.array([3 - top, 3 - left]),
                max_shift=3,
                reflect=mode == "reflect",
            )
            expected = cropped(np.asarray(image()), top, left, 3, mode)
            np.testing.assert_array_equal(found, expected)


def test_flipping_exchanges_left_and_right_and_twice_is_nothing():
    once = flip_image(image())
    np.testing.assert_array_equal(once[:, 0], image()[:, -1])
    np.testing.assert_array_equal(once[0, :, 0], np.asarray(image())[0, ::-1, 0])
    np.testing.assert_array_equal(flip_image(once), image())


def shifts_drawn(augmentation, num, getkey):
    """The (rows, columns) of many draws, read off where the one white pixel went."""
    bound = augmentation.max_shift
    black = jnp.zeros((2 * bound + 1, 2 * bound + 1, 1)).at[bound, bound].set(1)
    keys = jax.random.split(getkey(), num)
    drawn = jax.vmap(augmentation, (0, None))(keys, black)
    places = np.argmax(np.asarray(drawn).reshape(num, -1), axis=1)
    return np.stack(np.unravel_index(places, black.shape[:2]), axis=1) - bound


def test_shifts_are_uniform_and_rows_independent_of_columns(getkey):
    """Prevents a shift that never reaches one end, or moves only along diagonals."""
    shifts = shifts_drawn(Augmentation(max_shift=2), 5000, getkey)
    counts, *_ = np.histogram2d(*shifts.T, bins=np.arange(-2.5, 3))
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_half_of_the_images_are_flipped_whatever_their_shift(getkey):
    keys = jax.random.split(getkey(), 4000)
    marked = jnp.zeros((1, 3, 1)).at[0, 0].set(1)
    drawn = jax.vmap(Augmentation(flip=True), (0, None))(keys, marked)
    flipped = np.asarray(drawn[:, 0, 2, 0])
    assert stats.binomtest(int(flipped.sum()), len(flipped)).pvalue > 1e-4
    # The same keys: whether an image is flipped says nothing of where it is shifted.
    wide = jnp.zeros((1, 5, 1)).at[0, 2].set(1)
    shifted = jax.vmap(Augmentation(max_shift=1), (0, None))(keys, wide)
    moved = np.argmax(np.asarray(shifted).sum(axis=(1, 3)), axis=1)
    table = np.histogram2d(flipped, moved, bins=(2, np.unique(moved).size))[0]
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_flipping_too_does_not_change_the_shift(getkey):
    """Prevents one option's draws from depending on another's."""
    symmetric = image() | flip_image(image())
    key = getkey()
    plain = Augmentation(max_shift=2)(key, symmetric)
    both = Augmentation(max_shift=2, flip=True)(key, symmetric)
    assert np.array_equal(both, plain) or np.array_equal(both, flip_image(plain))


def test_by_default_nothing_happens(getkey):
    np.testing.assert_array_equal(Augmentation()(getkey(), image()), image())


def test_new_keys_images_and_equal_options_do_not_recompile(getkey):
    """Prevents every batch from costing a compilation."""
    traces = []

    @partial(jax.jit, static_argnums=0)
    def batch(augmentation, key, images):
        traces.append(augmentation)
        keys = jax.random.split(key, len(images))
        return jax.vmap(augmentation)(keys, images)

    images = jnp.stack([image()] * 4)
    for _ in range(3):
        batch(Augmentation(max_shift=2, flip=True), getkey(), images)
        images = images + jnp.uint8(1)
    assert len(traces) == 1
    batch(Augmentation(max_shift=3), getkey(), images)
    assert len(traces) == 2


def test_impossible_options_are_named(getkey):
    with pytest.raises(
        UserError, match="max_shift: cannot be -1; expected a whole number, 0 or more"
    ):
        Augmentation(max_shift=-1)
    with pytest.raises(UserError, match=r"image of 6 x 5: .* max_shift below 5"):
        Augmentation(max_shift=5, reflect=True)(getkey(), image())
