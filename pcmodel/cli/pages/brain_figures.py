"""Figures of the page of brain measures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

BLIND = ("within_networks", "mean_correlation", "network_modularity")
"""Measures that are close to another that is drawn."""


def shown_conditions(results: Any) -> tuple[str, ...]:
    """The conditions in the order of the contrast, or by name."""
    if results.contrast is not None:
        return results.contrast.first, results.contrast.second
    return tuple(sorted(set(results.group.conditions)))


def draw_matrices(results: Any, kind: int) -> Any:
    """The mean correlation matrix of each condition (at most three), and the difference; None if all are NaN."""
    from pcmodel.report.style import new_figure

    group = results.group
    known = shown_conditions(results)[:3]
    order, edges, names = _order(results)
    means = [
        _mean_over_people(group.correlation, group, name, kind)[np.ix_(order, order)]
        for name in known
    ]
    if not any(np.isfinite(mean).any() for mean in means):
        return None
    titles = [name or "mean" for name in known]
    second = results.contrast is not None
    count = len(means) + second
    figure, axes = new_figure(
        1, max(count, 2), height=4.8 if count > 2 else 5.6, squeeze=False
    )
    limit = _limit(means)
    for axis, mean, title in zip(axes[0], means, titles, strict=False):
        image = _image(axis, mean, limit, edges, names, first=axis is axes[0][0])
        axis.set_title(title)
    figure.colorbar(
        image,
        ax=list(axes[0][: len(means)]),
        location="bottom",
        shrink=0.5,
        label="correlation",
    )
    if second:
        change = means[1] - means[0]
        image = _image(axes[0][2], change, _limit([change]), edges, names, first=False)
        axes[0][2].set_title(f"{titles[1]} − {titles[0]}")
        figure.colorbar(
            image, ax=axes[0][2], location="bottom", shrink=0.9, label="difference"
        )
    for axis in axes[0][count:]:
        axis.set_visible(False)
    return figure


def _mean_over_people(
    values: np.ndarray, group: Any, condition: str, kind: int
) -> np.ndarray:
    """Mean over the people of a condition who have it; NaN where nobody has."""
    own = values[[name == condition for name in group.conditions], kind]
    has = np.isfinite(own)
    total = np.where(has, own, 0.0).sum(axis=0)
    count = has.sum(axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _order(results: Any) -> tuple[np.ndarray, list[int], list[str]]:
    """The regions by network, the first place of each network and its name."""
    number = results.group.correlation.shape[-1]
    if not results.networks:
        return np.arange(number), [0], []
    names = results.group.network_names
    codes = np.asarray([names.index(name) for name in results.networks])
    order = np.argsort(codes, kind="stable")
    starts = [int(np.searchsorted(codes[order], code)) for code in range(len(names))]
    return order, starts, list(names)


def _limit(matrices: list[np.ndarray]) -> float:
    """The 99th percentile of the magnitudes off the diagonal, at least 0.05."""
    parts = [m[~np.eye(len(m), dtype=bool)] for m in matrices]
    whole = np.abs(np.concatenate(parts))
    whole = whole[np.isfinite(whole)]
    return max(0.05, float(np.quantile(whole, 0.99))) if whole.size else 1.0


def _image(
    axis: Any,
    matrix: np.ndarray,
    limit: float,
    edges: list[int],
    names: list[str],
    *,
    first: bool,
) -> Any:
    image = axis.imshow(
        matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest"
    )
    axis.grid(False)
    for edge in edges[1:]:
        axis.axhline(edge - 0.5, color="black", lw=0.6)
        axis.axvline(edge - 0.5, color="black", lw=0.6)
    ends = [*edges[1:], len(matrix)]
    middles = [(a + b - 1) / 2 for a, b in zip(edges, ends, strict=True)]
    size = 8 if len(names) > 5 else 9
    if names:
        axis.set_xticks(middles, names, rotation=60, ha="right", fontsize=size)
        axis.set_yticks(middles, names if first else [], fontsize=size)
        axis.tick_params(length=0)
    else:
        axis.set_xlabel("region")
        if first:
            axis.set_ylabel("region")
    axis.set_xlim(-0.5, len(matrix) - 0.5)
    axis.set_ylim(len(matrix) - 0.5, -0.5)
    return image


def draw_networks(results: Any) -> Any:
    """Mean Fisher z by network: rows as given and without the global signal; columns conditions and dz."""
    from pcmodel.report.style import new_figure

    group, names = results.group, list(results.group.network_names)
    known = shown_conditions(results)[:3]
    second = results.contrast is not None
    kinds = [k for k in (0, 1) if np.isfinite(group.by_network[:, k]).any()]
    figure, axes = new_figure(
        len(kinds), max(len(known) + second, 2), height=3.7, squeeze=False
    )
    for row, k in zip(axes, kinds, strict=True):
        means = [_mean_over_people(group.by_network, group, name, k) for name in known]
        limit = _limit_all(means)
        for axis, mean, name in zip(row, means, known, strict=False):
            image = _squares(axis, mean, limit, names, first=axis is row[0])
            axis.set_title(name or "mean")
        bar = figure.colorbar(image, ax=list(row[: len(means)]), shrink=0.7)
        bar.ax.set_title("z", fontsize=9)
        row[0].set_ylabel(("as given", "without the global signal")[k])
        if second:
            dz = results.contrast.by_network[k]
            image = _squares(row[2], dz, max(1.0, _limit_all([dz])), names, first=False)
            for i, j in np.argwhere(results.contrast.by_network_p[k] < 0.05):
                row[2].plot(j, i, "o", color="black", ms=3)
            row[2].set_title("difference")
            bar = figure.colorbar(image, ax=row[2], shrink=0.7)
            bar.ax.set_title("dz", fontsize=9)
        for axis in row[len(known) + second :]:
            axis.set_visible(False)
    return figure


def _limit_all(matrices: list[np.ndarray]) -> float:
    whole = np.abs(np.stack(matrices))
    whole = whole[np.isfinite(whole)]
    return max(0.05, float(whole.max())) if whole.size else 1.0


def _squares(
    axis: Any, matrix: np.ndarray, limit: float, names: list[str], *, first: bool
) -> Any:
    image = axis.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.grid(False)
    axis.set_facecolor("#D8DCE0")  # where it is undefined
    size = 8 if len(names) > 5 else 9
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=size)
    axis.set_yticks(range(len(names)), names if first else [], fontsize=size)
    axis.tick_params(length=0)
    return image


def draw_people(results: Any, labels: Mapping[str, str]) -> Any:
    """A panel a measure: each person's values by condition, as given and without the global signal."""
    from pcmodel.report.style import new_figure

    group = results.group
    shown = [
        place
        for place, name in enumerate(group.measures)
        if name not in BLIND and np.isfinite(group.values[:, 0, place]).any()
    ]
    columns = 4
    rows = -(-len(shown) // columns)
    figure, axes = new_figure(rows, columns, height=2.5, squeeze=False)
    for axis, place in zip(axes.flat, shown, strict=False):
        _draw_measure(axis, results, place)
        axis.set_title(_wrapped(labels[group.measures[place]]), fontsize=9)
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    handles = axes.flat[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _wrapped(text: str) -> str:
    """In two lines if it is long."""
    words = text.split(" ")
    if len(text) < 22 or len(words) < 2:
        return text
    ends = np.cumsum([len(word) + 1 for word in words])
    cut = int(np.argmin(np.abs(ends - len(text) / 2))) + 1
    return " ".join(words[:cut]) + "\n" + " ".join(words[cut:])


def _draw_measure(axis: Any, results: Any, place: int) -> None:
    from pcmodel.report.style import COLOURS

    group, known = results.group, shown_conditions(results)
    kinds = (0, 1) if group.measures[place] != "global_signal_sd" else (0,)
    for k in kinds:
        colour = COLOURS["blue" if k == 0 else "orange"]
        shift = (k - 0.5) * 0.12 if len(kinds) == 2 else 0.0
        by_person = {person: {} for person in group.people}
        for row, (person, condition) in enumerate(
            zip(group.people, group.conditions, strict=True)
        ):
            by_person[person][condition] = group.values[row, k, place]
        for own in by_person.values():
            values = [own.get(name, np.nan) for name in known]
            x = np.arange(len(known)) + shift
            axis.plot(x, values, "o-", color=colour, alpha=0.45, lw=1.0, ms=3)
        for at, name in enumerate(known):
            values = np.asarray([own.get(name, np.nan) for own in by_person.values()])
            if np.isfinite(values).any():
                middle = float(values[np.isfinite(values)].mean())
                x = [at + shift - 0.13, at + shift + 0.13]
                axis.plot(x, [middle] * 2, color="black", lw=2.2, zorder=5)
        label = ("as given", "without the global signal")[k]
        axis.plot([], [], "o-", color=colour, label=label, ms=4)
    axis.set_xticks(range(len(known)), [name or "all" for name in known], fontsize=8)
    axis.set_xlim(-0.5, len(known) - 0.5)
    axis.tick_params(axis="y", labelsize=8)
