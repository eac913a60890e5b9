"""The page of a design: how often a study distinguishes the effect from each rival."""

import math
from typing import Any, NamedTuple

from pcmodel.report import Panel, Report, Section, Table, Verdict

ENOUGH = 0.9


class DesignSummary(NamedTuple):
    """Content of result.json.

    verdicts: one for each rival and kind of reports.
    participants: study sizes, people.
    told: `RivalComparison` of each rival and kind of study.
    seen: `Power` of each kind of study.
    """

    verdicts: tuple[Verdict, ...]
    participants: tuple[int, ...]
    told: tuple[Any, ...]
    seen: tuple[Any, ...]


def analyse(plan: Any, results: Any) -> DesignSummary:
    """One verdict for each rival, with and without confidence reports, at the longest session."""
    longest = max(plan.trials)
    last = [t for t in results.told if t.num_trials == longest]
    verdicts = tuple(_verdict(results, comparison) for comparison in last)
    return DesignSummary(verdicts, results.participants, results.told, results.seen)


def _verdict(results: Any, comparison: Any) -> Verdict:
    if comparison.verdict == "told apart":
        outcome, said, _ = _enough(results, comparison)
    elif comparison.verdict == "ratio only":
        outcome = "fails"
        said = f"ratio only: at most {comparison.largest:.1g} nats apart in any person"
    else:
        outcome, said = "fails", f"at most {comparison.right.max():.0%} right"
    return Verdict(
        f"{results.effect} is told from {comparison.rival} ({_asking(comparison)})",
        f"{ENOUGH:.0%} right, with {comparison.num_trials} trials a session, by "
        f"{max(results.participants)} participants",
        said,
        outcome,
        "predicted",
    )


def _enough(results: Any, comparison: Any) -> tuple[str, str, str]:
    """The outcome for the smallest sufficient study, its sentence, and the 95 % interval in words."""
    place = results.participants.index(comparison.needed)
    right, low, high = (
        float(row[place]) for row in (comparison.right, comparison.low, comparison.high)
    )
    band = f"{right:.0%} right, 95 % interval {low:.0%} to {high:.0%}"
    if low >= ENOUGH:
        return "holds", f"{comparison.needed} participants are enough ({band})", band
    words = (
        f"{comparison.needed} participants may be enough ({band}); more simulated people "
        "(`--pool`) decide"
    )
    return "inconclusive", words, band


def _asking(comparison: Any) -> str:
    return "with confidence" if comparison.has_confidence else "responses alone"


def plot(plan: Any, results: Any, summary: DesignSummary) -> dict[str, Any]:
    """One panel for each rival: probability of the right attribution against participants."""
    from pcmodel.report.style import new_figure

    rivals = list(dict.fromkeys(t.rival for t in results.told))
    figure, axes = new_figure(1, len(rivals), height=4.2, sharey=True, squeeze=False)
    for axis, rival in zip(axes[0], rivals, strict=True):
        own = [t for t in results.told if t.rival == rival]
        _draw_rival(axis, plan, results, own)
        axis.set_title(f"or {_short(rival)}?", fontsize=11)
    axes[0][0].set_ylabel("studies with the right answer")
    figure.suptitle(
        f"Was it {_short(results.effect)} ...", x=0.01, ha="left", fontsize=12
    )
    handles = axes[0][0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=2)
    return {"right": figure}


def _draw_rival(axis: Any, plan: Any, results: Any, own: list[Any]) -> None:
    from pcmodel.report.style import COLOURS

    ends = min(plan.trials), max(plan.trials)
    people = results.participants
    for comparison in own:
        if comparison.num_trials not in ends:
            continue
        is_long = comparison.num_trials == ends[1]
        colour = COLOURS["orange" if comparison.has_confidence else "blue"]
        axis.plot(
            people,
            comparison.right,
            "o-" if is_long else "o--",
            color=colour,
            alpha=1.0 if is_long else 0.5,
            label=f"{comparison.num_trials} trials, {_asking(comparison)}",
        )
        if is_long:
            axis.fill_between(
                people, comparison.low, comparison.high, color=colour, alpha=0.1, lw=0
            )
    axis.axhline(ENOUGH, color=COLOURS["green"], lw=1.0)
    axis.axhline(0.5, color=COLOURS["black"], lw=1.0, ls=":")
    axis.text(people[-1], ENOUGH - 0.035, "enough", color=COLOURS["green"], ha="right")
    axis.text(people[-1], 0.5 - 0.035, "a coin", ha="right")
    words = {t.verdict for t in own if not t.has_confidence}
    if words == {"ratio only"}:
        axis.text(
            0.5,
            0.13,
            "responses alone: only the ratio\nis known, at any number of people",
            transform=axis.transAxes,
            ha="center",
            fontsize=9,
        )
    axis.set(xlabel="participants", xscale="log", ylim=(0.4, 1.03))
    axis.set_xticks(people, [str(n) for n in people])
    axis.minorticks_off()
    shares = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    axis.set_yticks(shares, [f"{share:.0%}" for share in shares])


