"""Random linear directed hierarchies, for the package and for the oracles.

Levels are written bottom first; a level's parents always have a higher index, and a level without parents (a top) has
a prior.  A `Shape` is what compiles; problems of one shape differ in their `Numbers` only.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    """The static part of a problem.

    widths, parents, kinds: one entry a level.  masks: clamped units by level.  beliefs: levels of each, ascending.
    layer_of, precision_of: the level whose layer (precision) each level has; itself unless tied.
    """

    widths: tuple[int, ...]
    parents: tuple[tuple[int, ...], ...]
    kinds: tuple[str, ...]
    masks: dict[int, np.ndarray]
    beliefs: tuple[tuple[int, ...], ...]
    layer_of: tuple[int, ...]
    precision_of: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names that say nothing about the order."""
        letters = "qcxamzkb"
        return tuple(
            f"{letters[level % 8]}{level // 8 or ''}_level"
            for level in range(len(self.widths))
        )

    @property
    def tops(self) -> list[int]:
        return [level for level, above in enumerate(self.parents) if not above]

    @property
    def ends(self) -> list[int]:
        used = {parent for above in self.parents for parent in above}
        return [level for level in range(len(self.widths)) if level not in used]

    def clamped(self, level: int) -> np.ndarray:
        """Indices of clamped units within a level."""
        mask = self.masks.get(level)
        return np.zeros(0, int) if mask is None else np.flatnonzero(mask)


class Numbers(NamedTuple):
    """The rest of a problem.

    weights: of every level, one matrix a parent (none for a top).  offsets: biases; prior means of tops.
    precisions: of the kinds of the shape.  values: of levels with clamped units, whole levels.
    gains: by level, scalar or per unit.  beliefs: mean and precision of each.
    """

    weights: list[list[np.ndarray]]
    offsets: list[np.ndarray]
    precisions: list[np.ndarray]
    values: dict[int, np.ndarray]
    gains: dict[int, np.ndarray]
    beliefs: list[tuple[np.ndarray, np.ndarray]]


def shape_of(
    widths: tuple[int, ...],
    parents: Mapping[int, tuple[int, ...]],
    *,
    kinds: tuple[str, ...] | None = None,
    clamped: Mapping[int, tuple[int, ...]] | None = None,
    beliefs: tuple[tuple[int, ...], ...] = (),
    layers: Mapping[int, int] | None = None,
    precisions: Mapping[int, int] | None = None,
) -> Shape:
    """A shape written by hand; an empty tuple of clamped units means the whole level."""
    levels = range(len(widths))
    masks = {
        level: np.isin(np.arange(widths[level]), units or range(widths[level]))
        for level, units in (clamped or {}).items()
    }
    return Shape(
        widths,
        tuple(parents.get(level, ()) for level in levels),
        kinds or ("scalar",) * len(widths),
        masks,
        beliefs,
        tuple((layers or {}).get(level, level) for level in levels),
        tuple((precisions or {}).get(level, level) for level in levels),
    )


def draw_parents(
    rng: np.random.Generator, levels: int, tops: int
) -> tuple[tuple[int, ...], ...]:
    """One to three parents for every level below the tops; every top has a child, other levels may be ends."""
    below = levels - tops
    chosen: list[set[int]] = [set() for _ in range(levels)]
    for top in range(below, levels):
        if below:
            open_to_it = [child for child in range(below) if len(chosen[child]) < 3]
            chosen[int(rng.choice(open_to_it))].add(top)
    for child in range(below):
        higher = np.arange(child + 1, levels)
        if not chosen[child] or rng.random() < 0.5:
            chosen[child].add(int(rng.choice(higher)))
        while len(chosen[child]) < min(3, len(higher)) and rng.random() < 0.25:
            chosen[child].add(int(rng.choice(higher)))
    return tuple(tuple(int(p) for p in rng.permutation(sorted(s))) for s in chosen)


def draw_masks(
    rng: np.random.Generator, widths: tuple[int, ...], ends: list[int]
) -> dict[int, np.ndarray]:
    """Most ends observed, some in part; a few other levels clamped, in part or whole; at least one unit free."""
    masks = {}
    for level, width in enumerate(widths):
        drawn = rng.random()
        if drawn < (0.7 if level in ends else 0.06):
            masks[level] = np.ones(width, bool)
        elif drawn < (0.85 if level in ends else 0.16):
            masks[level] = rng.random(width) < 0.5
    masks = {level: mask for level, mask in masks.items() if mask.any()}
    if all(level in masks and masks[level].all() for level in range(len(widths))):
        del masks[len(widths) - 1]
    return masks


def draw_beliefs(
    rng: np.random.Generator, held: list[int]
) -> tuple[tuple[int, ...], ...]:
    """None, one or two beliefs, each about one to three of the levels that have no clamped unit."""
    groups = []
    left = [int(level) for level in rng.permutation(held)]
    for chance in (0.35, 0.4):
        if not left or rng.random() > chance:
            break
        size = int(rng.integers(1, min(3, len(left)) + 1))
        groups.append(tuple(sorted(left[:size])))
        left = left[size:]
    return tuple(groups)


def draw_ties(
    rng: np.random.Generator, like: list, allowed: list[int], chance: float
) -> tuple[int, ...]:
    """For each level itself, or now and then an earlier level that is like it."""
    owners = list(range(len(like)))
    for level in allowed:
        alike = [o for o in allowed if o < level and like[o] == like[level]]
        alike = [o for o in alike if owners[o] == o]
        if alike and rng.random() < chance:
            owners[level] = int(rng.choice(alike))
    return tuple(owners)


