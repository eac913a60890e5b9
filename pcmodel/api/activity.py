"""`activity`: draws of activity around the mode, with temperature and top-down mixing.

Without these, activity is a draw from the posterior (the sampling hypothesis of neural variability), whose variance
is the uncertainty of the inference.
"""

from functools import partial
from typing import SupportsIndex

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Clamps, Observation, Prior, pose
from pcmodel.errors import UserError
from pcmodel.inference.activity import mix_top_down, num_noise
from pcmodel.inference.posterior import whitened_samples
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits


@checked_arguments
def activity(
    network: Network,
    key: Array,
    observation: Observation | None = None,
    *,
    num_samples: SupportsIndex = 1,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
) -> Latents:
    """Draws of activity given one observation: one array per level, bottom first, (num_samples, width).

    Draws from the Laplace posterior, with their variance multiplied by the modulation's `temperature`, are mixed with
    activity generated top-down (`top_down`, see `pcmodel.inference.activity`).  Other arguments as for `infer`.
    Raises UserError for a batch and for input that does not fit the network.
    """
    key, num_samples = check_key(key), whole_number(num_samples, "num_samples")
    check_fits(num_samples, sum(network.widths), what="num_samples draws")
    given = modulation or Modulation()
    posed = pose(
        network, observation, prior=prior, modulation=given.in_inference(), clamp=clamp
    )
    if posed.batching.is_batched:
        raise UserError("activity takes one observation, prior or clamp, not a batch.")
    found = run_inference(posed, solver)
    acting = (given.temperature, given.top_down) if given.acts_on_activity else None
    return _draw(posed.problem, found.whitened, key, acting, num_samples=num_samples)


@partial(jax.jit, static_argnames=("num_samples",))
@in_full_precision
def _draw(
    problem: Problem,
    whitened: Array,
    key: Array,
    acting: tuple[ArrayLike, ArrayLike] | None,
    *,
    num_samples: int,
) -> Latents:
    draws = whitened_samples(problem, whitened, key, num_samples)
    if acting is None:
        return jax.vmap(lambda z: unroll(problem, z).latents)(draws)
    temperature, top_down = (jnp.asarray(value, whitened.dtype) for value in acting)
    draws = whitened[None] + jnp.sqrt(temperature) * (draws - whitened[None])
    shape = (num_samples, num_noise(problem))
    noise = jax.random.normal(jax.random.fold_in(key, 1), shape, whitened.dtype)

    def mixed(z: Array, own: Array) -> Latents:
        return mix_top_down(problem, unroll(problem, z).latents, own, top_down)

    return jax.vmap(mixed)(draws, noise)
