"""A picture of a hierarchy: its levels, what predicts what, and the precision of each."""

import re
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from pcmodel.model.generative import children_of, stacks_of
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.report.style import COLOURS, figure_style

STEP = re.compile(r"(.+)\[(\d+)\]")
"""Name of a level at a time step."""
MOST_STEPS = 4
"""Time steps that are drawn; of a longer series the first ones."""
MOST_LETTERS = 26
"""Length of the line of a level's parts; longer ones are counted."""
BOX = (1.0, 0.56)
"""Width and height of a level's box, in units of the grid."""
GAP = 1.15
"""Distance between the middles of neighbouring boxes."""


class Drawn(NamedTuple):
    """What is drawn of a hierarchy.

    boxes: the levels in each box, ascending: one level, or a run of equal levels.
    column: horizontal place of each box.
    row: height of each box, ends at 0.
    left_out: a note of what is not drawn; empty if nothing.
    """

    boxes: list[tuple[int, ...]]
    column: list[float]
    row: list[int]
    left_out: str


def hierarchy_figure(network: Network) -> Figure:
    """A picture of a network: boxes are levels, arrows run from parents to what they predict.

    A box tells the level's units, likelihood and precision (the geometric mean over units, gain 1; of a top that of its
    prior), and the units of its parts.  Runs of equal levels share a box, and of hierarchies over time the first steps are drawn.
    """
    drawn = layout(network)
    columns = max(drawn.column) - min(drawn.column) + 1 if drawn.boxes else 1
    rows = max(drawn.row, default=0) + 1
    with figure_style():
        size = (max(2.6, 1.6 * columns + 1.0), max(1.8, 1.15 * rows + 0.5))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim(min(drawn.column) - 1.0, max(drawn.column) + 0.75)
        axes.set_ylim(-0.5, rows - 0.45)
        _draw_arrows(axes, network, drawn)
        for number, box in enumerate(drawn.boxes):
            place = drawn.column[number], drawn.row[number]
            _draw_box(axes, network, box, place)
        if drawn.left_out:
            axes.set_title(drawn.left_out, fontsize=9, fontweight="normal")
    return figure


def layout(network: Network) -> Drawn:
    """Which levels are drawn, and where."""
    model = as_model(network).model
    kept, left_out = kept_levels(network.names)
    boxes = grouped(kept, [s for s in stacks_of(model) if s[1] - s[0] > 3], network)
    rank = heights(network)
    rows = [rank[box[0]] for box in boxes]
    # Without the gaps that runs leave.
    order = sorted(set(rows))
    row = [order.index(one) for one in rows]
    return Drawn(boxes, columns_of(network, boxes, row), row, left_out)


def kept_levels(names: tuple[str, ...]) -> tuple[list[int], str]:
    """The levels to draw, and a note of the time steps that are left out."""
    steps = [int(found[2]) for name in names if (found := STEP.fullmatch(name))]
    last = max(steps, default=-1)
    if last < MOST_STEPS:
        return list(range(len(names))), ""
    kept = [
        level
        for level, name in enumerate(names)
        if not (found := STEP.fullmatch(name)) or int(found[2]) < MOST_STEPS
    ]
    return kept, f"the first {MOST_STEPS} of {last + 1} time steps"


def grouped(
    levels: list[int], stacks: list[tuple[int, int]], network: Network
) -> list[tuple[int, ...]]:
    """The levels of each box: runs of equal levels, without branches, share one."""
    model, inside = as_model(network).model, {}
    for first, end in stacks:
        chain = all(
            network.parents[level] == (level + 1,) for level in range(first, end)
        )
        alone = all(
            children_of(model, level) == (level - 1,) for level in range(first + 1, end)
        )
        if chain and alone and not STEP.fullmatch(network.names[first]):
            inside.update(dict.fromkeys(range(first, end), first))
    boxes: dict[int, list[int]] = {}
    for level in levels:
        boxes.setdefault(inside.get(level, level), []).append(level)
    return [tuple(boxes[first]) for first in sorted(boxes)]


def heights(network: Network) -> list[int]:
    """The longest way from each level down to an end; in a hierarchy over time without the ways from step to step."""
    found: list[int] = []
    for level, name in enumerate(network.names):
        below = [
            child
            for child in range(level)
            if level in network.parents[child]
            and _step(name) in (None, _step(network.names[child]))
        ]
        found.append(1 + max((found[child] for child in below), default=-1))
    return found


def _step(name: str) -> int | None:
    found = STEP.fullmatch(name)
    return int(found[2]) if found else None


def columns_of(
    network: Network, boxes: list[tuple[int, ...]], row: list[int]
) -> list[float]:
    """Columns: by time step, else each row centred and in the order of the boxes that its boxes are linked to."""
    steps = [_step(network.names[box[0]]) for box in boxes]
    column = [0.0] * len(boxes)
    places = Counter(zip(row, steps, strict=True))
    widest = max((n for (_, step), n in places.items() if step is not None), default=1)
    between = GAP * widest * max((s for s in steps if s is not None), default=0) / 2
    box_of = {level: number for number, box in enumerate(boxes) for level in box}
    for height in range(max(row, default=0) + 1):
        own = [number for number in range(len(boxes)) if row[number] == height]

        def centre(number: int) -> float:
            linked = [
                column[box_of[child]]
                for child in box_of
                if box_of[child] != number
                and row[box_of[child]] < row[number]
                and set(network.parents[child]) & set(boxes[number])
            ]
            return float(np.mean(linked)) if linked else 0.0

        own.sort(key=lambda number: (centre(number), number))
        groups: dict[int | None, list[int]] = {}
        for number in own:
            groups.setdefault(steps[number], []).append(number)
        for step, group in groups.items():
            middle = between if step is None else GAP * widest * step
            for place, number in enumerate(group):
                column[number] = middle + GAP * (place - (len(group) - 1) / 2)
    return column


