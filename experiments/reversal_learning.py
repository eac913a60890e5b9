"""Which change makes reversal learning look as it does under LSD?

Kanen et al. 2022 (75 ug, within people): fitted with separate learning rates, reward learning rises most,
punishment learning rises too, stickiness falls, and win-stay and lose-shift stay as they were. Here people with known
beliefs are simulated with and without one change each, and refitted by that same kind of model: two learning rates,
inverse temperature and stickiness.

Predictions that could fail: a relaxed belief (larger steps of the log odds, in a filter that has neither rates nor any
change of stickiness) shows the whole pattern; lower precision of choice and lower stickiness alone do not; the
published changes of the rates are themselves found again, with win-stay and lose-shift within one standard error.

Reference: Kanen et al. 2022, Psychol Med (fact 16 of the target sheet).

Time: two minutes; one with --smoke
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.patches import Rectangle

from pcmodel.behaviour.models import BanditModel, find_model
from pcmodel.behaviour.models.catalogue import TaskFacts
from pcmodel.behaviour.sampling.map_estimates import fit_modes
from pcmodel.behaviour.studies.simulate import make_up, with_wins
from pcmodel.errors import UserError
from pcmodel.report import Panel, Report, Section, Table, Verdict

FITTED = ("reward_rate_logit", "punishment_rate_logit", "log_beta", "stickiness")
SEEN = ("win-stay", "lose-shift")
PUBLISHED = ("reward_rate_logit", "punishment_rate_logit", "stickiness")


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


class Summary(NamedTuple):
    """What result.json holds; a change's mean and standard error, over people."""

    verdicts: tuple[Verdict, ...]
    differences: dict[str, dict[str, tuple[float, float]]]


def run(config: Config, *, seed: int, progress: Any) -> Results:
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
            drawn = _simulate(model, change.added, data, config.people, seed)
            modes = fit_modes(rates, drawn)
            both = modes.settled.reshape(-1, 2).all(axis=1)
            fitted[name] = {n: modes.column(n).reshape(-1, 2) for n in FITTED}
            seen[name] = {n: v.reshape(-1, 2) for n, v in _staying(drawn).items()}
            settled[name] = both
    return Results(fitted, seen, settled)


def _simulate(
    model: BanditModel, added: dict[str, float], data: Any, people: int, seed: int
) -> Any:
    """Everybody twice: around the prior's centre, and with the change added."""
    rng = np.random.default_rng(seed)
    values = {}
    for p in model.parameters:
        own = p.mean + p.spread * rng.normal(size=people)
        values[p.name] = jnp.asarray(
            np.stack([own, own + added.get(p.name, 0.0)], axis=1).ravel()
        )
    keys = jax.random.split(jax.random.key(seed), 2 * people)
    return _draw(model, keys, values, data)


@partial(jax.jit, static_argnums=0)
def _draw(
    model: BanditModel, keys: jax.Array, values: dict[str, jax.Array], data: Any
) -> Any:
    return jax.vmap(model.simulate)(keys, values, data)


def _staying(data: Any) -> dict[str, np.ndarray]:
    """Share of wins after which the choice stays, and of losses after which it changes."""
    arm, won = (
        np.asarray(data.inputs.arm),
        np.asarray(data.inputs.outcome)[:, :-1] == 1.0,
    )
    stays = arm[:, 1:] == arm[:, :-1]
    return {
        "win-stay": (stays & won).sum(axis=1) / np.maximum(won.sum(axis=1), 1),
        "lose-shift": (~stays & ~won).sum(axis=1) / np.maximum((~won).sum(axis=1), 1),
    }


def analyse(config: Config, results: Results) -> Summary:
    """The four signs and the two unchanged shares, for every change."""
    found = {name: _differences(results, name) for name in CHANGES}
    verdicts = [_judge(config, name, found[name]) for name in CHANGES]
    return Summary(tuple(verdicts), found)


def _differences(results: Results, name: str) -> dict[str, tuple[float, float]]:
    use, found = results.settled[name], {}
    for label, values in (results.fitted[name] | results.seen[name]).items():
        gap = (values[:, 1] - values[:, 0])[use]
        found[label] = (float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap))))
    gap = (
        results.fitted[name]["reward_rate_logit"]
        - results.fitted[name]["punishment_rate_logit"]
    )[use]
    gap = gap[:, 1] - gap[:, 0]
    found["reward more than punishment"] = (
        float(gap.mean()),
        float(gap.std(ddof=1) / np.sqrt(len(gap))),
    )
    return found


def pattern(
    differences: dict[str, tuple[float, float]], *, people: int, study: int
) -> dict[str, bool | None]:
    """Each part of the published pattern: shown, contradicted, or (None) neither at two errors.

    Win-stay and lose-shift are unchanged where the mean change is within one standard
    error of a study of the published size.
    """
    signs = {
        "reward_rate_logit": 1,
        "punishment_rate_logit": 1,
        "stickiness": -1,
        "reward more than punishment": 1,
    }
    found: dict[str, bool | None] = {}
    for name, sign in signs.items():
        mean, error = differences[name]
        found[name] = None if abs(mean) <= 2.0 * error else bool(sign * mean > 0.0)
    for name in SEEN:
        mean, error = differences[name]
        found[name] = bool(abs(mean) < error * np.sqrt(people / study))
    return found


