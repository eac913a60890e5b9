"""The behaviour study: fit people, and find out what such fits can know.

One call, plain arrays out. Four agents are fitted to the embedded helicopter data
(change points or none, anchored on report or belief, sensory scale free or the task's;
on request two more that hold q = 0) and the preferred one again to data simulated from itself; three rivals are matched in
mean update; and simulated drug studies show how many people it takes to tell them
apart.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.study.fit import Fit, fit_agents
from pcmodel.behaviour.change_point.study.panels import (
    left_panel,
    matched_drug,
    middle_panel,
    right_panel,
)
from pcmodel.behaviour.change_point.study.results import (
    BehaviourResults as BehaviourResults,
)
from pcmodel.behaviour.change_point.study.results import (
    BehaviourSettings as BehaviourSettings,
)
from pcmodel.behaviour.change_point.study.tables import (
    AGENTS,
    WITHOUT_DRIFT,
    fit_table,
    recovery_table,
)
from pcmodel.behaviour.change_point.task import Trials, make_trials
from pcmodel.behaviour.change_point.unroll import simulate_participant
from pcmodel.behaviour.sampling.chains import num_chunks
from pcmodel.data.helicopter import load_helicopter

CHUNK = 10


class _Silent:
    def advance(self) -> None:
        """Report nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator["_Silent"]:
        yield self


def helicopter_trials(*, num_participants: int = 10, num_trials: int = 200) -> Trials:
    """The embedded data; fewer trials are taken evenly from both blocks."""
    data, half = load_helicopter(), num_trials // 2
    columns = np.concatenate([np.arange(half), 100 + np.arange(half)])

    def part(values: np.ndarray) -> np.ndarray:
        return values[:num_participants][:, columns]

    return make_trials(
        outcome=part(data.outcome),
        report=part(data.report),
        noise_sd=part(data.noise_sd),
        helicopter=part(data.helicopter),
        helicopter_seen=part(data.helicopter_seen),
        block_start=part(data.block_start),
    )


def run_behaviour_study(
    *, settings: BehaviourSettings, seed: int, progress: Any = None
) -> BehaviourResults:
    """Run everything in double precision; the caller's precision is left as it was."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return _run(settings, seed, progress or _Silent())


def _run(settings: BehaviourSettings, seed: int, progress: Any) -> BehaviourResults:
    keys = jax.random.split(jax.random.key(seed), 5)
    rng = np.random.default_rng(seed)
    trials = helicopter_trials(
        num_participants=settings.num_participants, num_trials=settings.num_trials
    )
    truth, simulated = _simulate_like(keys[0], trials)
    agents = (*AGENTS, *(WITHOUT_DRIFT if settings.without_drift else ()))
    phases = (settings.num_samples, settings.num_pilot)
    total = (len(agents) + 1) * sum(
        num_chunks(settings.num_warmup, CHUNK) + num_chunks(draws, CHUNK)
        for draws in phases
        if draws
    )

    def panels(first: Fit, advance: Callable[[], None]) -> tuple[dict, dict]:
        left = left_panel(keys[2], settings, first, trials, rng)
        advance()
        shifts = matched_drug(keys[3], settings, first)
        advance()
        return left, right_panel(keys[4], settings, first, shifts, rng, advance)

    total += 2 + len(settings.trial_counts) + 1
    with progress.stage("fit people, match rivals, simulate studies", total) as stage:
        (*fits, recovery), (left, right) = fit_agents(
            keys[1],
            [trials] * len(agents) + [simulated],
            [*agents, AGENTS[0]],
            num_warmup=settings.num_warmup,
            num_samples=settings.num_samples,
            num_pilot=settings.num_pilot,
            num_chains=settings.num_chains,
            max_tree_depth=settings.max_tree_depth,
            chunk=CHUNK,
            advance=stage.advance,
            meanwhile=panels,
        )
    return BehaviourResults(
        **left,
        **middle_panel(fits[:2], rng),
        **right,
        **fit_table(fits),
        **recovery_table(recovery, truth),
    )


def _simulate_like(key, trials: Trials) -> tuple[np.ndarray, Trials]:
    """Participants drawn around typical values, on the same outcomes."""
    person_key, report_key = jax.random.split(key)
    num = trials.outcome.shape[0]
    mean = jnp.asarray([-1.5, 0.0, 1.1, 4.3, 2.5, 1.4, -1.7, -0.4, -0.9])
    sd = jnp.asarray([0.6, 0.5, 0.0, 0.9, 0.0, 0.4, 0.5, 0.8, 0.0])
    rows = mean[:, None] + sd[:, None] * jax.random.normal(person_key, (len(mean), num))
    each = jax.jit(jax.vmap(partial(simulate_participant, agent=AGENTS[0])))
    keys = jax.random.split(report_key, num)
    simulated, _ = each(keys, ParticipantParameters(*rows), trials)
    return np.asarray(rows), simulated
