"""Figures of images and of calibration show the numbers they were given."""

import numpy as np
import pytest
from scipy import stats

from pcmodel.calibration import expected_calibration_error, reliability
from pcmodel.errors import UserError
from pcmodel.report.images import image_grid
from pcmodel.report.reliability import reliability_figure, wilson_interval
from pcmodel.report.style import to_png


def random_images(num=5, channels=1):
    shape = (num, 4, 3, channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def drawn(figure):
    """The pixels in each place of a grid; None where it is empty."""
    return [
        np.asarray(axes.images[0].get_array()) if axes.images else None
        for axes in figure.axes
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_row_by_row_with_their_own_pixels(channels):
    """Prevents transposed or exchanged images from being looked at as results."""
    images = random_images(5, channels)
    places = drawn(image_grid(images, 2, 3))
    for pixels, image in zip(places[:5], images, strict=True):
        np.testing.assert_allclose(pixels.reshape(image.shape), image / 255)
    assert places[5] is None


def test_black_is_zero_and_white_is_one_whatever_the_images_hold():
    """Prevents a faint reconstruction from being stretched to look like a sharp one."""
    faint = np.full((1, 2, 2, 1), 0.1)
    faint[0, 0, 0] = 0.2
    (axes,) = image_grid(faint, 1, 1).axes
    assert axes.images[0].get_clim() == (0.0, 1.0)
    beyond = drawn(image_grid(np.array([-1.0, 2.0]).reshape(1, 1, 2, 1), 1, 1))[0]
    assert beyond.tolist() == [[0.0, 1.0]]


def test_titles_stand_over_columns_or_over_each_image_and_rows_are_named():
    images = random_images(6)
    figure = image_grid(images, 2, 3, ["a", "b", "c"], row_titles=["seen", "made"])
    places = [axes.get_title("center") for axes in figure.axes]
    assert places == ["a", "b", "c", "", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["seen", "made"]
    each = image_grid(images, 2, 3, list("abcdef")).axes
    assert [axes.get_title("center") for axes in each] == list("abcdef")


def test_equal_grids_are_equal_bytes():
    figures = [image_grid(random_images(), 1, 5, heading="H") for _ in range(2)]
    assert to_png(figures[0], dpi=20) == to_png(figures[1], dpi=20)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((random_images(5), 2, 2), "5 images; expected 4 at most"),
        ((random_images(4), 2, 2, ["a", "b", "c"]), "3 titles; expected 2, one a"),
        ((random_images(4, 2), 2, 2), "images of shape (4, 4, 3, 2)"),
        ((np.full((1, 1, 1, 1), np.nan), 1, 1), "not finite"),
    ],
)
def test_impossible_grids_are_named(arguments, words):
    with pytest.raises(UserError) as caught:
        image_grid(*arguments)
    assert words in str(caught.value)


def test_row_titles_must_be_one_a_row():
    with pytest.raises(UserError, match="1 row titles; expected 2"):
        image_grid(random_images(4), 2, 2, row_titles=["one"])


@pytest.mark.parametrize(
    ("right", "count"), [(0, 1), (0, 200), (3, 7), (40, 40), (999, 1000)]
)
def test_intervals_are_wilsons(right, count):
    expected = stats.binomtest(right, count).proportion_ci(method="wilson")
    found = wilson_interval(np.array([right / count]), np.array([count]))
    assert found[0, 0] <= right / count <= found[1, 0]
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-12)


def test_the_diagram_shows_the_bins_and_the_error_of_each_model():
    generator = np.random.default_rng(2)
    shares = generator.dirichlet([0.5] * 3, size=200)
    labels = generator.integers(0, 3, 200)
    bins = reliability(shares, labels, 10)
    figure = reliability_figure({"one": bins, "other": bins})
    assert len(figure.axes) == 4
    accuracy, counts = figure.axes[0], figure.axes[1]
    error = 100 * expected_calibration_error(shares, labels, 10)
    assert accuracy.get_title("left") == f"one\ncalibration error {error:.1f} %"
    points = next(line for line in accuracy.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), bins.confidence)
    np.testing.assert_allclose(points.get_ydata(), bins.accuracy)
    heights = [bar.get_height() for bar in counts.patches]
    np.testing.assert_allclose(heights, bins.count / 200)
    np.testing.assert_allclose([bar.get_x() for bar in counts.patches], bins.low)
