"""Whether an optimiser treats the layers of a stack independently and alike, from its traced program.

Traced with one entry per layer, an optimiser's step is a list of equations (a jaxpr).  If the outputs of every layer of
a stack depend only on that layer (and on inputs that belong to no layer, such as a count), by the same equations for
every layer, then mapping one layer's equations over the stack is the same step.  It is not if layers interact (a
global norm) or a layer has equations of its own (a label, a key).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core

UNUSED = {"jvp_jaxpr_fun", "jvp_fun", "fwd_jaxpr_thunk", "bwd", "name"}
"""Parameters of equations that affect only differentiation or naming."""

Program = core.ClosedJaxpr


class Place(NamedTuple):
    """The place of a leaf in a stack.

    group: identifies corresponding leaves, the same for all layers of a stack.
    layer: number of the layer, counted from the first of the stack.
    """

    group: tuple[Any, ...]
    layer: int


def is_separable(
    program: Program,
    inputs: Sequence[Place | None],
    outputs: Sequence[Place | None],
) -> bool:
    """Whether every output with a place depends on its own layer alone, by the same equations in all layers of a
    stack, and every other output on no layer."""
    jaxpr = program.jaxpr
    if jaxpr.effects:
        return False
    own = {
        var: place
        for var, place in zip(jaxpr.invars, inputs, strict=True)
        if place is not None
    }
    first = {
        place.group: out
        for out, place in zip(jaxpr.outvars, outputs, strict=True)
        if place is not None and place.layer == 0
    }
    alike = _Alike(program, own)
    for out, place in zip(jaxpr.outvars, outputs, strict=True):
        model = out if place is None else first[place.group]
        if not alike.same(model, out, None if place is None else place.layer):
            return False
    return True


class _Alike:
    """Compares the equations of two outputs, back to the inputs."""

    def __init__(self, program: Program, own: Mapping[Any, Place]):
        self._own = own
        self._consts = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
        self._made = {
            var: (eqn, number)
            for eqn in program.jaxpr.eqns
            for number, var in enumerate(eqn.outvars)
        }
        self._known: dict[tuple[Any, Any, int | None], bool] = {}

    def same(self, one: Any, other: Any, layer: int | None) -> bool:
        """Whether `other` is computed for `layer` as `one` is for the first layer (None: both belong to no layer)."""
        if isinstance(one, core.Literal) or isinstance(other, core.Literal):
            return same_literal(one, other)
        key = (one, other, layer)
        if key not in self._known:
            # Equations are ordered, so this recursion cannot meet the same pair again.
            self._known[key] = self._same_variable(one, other, layer)
        return self._known[key]

    def _same_variable(self, one: Any, other: Any, layer: int | None) -> bool:
        places = self._own.get(one), self._own.get(other)
        if places != (None, None):
            return (
                places[0] is not None
                and layer is not None
                and places
                == (
                    Place(places[0].group, 0),
                    Place(places[0].group, layer),
                )
            )
        if one in self._consts or other in self._consts:
            return one is other or same_value(
                self._consts.get(one), self._consts.get(other)
            )
        if one not in self._made or other not in self._made:
            return one is other  # inputs that belong to no layer
        (left, number), (right, count) = self._made[one], self._made[other]
        return (
            number == count
            and left.primitive is right.primitive
            and same_params(left.params, right.params)
            and len(left.invars) == len(right.invars)
            and all(
                self.same(a, b, layer)
                for a, b in zip(left.invars, right.invars, strict=True)
            )
        )


def same_literal(one: Any, other: Any) -> bool:
    """Whether two operands are equal literals."""
    if not (isinstance(one, core.Literal) and isinstance(other, core.Literal)):
        return False
    return one.aval == other.aval and same_value(one.val, other.val)


def same_value(one: Any, other: Any) -> bool:
    """Whether two constants have the same dtype, shape and bytes."""
    if one is other:
        return True
    if one is None or other is None:
        return False
    one, other = np.asarray(one), np.asarray(other)
    alike = one.dtype == other.dtype and one.shape == other.shape
    return alike and one.tobytes() == other.tobytes()


def same_params(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the parameters of two equations with the same primitive agree, but for `UNUSED` ones."""
    names = one.keys() | other.keys()
    return all(same_param(one.get(n), other.get(n)) for n in names - UNUSED)


def same_param(one: Any, other: Any) -> bool:
    """Whether two parameters are the same; programs are compared equation by equation."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, core.ClosedJaxpr):
        consts = zip(one.consts, other.consts, strict=False)
        return (
            len(one.consts) == len(other.consts)
            and all(same_value(a, b) for a, b in consts)
            and same_jaxpr(one.jaxpr, other.jaxpr)
        )
    if isinstance(one, core.Jaxpr):
        return same_jaxpr(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_param, one, other))
    if isinstance(one, np.ndarray | jax.Array):
        return same_value(one, other)
    return bool(one == other)


def same_jaxpr(one: core.Jaxpr, other: core.Jaxpr) -> bool:
    """Whether two programs are the same equations in the same order."""
    names: dict[Any, Any] = {}

    def named(left: Sequence[Any], right: Sequence[Any]) -> bool:
        if len(left) != len(right):
            return False
        for a, b in zip(left, right, strict=True):
            if a.aval != b.aval:
                return False
            names[a] = b
        return True

    def used(left: Sequence[Any], right: Sequence[Any]) -> bool:
        return len(left) == len(right) and all(
            same_literal(a, b)
            if isinstance(a, core.Literal)
            else not isinstance(b, core.Literal) and names.get(a) is b
            for a, b in zip(left, right, strict=True)
        )

    return (
        named(one.constvars, other.constvars)
        and named(one.invars, other.invars)
        and len(one.eqns) == len(other.eqns)
        and all(
            a.primitive is b.primitive
            and same_params(a.params, b.params)
            and used(a.invars, b.invars)
            and named(a.outvars, b.outvars)
            for a, b in zip(one.eqns, other.eqns, strict=True)
        )
        and used(one.outvars, other.outvars)
    )


def part_of(program: Program, wanted: Sequence[int], given: Sequence[int]):
    """The function of the inputs numbered `given` that returns the outputs numbered `wanted`; the wanted outputs must
    not depend on other inputs."""
    jaxpr = program.jaxpr
    outs = [jaxpr.outvars[number] for number in wanted]
    needed = {out for out in outs if not isinstance(out, core.Literal)}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if needed & set(eqn.outvars):
            kept.append(eqn)
            needed |= {v for v in eqn.invars if not isinstance(v, core.Literal)}
    own = jaxpr.replace(
        invars=[jaxpr.invars[i] for i in given], outvars=outs, eqns=kept[::-1]
    )
    return core.jaxpr_as_fun(core.ClosedJaxpr(own, program.consts))
