"""Small tanh hierarchies with two ends, as networks of the package and as problems of the quadrature oracle."""

import jax.numpy as jnp
import numpy as np
from directed import Numbers, Shape, shape_of
from flax import nnx
from quadrature import Bent

import pcmodel

KINDS = {"bernoulli": pcmodel.Bernoulli, "categorical": pcmodel.Categorical}

SHAPES: dict[str, tuple[Shape, dict[int, str]]] = {
    "shared middle": (
        shape_of((3, 2, 2, 1), {0: (2, 3), 1: (2,), 2: (3,)}, clamped={0: (), 1: ()}),
        {0: "categorical", 1: "bernoulli"},
    ),
    "two tops": (
        shape_of((3, 2, 1, 1), {0: (3, 2), 1: (2,)}, clamped={0: (), 1: ()}),
        {0: "categorical", 1: "bernoulli"},
    ),
    "gaussian end beside": (
        shape_of(
            (3, 2, 2, 1),
            {0: (2,), 1: (3, 2), 2: (3,)},
            clamped={0: (), 1: ()},
            kinds=("unit", "scalar", "full", "unit"),
        ),
        {1: "bernoulli"},
    ),
    "a top for each end": (
        shape_of(
            (2, 3, 1, 1, 1), {0: (2,), 1: (3, 2), 2: (4,)}, clamped={0: (), 1: ()}
        ),
        {0: "bernoulli", 1: "categorical"},
    ),
}


def draw_precision(rng: np.random.Generator, kind: str, width: int) -> np.ndarray:
    """A precision between about a half and four."""
    scale = 2 ** rng.uniform(-1, 2)
    if kind == "scalar":
        return np.asarray(scale)
    if kind == "unit":
        return scale * 2 ** rng.uniform(-1, 1, size=width)
    root = rng.normal(size=(width, width)) / np.sqrt(width)
    return scale * (root @ root.T + 0.5 * np.eye(width))


def draw_bent(rng: np.random.Generator, name: str, steepness: float = 1.5) -> Bent:
    """Random numbers for one of `SHAPES`."""
    shape, likelihoods = SHAPES[name]
    levels = range(len(shape.widths))
    values: dict[int, np.ndarray] = {}
    for level in shape.masks:
        width = shape.widths[level]
        if likelihoods.get(level) == "categorical":
            values[level] = np.eye(width)[rng.integers(width)]
        elif likelihoods.get(level) == "bernoulli":
            values[level] = rng.integers(2, size=width).astype(float)
        else:
            values[level] = rng.normal(size=width)
    numbers = Numbers(
        [
            [
                steepness * rng.normal(size=(shape.widths[level], shape.widths[parent]))
                for parent in shape.parents[level]
            ]
            for level in levels
        ],
        [0.5 * rng.normal(size=shape.widths[level]) for level in levels],
        [
            draw_precision(rng, shape.kinds[level], shape.widths[level])
            for level in levels
        ],
        values,
        {},
        [],
    )
    return Bent(shape, numbers, likelihoods)


class Bending(nnx.Module):
    """sum_k W_k tanh(x_k) + b, written without the package's own layers."""

    def __init__(self, weights: list[np.ndarray], bias: np.ndarray):
        self.count = len(weights)
        for number, weight in enumerate(weights):
            setattr(self, f"weight{number}", nnx.Param(jnp.asarray(weight)))
        self.bias = nnx.Param(jnp.asarray(bias))

    def __call__(self, *parents):
        total = self.bias[...]
        for number, parent in enumerate(parents):
            weight = getattr(self, f"weight{number}")
            total = total + weight[...] @ jnp.tanh(parent)
        return total


def network_of(bent: Bent):
    """The hierarchy as a network with layers of its own."""
    shape, numbers, names = bent.shape, bent.numbers, bent.shape.names
    levels = {}
    for level, width in enumerate(shape.widths):
        above = shape.parents[level]
        options = {}
        if level not in bent.likelihoods:
            options["precision"] = numbers.precisions[level]
        if above:
            options["parents"] = [names[parent] for parent in above]
            options["layer"] = Bending(numbers.weights[level], numbers.offsets[level])
        else:
            options["prior_mean"] = numbers.offsets[level]
        kind = KINDS.get(bent.likelihoods.get(level, ""), pcmodel.Gaussian)
        levels[names[level]] = pcmodel.Level(width, kind(), **options)
    return pcmodel.hierarchy(levels, rngs=nnx.Rngs(0))


def seen(bent: Bent) -> dict[str, np.ndarray]:
    """The observed ends by name."""
    names = bent.shape.names
    return {names[level]: value for level, value in bent.numbers.values.items()}
