"""Do people with paranoia expect more volatility, or only choose more noisily?

Suthaharan et al. 2021 (Nat Hum Behav 5:1190): 938 people, three options whose rewards reverse. Two
three-level filters (TAPAS's enhanced update) are fitted to everyone with a paranoia group by variational
inference: in one the noise of choice is a parameter of its own, in the other, as in the article, it is the
expected volatility by assumption (softmax_mu3). Where noise is its own parameter, choices know the sum of the
initial volatility mu3_0 and of omega2 only (an exact invariance): mu3_0 is held there, and omega2 is that sum.
Group differences of traits; no drug was given.

Predictions that could fail: high paranoia switches more after wins and expects more volatility at the start,
with all participants and without those who choose at random.

References: Suthaharan et al. 2021; Reed et al. 2020, eLife 9:e56345.

Time: twenty minutes on two idle cores; seconds with --smoke
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.behaviour.dataset import RawTable, find_task, read_raw
from pcmodel.behaviour.dataset.series import Series, arrange
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import find_model, setting_of
from pcmodel.behaviour.posterior.diagnostics import VARIATIONAL
from pcmodel.behaviour.sampling.variational import Variational, fit_svi
from pcmodel.errors import UserError
from pcmodel.report import Claim, Experiment, Table

from ._published import FittedEffect, data_file, effect_in_words, is_above_zero

GROUPS = "paranoia + block + (1 | participant)"
MODELS = {"own noise": "ehgf3", "noise is volatility": "ehgf3_volatile_choice"}
FORMULAS = {
    "own noise": ("omega2", "log_beta", "stickiness"),
    "noise is volatility": ("omega2", "mu3_0", "stickiness"),
}
VOLATILITY = {"own noise": "omega2", "noise is volatility": "mu3_0"}
SAMPLES = ("everyone", "not at random")
RANDOM_SWITCHING = 0.5  # after wins; blind choice among three switches in 2 of 3 trials


@dataclass(frozen=True)
class Config:
    """`people` takes that many of each group, 0 takes all."""

    data: str = ""
    people: int = 0
    steps: int = 4000

    def __post_init__(self) -> None:
        if self.steps < 250 or self.people < 0:
            raise UserError("steps must be 250 or more, and people 0 or more")

    @classmethod
    def smoke(cls) -> "Config":
        """A few people of each group."""
        return cls(people=4, steps=250)


class Sample(NamedTuple):
    """One set of people, what they did and what was fitted."""

    num_people: int
    num_high: int
    win_switch: np.ndarray  # (low | high) mean over people
    win_switch_se: float  # of the difference of the two
    win_switch_d: float  # Cohen's d, high minus low
    effects: dict[str, np.ndarray]  # "model: parameter" -> draws of high minus low
    complaints: dict[str, tuple[str, ...]]


class Results(NamedTuple):
    """Everybody, and without those who choose at random."""

    samples: dict[str, Sample]


def simulate(config: Config, *, seed: int, progress: Any) -> Results:
    """Fit both models to both samples."""
    everyone = arrange(
        _with_groups(config),
        find_task("bandit"),
        covariates=("paranoia", "block"),
        series_by=("block",),
    )
    steady = _only(everyone, _win_switch(everyone) <= RANDOM_SWITCHING)
    samples = dict(zip(SAMPLES, (everyone, steady), strict=True))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        found = {
            name: _fit(series, config, jax.random.key(seed), progress, name)
            for name, series in samples.items()
        }
    return Results(found)


def _with_groups(config: Config) -> RawTable:
    folder = "suthaharan2021_prl_paranoia"
    trials = read_raw(data_file(config.data, folder))
    people = read_raw(data_file(config.data, folder, "subjects.csv"))
    subjects, groups = (people.columns[n] for n in ("subject", "paranoia_group"))
    group_of = dict(zip(subjects, groups, strict=True))
    is_high = {
        who: group == "high"
        for group in ("low", "high")
        for who in [w for w in group_of if group_of[w] == group][
            : config.people or None
        ]
    }
    rows = [i for i, who in enumerate(trials.columns["subject"]) if who in is_high]
    columns = {k: [v[i] for i in rows] for k, v in trials.columns.items()}
    # 0 and 1, so that the effect is high minus low.
    columns["paranoia"] = [str(int(is_high[w])) for w in columns["subject"]]
    return RawTable(
        columns, [trials.file[i] for i in rows], [trials.row[i] for i in rows], {}
    )


def _win_switch(series: Series) -> np.ndarray:
    """Share of wins after which the choice changes, by participant."""
    choice, won = series.values["choice"], series.values["outcome"] == 1.0
    switched = choice[:, 1:] != choice[:, :-1]
    count = np.bincount(series.participant, won[:, :-1].sum(axis=1))
    total = np.bincount(series.participant, (switched & won[:, :-1]).sum(axis=1))
    return total / np.maximum(count, 1.0)


def _only(series: Series, people: np.ndarray) -> Series:
    keep = people[series.participant]
    number = np.cumsum(people) - 1
    return series._replace(
        values={name: values[keep] for name, values in series.values.items()},
        present=series.present[keep],
        participant=number[series.participant[keep]],
        covariates={name: own[keep] for name, own in series.covariates.items()},
    )


def _fit(series: Series, config: Config, key, progress: Any, name: str) -> Sample:
    high = np.zeros(series.num_participants, bool)
    high[series.participant] = series.covariates["paranoia"] == 1.0
    rate = _win_switch(series)
    low_rate, high_rate = rate[~high], rate[high]
    variances = low_rate.var(ddof=1), high_rate.var(ddof=1)
    error = np.sqrt(variances[0] / len(low_rate) + variances[1] / len(high_rate))
    effects, complaints = {}, {}
    for label, model_name in MODELS.items():
        model = find_model("bandit", model_name, setting_of(series))
        formulas = [f"{name} ~ {GROUPS}" for name in FORMULAS[label]]
        hierarchy = build_hierarchy(model, series, formulas=formulas)
        with progress.stage(f"{name}, {label}", -(-config.steps // 250)) as stage:
            fit = fit_svi(
                key,
                hierarchy,
                Variational(num_steps=config.steps, learning_rate=0.02),
                advance=stage.advance,
            )
        complaints[label] = fit.posterior.complaints
        for parameter in FORMULAS[label]:
            draws = fit.posterior.effects[f"{parameter}[paranoia]"]
            effects[f"{label}: {parameter}"] = draws.ravel()
    return Sample(
        len(high),
        int(high.sum()),
        np.asarray([low_rate.mean(), high_rate.mean()]),
        float(error),
        float((high_rate.mean() - low_rate.mean()) / np.sqrt(np.mean(variances))),
        effects,
        complaints,
    )


class Switching(NamedTuple):
    """Shares of wins after which the choice changes; se: of their difference.  d: Cohen's."""

    low: float
    high: float
    se: float
    d: float


