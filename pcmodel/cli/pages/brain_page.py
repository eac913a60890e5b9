"""The page of brain measures: matrices by network, a table of measures, paired statistics."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.brain.measures.group import KINDS
from pcmodel.cli.pages.brain_figures import (
    draw_matrices,
    draw_networks,
    draw_people,
    shown_conditions,
)
from pcmodel.report import Panel, Report, Section, Table

LABELS = {
    "mean_correlation": "mean correlation",
    "mean_fisher_z": "mean Fisher z",
    "within": "within networks (Fisher z)",
    "between": "between networks (Fisher z)",
    "within_minus_between": "within minus between",
    "segregation": "segregation",
    "within_networks": "within, mean of networks",
    "network_modularity": "modularity of the networks",
    "participation": "participation coefficient",
    "modularity": "modularity (Louvain)",
    "gradient_range": "range of the principal gradient",
    "eigenspectrum_entropy": "entropy of the eigenspectrum",
    "lempel_ziv": "Lempel-Ziv complexity",
    "lempel_ziv_shuffled": "Lempel-Ziv over shuffled",
    "lempel_ziv_phase": "Lempel-Ziv over phase-randomised",
    "global_signal_sd": "s.d. of the global signal",
}
MOST_LISTED = 8
"""Networks between which transfer entropy is listed pair by pair."""


class BrainSummary(NamedTuple):
    """Content of result.json.

    verdicts: none, since nothing was predicted.
    conditions: names.
    people: number of people in each condition.
    means: of each measure, by condition, as given and without the global signal.
    statistics: `PairedStatistics` of each measure; empty without two conditions.
    """

    verdicts: tuple[Any, ...]
    conditions: tuple[str, ...]
    people: tuple[int, ...]
    means: dict[str, dict[str, dict[str, float | None]]]
    statistics: dict[str, dict[str, Any]]


def analyse(plan: Any, results: Any) -> BrainSummary:
    """Means over people by condition, and the statistics of the contrast."""
    group = results.group
    known = shown_conditions(results)
    rows = {
        name: np.asarray([own == name for own in group.conditions]) for name in known
    }
    means = {
        kind: {
            measure: {
                name or "all": _mean(group.values[rows[name], k, place])
                for name in known
            }
            for place, measure in enumerate(group.measures)
        }
        for k, kind in enumerate(KINDS)
    }
    statistics = {}
    if results.contrast is not None:
        statistics = {
            kind: dict(zip(group.measures, results.contrast.measures[k], strict=True))
            for k, kind in enumerate(KINDS)
        }
    people = tuple(int(rows[name].sum()) for name in known)
    return BrainSummary((), known, people, means, statistics)


def _mean(values: np.ndarray) -> float | None:
    """Over the people who have it; None if nobody has."""
    has = values[~np.isnan(values)]
    return float(has.mean()) if has.size else None


def plot(plan: Any, results: Any, summary: BrainSummary) -> dict[str, Any]:
    """Matrices as given and without the global signal, networks, and people."""
    figures = {
        "matrices": draw_matrices(results, 0),
        "matrices_without_global": draw_matrices(results, 1),
        "people": draw_people(results, LABELS),
    }
    if results.networks:
        figures["networks"] = draw_networks(results)
    return {name: figure for name, figure in figures.items() if figure is not None}


def report(plan: Any, results: Any, summary: BrainSummary) -> Report:
    """The page."""
    sections = [_matrices(results), _table_section(results, summary)]
    if results.networks:
        sections.insert(1, _networks(results))
    return Report(
        title="Activity of brain regions",
        question="How do the regions' activities go together, and does it differ between conditions?",
        answer=_answer(plan, results, summary),
        key_panel=Panel("people", PEOPLE, "Measures of each person by condition."),
        sections=tuple(sections),
        assumptions=ASSUMPTIONS,
        limitations=_limitations(plan, results),
        references=REFERENCES,
        provenance=_facts(plan, results),
    )


PEOPLE = (
    "A line a person (or a dot with one condition); blue: the series as given, orange: without the global "
    "signal. The black mark is the mean."
)
ASSUMPTIONS = (
    "Correlations are Pearson's over the whole recording; Fisher z is averaged over pairs of regions, with each "
    "pair counted alike.",
    "The global signal is the mean over regions of the series as they are given; it is regressed out of each "
    "region with a constant.",
    "Graphs take positive correlations alone. Modularity is the best of several Louvain partitions.",
    "The principal gradient keeps each row's strongest tenth, cosine affinity, and all diffusion times "
    "(alpha 0.5).",
    "Lempel-Ziv complexity is of each region's series, binarised at its own middle, averaged over regions.",
)
REFERENCES = (
    "Chan et al. 2014, PNAS 111:E4997 (segregation).",
    "Blondel et al. 2008, J Stat Mech P10008; Newman 2004, Phys Rev E 69:026113 (modularity).",
    "Guimera & Amaral 2005, Nature 433:895 (participation coefficient).",
    "Margulies et al. 2016, PNAS 113:12574; Vos de Wael et al. 2020, Commun Biol 3:103 (gradient).",
    "Lempel & Ziv 1976, IEEE Trans Inf Theory 22:75; Theiler et al. 1992, Physica D 58:77 (surrogates).",
    "Barnett, Barrett & Seth 2009, Phys Rev Lett 103:238701 (Gaussian transfer entropy).",
    "Murphy et al. 2009, NeuroImage 44:893 (global-signal regression makes correlations negative).",
)


def _answer(plan: Any, results: Any, summary: BrainSummary) -> str:
    counts = ", ".join(
        _counted(number, "person", "people") + (f" in {name}" if name else "")
        for name, number in zip(summary.conditions, summary.people, strict=True)
    )
    regions = results.group.correlation.shape[-1]
    said = f"{counts}; {_counted(regions, 'region', 'regions')}"
    if results.networks:
        said += f" in {len(set(results.networks))} networks"
    times = " to ".join(map(str, sorted(set(results.num_times))))
    said += f", {times} samples"
    if plan.tr:
        said += f" ({max(results.num_times) * plan.tr:.0f} s at most)"
    found = results.contrast
    if found is None:
        return f"{said}. {_no_contrast(summary)}"
    names = ("within_minus_between", "between", "eigenspectrum_entropy")
    if not results.networks:
        names = ("mean_fisher_z", "modularity", "eigenspectrum_entropy")
    told = [_change(summary, name) for name in names]
    tested = sum(_is_shown(results.group, name) for name in results.group.measures)
    return (
        f"{said}. From {found.first} to {found.second}, as given and without the global "
        f"signal: {'; '.join(told)}. {tested} measures are tested, most of them twice, and no p is "
        "corrected for that."
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _no_contrast(summary: BrainSummary) -> str:
    if len(summary.conditions) < 2:
        return "One condition: nothing is compared (`--condition-from` tells conditions apart)."
    if len(summary.conditions) > 2:
        return "More than two conditions: nothing is compared (`--contrast A,B` picks two)."
    return "Fewer than two people have both conditions: nothing is compared."


def _change(summary: BrainSummary, name: str) -> str:
    parts = []
    for kind in KINDS:
        one = summary.statistics[kind][name]
        parts.append(
            _signed(f"dz {one.dz:+.2f}, p {_p(one.p)}")
            if not one.undefined
            else "undefined"
        )
    return f"**{LABELS[name]}** {parts[0]} and {parts[1]}"


def _p(value: float) -> str:
    return "< .0001" if value < 1e-4 else f"{value:.2g}"


def _matrices(results: Any) -> Section:
    order = "by network" if results.networks else "in the order of the files"
    second = results.contrast is not None
    return Section(
        "Correlation matrices",
        ("Means over people" + (", and the mean difference." if second else "."),),
        (
            Panel("matrices", f"As given, regions {order}.", "Correlation matrices."),
            Panel(
                "matrices_without_global",
                f"Without the global signal, regions {order}.",
                "Correlation matrices after global-signal regression.",
            ),
        )
        if _has_residuals(results)
        else (
            Panel("matrices", f"As given, regions {order}.", "Correlation matrices."),
        ),
    )


def _has_residuals(results: Any) -> bool:
    return bool(np.isfinite(results.group.correlation[:, 1]).any())


def _networks(results: Any) -> Section:
    said = "Mean Fisher z over the pairs of regions of two networks; within on the diagonal."
    if results.contrast is not None:
        said += (
            " Right: dz of the difference; a dot where p < .05 for that entry alone."
        )
    few = len(results.group.network_names) <= MOST_LISTED
    more = ("Transfer entropy between the networks is in `arrays.npz`.",)
    return Section(
        "Within and between networks",
        () if few else more,
        (Panel("networks", said, "Mean Fisher z by network."),),
        (_transfer(results),) if few else (),
    )


def _transfer(results: Any) -> Table:
    """Transfer entropy from network to network, as given, mean over people, by condition."""
    group, names = results.group, results.group.network_names
    known = shown_conditions(results)
    rows = []
    for i, source in enumerate(names):
        for j, target in enumerate(names):
            if i == j:
                continue
            cells = [
                _mean(
                    group.transfer_entropy[
                        [own == name for own in group.conditions], 0, i, j
                    ]
                )
                for name in known
            ]
            rows.append((source, target, *(_cell(cell) for cell in cells)))
    return Table(
        ("From", "To", *(name or "mean" for name in known)),
        rows,
        "Gaussian transfer entropy between the networks' mean series, as given, nats x 1000, without bias: "
        "0 for none; negative by chance.",
    )


def _cell(value: float | None) -> object:
    return None if value is None else round(1000 * value, 2)


def _table_section(results: Any, summary: BrainSummary) -> Section:
    tables = [_table(results, summary, k, kind) for k, kind in enumerate(KINDS)]
    reasons = _reasons(results)
    paragraphs = ["Values of each person are in `measures.csv`."]
    if reasons:
        paragraphs.append(f"Not defined: {'; '.join(reasons)}.")
    return Section("Measures", paragraphs, (), tables)


def _table(results: Any, summary: BrainSummary, k: int, kind: str) -> Table:
    group, caption = results.group, kind[0].upper() + kind[1:]
    measures = [name for name in group.measures if _is_shown(group, name)]
    if results.contrast is None:
        rows = []
        for name in measures:
            place = group.measures.index(name)
            cells = [
                _spread(group.values[[own == c for own in group.conditions], k, place])
                for c in summary.conditions
            ]
            rows.append((LABELS[name], *cells))
        heads = [name or "mean (s.d.)" for name in summary.conditions]
        return Table(("Measure", *heads), rows, f"{caption}: mean (s.d. over people).")
    found = results.contrast
    rows = []
    for name in measures:
        one = summary.statistics[kind][name]
        interval = _signed(f"{one.low:+.3g} to {one.high:+.3g}")
        interval = None if np.isnan(one.low) else interval
        numbers = [one.mean_a, one.mean_b, one.difference]
        cells = [None if np.isnan(x) else float(x) for x in numbers]
        tests = [None if np.isnan(x) else _signed(f"{x:+.2f}") for x in (one.dz, one.t)]
        p = None if np.isnan(one.p) else _p(one.p)
        rows.append((LABELS[name], *cells, interval, *tests, p, one.people))
    heads = (found.first, found.second, "Difference", "95 % interval")
    return Table(
        ("Measure", *heads, "dz", "t", "p", "People"),
        rows,
        f"{caption}: means over the people with both, difference with its bootstrap interval over people, "
        "dz = difference over its s.d., two-sided paired t-test.",
    )


def _signed(text: str) -> str:
    """With true minus signs, as the page's numbers have."""
    return text.replace("-", "−")


