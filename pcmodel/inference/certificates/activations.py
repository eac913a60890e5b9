"""Locations of the corners of activations, from the traced operations of the predictions.

`dense` predicts a level by W act(x) + b: its corners lie at values of single units of the level above, and the slopes on
both sides of one unit do not depend on the other units' sides.  This is required to certify a mode on a corner
(`pcmodel.inference.certificates.corners`).  If an operation with a corner acts on a mixture of units (act(W x + b), max
pooling) it does not hold, and the level has no units that can be pinned.

The values are a superset of the corners: slopes show whether there is a corner at a value.
"""

import math
from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.inference.certificates.kinks import CORNERS, parent_shapes
from pcmodel.model.problem import Problem

INSIDE = frozenset(
    {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint"}
)
"""Operations that call an inner program."""
COMPARED = frozenset({"eq", "ge", "gt", "le", "lt", "max", "min", "ne"})
FOLDED = frozenset({"abs", "sign"})
SAME = frozenset({"convert_element_type", "copy", "stop_gradient"})
UNITWISE = frozenset(
    {
        "and",
        "atan",
        "atan2",
        "cbrt",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "integer_pow",
        "is_finite",
        "log",
        "log1p",
        "logistic",
        "not",
        "or",
        "pow",
        "rsqrt",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "tan",
        "tanh",
    }
)
"""Elementwise operations without corners."""


class Known(NamedTuple):
    """One number that is known at trace time."""

    value: float


class Fixed(NamedTuple):
    """A function of weights alone."""


class Affine(NamedTuple):
    """An affine function scale x + shift of each unit x of one parent.

    parent: number of the parent.
    clipped: whether the function is constant outside an interval.
    """

    scale: float
    shift: float
    parent: int = 0
    clipped: bool = False


class Unitwise(NamedTuple):
    """Any function of each unit of one parent separately."""

    parent: int = 0


class Mixed(NamedTuple):
    """A function of several units."""


Kind = Known | Fixed | Affine | Unitwise | Mixed


class _Hidden(Exception):
    """Raised for a corner that does not lie at a known value of one unit."""


def corner_values(problem: Problem, level: int) -> tuple[float, ...] | None:
    """Values of single units of the parents at which this level's prediction may have a corner.

    None if it may also have corners elsewhere, such as where units of two parents meet.
    """
    model, weights = problem.structure.model, problem.inputs.weights
    parents = parent_shapes(model, level, problem.inputs.gains[0].dtype)
    traced = jax.make_jaxpr(
        lambda weights, *parents: model.predict_level(weights, level, parents)
    )(weights, *parents)
    fixed = len(traced.jaxpr.invars) - len(parents)
    kinds: list[Kind] = [Fixed() for _ in range(fixed)]
    kinds += [Affine(1.0, 0.0, number) for number in range(len(parents))]
    found: set[float] = set()
    try:
        _follow(traced.jaxpr, kinds, found)
    except _Hidden:
        return None
    return tuple(sorted(value for value in found if math.isfinite(value)))


def _follow(jaxpr: Any, kinds: list[Kind], found: set[float]) -> list[Kind]:
    """Kinds of a program's results from those of its arguments; adds the values of corners to `found`."""
    known: dict[Any, Kind] = dict(zip(jaxpr.invars, kinds, strict=True))
    known.update((variable, Fixed()) for variable in jaxpr.constvars)

    def kind(atom: Any) -> Kind:
        if not hasattr(atom, "val"):
            return known[atom]
        return Known(float(atom.val)) if np.size(atom.val) == 1 else Fixed()

    for equation in jaxpr.eqns:
        given = [kind(atom) for atom in equation.invars]
        results = _results(equation, given, found)
        known.update(zip(equation.outvars, results, strict=True))
    return [kind(atom) for atom in jaxpr.outvars]


def _results(equation: Any, given: list[Kind], found: set[float]) -> list[Kind]:
    name, count = equation.primitive.name, len(equation.outvars)
    moving = [one for one in given if isinstance(one, (Affine, Unitwise, Mixed))]
    if name in INSIDE:
        return _follow(_program(equation), given, found)
    if not moving:
        plain = name in SAME or name == "broadcast_in_dim"
        return [given[0] if plain else Fixed()] * count
    if name in CORNERS:
        return [_cornered(name, given, found)] * count
    inner = jax.tree.leaves(list(equation.params.values()))
    if any(hasattr(getattr(one, "jaxpr", one), "eqns") for one in inner):
        # Loops and branches are not analysed.
        raise _Hidden
    return [_smooth(name, given)] * count


def _program(equation: Any) -> Any:
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if name in equation.params:
            return getattr(equation.params[name], "jaxpr", equation.params[name])
    raise _Hidden


def _cornered(name: str, given: list[Kind], found: set[float]) -> Kind:
    """The kind of the result of an operation with a corner on single units; adds the corner to `found`."""
    parent = only_parent(given)
    if parent is None:
        raise _Hidden
    if name == "select_n":
        # Its corners are those of its condition.
        return Unitwise(parent)
    if name in FOLDED:
        return _compared([given[0], Known(0.0)], found, keeps=False)
    if name in COMPARED:
        return _compared(given, found, keeps=name in ("max", "min"))
    if name == "clamp":
        least, value, most = given
        _compared([value, least], found, keeps=True)
        return _compared([value, most], found, keeps=True)
    raise _Hidden


def _compared(given: list[Kind], found: set[float], *, keeps: bool) -> Kind:
    one, other = given
    if isinstance(other, Affine) and isinstance(one, Known):
        one, other = other, one
    if isinstance(one, Affine) and isinstance(other, Known):
        if one.scale:
            found.add((other.value - one.shift) / one.scale)
        return one._replace(clipped=True) if keeps else Unitwise(one.parent)
    if isinstance(one, Affine) and isinstance(other, Affine):
        if one.clipped or other.clipped:
            raise _Hidden
        if one.scale != other.scale:
            found.add((other.shift - one.shift) / (one.scale - other.scale))
        return Unitwise(one.parent)
    raise _Hidden


def only_parent(given: list[Kind]) -> int | None:
    """The only parent whose units arguments depend on, each on its own; None for mixtures of units or of parents."""
    parents = {one.parent for one in given if isinstance(one, (Affine, Unitwise))}
    if len(parents) != 1 or any(isinstance(one, Mixed) for one in given):
        return None
    return parents.pop()


def _smooth(name: str, given: list[Kind]) -> Kind:
    parent = only_parent(given)
    if parent is None:
        return Mixed()
    if name in SAME:
        return given[0]
    if name in ("neg", "add", "sub", "mul", "div"):
        return _arithmetic(name, given, parent)
    return Unitwise(parent) if name in UNITWISE else Mixed()


def _arithmetic(name: str, given: list[Kind], parent: int) -> Kind:
    """The kind of a sum or product: affine functions combined with known numbers stay affine."""
    one = given[0]
    if name == "neg" and isinstance(one, Affine):
        return one._replace(scale=-one.scale, shift=-one.shift)
    if len(given) < 2:
        return Unitwise(parent)
    other = given[1]
    if isinstance(one, Affine) and isinstance(other, Known):
        number = other.value
        if name in ("add", "sub"):
            return one._replace(
                shift=one.shift + (number if name == "add" else -number)
            )
        factor = number if name == "mul" else 1 / number if number else math.nan
        return one._replace(scale=factor * one.scale, shift=factor * one.shift)
    if isinstance(one, Known) and isinstance(other, Affine) and name != "div":
        sign = -1 if name == "sub" else 1
        if name == "mul":
            return other._replace(
                scale=one.value * other.scale, shift=one.value * other.shift
            )
        return other._replace(
            scale=sign * other.scale, shift=one.value + sign * other.shift
        )
    return Unitwise(parent)
