"""Optimiser steps with one entry per layer, whether or not equal layers are stored as one stacked array.

An optimiser's update may depend on the norms of its arrays (LAMB, LARS), on their rank (Muon, masks) or on their
place in the tree (labels by level), so an optimiser is always defined on separate layers.  If it treats all layers of
a stack independently and alike (`pcmodel.learning.optimisation.separable`), its step for one layer is mapped over the stack: the
same step in a program whose size does not grow with depth.  Otherwise the stack is split for the step.
"""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from pcmodel.inference.solvers.optax_steps import Moved, move
from pcmodel.learning.optimisation.separable import (
    Place,
    Program,
    is_separable,
    part_of,
)
from pcmodel.learning.rules import Slope
from pcmodel.model.generative import (
    GenerativeModel,
    by_layer,
    by_span,
    one_for_all,
    spans_of,
    stacks_of,
)
from pcmodel.model.types import Weights
from pcmodel.runtime.contents import Static


class Together(NamedTuple):
    """An optimiser's state with the layers of a stack kept together.

    stacked: arrays that belong to the layers of a stack, with a leading axis of layers.
    rest: all other arrays of the state.
    """

    stacked: tuple[Any, ...]
    rest: tuple[Any, ...]


class Leaves(NamedTuple):
    """How the leaves of a tree, numbered in order, belong to stacks.

    groups: for each group of corresponding leaves, their numbers, first layer of the stack first.
    stacks: for each group, the index of its stack.
    rest: numbers of the leaves that belong to no stack.
    places: place of every leaf; None for one of `rest`.
    """

    groups: tuple[tuple[int, ...], ...]
    stacks: tuple[int, ...]
    rest: tuple[int, ...]
    places: tuple[Place | None, ...]


class Plan(NamedTuple):
    """How to apply an optimiser's step to stacks.

    program: traced step with inputs (gradient, state, weights, value), one entry per layer.
    weights: leaves of the weights (and of the gradient).
    state: leaves of the optimiser's state.
    """

    program: Program
    weights: Leaves
    state: Leaves


def as_optimised(model: GenerativeModel, weights: Weights) -> Weights:
    """The weights with one entry per layer, as an optimiser receives them."""
    return {**weights, "layers": by_layer(model, weights["layers"])}


def as_kept(model: GenerativeModel, weights: Weights) -> Weights:
    """The inverse of `as_optimised`."""
    return {**weights, "layers": by_span(model, weights["layers"])}


def init_optimiser(
    optimiser: optax.GradientTransformation, model: GenerativeModel, weights: Weights
) -> Any:
    """The optimiser's state before the first step, for the learned weights."""
    state = optimiser.init(as_optimised(model, weights))
    plan = plan_of(optimiser, model, weights)
    if plan is None:
        return state
    leaves = jax.tree.leaves(state)
    return Together(
        tuple(jnp.stack([leaves[i] for i in group]) for group in plan.state.groups),
        tuple(leaves[i] for i in plan.state.rest),
    )


def step_optimiser(
    optimiser: optax.GradientTransformation,
    model: GenerativeModel,
    weights: Weights,
    slope: Slope,
    state: Any,
) -> Moved:
    """One optimiser step: updates with the structure of `weights`, and the new state."""
    if isinstance(state, Together):
        plan = plan_of(optimiser, model, weights)
        assert plan is not None
        return step_together(plan, model, weights, slope, state)
    moved = move(
        optimiser,
        lambda apart: slope.objective(as_kept(model, apart)),
        as_optimised(model, weights),
        slope.value,
        as_optimised(model, slope.gradient),
        state,
    )
    return Moved(as_kept(model, moved.updates), moved.state)


def step_together(
    plan: Plan, model: GenerativeModel, weights: Weights, slope: Slope, state: Together
) -> Moved:
    """One optimiser step by a plan, with the layers of each stack mapped together."""
    own, kept = plan.weights, plan.state
    size, held = len(own.places), len(kept.places)
    value = slope.value.astype(weights["prior_mean"].dtype)
    gradient, point = (split_stacks(model, tree) for tree in (slope.gradient, weights))
    globals_ = (*gradient[1], *state.rest, *point[1], value)
    rest = [
        *own.rest,
        *(size + i for i in kept.rest),
        *(size + held + i for i in own.rest),
        2 * size + held,
    ]

    def outputs(numbers: Sequence[int], more: Sequence[int]) -> list[int]:
        return [*numbers, *(size + i for i in more)]

    made = part_of(plan.program, outputs(own.rest, kept.rest), rest)(*globals_)
    updates, following = list(made[: len(own.rest)]), list(made[len(own.rest) :])
    stacked_updates: dict[int, Any] = {}
    stacked_state: dict[int, Any] = {}
    for index in range(len(stacks_apart(model))):
        mine = [i for i, stack in enumerate(own.stacks) if stack == index]
        state_mine = [i for i, stack in enumerate(kept.stacks) if stack == index]
        arrays = (
            *(gradient[0][i] for i in mine),
            *(state.stacked[i] for i in state_mine),
            *(point[0][i] for i in mine),
        )
        numbers = [
            *(own.groups[i][0] for i in mine),
            *(size + kept.groups[i][0] for i in state_mine),
            *(size + held + own.groups[i][0] for i in mine),
        ]
        wanted = outputs(
            [own.groups[i][0] for i in mine], [kept.groups[i][0] for i in state_mine]
        )
        one = part_of(plan.program, wanted, [*numbers, *rest])
        axes = (0,) * len(arrays) + (None,) * len(globals_)
        found = jax.vmap(one, in_axes=axes)(*arrays, *globals_)
        stacked_updates |= dict(zip(mine, found[: len(mine)], strict=True))
        stacked_state |= dict(zip(state_mine, found[len(mine) :], strict=True))
    return Moved(
        join_stacks(
            model,
            weights,
            [stacked_updates[i] for i in range(len(own.groups))],
            updates,
        ),
        Together(
            tuple(stacked_state[i] for i in range(len(kept.groups))), tuple(following)
        ),
    )


