"""Which change makes reversal learning look as it does under LSD?

Kanen et al. 2022 (75 ug, within people): fitted with separate learning rates, reward learning rises most,
punishment learning rises too, stickiness falls, and win-stay and lose-shift stay as they were. Here people with known
beliefs are simulated with and without one change each, and refitted by that same kind of model: two learning rates,
inverse temperature and stickiness.

Predictions that could fail: a relaxed belief (larger steps of the log odds, in a filter that has neither rates nor any
change of stickiness) shows the whole pattern; lower precision of choice and lower stickiness alone do not; the
published changes of the rates are themselves found again, with win-stay and lose-shift within one standard error.

Reference: Kanen et al. 2022, Psychol Med.

Time: two minutes; one with --smoke
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pcmodel.behaviour.models import BanditModel, find_model
from pcmodel.behaviour.models.catalogue import TaskFacts
from pcmodel.behaviour.sampling.map_estimates import fit_modes
from pcmodel.behaviour.studies.simulate import make_up, with_wins
from pcmodel.errors import UserError
from pcmodel.report import Claim, Experiment, Table, Verdict
from pcmodel.report.style import new_figure

FITTED = ("reward_rate_logit", "punishment_rate_logit", "log_beta", "stickiness")
SEEN = ("win-stay", "lose-shift")
MORE = "reward more than punishment"


class Part(NamedTuple):
    """A part of the published pattern, in two lines; sign of the change: 0 where nothing changes."""

    label: str
    sign: int


PARTS = {
    "reward_rate_logit": Part("reward rate\nrises", 1),
    "punishment_rate_logit": Part("punishment\nrate rises", 1),
    MORE: Part("reward rate\nrises more", 1),
    "stickiness": Part("stickiness\nfalls", -1),
    "win-stay": Part("win-stay\nas before", 0),
    "lose-shift": Part("lose-shift\nas before", 0),
}


class Change(NamedTuple):
    """What is simulated: a model, and what the drug adds to its parameters."""

    model: str
    added: dict[str, float]


CHANGES = {
    "relaxed belief": Change("hgf2", {"omega2": 1.5}),
    "choice less precise": Change("hgf2", {"log_beta": -0.5}),
    "less sticky": Change("hgf2", {"stickiness": -0.4}),
    "rates as published": Change(
        "two_rates",
        {"reward_rate_logit": 1.5, "punishment_rate_logit": 0.7, "stickiness": -0.4},
    ),
    "no change": Change("hgf2", {}),
}
PREDICTED = ("relaxed belief", "rates as published")


@dataclass(frozen=True)
class Config:
    """people: simulated, each with and without the change.  study: people a published study has."""

    people: int = 200
    trials: int = 80
    study: int = 19

    def __post_init__(self) -> None:
        if self.people < 4 or self.trials < 20 or self.study < 2:
            raise UserError("needs 4 people, 20 trials and a study of 2, or more")

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(people=8, trials=40)


class Results(NamedTuple):
    """By change: what was fitted and seen, (people, session), the second with the drug."""

    fitted: dict[str, dict[str, np.ndarray]]
    seen: dict[str, dict[str, np.ndarray]]
    settled: dict[str, np.ndarray]  # (people,) both sessions fitted


def simulate(config: Config, *, seed: int, progress: Any) -> Results:
    """Simulate each change and refit."""
    fitted, seen, settled = {}, {}, {}
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        series = make_up(
            "bandit",
            num_participants=config.people,
            num_trials=config.trials,
            seed=seed,
        )
        rates: Any = find_model("bandit", "two_rates", TaskFacts(2))
        data = with_wins(rates.prepare(series), seed)
        for name in progress.track(list(CHANGES), "changes"):
            change = CHANGES[name]
            model: Any = find_model("bandit", change.model, TaskFacts(2))
            drawn = _twice(model, change.added, data, config.people, seed)
            modes = fit_modes(rates, drawn)
            fitted[name] = {n: modes.column(n).reshape(-1, 2) for n in FITTED}
            seen[name] = {n: v.reshape(-1, 2) for n, v in _staying(drawn).items()}
            settled[name] = modes.settled.reshape(-1, 2).all(axis=1)
    return Results(fitted, seen, settled)


def _twice(
    model: BanditModel, added: dict[str, float], data: Any, people: int, seed: int
) -> Any:
    """Everybody twice: around the prior's centre, and with the change added."""
    rng = np.random.default_rng(seed)
    values = {}
    for p in model.parameters:
        own = p.mean + p.spread * rng.normal(size=people)
        both = np.stack([own, own + added.get(p.name, 0.0)], axis=1)
        values[p.name] = jnp.asarray(both.ravel())
    keys = jax.random.split(jax.random.key(seed), 2 * people)
    return _draw(model, keys, values, data)


@partial(jax.jit, static_argnums=0)
def _draw(model: BanditModel, keys: jax.Array, values: Any, data: Any) -> Any:
    return jax.vmap(model.simulate)(keys, values, data)


def _staying(data: Any) -> dict[str, np.ndarray]:
    """Share of wins after which the choice stays, and of losses after which it changes."""
    arm = np.asarray(data.inputs.arm)
    won = np.asarray(data.inputs.outcome)[:, :-1] == 1.0
    stays = arm[:, 1:] == arm[:, :-1]
    return {
        "win-stay": (stays & won).sum(axis=1) / np.maximum(won.sum(axis=1), 1),
        "lose-shift": (~stays & ~won).sum(axis=1) / np.maximum((~won).sum(axis=1), 1),
    }


