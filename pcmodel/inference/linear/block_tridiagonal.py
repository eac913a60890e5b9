r"""Level-by-level factorisation of the Gauss-Newton Hessian in state coordinates.

Each level interacts only with its neighbours, so the Hessian of the latents is block tridiagonal, and one block
Cholesky pass from the bottom gives the Newton step.  The cost is the sum of the widths cubed, which suits many small
levels.  A joint belief over several levels couples them all and needs a dense solve.
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import (
    MOST_PRODUCTS,
    Prepared,
    Products,
    measured,
)
from pcmodel.inference.whitened import Linearisation, unroll, whitened_from_latents
from pcmodel.model.energy import (
    belief_factor,
    latents_from_state,
    level_factor,
    observed_gain,
    state_from_latents,
)
from pcmodel.model.linalg import cholesky, solve_spd
from pcmodel.model.precision import partition, precision_matrix, whiten
from pcmodel.model.problem import Problem, Structure
from pcmodel.model.types import Latents


class Blocks(NamedTuple):
    """A block tridiagonal symmetric matrix over the levels with free units, bottom first.

    diagonal: diagonal blocks, diagonal[i] is (n_i, n_i).
    upper: blocks above the diagonal, upper[i] is (n_i, n_{i+1}).
    """

    diagonal: list[Array]
    upper: list[Array]


class BlockFactor(NamedTuple):
    """Block Cholesky factorisation.

    pivots: lower Cholesky factors of the pivots C_i.
    regressions: G_i = C_i^-1 O_i, with O_i the blocks above the diagonal.
    """

    pivots: list[Float[Array, "n n"]]
    regressions: list[Float[Array, "n m"]]


@dataclass(frozen=True)
class BlockTridiagonal:
    """Newton step by block elimination in state coordinates."""

    is_direct: ClassVar[bool] = True

    @staticmethod
    def applies(structure: Structure) -> bool:
        """Whether every belief concerns a single level."""
        return all(len(levels) == 1 for levels in structure.beliefs)

    @staticmethod
    def cost(structure: Structure) -> float:
        """Number of multiplications per example: products of Jacobians, pivots, eliminations."""
        widths = structure.model.widths
        pairs = itertools.pairwise(widths)
        return sum(w**3 for w in widths[1:]) + sum(
            a * b * (a + 3 * b) for a, b in pairs
        )

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


def state_hessian(problem: Problem, latents: Latents, damping: Array) -> Blocks:
    """Gauss-Newton Hessian of the energy in the free units of all levels.

    damping: scales the contribution of the free units' own errors by 1 + damping, as in whitened coordinates.
    """
    structure = problem.structure
    levels = active_levels(structure)
    own = {level: (1 + damping) * own_block(problem, level) for level in levels}
    cross: dict[int, Array] = {}
    for below in range(structure.top):
        above = below + 1
        if above not in own:
            continue
        free, clamped = link_jacobians(problem, below, latents[above])
        own[above] += (1 + damping) * free.T @ free + clamped.T @ clamped
        if below in own:
            parts = level_parts(problem, below)
            cross[below] = (1 + damping) * jax.vmap(
                lambda column, parts=parts: unwhitened_pull(parts.free, column),
                in_axes=1,
                out_axes=1,
            )(free)
    add_belief_blocks(problem, own)
    upper = [
        cross.get(a, jnp.zeros((own[a].shape[0], own[b].shape[0]), own[a].dtype))
        if b == a + 1
        else jnp.zeros((own[a].shape[0], own[b].shape[0]), own[a].dtype)
        for a, b in itertools.pairwise(levels)
    ]
    return Blocks([own[level] for level in levels], upper)


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


def link_jacobians(problem: Problem, below: int, above: Array) -> tuple[Array, Array]:
    """d(whitened errors of `below`)/d(free units above): free rows, then clamped rows.

    For a discrete level 0 the clamped rows are A' d(logits).
    """
    structure, inputs = problem.structure, problem.inputs
    model, units = structure.model, structure.free_units(below + 1)
    narrow = model.widths[below] < len(units)
    jacobian = (jax.jacrev if narrow else jax.jacfwd)(
        lambda x: model.predict_level(inputs.weights, below, x)
    )(above)[:, units]
    clamped = structure.clamped_units(below)
    if below < structure.first_level:
        return jacobian[:0], data_rows(problem, above, jacobian[clamped])
    parts = level_parts(problem, below)
    free_rows, clamped_rows = jacobian[structure.free_units(below)], jacobian[clamped]
    whiten_columns = jax.vmap(whiten, in_axes=(None, 1), out_axes=1)
    free = -whiten_columns(parts.free, free_rows)
    if parts.coupling is not None:
        free = free - parts.coupling.T @ clamped_rows
    return free, -whiten_columns(parts.clamped, clamped_rows)


def data_rows(problem: Problem, above: Array, jacobian: Array) -> Array:
    """A' J for the observed units of discrete data."""
    if jacobian.shape[0] == 0:
        return jacobian
    structure = problem.structure
    logits = structure.model.predict_level(problem.inputs.weights, 0, above)
    logits, gain = logits[structure.clamped_units(0)], observed_gain(problem)
    push = structure.discrete.push_root
    return jax.vmap(lambda v: push(logits, gain, v), in_axes=1, out_axes=1)(jacobian)


def add_belief_blocks(problem: Problem, own: dict[int, Array]) -> None:
    """Add the precision of beliefs about single lower levels."""
    structure = problem.structure
    for index, (level, *_) in enumerate(structure.beliefs):
        if index == structure.top_belief() or level not in own:
            continue
        units = structure.free_units(level)
        precision = precision_matrix(belief_factor(problem, index))
        own[level] += precision[units][:, units]


def factorise(blocks: Blocks) -> BlockFactor:
    """Block Cholesky factorisation from the bottom."""
    pivots, regressions = [], []
    pivot = blocks.diagonal[0]
    for index, diagonal in enumerate(blocks.diagonal):
        if index:
            above = blocks.upper[index - 1]
            pivot = diagonal - above.T @ regressions[-1]
        pivots.append(cholesky(pivot))
        if index < len(blocks.upper):
            regressions.append(solve_spd(pivots[-1], blocks.upper[index]))
    return BlockFactor(pivots, regressions)


def solve_blocks(factor: BlockFactor, rhs: Float[Array, " free"]) -> Array:
    """H^-1 rhs."""
    pieces, start = [], 0
    for pivot in factor.pivots:
        pieces.append(rhs[start : start + pivot.shape[0]])
        start += pivot.shape[0]
    for index, regression in enumerate(factor.regressions):
        pieces[index + 1] = pieces[index + 1] - regression.T @ pieces[index]
    solution = [solve_spd(factor.pivots[-1], pieces[-1])]
    for index in reversed(range(len(factor.regressions))):
        below = solve_spd(factor.pivots[index], pieces[index])
        solution.insert(0, below - factor.regressions[index] @ solution[0])
    return jnp.concatenate(solution)