def _is_shown(group: Any, name: str) -> bool:
    """Measures that need networks are left out where there are none."""
    from pcmodel.brain.measures.person import NETWORK_MEASURES

    return bool(group.network_names) or name not in NETWORK_MEASURES


def _spread(values: np.ndarray) -> str | None:
    has = values[~np.isnan(values)]
    if not has.size:
        return None
    return f"{has.mean():.3g}" + (f" ({has.std(ddof=1):.2g})" if has.size > 1 else "")


def _reasons(results: Any) -> list[str]:
    """Each measure that somebody lacks, with how many and the first reason."""
    group, found = results.group, []
    for k, kind in enumerate(KINDS):
        by_reason: dict[tuple[str, int], list[str]] = {}
        for place, name in enumerate(group.measures):
            why = [str(text) for text in group.undefined[:, k, place] if text]
            if why and _is_shown(group, name):
                by_reason.setdefault((why[0], len(why)), []).append(LABELS[name])
        for (reason, number), names in by_reason.items():
            said = ", ".join(names) if len(names) < 6 else f"{len(names)} measures"
            found.append(
                f"{said} {kind}, in {number} of {len(group.people)} ({reason})"
            )
    return found


def _limitations(plan: Any, results: Any) -> tuple[str, ...]:
    said = [
        "Movement, physiology and filtering change every measure here, and so does a drug's effect on vessels: "
        "nothing is corrected for them.",
        "Global-signal regression can turn the sign of an effect: both versions are shown, and neither is the true one.",
        "Measures depend on the parcellation and on the length of the recording: compare like with like.",
        "Percentile intervals over fewer than about ten people are too narrow.",
        "Transfer entropy between slow signals such as BOLD is not neural causation.",
    ]
    if results.num_times[0] != results.num_times[1]:
        said.insert(
            0,
            f"Recordings have {results.num_times[0]} to {results.num_times[1]} samples: entropies and "
            "complexities of different lengths are not comparable.",
        )
    if results.contrast is not None and results.contrast.without:
        lone = ", ".join(results.contrast.without[:10])
        said.insert(0, f"Without both conditions, and so not compared: {lone}.")
    return tuple(said)


def _facts(plan: Any, results: Any) -> dict[str, str]:
    measures = plan.measures
    lag = f" ({measures.lags * plan.tr:g} s)" if plan.tr else ""
    facts = {
        "Precision": "float64",
        "Lags of transfer entropy": f"{measures.lags} samples{lag}",
        "Surrogates": f"{measures.num_surrogates} of each kind and region, binarised at the {measures.threshold}",
        "Louvain": f"best of {measures.num_starts} partitions",
    }
    if results.matched:
        facts["Labels"] = f"matched by {results.matched}"
    if (results.group.num_runs > 1).any():
        facts["Runs"] = "measures are averaged over the runs of a person and condition"
    return facts