def _judge(
    config: Config, name: str, differences: dict[str, tuple[float, float]]
) -> Verdict:
    parts = pattern(differences, people=config.people, study=config.study)
    shown = [n for n, v in parts.items() if v]
    if name in PREDICTED:
        outcome = (
            "fails"
            if False in parts.values()
            else "inconclusive"
            if None in parts.values()
            else "holds"
        )
        title, prediction = (
            f"The whole published pattern under: {name}",
            "all six parts",
        )
    else:
        outcome = "fails" if len(shown) == len(parts) else "holds"
        title, prediction = (
            f"Not the whole pattern under: {name}",
            "at least one part is missing",
        )
    kind = "calibrated" if name == "rates as published" else "predicted"
    missing = [n for n in parts if n not in shown]
    said = f"{len(shown)} of {len(parts)} shown" + (
        f"; not {', '.join(missing)}" if missing else ""
    )
    return Verdict(
        title, prediction, said.replace("_logit", "").replace("_", " "), outcome, kind
    )


PARTS = {
    "reward_rate_logit": "reward rate\nrises",
    "punishment_rate_logit": "punishment\nrate rises",
    "reward more than punishment": "reward rate\nrises more",
    "stickiness": "stickiness\nfalls",
    "win-stay": "win-stay\nas before",
    "lose-shift": "lose-shift\nas before",
}
LOOK = {
    True: ("#CDEBE0", "shown"),
    False: ("#F8D9C8", "not so"),
    None: ("#ECEEF0", "unclear"),
}


def plot(config: Config, results: Results, summary: Summary) -> dict[str, Any]:
    """Each change against each part of the published pattern."""
    from pcmodel.report.style import new_figure

    figure, axes = new_figure(height=3.4)
    for row, name in enumerate(CHANGES):
        found = summary.differences[name]
        shown = pattern(found, people=config.people, study=config.study)
        for column, part in enumerate(PARTS):
            colour, word = LOOK[shown[part]]
            place = (column - 0.48, row - 0.46)
            axes.add_patch(Rectangle(place, 0.96, 0.92, facecolor=colour))
            mean, error = found[part]
            said = f"{word}\n{mean:+.2f} ± {error:.2f}"
            axes.text(column, row, said, ha="center", va="center", fontsize=9)
    axes.set(xlim=(-0.5, len(PARTS) - 0.5), ylim=(len(CHANGES) - 0.5, -0.5))
    axes.set_xticks(range(len(PARTS)), list(PARTS.values()), fontsize=9)
    axes.set_yticks(range(len(CHANGES)), list(CHANGES))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    return {"pattern": figure}


def in_words(config: Config, summary: Summary) -> str:
    """What a stranger should take away."""
    counts = {}
    for name in CHANGES:
        found = summary.differences[name]
        parts = pattern(found, people=config.people, study=config.study)
        counts[name] = sum(value is True for value in parts.values())
    size = len(PARTS)
    whole = [name for name, count in counts.items() if count == size]
    first = (
        f"The whole published pattern is shown by: {', '.join(whole)}."
        if whole
        else f"None of the {len(CHANGES)} changes shows the whole published pattern of {size} parts."
    )
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{first} Parts shown: {each}."


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    labels = (*FITTED, "reward more than punishment", *SEEN)
    rows = [
        (
            name,
            *(
                f"{summary.differences[name][n][0]:+.3f} ± {summary.differences[name][n][1]:.3f}"
                for n in labels
            ),
        )
        for name in CHANGES
    ]
    lost = {name: int((~own).sum()) for name, own in results.settled.items()}
    return Report(
        title="Reversal learning under a relaxed belief",
        question="Which change makes reversal learning look as it does under LSD?",
        answer=in_words(config, summary),
        verdicts=summary.verdicts,
        key_panel=Panel(
            "pattern",
            "Rows: what is changed in simulated people. Columns: what is published of LSD. Mean change ± standard "
            "error over people; learning rates as logits.",
            "Which change shows which part of the published pattern.",
        ),
        sections=(
            Section(
                "What the refit says of each change",
                (
                    f"{config.people} simulated people, each with and without the change, {config.trials} trials.",
                ),
                tables=(
                    Table(
                        (
                            "Change",
                            *(
                                n.replace("_logit", "").replace("_", " ")
                                for n in labels
                            ),
                        ),
                        rows,
                        "Mean change ± standard error over people.",
                    ),
                ),
            ),
        ),
        assumptions=(
            "The task is this package's own: two options that win with 0.8 and 0.2 and change sides every 25 trials.",
            "Rates are logits; each session is fitted alone, by mode, under the prior of the package.",
            f"Unchanged: the mean change is less than one standard error of a study of {config.study} people. "
            "The size of the published study and of its changes are from memory.",
            f"People left out because a fit found no maximum: {lost}.",
        ),
        limitations=(
            "That a change shows the pattern does not say that LSD makes it; other changes may show it too.",
            "The sizes of the changes were set; other sizes of a relaxed belief may show other parts.",
        ),
        references=("Kanen et al. 2022, Psychol Med.",),
    )
