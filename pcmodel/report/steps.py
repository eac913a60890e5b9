"""The figure of inference step by step."""

import numpy as np
from jax.typing import ArrayLike
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pcmodel.api.mechanics.steps import InferenceSteps
from pcmodel.report.style import COLOURS, figure_style, level_colours, new_figure

MOST_THIN = 30
"""Most examples of a batch that are drawn by lines of their own."""


def inference_figure(steps: InferenceSteps, *, heading: str = "") -> Figure:
    """Three panels over the steps: energy and errors of every level, and the norm of the gradient.

    steps: what `pcmodel.inference_steps` gives; of a batch, means over examples are drawn.
    heading: of the figure.

    Errors are root mean squares over units (and examples).  The norm of the energy's gradient is 0 at the equilibrium; its
    scale is logarithmic, zeros are left out, and of a batch some examples are drawn thin.
    """
    names = list(steps.level_energies)
    colours = level_colours(len(names))
    with figure_style():
        figure, (left, middle, right) = new_figure(1, 3, height=3.6)
        for name, colour in zip(names, colours, strict=True):
            energy = over_examples(steps.level_energies[name], 1)
            squares = over_examples(np.mean(np.square(steps.errors[name]), axis=-1), 1)
            left.plot(energy, color=colour, label=name)
            middle.plot(np.sqrt(squares), color=colour)
        draw_distance(right, steps)
        left.set(title="Energy of each level", ylabel="nats", xlabel="step")
        middle.set(title="Errors", ylabel="root mean square", xlabel="step")
        middle.set_ylim(bottom=0)
        right.set(
            title="Distance from equilibrium",
            ylabel="norm of the gradient",
            yscale="log",
            xlabel="step",
        )
        figure.legend(
            *left.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=min(len(names), 8),
        )
        if heading:
            figure.suptitle(heading, x=0.01, ha="left", size=13, weight="bold")
    return figure


def draw_distance(axes: Axes, steps: InferenceSteps) -> None:
    """The norm of the gradient: of some examples thin, their mean over all thick."""
    norms = np.asarray(steps.gradient_norm, float)
    for one in norms[:MOST_THIN] if norms.ndim == 2 else ():
        drawn = np.where(one > 0, one, np.nan)
        axes.plot(drawn, color=COLOURS["grey"], linewidth=0.6, alpha=0.6)
    mean = over_examples(norms, 1)
    axes.plot(np.where(mean > 0, mean, np.nan), color=COLOURS["black"])


def over_examples(values: ArrayLike, own: int) -> np.ndarray:
    """The mean over examples, if there is an axis before the last `own`."""
    array = np.asarray(values, float)
    return array.mean(axis=0) if array.ndim > own else array
