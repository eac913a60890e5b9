"""The common style of all figures, legible for colour-blind readers.

Matplotlib's global state is not changed. Figures are made without pyplot, so
they need no display and are freed like any other object.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable under every common colour-vision deficiency.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#AA4499",
    "sky": "#56B4E9",
    "amber": "#E69F00",
    "grey": "#7A828A",
    "black": "#1C2024",
}

# A figure as wide as the page's column, in inches.
FULL_WIDTH = 9.2

SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 11,
    "axes.labelcolor": COLOURS["black"],
    "axes.edgecolor": COLOURS["grey"],
    "axes.linewidth": 0.9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(
        color=[COLOURS[c] for c in COLOURS if c not in ("grey", "black")]
    ),
    "grid.color": "#E6E9EC",
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["grey"],
    "ytick.color": COLOURS["grey"],
    "xtick.labelcolor": COLOURS["black"],
    "ytick.labelcolor": COLOURS["black"],
    "lines.linewidth": 2.0,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "image.cmap": "cividis",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Use the package's matplotlib style inside; the caller's is restored outside."""
    with matplotlib.rc_context(SETTINGS):
        yield


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = FULL_WIDTH,
    height: float = 3.6,
    **subplots: Any,
) -> tuple[Figure, Any]:
    """A figure and its axes, laid out so that labels do not overlap.

    rows: of axes.
    columns: of axes.
    width: of the figure, inches.
    height: of one row, inches.
    subplots: further keywords of `Figure.subplots`.
    """
    with figure_style():
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        return figure, figure.subplots(rows, columns, **subplots)


def level_colours(num_levels: int) -> list[str]:
    """One colour for each level, from the data (pale) to the top (dark blue).

    Lightness decreases from level to level, so the order is visible in grey printing.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list(
        "levels", ["#E3A73C", "#3FA38A", "#0B3C73"]
    )
    steps = max(num_levels - 1, 1)
    return [to_hex(ramp(level / steps)) for level in range(num_levels)]


def to_png(figure: Figure, dpi: int = 180) -> bytes:
    """The figure as PNG. Equal figures give equal bytes: neither date nor version is stored."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
