"""The picture of a hierarchy shows every level and every link, and says what it leaves out."""

import jax
import numpy as np
import pytest
from flax import nnx
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import pcmodel
from pcmodel import Level
from pcmodel.report.hierarchy import hierarchy_figure


def branching():
    return pcmodel.hierarchy(
        {
            "image": Level(6, parents=["shapes"], precision=25.0),
            "label": Level(3, pcmodel.Categorical(), parents=["top"]),
            "shapes": Level(4, parents=["top", "style"], precision=[1.0, 1, 16, 1]),
            "style": Level(2),
            "top": Level(1, precision=np.eye(1) * 3),
        },
        rngs=nnx.Rngs(0),
    )


def series():
    return pcmodel.over_time(
        {"seen": Level(1, parents=["state"]), "state": Level(2, parents=["state[-1]"])},
        9,
        rngs=nnx.Rngs(0),
    )


def drawn(network):
    """Number of boxes and of arrows, and all texts, once the figure has been drawn."""
    figure = hierarchy_figure(network)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [one for one in axes.patches if isinstance(one, FancyBboxPatch)]
    arrows = [one for one in axes.patches if isinstance(one, FancyArrowPatch)]
    texts = [text.get_text() for text in axes.texts]
    return len(boxes), len(arrows), texts, axes.get_title(loc="left")


def test_every_level_and_link_of_a_branching_hierarchy_is_drawn():
    boxes, arrows, texts, note = drawn(branching())
    assert (boxes, arrows, note) == (5, 4, "")
    assert texts[::2] == ["image", "label", "shapes", "style", "top"]
    assert texts[1::2] == [
        "6 units, π 25",
        "3 units, categorical",
        "4 units, π 2",
        "2 units, prior π 1",
        "1 unit, prior π 3",
    ]


def test_no_two_boxes_cover_each_other():
    """Prevents levels of one row, or of one time step, from being drawn over each other."""
    for network in (branching(), series(), pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))):
        figure = hierarchy_figure(network)
        boxes = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
        for number, one in enumerate(boxes):
            for other in boxes[:number]:
                apart = abs(one.get_x() - other.get_x()) >= one.get_width()
                assert apart or abs(one.get_y() - other.get_y()) >= one.get_height()


def test_of_a_series_the_first_steps_are_drawn_and_it_is_said():
    boxes, arrows, texts, note = drawn(series())
    assert (boxes, arrows) == (8, 7) and "state[3]" in texts
    assert note == "the first 4 of 9 time steps"


@pytest.mark.parametrize("depth", [3, 30])
def test_a_run_of_equal_levels_is_one_box(depth):
    widths = (5, *(3,) * depth, 2)
    boxes, arrows, texts, _ = drawn(
        pcmodel.dense(widths, activation=jax.nn.relu, rngs=nnx.Rngs(0))
    )
    expected = len(widths) if depth < 5 else 4
    assert (boxes, arrows) == (expected, expected - 1)
    assert (f"{depth - 1} levels of 3, π 1" in texts) == (depth > 5)


def test_parts_are_told_in_their_level_s_box():
    """Few by name and units; many, which would not fit, by their number."""
    many = {f"module {number}": 1 for number in range(6)}
    network = pcmodel.hierarchy(
        {
            "image": Level(6, parents=["top"], parts=many),
            "top": Level(3, parts={"self": 1, "world": 2}),
        },
        rngs=nnx.Rngs(0),
    )
    texts = drawn(network)[2]
    assert texts[2::3] == ["6 parts", "self 1, world 2"]
