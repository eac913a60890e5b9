"""The page of a plan: how many people in each arm tell the explanations of a protocol apart."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.report import Panel, Report, Section, Table, Verdict

ENOUGH = 0.9
POWER = 0.8


class PowerSummary(NamedTuple):
    """Content of result.json.

    verdicts: one for each question.
    participants: people in each arm.
    superiority: of the treated arm over its control.
    told: `Attribution` of each question.
    """

    verdicts: tuple[Verdict, ...]
    participants: tuple[int, ...]
    superiority: Any
    told: tuple[Any, ...]


def analyse(plan: Any, results: Any) -> PowerSummary:
    """One verdict for each question."""
    verdicts = [_attributed(results, told) for told in results.told]
    if results.superiority is not None:
        verdicts.insert(0, _superior(results))
    return PowerSummary(
        tuple(verdicts), results.participants, results.superiority, results.told
    )


def _superior(results: Any) -> Verdict:
    found = results.superiority
    outcome, said = _enough(results, found.power, found.needed, POWER)
    return Verdict(
        f"{found.treated} improves more than {found.control}",
        f"power {POWER:.0%} on day {found.day}, by {max(results.participants)} in each arm",
        said,
        outcome,
        "predicted",
    )


def _attributed(results: Any, told: Any) -> Verdict:
    outcome, said = _enough(results, told.right, told.needed, ENOUGH)
    if told.verdict == "alike":
        outcome = "fails"
        said = f"alike: at most {told.largest:.1g} nats apart in any person"
    return Verdict(
        f"{told.effect} is told from {told.rival}",
        f"{ENOUGH:.0%} right, by {max(results.participants)} in each arm",
        said,
        outcome,
        "predicted",
    )


def _enough(results: Any, curve: Any, needed: int, least: float) -> tuple[str, str]:
    """The outcome for the smallest sufficient study, and its sentence."""
    if not needed:
        return "fails", f"at most {curve.share.max():.0%}: more people than were tried"
    place = results.participants.index(needed)
    band = _band(curve, place)
    if curve.low[place] >= least:
        return "holds", f"{needed} in each arm are enough ({band})"
    return (
        "inconclusive",
        f"{needed} in each arm may be enough ({band}); more simulated people (`--pool`) decide",
    )


def _band(curve: Any, place: int) -> str:
    return f"{curve.share[place]:.0%}, 95 % interval {curve.low[place]:.0%} to {curve.high[place]:.0%}"


def plot(plan: Any, results: Any, summary: PowerSummary) -> dict[str, Any]:
    """One panel for each question, and the course of symptoms in each arm."""
    from pcmodel.report.style import COLOURS, new_figure

    asked = [(told.right, ENOUGH, _title(told), 0.5) for told in results.told]
    if results.superiority is not None:
        found = results.superiority
        title = f"{_words(found.treated)}\nover {_words(found.control)}"
        asked.insert(0, (found.power, POWER, title, 0.025))
    figure, axes = new_figure(1, len(asked), height=3.8, sharey=True, squeeze=False)
    people = results.participants
    for axis, (curve, least, title, chance) in zip(axes[0], asked, strict=True):
        axis.plot(people, curve.share, "o-", color=COLOURS["blue"])
        axis.fill_between(
            people, curve.low, curve.high, color=COLOURS["blue"], alpha=0.15, lw=0
        )
        axis.axhline(least, color=COLOURS["green"], lw=1.0)
        axis.axhline(chance, color=COLOURS["black"], lw=1.0, ls=":")
        axis.set(xlabel="people in each arm", xscale="log", ylim=(-0.02, 1.03))
        axis.set_xticks(people, [str(number) for number in people])
        axis.minorticks_off()
        axis.set_title(title, fontsize=10)
    axes[0][0].set_ylabel("share of studies")
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    axes[0][0].set_yticks(shares, [f"{share:.0%}" for share in shares])
    return {"right": figure, "course": _course(results)}


def _course(results: Any) -> Any:
    from pcmodel.report.style import COLOURS, new_figure

    figure, axes = new_figure(1, 1, height=3.4, squeeze=False)
    colours = [colour for name, colour in COLOURS.items() if name != "black"]
    for number, (arm, improved) in enumerate(
        zip(results.arms, results.improvement, strict=True)
    ):
        axes[0][0].plot(
            (0, *results.days),
            (0.0, *improved),
            "o-",
            color=colours[number % len(colours)],
            label=_words(arm),
        )
    axes[0][0].set(xlabel="day since the first dosing", ylabel="points of improvement")
    axes[0][0].legend(fontsize=9)
    return figure


def _title(told: Any) -> str:
    return f"{told.effect}\nor {told.rival}?"


def _words(name: str) -> str:
    return name.replace("_", " ")


def report(plan: Any, results: Any, summary: PowerSummary) -> Report:
    """The page."""
    people = [f"{number} in each arm" for number in results.participants]
    rows = [
        (
            f"{told.effect} or {told.rival}",
            _size(told),
            f"{told.nats:.3f}",
            *_cells(told.right),
            told.needed or ("no number" if told.verdict == "alike" else "more"),
            told.verdict,
        )
        for told in results.told
    ]
    tables = [
        Table(
            (
                "Question",
                "Looks alike at",
                "Nats a person",
                *people,
                "Needed",
                "Verdict",
            ),
            rows,
            "Share of right answers, 95 % interval over redrawn people. Looks alike at: the strength of the rival, in "
            "multiples of the model's own.",
        )
    ]
    if results.superiority is not None:
        found = results.superiority
        tables.append(
            Table(
                ("Compared", "Day", "Difference, points", "Standardised", *people),
                [
                    (
                        f"{found.treated} with {found.control}",
                        found.day,
                        f"{found.difference:.2f}",
                        f"{found.standardised:.2f}",
                        *_cells(found.power),
                    )
                ],
                "Power of Welch's test, two-sided at 5 %.",
            )
        )
    return Report(
        title=f"A study of {plan.protocol}",
        question=f"How many people in each arm of {plan.protocol} tell its rival explanations apart?",
        answer=_answer(summary),
        verdicts=summary.verdicts,
        key_panel=Panel("right", CAPTION, "Right answers by people in each arm."),
        sections=(
            Section("Every question", tables=tuple(tables)),
            Section(
                "What is simulated",
                panels=(
                    Panel("course", COURSE, "Improvement in each arm over the days."),
                ),
            ),
        ),
        assumptions=(
            f"{plan.pool} simulated people, the same in every arm; studies draw different people into each. Errors of "
            f"measurement have a standard deviation of {plan.noise:g} points in each reading (assumed).",
            "An explanation's own predictions are known but for its size, a study's best case; in each arm the "
            "measurements of a person are taken as normal.",
            "Half of the studies have the effect, half the rival at the strength that looks most like it. Right: the "
            "effect is found (ahead of the rival, and of none at 5 %) where it is there, and not where it is not.",
            "The drug or unblinding alone: the rival leaves out all that the drug does and makes expectation stronger; "
            "people notice what they were given as before. Relaxation or window: the rival leaves out the acute effect.",
        ),
        limitations=(
            "The numbers of the model and of the protocol are mostly assumed; so is every number of people here. "
            "Nothing here is clinical advice.",
            "The rivals are those named; an effect can be something else again.",
            "Nobody drops out, and nobody is excluded.",
        ),
    )


CAPTION = (
    "How often a study gives the right answer (first panel: finds the treated arm better), with 95 % bands. Above the "
    "green line is enough; at the dotted one, chance does as well."
)
COURSE = "Mean improvement of the simulated people in each arm, without errors of measurement."


def _cells(curve: Any) -> list[str]:
    return [
        f"{share:.0%} ({low:.0%} to {high:.0%})"
        for share, low, high in zip(curve.share, curve.low, curve.high, strict=True)
    ]


def _size(told: Any) -> str:
    """The rival's most similar strength, that it is beyond those that were tried, or that none does anything."""
    if told.rival_size is None or np.isnan(told.rival_size):
        return "any: it does nothing here"
    if told.rival_size < 0.99 * told.rival_limit:
        return f"{told.rival_size:.2f} x"
    return f"beyond {told.rival_limit:.3g} x"


def _answer(summary: PowerSummary) -> str:
    """Each verdict in a sentence."""
    said = [f"{verdict.name}: {verdict.observed}" for verdict in summary.verdicts]
    return "; ".join(said) + "."
