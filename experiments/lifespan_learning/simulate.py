"""Both experiments: read, measure, fit each person alone, simulate, measure again."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.change_point.task import Trials
from pcmodel.behaviour.dataset import Series, find_task, load_series
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.sampling.map_estimates import fit_modes
from pcmodel.errors import UserError

from .._published import data_file
from .measuring import Measures, measure, shuffled

FOLDER = "bruckner2025_helicopter_lifespan"
AGES = {1: "children", 2: "adolescents", 3: "younger adults", 4: "older adults"}
CHILDREN, YOUNGER, OLDER = 1, 3, 4
BELIEFS = (
    "prior_log_precision",
    "sensory_log_precision",
    "hazard_logit",
    "noise_exponent",
    "log_sighting",
)
FILES = {"first": "first_experiment.csv", "follow-up": "follow_up_experiment.csv"}
MODELS = {"first": "change_point", "follow-up": "start_anchored"}
CONDITIONS = {"first": "first", "main_noPush": "stable", "main_push": "shifting"}
"""Our names of the data's conditions."""


@dataclass(frozen=True)
class Config:
    """`data` is the folder of the data set; empty: beside the repository.

    people: of each age group, 0: all.  trials: of each series, 0: all.
    replications: simulated runs of every fitted person.
    """

    data: str = ""
    people: int = 0
    trials: int = 0
    replications: int = 10

    def __post_init__(self) -> None:
        if min(self.people, self.trials) < 0 or self.replications < 1:
            raise UserError(
                "people and trials must be 0 or more, replications 1 or more"
            )
        if 0 < self.people < 3 or 0 < self.trials < 30:
            raise UserError("fewer than 3 people or 30 trials cannot be measured")

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(people=3, trials=40, replications=2)


class Group(NamedTuple):
    """The series of one condition, one for each person."""

    age: np.ndarray  # (series,) a key of AGES
    person: np.ndarray  # (series,) the same number in both conditions
    measured: Measures
    null: Measures  # pushes exchanged between trials
    fitted: dict[str, np.ndarray]  # mode of each parameter, (series,)
    fitted_sd: dict[str, np.ndarray]  # Laplace
    settled: np.ndarray  # (series,) whether a mode was found
    gain: np.ndarray  # (series,) log evidence over the agent without change points
    simulated: Measures  # own parameters
    same_beliefs: Measures  # beliefs of the typical younger adult, own responses
    same_responses: Measures  # the other way round
    not_drawn: Measures  # own parameters, drawn to no mark

    @property
    def start_weight(self) -> np.ndarray:
        """The fitted pull of the mark, NaN where no mode was found."""
        return np.where(self.settled, self.fitted["start_weight"], np.nan)


class Results(NamedTuple):
    """By condition: first, stable, shifting."""

    conditions: dict[str, Group]


def simulate(config: Config, *, seed: int, progress: Any) -> Results:
    """Measure, fit, simulate and measure again, in double precision."""
    found: dict[str, Group] = {}
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        for name in FILES:
            series = read(config, name)
            with progress.stage(f"{name} experiment", 3) as stage:
                found |= _study(series, name, config, seed, stage.advance)
    return Results(found)


def read(config: Config, name: str) -> Series:
    """One experiment's series, of as many people and trials as were asked for."""
    by = ("cond",) if name == "follow-up" else ()
    series = load_series(
        data_file(config.data, FOLDER, FILES[name]),
        find_task("helicopter"),
        covariates=("age_group", *by),
        series_by=by,
    )
    keep = np.ones(len(series.participant), bool)
    if config.people:
        ages = series.covariates["age_group"]
        chosen = [
            np.unique(series.participant[ages == a])[: config.people]
            for a in np.unique(ages)
        ]
        keep = np.isin(series.participant, np.concatenate(chosen))
    last = config.trials or series.present.shape[1]
    return series._replace(
        values={n: v[keep, :last] for n, v in series.values.items()},
        present=series.present[keep, :last],
        participant=series.participant[keep],
        covariates={n: v[keep] for n, v in series.covariates.items()},
    )


def _study(
    series: Series, name: str, config: Config, seed: int, advance: Any
) -> dict[str, Group]:
    model: Any = find_model("helicopter", MODELS[name])
    kalman = find_model("helicopter", "kalman")
    data = model.prepare(series)
    age = series.covariates["age_group"].astype(int)
    cond = series.covariates.get("cond", np.full(len(age), "first"))
    rng = np.random.default_rng(seed)
    measured, null = measure(data), measure(shuffled(data, rng))
    modes = fit_modes(model, data)
    advance()
    rival = fit_modes(kalman, data)
    advance()
    values = {p.name: np.full(len(age), p.mean) for p in model.parameters}
    values |= {name: modes.column(name) for name in modes.names}
    people = _exchanged(values, (age == YOUNGER) & modes.settled, cond)
    keys = jax.random.split(jax.random.key(seed), config.replications)
    answer = jax.jit(jax.vmap(model.simulate))
    again = {n: _measure_again(answer, keys, v, data) for n, v in people.items()}
    advance()
    parts = Group(
        age,
        series.participant,
        measured,
        null,
        values,
        {n: modes.sd[:, i] for i, n in enumerate(modes.names)},
        modes.settled & rival.settled,
        modes.log_evidence - rival.log_evidence,
        **again,
    )
    return {CONDITIONS[c]: rows(parts, cond == c) for c in np.unique(cond)}


def rows(group: Group, keep: np.ndarray) -> Group:
    """Those series of a group."""
    return jax.tree.map(lambda leaf: leaf[keep], group)


def _exchanged(
    values: dict[str, np.ndarray], is_young: np.ndarray, cond: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Everyone as fitted; and with one half of the typical younger adult's parameters."""
    typical = {}
    for name, own in values.items():
        typical[name] = own.copy()
        for c in np.unique(cond):
            young = own[is_young & (cond == c)]
            typical[name][cond == c] = young.mean() if young.size else own.mean()
    return {
        "simulated": values,
        "same_beliefs": values | {n: typical[n] for n in BELIEFS},
        "same_responses": typical | {n: values[n] for n in BELIEFS},
        "not_drawn": values | {"start_weight": 0.0 * values["start_weight"]},
    }


def _measure_again(
    answer: Any, keys: jax.Array, values: dict[str, np.ndarray], data: Trials
) -> Measures:
    """The mean over replications of what is measured on simulated reports."""
    arrays = {n: jnp.asarray(v) for n, v in values.items()}
    own = [jax.random.split(key, len(data.outcome)) for key in keys]
    found = [measure(answer(k, arrays, data)) for k in own]
    return Measures(*np.mean(np.asarray(found), axis=0))