class Difference(NamedTuple):
    """With the change minus without: mean and standard error over people."""

    mean: float
    error: float


class Summary(NamedTuple):
    """What result.json holds, by change.

    differences: by what was fitted or seen.  lost: people of whom a fit found no maximum.
    """

    differences: dict[str, dict[str, Difference]]
    lost: dict[str, int]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Of those whose sessions were both fitted."""
    return Summary(
        {name: _differences(results, name) for name in CHANGES},
        {name: int((~own).sum()) for name, own in results.settled.items()},
    )


def _differences(results: Results, name: str) -> dict[str, Difference]:
    fitted = results.fitted[name]
    more = fitted["reward_rate_logit"] - fitted["punishment_rate_logit"]
    found = {}
    for label, values in (fitted | results.seen[name] | {MORE: more}).items():
        gap = (values[:, 1] - values[:, 0])[results.settled[name]]
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        found[label] = Difference(float(gap.mean()), float(error))
    return found


class Pattern(NamedTuple):
    """Of each of `PARTS`: 1 shown, -1 contradicted, 0 neither at two errors."""

    parts: np.ndarray


def pattern(config: Config, summary: Summary, change: str) -> Pattern:
    """What a change shows of the published pattern.

    Win-stay and lose-shift are unchanged where the mean change is within one standard
    error of a study of the published size.
    """
    mean, error = np.asarray([summary.differences[change][name] for name in PARTS]).T
    sign = np.asarray([part.sign for part in PARTS.values()])
    moved = np.where(np.abs(mean) > 2.0 * error, sign * np.sign(mean), 0)
    is_small = np.abs(mean) < error * np.sqrt(config.people / config.study)
    return Pattern(np.where(sign == 0, np.where(is_small, 1, -1), moved))


def is_whole(found: Pattern) -> bool | None:
    """Every part is shown; one that is contradicted decides against it."""
    least = found.parts.min()
    return None if least == 0 else bool(least > 0)


def lacks_a_part(found: Pattern) -> bool:
    """One or more."""
    return bool(found.parts.min() < 1)


def parts_in_words(found: Pattern) -> str:
    """How many, and which are missing."""
    missing = [_told(n) for n, own in zip(PARTS, found.parts, strict=True) if own < 1]
    said = f"{len(PARTS) - len(missing)} of {len(PARTS)} shown"
    return f"{said}; not {', '.join(missing)}" if missing else said


def _told(name: str) -> str:
    return name.replace("_logit", "").replace("_", " ")


def claim(change: str) -> Claim:
    """Whether a change shows the whole pattern, or whether it does not."""
    is_predicted = change in PREDICTED
    title = "The whole published pattern" if is_predicted else "Not the whole pattern"
    return Claim(
        name=f"{title} under: {change}",
        prediction="all six parts" if is_predicted else "at least one part is missing",
        kind="calibrated" if change == "rates as published" else "predicted",
        measure=partial(pattern, change=change),
        holds=is_whole if is_predicted else lacks_a_part,
        observed=parts_in_words,
    )


LOOK = {1: ("#CDEBE0", "shown"), -1: ("#F8D9C8", "not so"), 0: ("#ECEEF0", "unclear")}


def draw(config: Config, summary: Summary) -> Figure:
    """Each change against each part of the published pattern."""
    figure, axes = new_figure(height=3.4)
    for row, name in enumerate(CHANGES):
        found = pattern(config, summary, name)
        for column, (part, own) in enumerate(zip(PARTS, found.parts, strict=True)):
            colour, word = LOOK[own]
            place = (column - 0.48, row - 0.46)
            axes.add_patch(Rectangle(place, 0.96, 0.92, facecolor=colour))
            change = summary.differences[name][part]
            said = f"{word}\n{change.mean:+.2f} ± {change.error:.2f}"
            axes.text(column, row, said, ha="center", va="center", fontsize=9)
    axes.set(xlim=(-0.5, len(PARTS) - 0.5), ylim=(len(CHANGES) - 0.5, -0.5))
    labels = [part.label for part in PARTS.values()]
    axes.set_xticks(range(len(PARTS)), labels, fontsize=9)
    axes.set_yticks(range(len(CHANGES)), list(CHANGES))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    return figure


def answer(config: Config, summary: Summary) -> str:
    """What a stranger should take away."""
    counts = {n: int((pattern(config, summary, n).parts == 1).sum()) for n in CHANGES}
    whole = [name for name, count in counts.items() if count == len(PARTS)]
    first = (
        f"The whole published pattern is shown by: {', '.join(whole)}."
        if whole
        else f"None of the {len(CHANGES)} changes shows the whole published pattern of {len(PARTS)} parts."
    )
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{first} Parts shown: {each}."


def differences(summary: Summary) -> Table:
    """What the refit says of each change."""
    labels = (*FITTED, MORE, *SEEN)
    rows = [
        (name, *(f"{own[n].mean:+.3f} ± {own[n].error:.3f}" for n in labels))
        for name, own in summary.differences.items()
    ]
    columns = ("Change", *map(_told, labels))
    return Table(columns, rows, "Mean change ± standard error over people.")


EXPERIMENT = Experiment(
    Config,
    simulate,
    claims=[claim(change) for change in CHANGES],
    summarise=summarise,
    figures={"pattern": draw},
    tables={"differences": differences},
    words={"answer": answer},
    page="reversal_learning.md",
)