def _draw_box(
    axes: Axes, network: Network, box: tuple[int, ...], place: tuple[float, float]
) -> None:
    level, top = box[0], not network.parents[box[0]]
    discrete = network.likelihoods[level].name != "gaussian"
    colour = (
        COLOURS["blue"] if top else COLOURS["green"] if discrete else COLOURS["grey"]
    )
    corner = place[0] - BOX[0] / 2, place[1] - BOX[1] / 2
    patch = FancyBboxPatch(
        corner,
        *BOX,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.6,
    )
    axes.add_patch(patch)
    name = (
        network.names[level]
        if len(box) == 1
        else f"{network.names[box[-1]]} … {network.names[level]}"
    )
    parts = _parts(network, box)
    lifted = 0.07 if parts else 0.0
    style: dict[str, Any] = {"ha": "center", "va": "center"}
    axes.text(
        place[0], place[1] + 0.1 + lifted, name, fontweight="bold", fontsize=10, **style
    )
    axes.text(
        place[0],
        place[1] - 0.12 + lifted,
        _facts(network, box),
        fontsize=8.5,
        **style,
    )
    if parts:
        axes.text(place[0], place[1] - 0.2, parts, fontsize=7.5, **style)


def _parts(network: Network, box: tuple[int, ...]) -> str:
    """The parts of a level and their units in one short line; empty for a run of levels."""
    own = [part for part in network.parts if (part.level,) == box]
    told = ", ".join(f"{part.name} {len(part.units)}" for part in own)
    return told if len(told) <= MOST_LETTERS else f"{len(own)} parts"


def _facts(network: Network, box: tuple[int, ...]) -> str:
    """Units, and likelihood or precision, of the levels of a box."""
    level = box[0]
    units = f"{network.widths[level]} unit{'' if network.widths[level] == 1 else 's'}"
    if len(box) > 1:
        units = f"{len(box)} levels of {network.widths[level]}"
    likelihood = network.likelihoods[level].name
    if likelihood != "gaussian":
        return f"{units}, {likelihood}"
    held = [network.log_precision[one] for one in box]
    logs = [
        np.asarray(value[...])
        if value.ndim < 2
        else np.diagonal(np.asarray(value[...]))
        for value in held
        if value is not None
    ]
    sizes = [float(np.exp(np.mean(one))) for one in logs]
    low, high = min(sizes), max(sizes)
    word = "prior π" if not network.parents[level] else "π"
    told = f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.2g}–{high:.2g}"
    return f"{units}, {word} {told}"


def _draw_arrows(axes: Axes, network: Network, drawn: Drawn) -> None:
    box_of = {level: number for number, box in enumerate(drawn.boxes) for level in box}
    links = {
        (box_of[parent], box_of[child])
        for child in box_of
        for parent in network.parents[child]
        if parent in box_of and box_of[parent] != box_of[child]
    }
    for parent, child in sorted(links):
        start = drawn.column[parent], drawn.row[parent]
        end = drawn.column[child], drawn.row[child]
        axes.add_patch(_arrow(start, end, drawn))


def _arrow(
    start: tuple[float, float], end: tuple[float, float], drawn: Drawn
) -> FancyArrowPatch:
    """An arrow between two boxes; it runs beside boxes of the rows between, on the freer side, or below boxes of the same
    row."""
    side, half = BOX[0] / 2, BOX[1] / 2
    boxes = list(zip(drawn.column, drawn.row, strict=True))
    way = side * np.sign(end[0] - start[0])
    if start[1] == end[1]:
        ends = (start[0] + way, start[1]), (end[0] - way, end[1])
        low, high = sorted((start[0], end[0]))
        bend = 0.3 if any(r == start[1] and low < c < high for c, r in boxes) else 0.0
    elif start[1] - end[1] > 1 and start[0] != end[0]:
        passed = [c for c, row in boxes if end[1] < row < start[1]]
        if any(abs(c - end[0]) < side for c in passed):
            ends = (start[0], start[1] - half), (end[0] - way, end[1])
            return _styled(ends, "angle3,angleA=90,angleB=0")
        ends = (start[0] + way, start[1]), (end[0], end[1] + half)
        return _styled(ends, "angle3,angleA=0,angleB=90")
    elif start[1] - end[1] > 1:
        passed = [c for c, row in boxes if end[1] < row < start[1]]
        left = sum(start[0] - GAP < c <= start[0] for c in passed)
        right = sum(start[0] <= c < start[0] + GAP for c in passed)
        way = -side if left <= right else side
        ends = (start[0] + way, start[1]), (end[0] + way, end[1])
        bend = 0.16 if left <= right else -0.16
    else:
        ends = (start[0], start[1] - half), (end[0], end[1] + half)
        bend = 0.0
    return _styled(ends, f"arc3,rad={bend}")


def _styled(ends: tuple[Any, Any], way: str) -> FancyArrowPatch:
    return FancyArrowPatch(
        *ends,
        arrowstyle="-|>",
        mutation_scale=12,
        connectionstyle=way,
        color=COLOURS["black"],
        linewidth=1.1,
        shrinkA=1,
        shrinkB=1,
    )
