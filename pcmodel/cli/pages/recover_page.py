"""The page of a recovery: truths against estimates, and which model wins whose data."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.cli.pages.calibrate_page import draw_recovery
from pcmodel.report import Panel, Report, Section, Table, Verdict

LEVEL = 0.01  # of the coverages of one model together
COVERED = 0.95
FEWEST = 20  # people; with fewer the test has no power
KNOWN = 0.5  # share of the prior variance that a person's trials must remove


class RecoverySummary(NamedTuple):
    """Content of result.json.

    verdicts: on the coverage of each model's parameters and on the recovery of each model.
    """

    verdicts: tuple[Verdict, ...]


def analyse(plan: Any, results: Any) -> RecoverySummary:
    """Verdicts on the coverage of each model's parameters, and on whether each model wins its own data."""
    verdicts = [_coverage(found) for found in results.parameters]
    if len(results.models) > 1:
        verdicts += [_found(results, i) for i in range(len(results.models))]
    return RecoverySummary(tuple(verdicts))


def _coverage(found: Any) -> Verdict:
    from scipy import stats

    size = int(found.settled.sum())
    name = f"95 % intervals of {found.model} cover 95 % of truths"
    if size < FEWEST:
        return Verdict(
            name,
            f"within binomial error of {FEWEST} people or more",
            f"{size} people with a mode",
            "inconclusive",
            "predicted",
        )
    counts = np.round(found.coverage * size).astype(int)
    p = np.asarray([stats.binomtest(int(k), size, COVERED).pvalue for k in counts])
    worst = int(np.argmin(p))
    return Verdict(
        name,
        f"within binomial error of {size} people",
        f"{found.coverage.min():.0%} to {found.coverage.max():.0%}; worst {found.names[worst]}",
        "holds" if p[worst] >= LEVEL / len(p) else "fails",
        "predicted",
    )


def _found(results: Any, own: int) -> Verdict:
    """Whether the model wins its own data more often than by chance."""
    from scipy import stats

    wins, size = int(results.won[own, own]), int(results.won[own].sum())
    low, high = stats.binomtest(wins, size).proportion_ci(0.95)
    return Verdict(
        f"{results.models[own]} wins its own data",
        "in more than half of the studies",
        f"{wins} of {size} ({low:.0%} to {high:.0%})",
        "holds" if low > 0.5 else "fails" if high < 0.5 else "inconclusive",
        "predicted",
    )


def plot(plan: Any, results: Any, summary: RecoverySummary) -> dict[str, Any]:
    """For each model a figure of truths against estimates, and the matrix of wins."""
    figures = {
        f"parameters_{found.model}": draw_recovery(
            found.names, found.truth[found.settled], found.value[found.settled]
        )
        for found in results.parameters
    }
    return (
        {"wins": _draw_wins(results), **figures} if len(results.models) > 1 else figures
    )


def _draw_wins(results: Any) -> Any:
    from pcmodel.report.style import new_figure

    figure, axes = new_figure(1, 2, height=3.6)
    shares = results.won / results.won.sum(axis=1, keepdims=True)
    for axis, matrix, title in zip(
        axes, (shares, results.people), ("studies", "single people"), strict=True
    ):
        axis.imshow(matrix, vmin=0.0, vmax=1.0, cmap="Blues")
        for (i, j), share in np.ndenumerate(matrix):
            colour = "white" if share > 0.6 else "black"
            axis.text(j, i, f"{share:.0%}", ha="center", va="center", color=colour)
        names = [name.replace("_", "\n") for name in results.models]
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks(range(len(names)), names)
        axis.set(xlabel="model that won", title=title)
        axis.grid(False)
    axes[0].set_ylabel("model that made the data")
    return figure


def report(plan: Any, results: Any, summary: RecoverySummary) -> Report:
    """The page."""
    sections = [_section(found) for found in results.parameters]
    many = len(results.models) > 1
    key = Panel("wins", WINS, "Which model wins whose data.") if many else None
    lost = sum(int((~found.settled).sum()) for found in results.parameters)
    right = int(np.trace(results.won))
    said = (
        f"the model that made the data won {right} of {results.won.sum()} studies. "
        if many
        else ""
    )
    return Report(
        title=f"Recovery in the {plan.task} task",
        question=f"Are {', '.join(plan.models)} found again?",
        answer=f"{plan.replications} studies of {plan.participants} people with {plan.trials} trials from each model: "
        f"{said}{_covered(results)}."
        + (f" {lost} fits found no maximum and are left out." if lost else ""),
        verdicts=summary.verdicts,
        key_panel=key,
        sections=tuple(sections),
        assumptions=(
            "People come from the prior, where the model's approximation holds; each is fitted alone, by mode and Laplace.",
            "Evidence is Laplace's, summed over the people whom every model fits; the outcomes are the same in every study.",
        ),
        provenance={"Precision": "float64"},
        limitations=(
            "That a model finds again what it simulated does not say that people follow it.",
            "Laplace's intervals are rough where a person's trials say little; `pcmodel calibrate` checks the sampler's own.",
        ),
        references=("Wilson & Collins 2019, eLife 8:e49547.",),
    )


WINS = "Share of studies, and of single people, that each model wins; the diagonal is right."


def _covered(results: Any) -> str:
    """How often intervals cover, over all parameters of all models."""
    shares = np.concatenate([found.coverage for found in results.parameters])
    return f"Laplace's 95 % intervals cover {shares.min():.0%} to {shares.max():.0%} of true parameters"


def _section(found: Any) -> Section:
    rows = [
        (
            name,
            *(
                float(c[i])
                for c in (
                    found.correlation,
                    found.bias,
                    found.coverage,
                    found.contraction,
                )
            ),
            "identified" if found.contraction[i] >= KNOWN else "prior",
        )
        for i, name in enumerate(found.names)
    ]
    columns = (
        "Parameter",
        "Correlation",
        "Bias",
        "Coverage of 95 %",
        "Contraction",
        "Verdict",
    )
    return Section(
        f"Parameters of {found.model}",
        (),
        (
            Panel(
                f"parameters_{found.model}",
                "Estimate against truth, a dot a person.",
                "Recovery.",
            ),
        ),
        (
            Table(
                columns,
                rows,
                "Contraction: share of the prior variance that a person's own trials remove.",
            ),
        ),
    )
