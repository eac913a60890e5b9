r"""Activity of a linear-Gaussian hierarchy: Langevin inference, exactly.

$$dx = -M \nabla E(x, u)\,dt + \sqrt{2 T M}\,dW$$

on the free units given the input u.  M is diagonal (mobility): a unit settles with its level's time constant when only
its own precision, undrugged, acts on it.  At rest the stationary law is the posterior at temperature T, with
covariance $T H^{-1}$ whatever M is (the Ornstein-Uhlenbeck process is reversible).  A film moves u as
$du = -(u - \bar u)/\tau\,dt + \sqrt{2 C/\tau}\,dW$.

Where errors are passed on with factors (`error_transmission`), the drift is that of the hierarchy with equivalent gains
$\gamma$, slowed by them, $-M\Gamma^{-1}\nabla E_\gamma$, and the noise stays $2TM$: no energy has this drift and noise,
and the stationary covariance is that of a Lyapunov equation.

A share of activity that is generated from above (`top_down`) carries noise of its own.  Here it moves in time by the same
law, each level's as if nothing else acted on it, so that at any moment activity has the moments of
`pcmodel.inference.activity.activity_moments`.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float

from pcmodel.api.pose import pose
from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.brain.dynamics.conditions import Condition, Conditions, positions
from pcmodel.brain.dynamics.expansion import (
    Expansion,
    expand,
    level_factors,
    level_precisions,
)
from pcmodel.errors import UserError
from pcmodel.inference.linear.equation import is_quadratic
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Positive
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem, Structure

Keeps = Literal["mobility", "time constant"]
ROUNDING = 1e-3
"""Largest error of the curvature's inverse that is let through, as a share."""


class LinearActivity(NamedTuple):
    """Activity as a linear read-out of an Ornstein-Uhlenbeck process, dz = -A (z - mean) dt + sqrt(Q) dW.

    z holds the free units, bottom first, then the driven units of the input, then the noise of generated activity.

    drift: A, per second.
    diffusion: Q, covariance that is added per second.
    mean: of z.
    covariance: of z in the stationary state.
    read: activity of the free units is read @ (z - mean) + activity, (free, z).
    activity: its mean, (free,).
    read_errors: errors of the free units in the same way, (free, z).
    errors: their mean, (free,).
    structure: which units are free.
    """

    drift: Float[np.ndarray, "z z"]
    diffusion: Float[np.ndarray, "z z"]
    mean: Float[np.ndarray, " z"]
    covariance: Float[np.ndarray, "z z"]
    read: Float[np.ndarray, "free z"]
    activity: Float[np.ndarray, " free"]
    read_errors: Float[np.ndarray, "free z"]
    errors: Float[np.ndarray, " free"]
    structure: Structure

    def activity_covariance(self) -> Float[np.ndarray, "free free"]:
        """Stationary covariance of the free units' activity."""
        return self.read @ self.covariance @ self.read.T


@checked_arguments
def linear_activity(
    brain: BrainHierarchy,
    condition: Condition,
    *,
    modulation: Modulation | None = None,
    temperature: Positive = 1.0,
    time_constants: Mapping[str, float] | None = None,
    keeps: Keeps = "mobility",
) -> LinearActivity:
    """Activity of a linear hierarchy under a condition.

    condition: `EyesClosed()`, `FixedStimulus()`, `Film()` or `Task(...)`.
    modulation: what a drug does, its temperature and top-down share included; None for none.
    temperature: T, multiplied by the modulation's.
    time_constants: seconds by level, in place of the modules' own.
    keeps: what of a level a gain leaves as it is: its "mobility", so that relaxed levels are slower (the gradient
        flow), or its "time constant". The stationary law at rest is the same.
    Raises UserError for a hierarchy that is not linear (`langevin` is for those), for what does not fit it, and where
    rounding leaves no stationary covariance.
    """
    modulation = modulation or Modulation()
    given = condition.conditions(brain)
    problem = posed_problem(brain, given, modulation)
    if not is_quadratic(problem):
        raise UserError(
            "is not linear",
            where="brain",
            expected="a linear one, or pcmodel's `langevin`",
        )
    driven = positions(given.drive.levels, brain.network.names) if given.drive else ()
    top_down = float(np.asarray(modulation.top_down))
    scale = temperature * float(np.asarray(modulation.temperature))
    if not 0 < scale < np.inf:
        raise UserError(
            f"is {scale:g}", where="temperature", expected="above 0, finite"
        )
    dtype = problem.inputs.gains[0].dtype
    expanded = expand(problem, jnp.asarray(top_down, dtype), driven=driven)
    found: Any = Expansion._make(np.asarray(one, np.float64) for one in expanded)
    check_rounding(found)
    mobilities = level_mobilities(brain, problem, time_constants, keeps)
    mobility, passing = (
        on_free_units(problem.structure, rows)
        for rows in (mobilities, transmission_gains(problem, modulation))
    )
    system = _Parts(found, mobility, passing, scale, given, problem, top_down)
    return assemble(system, mobilities)