def _size(comparison: Any) -> str:
    """The rival's most similar size, or that it is beyond the sizes that were tried."""
    if abs(comparison.rival_size) < 0.99 * comparison.rival_limit:
        return f"{comparison.rival_size:+.2f}"
    return f"beyond {math.copysign(comparison.rival_limit, comparison.rival_size):+.3g}"


def _short(label: str) -> str:
    words = (word.removeprefix("log_").replace("_", " ") for word in label.split("+"))
    return " with ".join(word.replace(" log ", " ") for word in words)


def report(plan: Any, results: Any, summary: DesignSummary) -> Report:
    """The page."""
    rows = [
        (
            t.rival,
            _asking(t),
            t.num_trials,
            _size(t),
            f"{t.nats:.2f}",
            *(
                f"{p:.0%} ({a:.0%} to {b:.0%})"
                for p, a, b in zip(t.right, t.low, t.high, strict=True)
            ),
            t.needed
            if t.needed
            else "more"
            if t.verdict != "ratio only"
            else "no number",
            t.verdict,
        )
        for t in results.told
    ]
    people = [f"{n} people" for n in results.participants]
    seen = [
        (_asking(s), s.num_trials, *(f"{p:.0%}" for p in s.power)) for s in results.seen
    ]
    ratio = sorted({t.rival for t in results.told if t.verdict == "ratio only"})
    never = (
        f" No number of participants tells it from {', '.join(ratio)} by responses alone: "
        "the data know the ratio only."
        if ratio
        else ""
    )
    return Report(
        title=f"A study of {results.effect}",
        question=f"How many people and trials tell {plan.effect} from its rivals?",
        answer=f"{_best(results)}{never}",
        verdicts=summary.verdicts,
        key_panel=Panel("right", CAPTION, "Right answers by participants."),
        sections=(
            Section(
                "Every kind of study",
                tables=(
                    Table(
                        (
                            "Rival",
                            "Asked",
                            "Trials",
                            "Looks alike at",
                            "Nats a person",
                            *people,
                            "Needed",
                            "Verdict",
                        ),
                        rows,
                        "Share of right answers, 95 % interval over redrawn people.",
                    ),
                    Table(
                        ("Asked", "Trials", *people),
                        seen,
                        "How often the effect is seen at all, against none (a test at 5 %).",
                    ),
                ),
            ),
        ),
        assumptions=(
            f"{plan.pool} simulated people around the prior's centre, each once under placebo and once under "
            "the drug, whose effect is the same in all of them; studies are drawn from these people.",
            "Half of the studies have the effect, half the rival at the size that looks most like it. Right: the "
            "effect is found (ahead of the rival, and of none at 5 %) where it is there, and not where it is not.",
            "Every fit starts from the truth, a study's best case; each person is held by the prior of one of whom "
            "no group is known, which is wider than the people differ.",
        ),
        provenance={"Precision": "float64"},
        limitations=(
            "Effects that differ between people need more of them.",
            "The rivals are those named; an effect can be something else again.",
            "A ratio-only verdict is about this model; it is not mended by more data of the same kind.",
        ),
    )


CAPTION = (
    "How often a study gives the right answer. Blue: responses alone; orange: with confidence "
    "reports; solid: the longest sessions, with 95 % bands; dashed: the shortest. Above the green line is enough; "
    "at the dotted one, a coin does as well."
)


def _best(results: Any) -> str:
    """The smallest study that distinguishes each rival, in a sentence."""
    said = []
    for rival in dict.fromkeys(t.rival for t in results.told):
        for has in dict.fromkeys(t.has_confidence for t in results.told):
            own = [
                t for t in results.told if t.rival == rival and t.has_confidence == has
            ]
            good = [t for t in own if t.needed]
            how = "with confidence" if has else "by responses alone"
            if good:
                best = min(good, key=lambda t: t.needed * t.num_trials)
                said.append(
                    f"from {rival} {how}: {best.needed} people x {best.num_trials} trials "
                    f"a session ({_enough(results, best)[2]})"
                )
            elif any(t.verdict != "ratio only" for t in own):
                said.append(f"from {rival} {how}: more than was tried")
    return f"Told apart in {ENOUGH:.0%} of studies: " + "; ".join(said) + "."
