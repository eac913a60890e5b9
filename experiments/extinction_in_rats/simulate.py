"""Fit halves and predict the others; fit extinction and predict the tests; count causes."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import (
    Hierarchy,
    build_hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.models import (
    ConditioningModel,
    LatentCauses,
    RescorlaWagner,
    SingleCause,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.left_out import average_density, draw_people
from pcmodel.behaviour.posterior.predictive import replicate, series_values, thin
from pcmodel.behaviour.sampling.variational import (
    Variational,
    VariationalProgram,
    build_svi,
    fit_svi,
)
from pcmodel.errors import UserError
from pcmodel.memory import Map

from .._published import data_file
from .predicting import draw_freezing, predict_rats
from .protocol import (
    GROUPS,
    TESTS,
    Rats,
    as_series,
    change,
    exchanged,
    halves,
    only,
    read_rats,
    rows_of,
    unseen,
)

FOLDER = "gershman2013_gradual_extinction"
CAUSES, NAIVE, ONE, RW = (
    "latent causes",
    "latent causes that expect nothing",
    "one cause",
    "Rescorla-Wagner",
)
MODELS = {
    CAUSES: ConditioningModel(LatentCauses()),
    NAIVE: ConditioningModel(LatentCauses(naive=True)),
    ONE: ConditioningModel(SingleCause()),
    RW: ConditioningModel(RescorlaWagner()),
}
DIFFER = ("log_concentration", "initial_weight", "baseline_logit")
"""Parameters that are asked whether groups differ in them, as randomised groups should not."""
SHARED = (
    "log_concentration",
    "log_temporal_decay",
    "learning_rate_logit",
    "extinction_rate_logit",
    "initial_weight",
    "outcome_log_precision",
)
"""The terms of memory and learning: one rat's few responses hardly determine them."""
STUDIES = 1000  # simulated, for intervals of a group's mean


@dataclass(frozen=True)
class Config:
    """`data` is the folder of the data set; empty: beside the repository.

    rats: of each group, 0: all.  steps: of each variational fit.  draws: of new rats.
    own_memory: rats differ in the terms of memory as well, and not in their response alone.
    """

    data: str = ""
    rats: int = 0
    steps: int = 1500
    draws: int = 20_000
    own_memory: bool = False

    def __post_init__(self) -> None:
        if self.rats < 0 or 0 < self.rats < 4:
            raise UserError(
                f"is {self.rats}", where="rats", expected="0 for all, or 4 or more"
            )
        if self.steps < 1 or self.draws < 50:
            raise UserError("steps must be 1 or more, draws 50 or more")

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(rats=4, steps=20, draws=64)


class Prediction(NamedTuple):
    """Rats as predicted by a fit that has not seen them, or not their tests.

    log_density: of what was not seen, nats, (rats,).
    effective_draws: that it rests on, (rats,).
    freezing: mean of a group in simulated studies, (studies, groups, rows of the procedure); NaN where not asked.
    change: between the tests, mean of a group in simulated studies, (studies, groups).
    """

    log_density: np.ndarray
    effective_draws: np.ndarray
    freezing: np.ndarray
    change: np.ndarray


class Results(NamedTuple):
    """What was measured and predicted.

    group: of each rat, place in GROUPS.
    freezing: mean and standard error over the rats of each group, (2, groups, rows).
    rat_change: between the tests, (rats,); NaN where a test is missing.
    held_out: by model, rats predicted from the other half.
    exchanged: the same densities under latent causes with the protocol of the next group, (rats,).
    tests: by model, the tests predicted from extinction.
    num_causes: inferred in each group, expected number over the posterior, (draws, groups).
    num_hard: the same at the posterior mean with the paper's hard assignment, (rats,).
    truncated: share of rats and draws for which more places for causes could have mattered.
    effects: by parameter and group, draws of its difference from the gradual group, the first by name.
    complaints: by fit.
    clipped, missing: shares above 1; cells without a share.
    """

    group: np.ndarray
    freezing: np.ndarray
    rat_change: np.ndarray
    held_out: dict[str, Prediction]
    exchanged: np.ndarray
    tests: dict[str, Prediction]
    num_causes: np.ndarray
    num_hard: np.ndarray
    truncated: np.ndarray
    effects: dict[str, np.ndarray]
    complaints: dict[str, tuple[str, ...]]
    clipped: int
    missing: int


