"""The initial point of inference.

For affine predictions it is the top-down sweep, at which every error is zero.  For others it is a point close to the
sweep: with a zero prior mean the sweep itself lies on the corner of every rectifier and at the saddle of every even
function, where gradients vanish and descent would not start.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.fixed_draws import uniform
from pcmodel.inference.whitened import run_parts
from pcmodel.model.precision import whiten
from pcmodel.model.problem import Problem, level_runs, split_runs

START = 1e-3
"""Distance from the sweep, in latents or in prior standard deviations, whichever is less."""


def start_of(problem: Problem) -> Float[Array, " free"]:
    """Whitened errors at which inference starts; the same for every example of a batch."""
    if problem.structure.model.is_linear:
        dtype = problem.inputs.gains[0].dtype
        return jnp.zeros((problem.structure.num_free,), dtype)
    return raised(problem, START)


def raised(problem: Problem, size: float) -> Float[Array, " free"]:
    """Whitened errors that raise every free unit above its prediction by 0.5 to 1.5 times `size`.

    Above, because rectifiers are active there; by different amounts, to break the symmetry of equal units.
    """
    structure, runs = problem.structure, level_runs(problem)
    dtype = problem.inputs.gains[0].dtype
    amounts = size * uniform(structure.num_free, 3, dtype, low=0.5, high=1.5)
    pieces = [jnp.zeros((0,), dtype)]
    for run, amount in zip(runs, split_runs(structure, runs, amounts), strict=True):
        own = run_parts(problem, run).free
        pieces.append(
            jax.vmap(lift)(own, amount).ravel() if run.is_stack else lift(own, amount)
        )
    return jnp.concatenate(pieces)


def lift(factor: Array, amount: Float[Array, " units"]) -> Float[Array, " units"]:
    """Whitened errors of units raised by `amount` in latents or in standard deviations, whichever is less."""
    scale = factor if factor.ndim == 1 else jnp.diagonal(factor)
    return whiten(factor, amount * jnp.minimum(1, 1 / scale))
