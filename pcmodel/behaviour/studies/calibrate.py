"""Does a fit recover what a model simulated? `run_check` is the computation of `pcmodel calibrate`."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any

import jax

from pcmodel.behaviour.dataset import kind_of
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, build_hierarchy
from pcmodel.behaviour.models.catalogue import find_model
from pcmodel.behaviour.sampling.nuts import Nuts
from pcmodel.behaviour.studies.sbc import Calibration, Replication, calibrate
from pcmodel.behaviour.studies.simulate import facts_of, made_up_series, with_wins
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, Range


@checked_options()
@dataclass(frozen=True)
class CheckPlan:
    """A calibration: which model, in which study; every field is recorded with the run."""

    task: str
    model: str
    formulas: tuple[str, ...] = ()  # `drug` is the one condition, within participants
    participants: Count = 10
    trials: Annotated[int, Range(2)] = 100
    options: Annotated[int, Range(2)] = 2  # of a bandit
    scale: tuple[float, float] = (0.0, 10.0)  # of a rating, in steps of 1
    replications: Annotated[int, Range(2)] = 200
    num_warmup: Count = 500
    num_samples: Annotated[int, Range(99)] = 500
    max_tree_depth: Count = 8
    own_sha256: tuple[str, ...] = ()  # of the user's own task and model
    priors: tuple[str, ...] = ()  # "omega2 ~ Normal(-3, 4)"

    @property
    def nuts(self) -> Nuts:
        """The sampler's options: one chain, among whose draws each truth is ranked."""
        return Nuts(
            num_warmup=self.num_warmup,
            num_samples=self.num_samples,
            num_chains=1,
            max_tree_depth=self.max_tree_depth,
        )


def plan_study(plan: CheckPlan, seed: int) -> Hierarchy:
    """The statistical model of simulated trials; UserError for names that do not exist."""
    model = find_model(plan.task, plan.model, facts_of(plan))
    series = made_up_series(
        plan, num_participants=plan.participants, num_trials=plan.trials, seed=seed
    )
    found = build_hierarchy(model, series, formulas=plan.formulas, priors=plan.priors)
    if kind_of(plan.task) == "bandit":
        found = found._replace(data=with_wins(found.data, seed))
    return found


def run_check(
    plan: CheckPlan,
    *,
    seed: int,
    progress: Any,
    stored: MutableMapping[int, Replication],
) -> Calibration:
    """Simulate and fit every replication; see `calibrate`."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        hierarchy = plan_study(plan, seed)
        with progress.stage(f"calibrate {plan.model}", plan.replications) as stage:
            return calibrate(
                jax.random.key(seed),
                hierarchy,
                num_replications=plan.replications,
                options=plan.nuts,
                advance=stage.advance,
                stored=stored,
            )
