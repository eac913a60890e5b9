"""`train_recognition`: train a recognition network to predict the result of inference.

The generative network is not changed: its modes are computed once, and the recognition network is trained to predict
them from the data alone (hybrid predictive coding, Tschantz et al. 2023; see `pcmodel.networks.recognition`).
"""

from functools import partial
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.batching import MOST_EXAMPLES, run_over_examples
from pcmodel.api.infer import mode_of
from pcmodel.api.pose import Clamps, pose
from pcmodel.errors import UserError
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.optax_steps import move
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.generative import learned
from pcmodel.model.types import Latents, LogPrecisions, Weights
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.networks.recognition import (
    PureRecognition,
    Recognition,
    RecognitionModel,
    as_recognition_model,
    recognition_loss,
    with_recognition_weights,
)
from pcmodel.runtime.contents import Static
from pcmodel.runtime.tracing import refuse_tracing

OPTIMISER = optax.adam(3e-3)


class RecognitionResult(NamedTuple):
    """The result of training a recognition network.

    recognition: trained recognition network, a copy.
    loss: mean of `recognition_loss` over the batches of each epoch, (epochs,): squared distance of the guess from the
        mode in prior standard deviations, per unit.
    converged: share of the examples whose inference converged, in [0, 1].
    """

    recognition: Recognition
    loss: Float[np.ndarray, " epochs"]
    converged: float


@checked_arguments
def train_recognition(
    recognition: Recognition,
    network: Network,
    observations: ArrayLike,
    *,
    key: Array,
    num_epochs: SupportsIndex = 50,
    batch_size: SupportsIndex = 64,
    optimiser: optax.GradientTransformation = OPTIMISER,
    solver: Solver | None = None,
    clamp: Clamps | None = None,
) -> RecognitionResult:
    """Train a recognition network to predict the inferred latents from the data.

    recognition: network made by `recognition_for(network, ...)`, or any of the same widths.
    network: generative network, which is not changed.
    observations: level 0, (examples, width_0).
    key: determines the order of the examples.
    num_epochs: passes over the data.
    batch_size: examples per step; an incomplete last batch of an epoch is omitted.
    optimiser: optax transformation for the recognition weights.
    solver: as for `infer`; `GaussNewton()` by default. Results that did not converge are used too; see `converged`.
    clamp: values of further levels while the latents are inferred, such as labels at the top, which the guess then learns
        to predict; each (examples, width).

    Raises UserError for data or a recognition network that do not fit the network, and for a loss that
    is not finite.
    """
    refuse_tracing(
        "train_recognition",
        jax.tree.leaves((recognition, network)),
        (observations, key, clamp),
        why="its loop over epochs runs in Python",
    )
    key = check_key(key)
    num_epochs = whole_number(num_epochs, "num_epochs", least=0)
    batch_size = whole_number(batch_size, "batch_size", least=0)
    pure, own = as_model(network), as_recognition_model(recognition)
    _check_recognition(own, pure.model.widths)
    posed = pose(pure, observations, clamp=clamp)
    if len(posed.problem.structure.clamped[0]) < pure.model.widths[0]:
        raise UserError(
            "some values are masked",
            where="train_recognition",
            expected="complete observations: a recognition network reads every unit",
        )
    _check_sizes(posed.batch_size, num_epochs, batch_size)
    found = run_over_examples(
        mode_of,
        posed.problem,
        batching=posed.batching,
        at_once=MOST_EXAMPLES,
        solver=Static(solver or GaussNewton()),
    )
    weights, memory = own.weights, optimiser.init(learned(own.weights))
    settings = Static(optimiser)
    losses: list[float] = []
    for epoch_key in jax.random.split(key, num_epochs):
        weights, memory, loss = _epoch(
            weights,
            memory,
            found.latents,
            pure.log_precisions,
            epoch_key,
            model=own.model,
            optimiser=settings,
            batch_size=batch_size,
        )
        losses.append(_finite(float(loss), epoch=len(losses) + 1))
    trained = with_recognition_weights(recognition, weights)
    converged = float(np.mean(np.asarray(found.converged)))
    return RecognitionResult(trained, np.asarray(losses), converged)


@partial(jax.jit, static_argnames=("model", "optimiser", "batch_size"))
def _epoch(
    weights: Weights,
    memory: Any,
    inferred: Latents,
    log_precisions: LogPrecisions,
    key: Array,
    *,
    model: RecognitionModel,
    optimiser: Static[optax.GradientTransformation],
    batch_size: int,
) -> tuple[Weights, Any, Float[Array, ""]]:
    """Weights and optimiser state after one epoch in the order given by the key, and the mean loss."""
    examples = inferred[0].shape[0]
    order = jax.random.permutation(key, examples)
    batches = order[: examples - examples % batch_size].reshape(-1, batch_size)

    def step(carry, indices: Array):
        weights, memory = carry
        batch = tuple(level[indices] for level in inferred)

        def mean_loss(some: Weights) -> Array:
            def one(latents: Latents) -> Array:
                whole = {**weights, **some}
                return recognition_loss(model, whole, latents, log_precisions)

            return jnp.mean(jax.vmap(one)(batch))

        own = learned(weights)
        loss, gradient = jax.value_and_grad(mean_loss)(own)
        updates, memory = move(optimiser.value, mean_loss, own, loss, gradient, memory)
        moved: Any = optax.apply_updates(own, updates)
        return ({**weights, **moved}, memory), loss

    (weights, memory), losses = jax.lax.scan(step, (weights, memory), batches)
    return weights, memory, jnp.mean(losses)


def _check_recognition(own: PureRecognition, widths: tuple[int, ...]) -> None:
    dtype = jax.tree.leaves(own.weights)[0].dtype
    data = jax.ShapeDtypeStruct((widths[0],), dtype)
    try:
        guess = jax.eval_shape(own.model.guess, own.weights, data)
        guessed = tuple(level.shape[0] for level in guess)
    except (TypeError, ValueError):
        guessed = None
    if guessed != widths:
        told = "data of another width" if guessed is None else f"levels of {guessed}"
        raise UserError(
            f"the recognition network is for {told}",
            where="train_recognition",
            expected=f"levels of {widths} units, as recognition_for(network) makes it",
        )


def _check_sizes(examples: int | None, num_epochs: int, batch_size: int) -> None:
    if examples is None:
        raise UserError(
            "train_recognition expects a batch: observations of shape (examples, width)."
        )
    if num_epochs < 1 or not 1 <= batch_size <= examples:
        raise UserError(
            f"num_epochs {num_epochs} and batch_size {batch_size} for {examples} examples",
            where="train_recognition",
            expected=f"1 epoch or more, and batches of 1 to {examples}",
        )


def _finite(loss: float, *, epoch: int) -> float:
    if not np.isfinite(loss):
        raise UserError(
            f"the loss is not finite in epoch {epoch}",
            where="train_recognition",
            expected="data that inference can explain, and a lower learning rate",
        )
    return loss
