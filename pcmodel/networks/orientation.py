"""Which axes of a layer's arrays feed different units of its prediction.

The gauge fixes the norms of the arrays that scale a level: it must know whether a kernel is (units, units above) or
(in, out), and whether an array scales the prediction at all.  For the layers of this package this follows from their
type; for other layers it is determined from derivatives at random points: an array is a *map* if the prediction is
affine in the array's scale and depends through it on the level above; an axis is an *output* axis if no two of its
indices feed the same unit.  If part of the prediction remains without maps and biases (a residual connection), or the
prediction is bounded, no array determines its scale.
"""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcmodel.model.generative import Axes, path_of
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.convolution import Convolution, TransposedConvolution
from pcmodel.networks.layers.dense import Dense
from pcmodel.networks.layers.residual import Residual, Sequential

POINTS = 4
"""Random latents of the level above at which a layer is evaluated, each with both signs."""
PROBES = 24
"""Largest number of tested indices of an axis."""
ZERO = 1e-4
"""Largest derivative that counts as zero, relative to the largest."""

Path = tuple[Any, ...]


def layer_axes(graphdef: Any, arrays: Any, widths_above: tuple[int, ...]) -> Axes:
    """The axes of a layer's arrays, see `pcmodel.model.generative.Axes`.

    arrays: all arrays of the layer, or their shapes.
    """
    leaves, tree = jax.tree.flatten(arrays)
    forms = tuple((leaf.shape, np.dtype(leaf.dtype)) for leaf in leaves)
    return _axes(graphdef, tree, forms, widths_above)


@lru_cache(maxsize=256)
def _axes(
    graphdef: Any, tree: Any, forms: tuple, widths_above: tuple[int, ...]
) -> Axes:
    with jax.ensure_compile_time_eval():
        rng = np.random.default_rng(0)
        arrays = jax.tree.unflatten(tree, [_random(rng, *form) for form in forms])
        module = nnx.merge(graphdef, arrays)
        declared = declared_axes(module, ())
        if declared is None:
            points = [rng.normal(size=(POINTS, width)) for width in widths_above]
            points = [np.concatenate([one, -one]) for one in points]
            points = tuple(jnp.asarray(one, dtype=float) for one in points)
            learns = {p for p, v in nnx.iter_graph(module) if isinstance(v, nnx.Param)}
            declared = asked_axes(graphdef, arrays, points, learns)
    return declared


def _random(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    if not jnp.issubdtype(dtype, jnp.floating):
        return jnp.ones(shape, dtype)
    # Positive, so that a running variance is valid.
    return jnp.asarray(rng.uniform(0.5, 1.5, size=shape), dtype)


def declared_axes(module: Any, at: Path) -> dict[Path, tuple[int, ...] | None] | None:
    """The axes of the arrays of a layer of this package, by its type; None for other layers."""
    if type(module) is Dense:
        bias = {} if module.bias is None else {(*at, "bias"): None}
        return {(*at, "weight"): (0,), **bias}
    if type(module) in (Convolution, TransposedConvolution):
        return {(*at, "weight"): (3,), (*at, "bias"): None}
    if type(module) is Sequential:
        parts = [
            declared_axes(part, (*at, "layers", i))
            for i, part in enumerate(module.layers)
        ]
    elif type(module) is Additive:
        parts = [
            declared_axes(part, (*at, "maps", i)) for i, part in enumerate(module.maps)
        ]
    elif type(module) is Residual:
        # The prediction includes the level above, so the branch cannot rescale it: its arrays are free.
        branch = declared_axes(module.branch, (*at, "branch"))
        parts = [None if branch is None else dict.fromkeys(branch)]
        if module.skip is not None:
            parts.append(declared_axes(module.skip, (*at, "skip")))
    else:
        return None
    if any(part is None for part in parts):
        return None
    return {path: axes for part in parts for path, axes in (part or {}).items()}


def asked_axes(
    graphdef: Any, arrays: Any, points: tuple[jax.Array, ...], learns: set[Path]
) -> dict[Path, tuple[int, ...] | None]:
    """The axes of the parameters of a layer, determined from its derivatives."""
    leaves, tree = jax.tree_util.tree_flatten_with_path(arrays)
    paths = [path_of(path) for path, _ in leaves]
    values = [leaf for _, leaf in leaves]

    def predict(number: int, value: Any) -> jax.Array:
        own = [value if i == number else leaf for i, leaf in enumerate(values)]
        return predict_all(own)

    def predict_all(own: list[Any]) -> jax.Array:
        layer = nnx.merge(graphdef, jax.tree.unflatten(tree, own))
        return jax.vmap(layer)(*points)

    found: dict[Path, tuple[int, ...] | None] = {}
    nothing = list(values)
    for number, path in enumerate(paths):
        if path not in learns:
            continue
        found[path] = None
        role = _role(lambda value, n=number: predict(n, value), values[number])
        if role is not None:
            nothing[number] = 0 * values[number]
        if role == "map":
            found[path] = _separated(
                lambda value, n=number: predict(n, value), values[number]
            )
    left = jnp.max(jnp.abs(predict_all(nothing)))
    if float(left) > ZERO * float(jnp.max(jnp.abs(predict_all(values)))):
        return dict.fromkeys(found)
    return found


def _role(predict: Any, value: jax.Array) -> str | None:
    """The role of an array: "map", "bias" (its effect does not depend on the level above), or None for others."""
    at = [predict(factor * value) for factor in (1.0, 2.0, 3.0)]
    step = at[1] - at[0]
    if not _close(at[2] - at[1], step):
        return None
    size = float(jnp.max(jnp.abs(step)))
    if size <= ZERO * float(jnp.max(jnp.abs(at[0]))):
        return None
    return "bias" if _close(step, jnp.broadcast_to(step[:1], step.shape)) else "map"


def _close(one: jax.Array, other: jax.Array) -> bool:
    largest = float(jnp.max(jnp.abs(other), initial=0.0))
    return float(jnp.max(jnp.abs(one - other), initial=0.0)) <= 1e-3 * largest + 1e-30


def _separated(predict: Any, value: jax.Array) -> tuple[int, ...]:
    """The axes of a map of which no two indices feed the same unit."""

    @jax.jit
    def fed(mask: jax.Array) -> jax.Array:
        change = jnp.abs(jax.jvp(predict, (value,), (mask * value,))[1])
        return jnp.max(change, axis=0)

    axes = []
    for axis, size in enumerate(value.shape):
        line = [size if i == axis else 1 for i in range(value.ndim)]
        chosen = np.unique(np.linspace(0, size - 1, min(size, PROBES)).astype(int))
        largest = float(jnp.max(fed(jnp.ones_like(value))))
        apart = True
        for index in chosen:
            own = (
                jnp.zeros(line, value.dtype)
                .at[tuple(index if i == axis else 0 for i in range(value.ndim))]
                .set(1)
            )
            mine = fed(jnp.broadcast_to(own, value.shape))
            others = fed(jnp.broadcast_to(1 - own, value.shape))
            apart &= not bool(
                jnp.any((mine > ZERO * largest) & (others > ZERO * largest))
            )
        if apart:
            axes.append(axis)
    return tuple(axes)