def simulate(config: Config, *, seed: int, progress: Any) -> Results:
    """All fits, in double precision."""
    file = data_file(config.data, FOLDER, "experiment1.csv", shelf="memory")
    rats = read_rats(file, config.rats)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return Study(rats, config, jax.random.key(seed), progress, {}, {}).run(seed)


@dataclass(frozen=True)
class Study:
    """The rats and how they are fitted; `complaints` and `programs` are filled in."""

    rats: Rats
    config: Config
    key: jax.Array
    progress: Any
    complaints: dict[str, tuple[str, ...]]
    programs: dict[tuple, VariationalProgram]

    def run(self, seed: int) -> Results:
        """Everything."""
        series = self.rats.series
        half = halves(series, seed)
        held = {name: self.held_out(name, half) for name in MODELS}
        tests = {name: self.tests(name) for name in MODELS if name != NAIVE}
        whole = self.fit(CAUSES, series, "all rats", groups=True)
        response = series.values["response"]
        group = np.asarray([GROUPS.index(g) for g in series.covariates["group"]])
        causes, hard, truncated = count_causes(whole, group)
        return Results(
            group,
            np.stack([mean_and_error(response[group == g]) for g in range(3)], axis=1),
            change(response),
            {name: own[0] for name, own in held.items()},
            held[CAUSES][1],
            tests,
            causes,
            hard,
            truncated,
            {
                name: draws.ravel()
                for name, draws in whole.effects.items()
                if "group" in name
            },
            self.complaints,
            self.rats.clipped,
            int(np.isnan(response[:, measured(response)]).sum()),
        )

    def fit(self, name: str, series: Series, what: str, **options: Any) -> Posterior:
        """A variational fit of one model; `options` are those of `build`."""
        hierarchy, program = self.build(name, series, **options)
        label = f"{name}, {what}"
        chunk = self.chunk
        with self.progress.stage(label, -(-self.config.steps // chunk)) as stage:
            fit = fit_svi(
                self.key,
                hierarchy,
                self.variational,
                advance=stage.advance,
                chunk=chunk,
                program=program,
            )
        self.complaints[label] = fit.posterior.complaints
        return fit.posterior

    @property
    def variational(self) -> Variational:
        """Options of every fit."""
        return Variational(num_steps=self.config.steps, learning_rate=0.02)

    @property
    def chunk(self) -> int:
        """Steps between two signs of progress."""
        return min(250, self.config.steps)

    def build(
        self, name: str, series: Series, *, groups: bool = False
    ) -> tuple[Hierarchy, VariationalProgram]:
        """The statistical model, and its program, which other rats of the same number share."""
        formulas = self.formulas(name, groups=groups)
        hierarchy = build_hierarchy(MODELS[name], series, formulas=formulas)
        design = name, len(series.participant), groups
        if design not in self.programs:
            made = build_svi(hierarchy, self.variational, chunk=self.chunk)
            self.programs[design] = made
        return hierarchy, self.programs[design]

    def formulas(self, name: str, *, groups: bool) -> list[str]:
        """What depends on the group, and what all rats share."""
        asked = DIFFER if groups else ()
        found = []
        for parameter in (p.name for p in MODELS[name].parameters if p.free):
            common = "1 + group" if parameter in asked else "1"
            shared = parameter in SHARED and not self.config.own_memory
            people = " + (0 | participant)" if shared else ""
            if common != "1" or shared:
                found.append(f"{parameter} ~ {common}{people}")
        return found

    def held_out(self, name: str, half: np.ndarray) -> tuple[Prediction, np.ndarray]:
        """Each half as the other predicts it; and its density under the next group's protocol."""
        series, model = self.rats.series, MODELS[name]
        found, wrong = [], np.zeros(len(half))
        density, draws = np.zeros(len(half)), np.zeros(len(half))
        for own in (0, 1):
            posterior = self.fit(name, only(series, half != own), f"half {2 - own}")
            # Keys of its own: studies of the two halves are averaged, and must not scatter alike.
            key = jax.random.fold_in(self.key, own)
            people = draw_people(key, posterior, self.config.draws)
            left = only(series, half == own)
            told = predict_rats(model, people, left)
            density[half == own], draws[half == own] = told
            if name == CAUSES:
                wrong[half == own] = predict_rats(
                    model, people, exchanged(left)
                ).log_density
            found.append(self.studies(key, model, people, left))
        sizes = np.asarray(
            [_sizes(only(series, half == own)) for own in (0, 1)], dtype=float
        )
        share = sizes / sizes.sum(axis=0)  # (halves, groups)
        freezing = np.sum(share[:, None, :, None] * np.stack(found), axis=0)
        return Prediction(density, draws, freezing, change(freezing)), wrong

    def studies(
        self,
        key: jax.Array,
        model: ConditioningModel,
        people: dict[str, np.ndarray],
        left: Series,
    ) -> np.ndarray:
        """Mean freezing of each group in simulated studies of as many new rats, (studies, groups, rows)."""
        rows = measured(self.rats.series.values["response"])
        asked = np.where(rows, 0.5, np.nan)
        data = model.prepare(as_series(np.tile(asked, (3, 1)), GROUPS))
        values = {name: jnp.asarray(own) for name, own in people.items()}
        draw_key, pick_key = jax.random.split(key)
        drawn = np.asarray(draw_freezing(model, draw_key, values, data))
        keys = jax.random.split(pick_key, len(GROUPS))
        means = [
            drawn[picked(own, count, len(drawn)), g].mean(axis=1)
            for g, (own, count) in enumerate(zip(keys, _sizes(left), strict=True))
        ]
        return np.stack(means, axis=1)

    def tests(self, name: str) -> Prediction:
        """Both tests as predicted from a rat's own extinction, and the group's."""
        series = self.rats.series
        later = np.any([rows_of(t, cues=c) for t in TESTS for c in (True, False)], 0)
        posterior = self.fit(name, unseen(series, later), "extinction alone")
        model, hierarchy = MODELS[name], posterior.hierarchy
        sites = thin(posterior, min(1000, self.config.draws))
        values = series_values(hierarchy, sites)
        full = model.prepare(unseen(series, ~later))
        score = jax.jit(
            partial(jax.lax.map, lambda v: series_log_likelihood(hierarchy, v, full))
        )
        told = average_density(np.asarray(score(values)).sum(axis=-1))
        whole = hierarchy._replace(data=model.prepare(series))
        drawn = replicate(self.key, whole, sites)  # (draws, rats, rows)
        rows, groups = measured(drawn[0]), series.covariates["group"]
        freezing = np.full((len(drawn), len(GROUPS), len(rows)), np.nan)
        for place, group in enumerate(GROUPS):
            own = drawn[:, groups == group][..., rows]
            freezing[:, place, rows] = np.nanmean(own, axis=1)
        return Prediction(*told, freezing, change(freezing))


def picked(key: jax.Array, count: int, total: int) -> np.ndarray:
    """Which of the simulated rats each study has, with replacement, (studies, count)."""
    return np.asarray(jax.random.randint(key, (STUDIES, count), 0, total))


def _sizes(series: Series) -> list[int]:
    return [int((series.covariates["group"] == g).sum()) for g in GROUPS]


def measured(response: np.ndarray) -> np.ndarray:
    """Rows of the procedure in which freezing was scored."""
    return np.asarray(np.isfinite(response).any(axis=0))


def mean_and_error(values: np.ndarray) -> np.ndarray:
    """Mean and standard error over rats, (2, rows); NaN where nothing was measured."""
    rows = measured(values)
    found = np.full((2, values.shape[1]), np.nan)
    own = values[:, rows]
    count = np.isfinite(own).sum(axis=0)
    found[0, rows] = np.nanmean(own, axis=0)
    found[1, rows] = np.nanstd(own, axis=0, ddof=1) / np.sqrt(count)
    return found


def count_causes(
    posterior: Posterior, group: np.ndarray, num_draws: int = 50
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected number of causes by draw and group; by rat with hard assignment; share truncated."""
    hierarchy = posterior.hierarchy
    learner: Any = MODELS[CAUSES].learner
    values = series_values(hierarchy, thin(posterior, num_draws))
    values |= {
        name: jnp.full_like(values["initial_weight"], held)
        for name, held in hierarchy.held.items()
    }
    trials = hierarchy.data.trials

    def one(own):
        found = jax.vmap(learner.history)(own, trials)
        return found.num_causes, found.truncated

    number, truncated = jax.jit(partial(jax.lax.map, one))(values)
    hard = LatentCauses(learner.options.__class__(15, 10, Map()))
    mean = {name: own.mean(axis=0) for name, own in values.items()}
    counted = jax.vmap(hard.history)(mean, trials).num_causes
    by_group = [np.asarray(number)[:, group == g].mean(axis=1) for g in range(3)]
    return (
        np.stack(by_group, axis=1),
        np.asarray(counted),
        np.asarray(truncated.mean()),
    )
