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

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.behaviour.dataset import RawTable, find_task, read_raw
from pcmodel.behaviour.dataset.series import Series, arrange
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import find_model, setting_of
from pcmodel.behaviour.posterior.fitted_posterior import VARIATIONAL, effect_labels
from pcmodel.behaviour.sampling.variational import Variational, fit_svi
from pcmodel.errors import UserError
from pcmodel.report import Report, Section, Table, Verdict

from ._published import data_file, judge_difference, judge_effect

GROUPS = "paranoia + block + (1 | participant)"
MODELS = {"own noise": "ehgf3", "noise is volatility": "ehgf3_volatile_choice"}
FORMULAS = {
    "own noise": ("omega2", "log_beta", "stickiness"),
    "noise is volatility": ("mu3_0", "omega2", "stickiness"),
}
VOLATILITY = {"own noise": "omega2", "noise is volatility": "mu3_0"}
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


class Summary(NamedTuple):
    """What result.json holds."""

    verdicts: tuple[Verdict, ...]


def run(config: Config, *, seed: int, progress: Any) -> Results:
    """Fit both models to both samples."""
    raw = _with_groups(config)
    everyone = _series(raw)
    keep = _win_switch(everyone) <= RANDOM_SWITCHING
    samples = {"everyone": everyone, "not at random": _only(everyone, keep)}
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
    pairs = zip(
        people.columns["subject"], people.columns["paranoia_group"], strict=True
    )
    group = {who: paranoia for who, paranoia in pairs if paranoia}
    if config.people:
        chosen = [
            [w for w, g in group.items() if g == level][: config.people]
            for level in ("low", "high")
        ]
        group = {who: group[who] for level in chosen for who in level}
    rows = [i for i, who in enumerate(trials.columns["subject"]) if who in group]
    columns = {k: [v[i] for i in rows] for k, v in trials.columns.items()}
    # 0 and 1, so that the effect is high minus low.
    columns["paranoia"] = [str(int(group[w] == "high")) for w in columns["subject"]]
    return RawTable(
        columns, [trials.file[i] for i in rows], [trials.row[i] for i in rows], {}
    )


def _series(raw: RawTable) -> Series:
    return arrange(
        raw, find_task("bandit"), covariates=("paranoia", "block"), series_by=("block",)
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
    return Series(
        {name: values[keep] for name, values in series.values.items()},
        series.present[keep],
        number[series.participant[keep]],
        {name: values[keep] for name, values in series.covariates.items()},
        series.num_missing,
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
        draws_of = fit.posterior.effects
        for effect in effect_labels(fit.posterior.hierarchy):
            if effect.column == "paranoia" and not effect.is_spread:
                found = draws_of[effect.name].ravel()
                effects[f"{label}: {effect.parameter}"] = found
    return Sample(
        len(high),
        int(high.sum()),
        np.asarray([low_rate.mean(), high_rate.mean()]),
        float(error),
        float((high_rate.mean() - low_rate.mean()) / np.sqrt(np.mean(variances))),
        effects,
        complaints,
    )


def analyse(config: Config, results: Results) -> Summary:
    """The article's two claims, in each sample and under each model."""
    found = []
    for name, sample in results.samples.items():
        found.append(_judge_switching(name, sample))
        for label in MODELS:
            found.append(
                judge_effect(
                    f"High paranoia expects more volatility ({name}; {label})",
                    f"{VOLATILITY[label]} higher",
                    sample.effects[f"{label}: {VOLATILITY[label]}"],
                    trusted=not sample.complaints[label],
                    checked=VARIATIONAL,
                )
            )
    return Summary(tuple(found))


def _judge_switching(name: str, sample: Sample) -> Verdict:
    """Two standard errors of the difference decide."""
    low, high = sample.win_switch
    return judge_difference(
        f"High paranoia switches more after wins ({name})",
        "higher rate; published d = 0.97 and 0.72 in two samples",
        f"{high:.3f} against {low:.3f}, d = {sample.win_switch_d:.2f}",
        float(high - low),
        sample.win_switch_se,
    )


def _told(name: str, sample: Sample) -> str:
    """What one sample says to the question, in a sentence."""
    low, high = sample.win_switch
    noise = sample.effects["own noise: log_beta"].mean()
    volatility = sample.effects[f"own noise: {VOLATILITY['own noise']}"]
    lowest, highest = np.quantile(volatility, (0.025, 0.975))
    apart = "higher" if lowest > 0.0 else "lower" if highest < 0.0 else "not told apart"
    doubt = ", by a fit that had not settled" if sample.complaints["own noise"] else ""
    return (
        f"{name.capitalize()}: with high paranoia {high:.0%} of wins are followed by a switch, {low:.0%} with low; "
        f"choices are {'noisier' if noise < 0.0 else 'less noisy'} (log inverse temperature {noise:+.2f}), and with "
        f"that noise taken out the expected volatility is {apart} ({volatility.mean():+.2f}{doubt}; {VARIATIONAL})."
    )


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    rows = []
    for name, sample in results.samples.items():
        for effect, draws in sample.effects.items():
            low, high = np.quantile(draws, (0.025, 0.975))
            rows.append((name, effect, float(draws.mean()), f"{low:.2f} to {high:.2f}"))
    sizes = ", ".join(
        f"{name}: {s.num_people} people, {s.num_high} with high paranoia"
        for name, s in results.samples.items()
    )
    return Report(
        title="Paranoia and expected volatility",
        question="Do people with paranoia expect more volatility, or only choose more noisily?",
        answer=f"{' '.join(_told(name, s) for name, s in results.samples.items())} ({sizes}.)",
        verdicts=summary.verdicts,
        sections=(
            Section(
                "High minus low paranoia",
                tables=(
                    Table(
                        ("People", "Model: parameter", "Mean", "95 %"),
                        rows,
                        "Variational posterior; its intervals are too narrow by an unknown amount.",
                    ),
                ),
            ),
        ),
        assumptions=(
            "At random: more than half of wins are followed by a switch.",
            "Both blocks share a person's deviation; block shifts each parameter for all.",
            "With noise of its own, omega2 stands for omega2 plus kappa times the initial volatility: "
            "no choice can tell the two apart.",
        ),
        limitations=(
            "Traits, not drugs: nothing here bears on psychedelics.",
            "33 people without a paranoia score are left out.",
        ),
        references=(
            "Suthaharan et al. 2021, Nat Hum Behav 5:1190.",
            "Reed et al. 2020, eLife 9:e56345.",
        ),
    )
