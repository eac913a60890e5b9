r"""Level-by-level factorisation of the Gauss-Newton Hessian in state coordinates.

Each level interacts only with its parents, its children and their other parents.  In a chain the Hessian of the latents
is therefore block tridiagonal, and one block Cholesky pass from the bottom gives the Newton step: the Kalman filter and
smoother, if the chain is a series of times.  In other hierarchies eliminating a level links its remaining neighbours;
the links are found once, from the graph alone.  The cost is the sum of the widths cubed, which suits many small levels.
A joint belief over several levels couples them all and needs a dense solve.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import (
    MOST_PRODUCTS,
    Prepared,
    Products,
    measured,
)
from pcmodel.inference.whitened import Linearisation, unroll, whitened_from_latents
from pcmodel.model.discrete_energy import observed_gain
from pcmodel.model.energy import (
    belief_factor,
    latents_from_state,
    level_factor,
    predict_latent,
    state_from_latents,
)
from pcmodel.model.generative import is_chain
from pcmodel.model.linalg import cholesky, solve_spd
from pcmodel.model.precision import partition, precision_matrix, whiten
from pcmodel.model.problem import Problem, Structure
from pcmodel.model.types import Latents

MOST_LEVELS = 16
"""Levels of a hierarchy that is no chain up to which it is factored level by level: the program grows with them."""


class Blocks(NamedTuple):
    """A sparse symmetric matrix of blocks over the levels with free units.

    diagonal: diagonal block of each level, (n_i, n_i).
    upper: block of each pair of coupled levels (i, j) with i < j, (n_i, n_j).
    """

    diagonal: dict[int, Array]
    upper: dict[tuple[int, int], Array]


class BlockFactor(NamedTuple):
    """Block Cholesky factorisation, levels eliminated from the bottom.

    pivots: lower Cholesky factor of the pivot C_i of each level.
    regressions: G_ij = C_i^-1 O_ij of each level i on the levels j coupled to it when it is eliminated, O_ij their
        block at that point.
    """

    pivots: dict[int, Float[Array, "n n"]]
    regressions: dict[tuple[int, int], Float[Array, "n m"]]


@dataclass(frozen=True)
class BlockTridiagonal:
    """Newton step by block elimination in state coordinates."""

    is_direct: ClassVar[bool] = True

    @staticmethod
    def applies(structure: Structure) -> bool:
        """Whether every belief concerns a single level, and a hierarchy that is no chain has few enough levels."""
        few = is_chain(structure.model) or structure.top < MOST_LEVELS
        return few and all(len(levels) == 1 for levels in structure.beliefs)

    @staticmethod
    def cost(structure: Structure) -> float:
        """Number of multiplications per example: products of Jacobians, pivots, eliminations."""
        widths = structure.model.widths
        total = sum(width**3 for width in widths[1:])
        for level, coupled in couplings(structure, range(len(widths))).items():
            above = sum(widths[other] for other in coupled)
            total += widths[level] * above * (widths[level] + 3 * above)
        return total

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve d_z = B H_x^-1 B' b with B = dz/dx, through state coordinates."""
        latents = unroll(problem, whitened).latents
        state = state_from_latents(problem.structure, latents)

        def to_whitened(state: Array) -> Array:
            return whitened_from_latents(problem, latents_from_state(problem, state))

        _, push = jax.linearize(to_whitened, state)
        pull = jax.linear_transpose(push, state)
        pivots = factorise(state_hessian(problem, latents, damping))
        return measured(
            lambda rhs: push(solve_blocks(pivots, pull(rhs)[0])),
            Products(linear.push, linear.pull),
            damping,
            max_products=MOST_PRODUCTS,
            num_outputs=linear.num_outputs,
        )


def active_levels(structure: Structure) -> list[int]:
    """Levels with at least one free unit."""
    return [
        level for level in range(structure.top + 1) if len(structure.free_units(level))
    ]