class _Parts(NamedTuple):
    found: Any  # an Expansion, on the host
    mobility: np.ndarray
    passing: np.ndarray
    temperature: float
    given: Conditions
    problem: Problem
    top_down: float


def posed_problem(
    brain: BrainHierarchy, given: Conditions, modulation: Modulation
) -> Problem:
    """The inference problem of a recording; UserError for one whose clamped values are a batch."""
    clamp: Any = given.clamp or None
    posed = pose(brain.network, clamp=clamp, modulation=modulation.in_inference())
    if posed.batching.is_batched:
        raise UserError("is a batch", where="condition", expected="one recording")
    if not posed.problem.structure.num_free:
        raise UserError("leaves no unit free", where="condition")
    return posed.problem


def level_mobilities(
    brain: BrainHierarchy,
    problem: Problem,
    time_constants: Mapping[str, float] | None,
    keeps: Keeps = "mobility",
) -> list[np.ndarray]:
    """M of every unit by level: 1 / (time constant x the level's mean precision per unit), without drugs if M is kept."""
    chosen = {name: module.time_constant for name, module in brain.modules.items()}
    for name, value in (time_constants or {}).items():
        if name not in chosen:
            raise UserError(
                f"names {name!r}",
                where="time_constants",
                expected=f"levels: {', '.join(chosen)}",
            )
        if not 0 < value < np.inf:
            raise UserError(
                f"of {name} is {value}",
                where="time_constants",
                expected="seconds, above 0",
            )
        chosen[name] = float(value)
    inputs = problem.inputs
    if keeps == "mobility":
        neutral = tuple(jnp.ones_like(gain) for gain in inputs.gains)
        inputs = inputs._replace(gains=neutral)
    plain = level_precisions(Problem(problem.structure, inputs))
    return [
        np.full(len(own), 1 / (chosen[name] * float(np.mean(np.diag(own)))))
        for name, own in zip(brain.network.names, map(np.asarray, plain), strict=True)
    ]


def transmission_gains(problem: Problem, modulation: Modulation) -> list[np.ndarray]:
    """The gains that are equivalent to weaker transmission of errors, by level; 1 without."""
    model, dtype = problem.structure.model, problem.inputs.gains[0].dtype
    passed = Modulation(error_transmission=modulation.error_transmission)
    gains = passed.resolve(model, dtype)
    return [
        np.broadcast_to(np.asarray(gain, np.float64), (width,))
        for gain, width in zip(gains, model.widths, strict=True)
    ]


def on_free_units(structure: Structure, rows: list[np.ndarray]) -> np.ndarray:
    """Values of the free units, bottom first, from those of all units by level."""
    return np.concatenate(
        [row[structure.free_units(level)] for level, row in enumerate(rows)]
    )