def switching(results: Results, sample: str) -> Switching:
    """Of both groups."""
    own = results.samples[sample]
    low, high = own.win_switch
    return Switching(low, high, own.win_switch_se, own.win_switch_d)


def is_higher(found: Switching) -> bool | None:
    """Two standard errors decide."""
    difference = found.high - found.low
    return difference > 0.0 if abs(difference) > 2.0 * found.se else None


def effect(results: Results, sample: str, name: str) -> FittedEffect:
    """High minus low paranoia in one parameter, "model: parameter"."""
    own = results.samples[sample]
    draws = own.effects[name]
    low, high = np.quantile(draws, (0.025, 0.975))
    return FittedEffect(
        float(draws.mean()), low, high, not own.complaints[name.split(":")[0]]
    )


def claims() -> Iterator[Claim]:
    """The article's two claims, in each sample and under each model."""
    for sample in SAMPLES:
        yield Claim(
            name=f"High paranoia switches more after wins ({sample})",
            prediction="higher rate; published d = 0.97 and 0.72 in two samples",
            kind="predicted",
            measure=partial(switching, sample=sample),
            holds=is_higher,
            observed="{high:.3f} against {low:.3f}, d = {d:.2f}",
        )
        for label, parameter in VOLATILITY.items():
            yield Claim(
                name=f"High paranoia expects more volatility ({sample}; {label})",
                prediction=f"{parameter} higher",
                kind="predicted",
                measure=partial(effect, sample=sample, name=f"{label}: {parameter}"),
                holds=is_above_zero,
                observed=partial(effect_in_words, checked=VARIATIONAL),
            )


def told(results: Results, sample: str) -> str:
    """What a sample says to the question, in a sentence."""
    low, high = results.samples[sample].win_switch
    noise = effect(results, sample, "own noise: log_beta").mean
    found = effect(results, sample, f"own noise: {VOLATILITY['own noise']}")
    apart = (
        "higher" if found.low > 0 else "lower" if found.high < 0 else "not told apart"
    )
    doubt = "" if found.is_trusted else ", by a fit that had not settled"
    return (
        f"{sample.capitalize()}: with high paranoia {high:.0%} of wins are followed by a switch, {low:.0%} with low; "
        f"choices are {'noisier' if noise < 0.0 else 'less noisy'} (log inverse temperature {noise:+.2f}), and with "
        f"that noise taken out the expected volatility is {apart} ({found.mean:+.2f}{doubt}; {VARIATIONAL})."
    )


def effects(results: Results) -> Table:
    """High minus low paranoia in every parameter."""
    found = {
        (sample, name): effect(results, sample, name)
        for sample, own in results.samples.items()
        for name in own.effects
    }
    return Table(
        ("People", "Model: parameter", "Mean", "95 %"),
        [
            (*k, own.mean, f"{own.low:.2f} to {own.high:.2f}")
            for k, own in found.items()
        ],
        "Variational posterior; its intervals are too narrow by an unknown amount.",
    )


EXPERIMENT = Experiment(
    Config,
    simulate,
    claims=tuple(claims()),
    tables={"effects": effects},
    words={
        "everyone": partial(told, sample="everyone"),
        "steady": partial(told, sample="not at random"),
    },
    page="paranoia_volatility.md",
)
