"""The page of a calibration: ranks, coverage and recovery of every effect."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.report import Panel, Report, Section, Table, Verdict

LEVEL = 0.01  # of the rank tests together, and of the coverages together
COVERED = 0.9
FEWEST = 20  # replications; with fewer the test has no power
MIXED = 1.05


class CheckSummary(NamedTuple):
    """Content of result.json.

    verdicts: on the ranks and on the coverage of intervals.
    """

    verdicts: tuple[Verdict, ...]


def analyse(plan: Any, results: Any) -> CheckSummary:
    """Tests of uniform ranks and of interval coverage, over all effects at once."""
    return CheckSummary((_ranks(results), _coverage(results)))


def _ranks(results: Any) -> Verdict:
    p = results.uniformity
    worst = int(np.argmin(p))
    return Verdict(
        "Ranks of the truth are uniform",
        f"no p below {LEVEL / len(p):.2g} among {len(p)} effects",
        f"smallest p {p[worst]:.2g} ({results.names[worst]})",
        _outcome(bool(p[worst] >= LEVEL / len(p)), len(results.truth)),
        "theorem",
    )


def _outcome(holds: bool, size: int) -> str:
    """The outcome of a test; inconclusive if too few replications give it no power."""
    if not holds:
        return "fails"
    return "holds" if size >= FEWEST else "inconclusive"


def _coverage(results: Any) -> Verdict:
    from scipy import stats

    size, share = len(results.truth), results.coverage
    counts = np.round(share * size).astype(int)
    p = np.asarray([stats.binomtest(int(k), size, COVERED).pvalue for k in counts])
    worst = int(np.argmin(p))
    return Verdict(
        "90 % intervals cover 90 % of truths",
        f"within binomial error of {size} replications"
        + (f", {FEWEST} or more" if size < FEWEST else ""),
        f"{share.min():.0%} to {share.max():.0%}; worst {results.names[worst]}",
        _outcome(bool(p[worst] >= LEVEL / len(p)), size),
        "theorem",
    )


def plot(plan: Any, results: Any, summary: CheckSummary) -> dict[str, Any]:
    """The empirical distribution function of the ranks minus the uniform one, and truths against estimates."""
    return {
        "ranks": _draw_ranks(results),
        "recovery": draw_recovery(results.names, results.truth, results.mean),
    }


def band(size: int, *, num_simulated: int = 2000) -> float:
    """Half width of the band that contains the whole of 95 % of uniform samples of that size."""
    draws = np.sort(np.random.default_rng(0).random((num_simulated, size)), axis=1)
    above = np.arange(1, size + 1) / size - draws
    return float(np.quantile(np.maximum(above, 1.0 / size - above).max(axis=1), 0.95))


def departure(ranks: np.ndarray) -> np.ndarray:
    """Share of ranks below 0, 1, ..., 100, minus the uniform share."""
    places = np.arange(101)
    return (ranks[None, :] < places[:, None]).mean(axis=1) - places / 100.0


def _draw_ranks(results: Any) -> Any:
    from pcmodel.report.style import COLOURS, new_figure

    figure, axes = new_figure(height=3.0)
    for ranks in results.rank.T:
        line = departure(ranks)
        axes.plot(np.linspace(0, 1, len(line)), line, color=COLOURS["blue"], lw=0.8)
    edge = band(len(results.rank))
    axes.axhspan(-edge, edge, color=COLOURS["grey"], alpha=0.3, lw=0)
    axes.set(xlabel="rank of the truth", ylabel="share below, less the uniform share")
    return figure


def draw_recovery(
    names: tuple[str, ...], truth: np.ndarray, estimate: np.ndarray
) -> Any:
    """One panel for each number: estimates against truths, (replications, numbers)."""
    from pcmodel.report.style import COLOURS, new_figure

    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure, axes = new_figure(rows, columns, height=2.2, squeeze=False)
    for place, name in enumerate(names):
        one, own = axes.flat[place], truth[:, place]
        one.plot(own, estimate[:, place], ".", color=COLOURS["blue"], ms=3)
        ends = [own.min(), own.max()]
        one.plot(ends, ends, color=COLOURS["grey"], lw=0.8)
        one.set_title(name, fontsize=8)
    for one in axes.flat[len(names) :]:
        one.set_axis_off()
    return figure


def report(plan: Any, results: Any, summary: CheckSummary) -> Report:
    """The page."""
    rows = [
        (name, *(float(column[i]) for column in _columns(results)))
        for i, name in enumerate(results.names)
    ]
    columns = (
        "Effect",
        "Correlation",
        "Bias",
        "Coverage of 90 %",
        "p of uniform ranks",
    )
    return Report(
        title=f"Calibration of {plan.model} in the {plan.task} task",
        question=f"Does {plan.model} find again what it simulated?",
        answer=(
            "Too few studies to decide anything: "
            if len(results.truth) < FEWEST
            else ""
        )
        + f"{len(results.truth)} simulated studies of {plan.participants} participants, "
        f"two sessions of {plan.trials} trials each; {results.num_divergent.sum()} divergent "
        f"transitions in {np.count_nonzero(results.num_divergent)} of them. R-hat of the halves of a chain "
        f"was above {MIXED} in {np.count_nonzero(~(results.rhat <= MIXED))}; the median study had "
        f"{np.nanmedian(results.ess):.0f} effective draws of its worst number.",
        verdicts=summary.verdicts,
        sections=(
            Section(
                "Every effect",
                (),
                (
                    Panel("ranks", RANKS, "Distribution of ranks."),
                    Panel("recovery", "Posterior mean against truth.", "Recovery."),
                ),
                (Table(columns, rows, "Bias: posterior mean less truth, on average."),),
            ),
        ),
        assumptions=(
            "Truths come from the prior, where the model's approximation holds; the "
            "outcomes are the same in every replication.",
        ),
        provenance={"Precision": "float64"},
        limitations=(
            "That a model finds again what it simulated does not say that people follow it.",
            "A low correlation with uniform ranks is no error: a study of this size does "
            "not tell such people apart.",
        ),
        references=("Talts et al. 2018, arXiv:1804.06788.",),
    )


RANKS = "Ranks of the truth among posterior draws; 95 % of calibrated effects stay in the band."


def _columns(results: Any) -> tuple[np.ndarray, ...]:
    bias = (results.mean - results.truth).mean(axis=0)
    return results.correlation, bias, results.coverage, results.uniformity