def assemble(parts: _Parts, mobilities: list[np.ndarray]) -> LinearActivity:
    """The joint process of units, input and generated noise."""
    found, given = parts.found, parts.given
    speed = parts.mobility / parts.passing
    drift, noise = (
        speed[:, None] * found.curvature,
        2 * parts.temperature * parts.mobility,
    )
    drive = given.drive
    about = np.zeros(0)
    if drive:
        about = np.concatenate([np.asarray(given.clamp[name]) for name in drive.levels])
    pull = found.slope + found.coupling @ about
    mode = -found.root @ (found.root.T @ pull)
    blocks, noises = [drift], [np.diag(noise)]
    if drive:
        number = len(drive.covariance)
        blocks.append(np.eye(number) / drive.time_constant)
        noises.append(2 * drive.covariance / drive.time_constant)
    generated, rates = found.from_noise, np.zeros((0, 0))
    if parts.top_down > 0:
        rates = generated_rates(parts.problem, mobilities)
        blocks.append(rates)
        noises.append(2 * rates)
    whole = np.asarray(scipy.linalg.block_diag(*blocks))
    free = len(drift)
    if drive:
        whole[:free, free : free + len(about)] = speed[:, None] * found.coupling
    diffusion = np.asarray(scipy.linalg.block_diag(*noises))
    mean = np.concatenate([mode, about, np.zeros(len(rates))])
    reads = [found.from_state, found.from_drive] + [generated] * bool(len(rates))
    errors = np.hstack(
        [found.error_from_state, found.error_from_drive, np.zeros((free, len(rates)))]
    )
    read = np.hstack(reads)
    return LinearActivity(
        whole,
        diffusion,
        mean,
        stationary(parts, whole, diffusion),
        read,
        read @ mean + found.rest,
        errors,
        errors @ mean + found.error_rest,
        parts.problem.structure,
    )


def generated_rates(problem: Problem, mobilities: list[np.ndarray]) -> np.ndarray:
    """Drift of each level's whitened noise: F' M F, so that its stationary covariance is the identity."""
    rates = []
    for own, mobility in zip(level_factors(problem), mobilities, strict=True):
        factor = np.asarray(own, np.float64)
        rates.append(factor.T @ (mobility[:, None] * factor))
    return np.asarray(scipy.linalg.block_diag(*rates))


def check_rounding(found: Any) -> None:
    """UserError where rounding has taken the weakest precisions out of the energy's curvature: R' H R is not I."""
    left = found.root.T @ found.curvature @ found.root - np.eye(len(found.root))
    if not np.all(np.isfinite(left)) or np.abs(left).max() > ROUNDING:
        raise UserError(
            "the weakest and the strongest precision are too far apart for a linear system",
            where="the hierarchy",
            expected="gains and precisions less far apart (or float64)",
        )


def stationary(
    parts: _Parts, drift: np.ndarray, diffusion: np.ndarray
) -> Float[np.ndarray, "z z"]:
    """Stationary covariance: T H^-1 at rest, else of the Lyapunov equation A S + S A' = Q."""
    free = len(parts.mobility)
    rest = parts.temperature * parts.found.root @ parts.found.root.T
    if np.all(parts.passing == 1) and parts.given.drive is None:
        noise = np.eye(len(drift) - free)
        return np.asarray(scipy.linalg.block_diag(rest, noise))
    size = np.ones(len(drift))
    size[:free] = np.sqrt(np.diag(rest))
    return lyapunov(drift, diffusion, size)


def lyapunov(
    drift: np.ndarray, diffusion: np.ndarray, size: np.ndarray
) -> Float[np.ndarray, "z z"]:
    """S of A S + S A' = Q, computed in units of `size`; UserError where rounding or instability leaves none."""
    scaled = drift * size[None, :] / size[:, None]
    noise = diffusion / size[:, None] / size[None, :]
    fastest = np.abs(scaled).max()
    found = scipy.linalg.solve_continuous_lyapunov(scaled / fastest, noise / fastest)
    found = (found + found.T) / 2
    left = scaled @ found + found @ scaled.T - noise
    bound = 1e-7 * np.abs(noise).max()
    if (
        not np.all(np.isfinite(found))
        or np.abs(left).max() > bound
        or np.linalg.eigvalsh(found).min() < -1e-9 * np.abs(found).max()
    ):
        raise UserError(
            "has no stationary covariance to rounding",
            where="activity",
            expected="precisions, gains and time constants less far apart",
        )
    return found * size[:, None] * size[None, :]