@lru_cache(maxsize=256)
def couplings(
    structure: Structure, active: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """For each of some levels, bottom first, the higher ones coupled to it when it is eliminated."""
    coupled: dict[int, set[int]] = {level: set() for level in active}

    def couple(levels: Sequence[int]) -> None:
        for one, other in itertools.combinations(sorted(levels), 2):
            coupled[one].add(other)

    for level, parents in enumerate(structure.model.parents):
        couple([one for one in {level, *parents} if one in coupled])
    for level in active:
        couple(sorted(coupled[level]))
    return {level: tuple(sorted(coupled[level])) for level in active}


def state_hessian(problem: Problem, latents: Latents, damping: Array) -> Blocks:
    """Gauss-Newton Hessian of the energy in the free units of all levels.

    damping: scales the contribution of the free units' own errors by 1 + damping, as in whitened coordinates.
    """
    structure = problem.structure
    levels = active_levels(structure)
    own = {level: (1 + damping) * own_block(problem, level) for level in levels}
    cross: dict[tuple[int, int], Array] = {}

    def add(one: int, other: int, block: Array) -> None:
        known = cross.get((one, other))
        cross[one, other] = block if known is None else known + block

    for below in range(structure.top + 1):
        links = link_jacobians(problem, below, latents)
        for parent, link in links.items():
            for other in (one for one in links if one >= parent):
                against = links[other]
                block = (1 + damping) * link.free.T @ against.free
                block = block + link.clamped.T @ against.clamped
                if other == parent:
                    own[parent] += block
                else:
                    add(parent, other, block)
            if below in own:
                factor = level_parts(problem, below).free
                pulled = (1 + damping) * jax.vmap(
                    lambda column, factor=factor: unwhitened_pull(factor, column),
                    in_axes=1,
                    out_axes=1,
                )(link.free)
                add(below, parent, pulled)
    add_belief_blocks(problem, own)
    return Blocks(own, cross)


def unwhitened_pull(factor: Array, vector: Array) -> Array:
    """F v, the transpose of `whiten`."""
    return factor * vector if factor.ndim == 1 else factor @ vector


def level_parts(problem: Problem, level: int):
    """A level's factor split into free and clamped units."""
    structure = problem.structure
    return partition(
        level_factor(problem, level),
        structure.free_units(level),
        structure.clamped_units(level),
    )


def own_block(problem: Problem, level: int) -> Array:
    """Precision of a level's free units given its clamped ones."""
    return precision_matrix(level_parts(problem, level).free)


class Link(NamedTuple):
    """d(whitened errors of a level)/d(free units of one parent).

    free: rows of the level's free units.
    clamped: rows of its clamped units; of a discrete level A' d(logits).
    """

    free: Float[Array, "free units"]
    clamped: Float[Array, "clamped units"]


def link_jacobians(problem: Problem, below: int, latents: Latents) -> dict[int, Link]:
    """The links of a level to its parents with free units."""
    structure, inputs = problem.structure, problem.inputs
    model, parents = structure.model, structure.model.parents[below]
    values = tuple(latents[parent] for parent in parents)
    links: dict[int, Link] = {}
    for number, parent in enumerate(parents):
        units = structure.free_units(parent)
        if not len(units):
            continue

        def predicted(x: Array, number: int = number) -> Array:
            given = (*values[:number], x, *values[number + 1 :])
            return model.predict_level(inputs.weights, below, given)

        narrow = model.widths[below] < len(units)
        jacobian = (jax.jacrev if narrow else jax.jacfwd)(predicted)(values[number])
        link = whitened_link(problem, below, latents, jacobian[:, units])
        known = links.get(parent)
        # A parent may be named twice.
        links[parent] = link if known is None else Link(*map(jnp.add, known, link))
    return links


def whitened_link(
    problem: Problem, below: int, latents: Latents, jacobian: Array
) -> Link:
    """The link of a level to one parent from the Jacobian of its prediction."""
    structure = problem.structure
    clamped = structure.clamped_units(below)
    if below in structure.discrete_levels:
        rows = jacobian[clamped]
        return Link(jacobian[:0], data_rows(problem, below, latents, rows))
    parts = level_parts(problem, below)
    free_rows, clamped_rows = jacobian[structure.free_units(below)], jacobian[clamped]
    whiten_columns = jax.vmap(whiten, in_axes=(None, 1), out_axes=1)
    free = -whiten_columns(parts.free, free_rows)
    if parts.coupling is not None:
        free = free - parts.coupling.T @ clamped_rows
    return Link(free, -whiten_columns(parts.clamped, clamped_rows))


def data_rows(problem: Problem, level: int, latents: Latents, jacobian: Array) -> Array:
    """A' J for the observed units of one discrete level."""
    if jacobian.shape[0] == 0:
        return jacobian
    structure = problem.structure
    logits = predict_latent(problem, level, latents)[structure.clamped_units(level)]
    gain, push = observed_gain(problem, level), structure.likelihood(level).push_root
    return jax.vmap(lambda v: push(logits, gain, v), in_axes=1, out_axes=1)(jacobian)


def add_belief_blocks(problem: Problem, own: dict[int, Array]) -> None:
    """Add the precision of beliefs about single lower levels, or some of their units."""
    structure = problem.structure
    for index, (level, *_) in enumerate(structure.beliefs):
        if structure.owner(level) == index or level not in own:
            continue
        about, free = (
            structure.believed_units(index)[level],
            structure.free_units(level),
        )
        # Where the units that are both free and believed stand among the free ones, and in the belief.
        _, here, there = np.intersect1d(free, about, return_indices=True)
        precision = precision_matrix(belief_factor(problem, index))[
            np.ix_(there, there)
        ]
        if len(here) == len(free):
            own[level] += precision
        else:
            own[level] = own[level].at[np.ix_(here, here)].add(precision)


def factorise(blocks: Blocks) -> BlockFactor:
    """Block Cholesky factorisation from the bottom."""
    diagonal, upper = dict(blocks.diagonal), dict(blocks.upper)
    pivots: dict[int, Array] = {}
    regressions: dict[tuple[int, int], Array] = {}
    for level in sorted(diagonal):
        pivots[level] = cholesky(diagonal[level])
        coupled = sorted(other for one, other in upper if one == level)
        for other in coupled:
            regressions[level, other] = solve_spd(pivots[level], upper[level, other])
        for number, one in enumerate(coupled):
            left = upper[level, one].T
            diagonal[one] = diagonal[one] - left @ regressions[level, one]
            for other in coupled[number + 1 :]:
                change = left @ regressions[level, other]
                known = upper.get((one, other))
                upper[one, other] = -change if known is None else known - change
    return BlockFactor(pivots, regressions)


def solve_blocks(factor: BlockFactor, rhs: Float[Array, " free"]) -> Array:
    """H^-1 rhs."""
    pieces, start = {}, 0
    for level, pivot in factor.pivots.items():
        pieces[level] = rhs[start : start + pivot.shape[0]]
        start += pivot.shape[0]
    for (level, other), regression in factor.regressions.items():
        pieces[other] = pieces[other] - regression.T @ pieces[level]
    for level, pivot in factor.pivots.items():
        pieces[level] = solve_spd(pivot, pieces[level])
    for (level, other), regression in reversed(factor.regressions.items()):
        pieces[level] = pieces[level] - regression @ pieces[other]
    return jnp.concatenate([pieces[level] for level in factor.pivots])