def plan_of(
    optimiser: optax.GradientTransformation, model: GenerativeModel, weights: Weights
) -> Plan | None:
    """The plan for stepping stacks without splitting them; None if there are none or they must be split."""
    if not stacks_apart(model):
        return None
    leaves, tree = jax.tree.flatten(weights)
    forms = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
    return _plan(Static(optimiser), model, tree, forms)


class _Asked(Exception):
    """Raised when an optimiser evaluates the objective, which depends on all layers together."""


@lru_cache(maxsize=64)
def _plan(
    settings: Static[optax.GradientTransformation],
    model: GenerativeModel,
    tree: Any,
    forms: tuple[jax.ShapeDtypeStruct, ...],
) -> Plan | None:
    optimiser = settings.value
    weights = jax.tree.unflatten(tree, forms)
    apart = jax.eval_shape(lambda w: as_optimised(model, w), weights)
    state = jax.eval_shape(optimiser.init, apart)
    value = jax.ShapeDtypeStruct((), weights["prior_mean"].dtype)

    def objective(point: Any) -> jax.Array:
        raise _Asked

    def step(gradient: Any, state: Any, point: Any, value: jax.Array) -> Moved:
        return move(optimiser, objective, point, value, gradient, state)

    try:
        program, shapes = jax.make_jaxpr(step, return_shape=True)(
            apart, state, apart, value
        )
    except _Asked:
        return None
    if jax.tree.structure(shapes) != jax.tree.structure(Moved(apart, state)):
        return None
    spans = stacks_apart(model)
    own, kept = leaves_of(apart, spans), leaves_of(state, spans)
    inputs = (
        *own.places,
        *(
            None if p is None else Place((*p.group, "state"), p.layer)
            for p in kept.places
        ),
        *(
            None if p is None else Place((*p.group, "weights"), p.layer)
            for p in own.places
        ),
        None,
    )
    outputs = (
        *own.places,
        *(
            None if p is None else Place((*p.group, "state"), p.layer)
            for p in kept.places
        ),
    )
    return Plan(program, own, kept) if is_separable(program, inputs, outputs) else None


def stacks_apart(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """The stacks (first, end) whose layers do not share their weights."""
    return tuple(span for span in stacks_of(model) if span not in one_for_all(model))


def leaves_of(tree: Any, spans: Sequence[tuple[int, int]]) -> Leaves:
    """How the leaves of a tree belong to the layers of stacks: those under ["layers"][number of the layer]."""
    found: dict[Any, dict[int, tuple[int, Any]]] = {}
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    for number, (path, leaf) in enumerate(leaves):
        group, layer = group_of(path, spans)
        if group is not None:
            found.setdefault(group, {})[layer] = (number, (leaf.shape, leaf.dtype))
    places: list[Place | None] = [None] * len(leaves)
    groups, stacks = [], []
    for group, members in found.items():
        first, end = spans[group[0]]
        alike = len({form for _, form in members.values()}) == 1
        if len(members) == end - first and alike:
            groups.append(tuple(members[i][0] for i in range(end - first)))
            stacks.append(group[0])
            for layer, (number, _) in members.items():
                places[number] = Place(group, layer)
    rest = tuple(i for i, place in enumerate(places) if place is None)
    return Leaves(tuple(groups), tuple(stacks), rest, tuple(places))


def group_of(path: Any, spans: Sequence[tuple[int, int]]) -> tuple[Any, int]:
    """((index of the stack, path without the layer), layer of the stack), or (None, 0)."""
    for at, (here, following) in enumerate(itertools.pairwise(path)):
        level = getattr(following, "idx", None)
        if getattr(here, "key", None) != "layers" or level is None:
            continue
        for index, (first, end) in enumerate(spans):
            if first <= level < end:
                return (index, path[:at], path[at + 2 :]), level - first
    return None, 0


def split_stacks(
    model: GenerativeModel, weights: Weights
) -> tuple[list[Any], list[Any]]:
    """The stacked arrays and all other arrays, each in the order of `as_optimised`'s leaves."""
    numbered, leaves = number_leaves(model, weights)
    return (
        [leaf for leaf, is_stack in zip(leaves, numbered, strict=True) if is_stack],
        [leaf for leaf, is_stack in zip(leaves, numbered, strict=True) if not is_stack],
    )


def join_stacks(
    model: GenerativeModel,
    weights: Weights,
    stacks: Sequence[Any],
    others: Sequence[Any],
) -> Weights:
    """The inverse of `split_stacks`, with the tree structure of `weights`."""
    numbered, _ = number_leaves(model, weights)
    stack, other = iter(stacks), iter(others)
    leaves = [next(stack) if is_stack else next(other) for is_stack in numbered]
    return jax.tree.unflatten(jax.tree.structure(weights), leaves)


def number_leaves(
    model: GenerativeModel, weights: Weights
) -> tuple[list[bool], list[Any]]:
    """For each leaf whether it belongs to a stack, and the leaves."""
    marked = {
        name: jax.tree.map(lambda _: False, value) for name, value in weights.items()
    }
    apart = stacks_apart(model)
    marked["layers"] = tuple(
        jax.tree.map(lambda _, s=span: s in apart, entry)
        for span, entry in zip(spans_of(model), weights["layers"], strict=True)
    )
    return jax.tree.leaves(marked), jax.tree.leaves(weights)
