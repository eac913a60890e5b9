r"""What one session teaches a network: three ways, of which each leaves a network and takes a factor on its rate.

- `TopLearning`: the belief alone. Prior mean and precision of the tops move as in stepwise EM
  (`pcmodel.learning.linear.maximisation`), from the posterior of the session's evidence: exact for linear networks, the
  Gauss-Newton Laplace posterior of others. Weights stay.
- `LinearLearning`: every parameter of a linear network by the same step (`pcmodel.linear_em`).
- `Training`: weights and precisions of any network by gradients (`pcmodel.train`).

They differ in what a gain does.  The step of EM moves a mean by its whole shift under the posterior, which a relaxed prior
makes larger.  A plain gradient is that shift times the precision in force, $g \Pi\,(E[x] - m)$, which a relaxed prior makes
*smaller*; Adam, whose steps have one size, sees hardly any difference.  Whether relaxation lasts is decided there.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, SupportsIndex, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.api.learning.linear_em import linear_em
from pcmodel.api.learning.train import learning_factors, train
from pcmodel.api.pose import pose
from pcmodel.errors import UserError
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import covariance_root
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, PositiveShare
from pcmodel.learning.em import Learning, problem_of
from pcmodel.learning.linear.maximisation import Plan, Step, maximised
from pcmodel.learning.linear.moments import Moments, Parameters
from pcmodel.model.generative import tied_precisions, tops_of
from pcmodel.model.levels import LevelName
from pcmodel.model.problem import Structure
from pcmodel.model.slopes import Factors
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.paradigms.lasting.sessions import Session
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision


@runtime_checkable
class SessionLearning(Protocol):
    """What a session with evidence teaches."""

    def learn(
        self, network: Network, session: Session, factor: float, key: Array
    ) -> Network:
        """The network after a session; `factor` multiplies the rate (the session's own and the window's)."""
        ...


@checked_arguments
@dataclass(frozen=True)
class TopLearning:
    """The belief about the tops learns, and nothing else.

    rate: weight of one session in the prior, in (0, 1]; times the factors of session, window and drug at most 1.
    precision: whether the precision of the tops is learned beside their mean.
    solver: of inference.

    Precisions that a top shares with a level below are not learned.
    """

    rate: PositiveShare = 0.1
    precision: bool = True
    solver: Solver = field(default_factory=GaussNewton)

    def learn(
        self, network: Network, session: Session, factor: float, key: Array
    ) -> Network:
        """The network after a session; `key` is not used."""
        del key
        pure = as_model(network)
        posed = pose(network, session.observations, clamp=session.clamp)
        values, size = posed.problem.inputs.values, posed.batch_size or 1
        dtype = pure.weights["prior_mean"].dtype
        found, converged = _learn_tops(
            Parameters(pure.weights, pure.log_precisions),
            tuple(jnp.broadcast_to(one, (size, one.shape[-1])) for one in values),
            jnp.asarray(share_of(self.rate, session, factor), dtype),
            learning_factors(session.modulation, pure, dtype),
            structure=posed.problem.structure,
            precision=self.precision,
            solver=Static(self.solver),
        )
        if not bool(jnp.all(converged)):
            raise UserError(
                f"inference of the session of day {session.day:g} has not converged",
                where="follow",
                expected="a solver that finds its mode, TopLearning(solver=GaussNewton(max_iterations=...))",
            )
        return with_arrays(network, *found)


@checked_arguments
@dataclass(frozen=True)
class LinearLearning:
    """Layers, precisions and prior means of a linear network learn by exact steps.

    rate: weight of one session, in (0, 1]; times the factors of session, window and drug at most 1.
    num_steps: EM steps in a session, 1 or more.
    fixed_layers, fixed_precisions, fixed_prior_means: as for `pcmodel.linear_em`.
    """

    rate: PositiveShare = 0.1
    num_steps: Count = 1
    fixed_layers: LevelName | tuple[LevelName, ...] = ()
    fixed_precisions: LevelName | tuple[LevelName, ...] = ()
    fixed_prior_means: LevelName | tuple[LevelName, ...] = ()

    def learn(
        self, network: Network, session: Session, factor: float, key: Array
    ) -> Network:
        """The network after a session; `key` is not used."""
        del key
        share = share_of(self.rate, session, factor)
        if not share:
            return network
        modulation = session.modulation
        if modulation is not None:
            modulation = replace(modulation, plasticity=1.0)  # counted in the share
        return linear_em(
            network,
            session.observations,  # type: ignore[arg-type]
            clamp=session.clamp,
            num_steps=self.num_steps,
            rate=share,
            modulation=modulation,
            fixed_layers=self.fixed_layers,
            fixed_precisions=self.fixed_precisions,
            fixed_prior_means=self.fixed_prior_means,
        ).network


@checked_arguments
@dataclass(frozen=True, eq=False)
class Training:
    """Weights and precisions of any network learn by `pcmodel.train`, whose optimiser begins anew in every session.

    learning: its options.
    num_epochs: passes over the examples of a session.
    batch_size: examples a step; None: all examples of a session.
    """

    learning: Learning = field(default_factory=Learning)
    num_epochs: SupportsIndex = 1
    batch_size: SupportsIndex | None = None

    def learn(
        self, network: Network, session: Session, factor: float, key: Array
    ) -> Network:
        """The network after a session."""
        if session.observations is None:
            raise UserError(
                f"the session of day {session.day:g} has no observations",
                where="Training",
                expected="observations of level 0, (examples, width); TopLearning takes what is clamped alone",
            )
        size = self.batch_size
        if size is None:
            size = pose(network, session.observations, clamp=session.clamp).batch_size
        told = train(
            network,
            session.observations,
            clamp=session.clamp,
            key=key,
            learning=self.learning,
            num_epochs=self.num_epochs,
            batch_size=size or 1,
            plasticity=factor * session.rate,
            modulation=session.modulation,
        )
        if told.stopped:
            raise UserError(
                f"the session of day {session.day:g}: {told.stopped}", where="follow"
            )
        return told.network


def share_of(rate: float, session: Session, factor: float) -> float:
    """Weight of a session: rate times the factors of window, session and drug, at most 1."""
    plastic = 1.0 if session.modulation is None else session.modulation.plasticity
    return min(rate * factor * session.rate * float(np.asarray(plastic)), 1.0)


@partial(jax.jit, static_argnames=("structure", "precision", "solver"))
@in_full_precision
def _learn_tops(
    parameters: Parameters,
    values: tuple[Array, ...],
    rate: Array,
    factors: Factors | None,
    *,
    structure: Structure,
    precision: bool,
    solver: Static[Solver],
) -> tuple[Parameters, Array]:
    """The parameters after one batch, and whether each example's inference converged."""
    model, tops = structure.model, tops_of(structure.model)

    def one(example: tuple[Array, ...]):
        problem = problem_of(structure, *parameters, example, factors)
        found = infer_one(problem, solver.value)
        root = covariance_root(problem, found.whitened)
        rows = tuple(
            jnp.zeros((root.shape[1], model.widths[top]), root.dtype)
            .at[:, structure.free_units(top)]
            .set(root[structure.free_slices()[top]].T)
            for top in tops
        )
        return tuple(found.latents[top] for top in tops), rows, found.converged

    latents, rows, converged = jax.vmap(one)(values)
    size = values[0].shape[0]
    rows = [jnp.sqrt(1 / size) * each.reshape(-1, each.shape[-1]) for each in rows]
    moments = moments_of_tops(parameters, latents, rows, structure)
    own = Moments(
        (), (jnp.zeros((1, 1), rate.dtype),), (), (rows[0][:0, :1],), _one(rate)
    )
    groups = [group for group in tied_precisions(model) if set(group) <= set(tops)]
    alone = set(tops) - {level for group in tied_precisions(model) for level in group}
    groups += [(level,) for level in sorted(alone)]
    plan = Plan((), tuple(groups) if precision else (), tops)
    step = Step(rate, own, factors)
    moved = maximised(parameters, moments, step, model=model, plan=plan)
    return moved, converged


def _one(like: Array) -> Array:
    return jnp.ones((1,), like.dtype)


def moments_of_tops(
    parameters: Parameters,
    latents: tuple[Array, ...],
    rows: list[Array],
    structure: Structure,
) -> Moments:
    """The moments of the tops alone; of the other levels, which nothing is learned of, there are none."""
    tops, prior, start = tops_of(structure.model), parameters.weights["prior_mean"], 0
    size = latents[0].shape[0]
    nothing = (
        jnp.zeros((size, 1), prior.dtype),
        jnp.zeros((rows[0].shape[0], 1), prior.dtype),
    )
    errors: dict[int, Array] = {}
    spread: dict[int, Array] = {}
    for place, top in enumerate(tops):
        part = slice(start, start + structure.model.widths[top])
        errors[top] = latents[place] - prior[part][None]
        spread[top] = rows[place]
        start = part.stop
    levels = range(len(structure.model.widths))
    return Moments(
        (),
        tuple(errors.get(level, nothing[0]) for level in levels),
        (),
        tuple(spread.get(level, nothing[1]) for level in levels),
        jnp.full((size,), 1 / size, prior.dtype),
    )