def draw_shape(
    rng: np.random.Generator, *, least_levels: int = 2, most_levels: int = 8
) -> Shape:
    """Up to three tops and three parents a level, several ends; one to twelve units a level."""
    levels = int(rng.integers(least_levels, most_levels + 1))
    tops = int(rng.integers(1, min(3, max(1, levels - 1)) + 1))
    parents = draw_parents(rng, levels, tops)
    largest = int(rng.choice([1, 3, 6, 12], p=[0.1, 0.3, 0.4, 0.2]))
    widths = rng.integers(1, largest + 1, size=levels)
    if rng.random() < 0.3:
        widths[:] = rng.integers(1, 5)  # equal, so that much can be tied
    widths = tuple(int(width) for width in widths)
    kinds = [
        str(rng.choice(["scalar", "unit", "full"], p=[0.5, 0.3, 0.2])) for _ in widths
    ]
    whole = list(range(levels))
    maps = [[widths[level], [widths[p] for p in parents[level]]] for level in whole]
    layer_of = draw_ties(rng, maps, whole[: levels - tops], 0.4)
    precision_of = draw_ties(rng, list(zip(widths, kinds, strict=True)), whole, 0.2)
    shape = Shape(widths, parents, tuple(kinds), {}, (), layer_of, precision_of)
    masks = draw_masks(rng, widths, shape.ends)
    held = [level for level in whole if level not in masks]
    return shape._replace(masks=masks, beliefs=draw_beliefs(rng, held))


def draw_precision(rng: np.random.Generator, kind: str, width: int, scale: float):
    """A precision around `scale`."""
    if kind == "scalar":
        return np.asarray(scale)
    if kind == "unit":
        return scale * 10 ** rng.uniform(-1, 1, size=width)
    root = rng.normal(size=(width, width)) / np.sqrt(width)
    return scale * (root @ root.T + 0.1 * np.eye(width))


def draw_scales(rng: np.random.Generator, levels: int, span: float) -> np.ndarray:
    """One scale a level: any, rising, falling, one apart, or alike; decades up to `span`."""
    style = rng.choice(["any", "rising", "falling", "one apart", "alike"])
    own = rng.uniform(0, span)
    logs = np.linspace(-own / 2, own / 2, levels)
    if style == "any":
        logs = rng.uniform(-own / 2, own / 2, size=levels)
    elif style == "alike":
        logs = np.full(levels, rng.uniform(-span, span))
    elif style == "one apart":
        logs = np.zeros(levels)
        logs[rng.integers(levels)] = rng.choice([-1, 1]) * own
    return 10.0 ** (logs[::-1] if style == "falling" else logs)


def draw_gains(rng: np.random.Generator, widths: tuple[int, ...]) -> dict:
    """In a third of problems one or two levels are relaxed, down to 1e-6, or sharpened."""
    gains: dict[int, np.ndarray] = {}
    if rng.random() < 0.3:
        for level in rng.choice(len(widths), size=int(rng.integers(1, 3))):
            spread = 10 ** rng.uniform(-1, 1, size=widths[level])
            gain = 10 ** rng.uniform(-6, 0.5)
            gains[int(level)] = np.asarray(gain * (spread if rng.random() < 0.3 else 1))
    return gains


def draw_weights(rng: np.random.Generator, shape: Shape) -> list[list[np.ndarray]]:
    """Predictions of about the size of the parents; shared where layers are tied."""
    weights: list[list[np.ndarray]] = []
    for level, above in enumerate(shape.parents):
        size = np.sqrt(max(1, sum(shape.widths[parent] for parent in above)))
        weights.append(
            weights[shape.layer_of[level]]
            if shape.layer_of[level] < level
            else [
                rng.normal(size=(shape.widths[level], shape.widths[parent])) / size
                for parent in above
            ]
        )
    return weights


def draw_numbers(
    rng: np.random.Generator, shape: Shape, *, span: float = 8.0
) -> Numbers:
    """Weights, precisions whose scales reach over `span` decades, data, gains and beliefs."""
    widths, levels = shape.widths, range(len(shape.widths))
    scales = draw_scales(rng, len(widths), span)
    size = 10 ** rng.uniform(-1, 1)
    offsets, precisions = [], []
    for level in levels:
        kind, width = shape.kinds[level], widths[level]
        offset = size * rng.normal(size=width) * rng.choice([0, 1])
        precision = draw_precision(rng, kind, width, scales[level])
        tied, shared = shape.layer_of[level], shape.precision_of[level]
        offsets.append(offset if tied == level else offsets[tied])
        precisions.append(precision if shared == level else precisions[shared])
    beliefs = []
    for group in shape.beliefs:
        total = sum(widths[level] for level in group)
        scale = 10 ** rng.uniform(-span / 2, span / 2)
        kind = str(rng.choice(["full", "unit"], p=[0.8, 0.2]))
        mean = size * rng.normal(size=total)
        beliefs.append((mean, draw_precision(rng, kind, total, scale)))
    return Numbers(
        draw_weights(rng, shape),
        offsets,
        precisions,
        {level: size * rng.normal(size=widths[level]) for level in shape.masks},
        draw_gains(rng, widths),
        beliefs,
    )


def in_dtype(numbers: Numbers, dtype) -> Numbers:
    """What is stored unchanged, rounded; precisions, which are stored as logarithms, as they are."""

    def rounded(value):
        return np.asarray(np.asarray(value, dtype), float)

    return numbers._replace(
        weights=[[rounded(w) for w in own] for own in numbers.weights],
        offsets=[rounded(offset) for offset in numbers.offsets],
        values={level: rounded(v) for level, v in numbers.values.items()},
        gains={level: rounded(g) for level, g in numbers.gains.items()},
        beliefs=[(rounded(mean), precision) for mean, precision in numbers.beliefs],
    )
