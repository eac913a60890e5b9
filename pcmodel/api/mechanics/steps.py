"""Inference step by step: where the latents are before and after every step of a descent."""

from typing import NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.api.batching import run_over_examples
from pcmodel.api.initial import check_start
from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.api.mechanics.points import (
    AtLatents,
    Point,
    by_level,
    energies_at,
    point_at,
)
from pcmodel.api.pose import Clamps, Observation, Prior, pose
from pcmodel.inference.solvers.descent import (
    Descent,
    ErrorDescent,
    StateDescent,
    trajectory,
)
from pcmodel.inference.start import start_of
from pcmodel.inference.whitened import whitened_from_latents
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.energy import (
    latents_from_state,
    predictions,
    state_from_latents,
)
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network
from pcmodel.runtime.contents import Static
from pcmodel.runtime.memory import check_fits


class InferenceSteps(NamedTuple):
    """Inference at steps 0 (the start) .. num_steps, of one example or of each of a batch.

    latents: of each level, ([batch,] num_steps + 1, width).
    errors: latents minus predictions, ([batch,] num_steps + 1, width); of a discrete level 0, data minus predicted
        mean.
    level_energies: of each level, ([batch,] num_steps + 1), nats.
    energy: their sum, ([batch,] num_steps + 1), nats.
    gradient_norm: norm of the energy's gradient in the free latents, ([batch,] num_steps + 1); 0 at the equilibrium.
    """

    latents: ByLevel
    errors: ByLevel
    level_energies: ByLevel
    energy: Array
    gradient_norm: Array


@checked_arguments
def inference_steps(
    network: Network,
    observation: Observation | None = None,
    *,
    num_steps: SupportsIndex = 100,
    solver: StateDescent | ErrorDescent | None = None,
    initial: AtLatents | None = None,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    errors_only: bool = False,
) -> InferenceSteps:
    """Take `num_steps` steps of gradient descent on the energy and keep every one of them.

    solver: `StateDescent(optimiser)` (default, with `optax.sgd(0.05)`) moves latents, `ErrorDescent(optimiser)` whitened
        errors; only its optimiser is used.
    initial: latents to start from, one array per level, ([batch,] width). None: at (or, for nonlinear networks, 1e-3
        from) the top-down sweep, where the errors of free units are 0.
    errors_only: energies without normalisers and without the prior of a clamped top, as `pcmodel.energies` has it.

    Other arguments and errors as for `infer`.  An optimiser that draws noise draws another for each example.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    solver = StateDescent() if solver is None else solver
    num_steps = whole_number(num_steps, "num_steps")
    widths = posed.problem.structure.model.widths
    check_fits(posed.batch_size or 1, num_steps + 1, 2 * sum(widths), what="the steps")
    start = None
    if initial is not None:
        given = initial.entries if isinstance(initial, ByLevel) else initial
        start = check_start(posed, given)
    return run_over_examples(
        steps_of,
        posed.problem,
        start,
        batching=posed.batching,
        solver=Static(solver),
        num_steps=num_steps,
        errors_only=errors_only,
    )


def steps_of(
    problem: Problem,
    initial: Latents | None,
    *,
    solver: Static[Descent],
    num_steps: int,
    errors_only: bool,
) -> InferenceSteps:
    """`inference_steps` of one example."""
    descent = solver.value
    if initial is None:
        begin = start_of(problem)
        point = descent.coordinates(problem).from_whitened(begin)
    elif isinstance(descent, StateDescent):
        point = state_from_latents(problem.structure, initial)
    else:
        point = whitened_from_latents(problem, initial)
    # The recorded points are those before each step: one step more, whose end is dropped.
    points = trajectory(descent, problem, point, num_steps + 1).points

    def at(point: Array):
        is_state = isinstance(descent, StateDescent)
        place = Point(point, None) if is_state else point_at(problem, point)
        return described(problem, place, errors_only=errors_only)

    latents, errors, levels, norm = jax.lax.map(at, points)
    names = problem.structure.model.names
    return InferenceSteps(
        ByLevel(names, latents),
        ByLevel(names, errors),
        by_level(names, levels),
        jnp.sum(levels, axis=-1),
        norm,
    )


def described(
    problem: Problem, point: Point, *, errors_only: bool
) -> tuple[Latents, Latents, Float[Array, " levels"], Float[Array, ""]]:
    """Latents, errors, energies of levels, and the norm of the gradient, at one point."""
    structure = problem.structure
    latents = latents_from_state(problem, point.state)
    predicted = predictions(problem, latents)
    predicted = tuple(
        structure.likelihood(level).mean(own)
        if level in structure.discrete_levels
        else own
        for level, own in enumerate(predicted)
    )
    errors = tuple(x - mu for x, mu in zip(latents, predicted, strict=True))
    if point.errors is not None:
        errors = tuple(
            error if level in structure.discrete_levels else known
            for level, (error, known) in enumerate(
                zip(errors, point.errors, strict=True)
            )
        )

    def total(state: Array) -> Array:
        return jnp.sum(energies_at(problem, point._replace(state=state)))

    pull = jax.grad(total)(point.state)
    levels = energies_at(problem, point, errors_only=errors_only)
    return latents, errors, levels, jnp.sqrt(jnp.sum(pull**2))
