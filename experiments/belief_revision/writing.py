"""`report`: the page."""

import numpy as np

from pcmodel.report import Panel, Report, Section, Table

from .analysing import Summary
from .computing import Results
from .config import Config
from .judging import _morph

ASSUMPTIONS = (
    "A drug is a gain below 1 on the precision of a level. That a psychedelic lowers the precision of "
    "*high* levels is the REBUS hypothesis, assumed here; its sign and selectivity are disputed.",
    "A belief is the Gaussian posterior of the top level; its readout is the largest unit.",
    "Evidence strength is the share of the contradicting image in a pixel-wise morph.",
    "The held belief's precision is set to {ratio:g} times the evidence precision of one image "
    "({prior:.0f} against {evidence:.0f}); a belief established by images is reported beside it.",
    "Hidden precisions mean something only in a gauge: {gauge}. Revision and the prior's share are "
    "invariant to it.",
    "The level-0 errors carry an added variance of {floor:g} (quantised, partly constant pixels have no "
    "density otherwise). Precisions of the nonlinear network are learned with Laplace samples, which are biased.",
    "{laplace}",
)
REFERENCES = (
    "Carhart-Harris & Friston 2019, Pharmacol Rev 71:316: relaxed beliefs under psychedelics (REBUS).",
    "Rao & Ballard 1999, Nat Neurosci 2:79: predictive coding as hierarchical inference.",
    "Nassar, Wilson, Heasly & Gold 2010, J Neurosci 30:12366: the change-point agent.",
    "Bruckner, Nassar, Li & Eppinger, Differences in learning across the lifespan (helicopter task data, MIT "
    "licence, copyright 2024 Rasmus Bruckner).",
    "Vehtari, Gelman & Gabry 2017, Stat Comput 27:1413: Pareto-smoothed leave-one-out.",
    "Alpaydin & Kaynak 1998: optical recognition of handwritten digits (UCI).",
)


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page of one run."""
    curves, least = summary.curves, config.gains[-1]
    answer = (
        f"With the top's precision at {least:g} of normal, beliefs flip to the digit shown in "
        f"**{curves.flips[-1, 0]:.0%}** of cases instead of **{curves.flips[0, 0]:.0%}**; an untrained "
        f"network with equally relaxed beliefs does so in {curves.untrained_flips[-1, 0]:.0%}. "
        "Relaxing the levels *between* does the opposite, and raising the senses instead gives the "
        "same belief with less uncertainty: from beliefs alone the two accounts cannot be told apart."
    ).replace("*between*", "between")
    return Report(
        title="Belief revision",
        question="What does lowering the precision of one level of a hierarchy do to a belief that "
        "meets contradicting evidence, and what can people's behaviour say about it?",
        answer=answer,
        verdicts=summary.verdicts,
        key_panel=Panel(
            "revision",
            "Left: a belief held at nine times the precision of one image meets an image that fades "
            "from the believed digit into another; each curve is one precision of the top. "
            f"Right: at full strength, share of {config.pairs} held-out pairs whose readout becomes "
            "the digit shown, with 95 % bootstrap intervals.",
            "Psychometric curves shift left as the top is relaxed; flips rise in the trained network only.",
        ),
        sections=(
            levels_section(config, results, summary),
            behaviour_section(results, summary),
            network_section(results, summary),
        ),
        assumptions=[
            text.format(**facts(config, results)).replace("*", "")
            for text in ASSUMPTIONS
        ],
        limitations=(
            "One small network, one data set: the curves are demonstrations of a mechanism, not "
            "measurements of brains.",
            "The people here took no drug. Nothing on this page supports or refutes a psychedelic account.",
            "Verdicts marked theorem check the software; only predicted ones could have failed.",
        ),
        references=REFERENCES,
    )


def facts(config: Config, results: Results) -> dict:
    """Numbers the assumptions name."""
    return {
        "ratio": config.prior_ratio,
        "prior": results.scales.prior,
        "evidence": results.scales.evidence,
        "gauge": "the weight norm of every map into a hidden level is fixed",
        "floor": config.training.variance_floor,
        "laplace": results.laplace.sentence(),
    }


def levels_section(config: Config, results: Results, summary: Summary) -> Section:
    """Each level alone."""
    rows = [
        (
            f"{gain:g}",
            _morph(summary.curves.threshold[i, 0]),
            float(summary.curves.revision[i, 0]),
            f"{summary.curves.flips[i, 0]:.0%}",
            f"{results.established.flips[i]:.0%}",
            float(summary.levels.confidence[-1, i]),
            float(results.settling.predicted[i].mean()),
        )
        for i, gain in enumerate(config.gains)
    ]
    return Section(
        "Which level is relaxed",
        (
            "Evidence reaches the top through every level between, their precisions in series. Relaxing "
            "the top makes room for it; relaxing any level below holds it back and protects the belief.",
        ),
        (
            Panel(
                "levels",
                "Each line is one level relaxed alone, evidence at full strength. Left: revision. Middle: "
                "how far the posterior moved from the prior in force. Right: uncertainty of the top.",
                "Revision rises only for the top level and falls for the others.",
            ),
        ),
        (
            Table(
                (
                    "Top gain",
                    "Threshold",
                    "Revision",
                    "Flips",
                    "Flips, belief from images",
                    "Confidence",
                    "Settling time",
                ),
                rows,
                "The top relaxed alone. Threshold: median morph at which belief in the digit shown passes "
                "1/2. Settling time in units of 1 / gradient rate.",
            ),
        ),
    )


def behaviour_section(results: Results, summary: Summary) -> Section:
    """People."""
    found, names = results.behaviour, results.behaviour.parameters
    verdicts = found.verdicts[0]
    rows = [
        (
            name,
            *(float(x) for x in found.group_mean[0, i]),
            f"{found.contraction[0, i]:.0%}",
            verdicts.get(name, ""),
            f"{found.recovery_coverage[i]:.0%}",
        )
        for i, name in enumerate(names)
    ]
    gaps = summary.behaviour["loo_per_person_below_best"]
    fits = [
        (name, f"{gap:.1f}", *_chains(diagnostics))
        for (name, gap), diagnostics in zip(
            gaps.items(), found.diagnostics, strict=True
        )
    ]
    fits.append(
        ("change point, simulated people", "", *_chains(found.recovery_diagnostics))
    )
    return Section(
        "What behaviour can say about relaxed beliefs",
        (
            f"{found.loo_by_participant.shape[1]} people, none of them drugged, predicted where a hidden "
            "helicopter would drop its next bag. The hierarchy, with a level for sudden changes, is fitted "
            "to their predictions. A larger update can come from a relaxed prior, from raised senses, or "
            "from noisier responses: the question is what tells the three apart.",
            f"How many people that takes: simulated participants do the task without and with a drug that "
            f"lowers the prior log-precision by {abs(found.drug_shifts[0]):g}, or raises the sensory one by "
            f"{found.drug_shifts[1]:.2f}, which makes the mean update equally large.",
        ),
        (
            Panel(
                "identifiability",
                "A, B: share of a prediction error taken over (learning rate), against how surprising the error "
                "was; the three coloured agents update equally far on average. C: each dot is one posterior "
                "draw of the ten people's mean; without change points only the ratio of the two precisions is "
                "known, so draws scatter along a line. D: how certain the same three agents become; ratings "
                "of confidence separate what updates confuse. E: chance of naming the right account of a "
                "simulated drug; shaded: 95 % intervals.",
                "The three accounts give nearly the same learning-rate curves; confidence separates them.",
            ),
        ),
        (
            Table(
                (
                    "Parameter",
                    "Mean",
                    "2.5 %",
                    "97.5 %",
                    "Contraction",
                    "Verdict",
                    "Recovery coverage",
                ),
                rows,
                "Group means of the change-point agent. Contraction: share of the prior variance that the data "
                "removed. Verdict: identified (half or more removed), else prior: the number is mostly what was "
                "assumed. Recovery coverage: how often 90 % intervals hold the truth of simulated people.",
            ),
            Table(
                (
                    "Agent",
                    "Worse than the best by, nats a person",
                    "R-hat",
                    "ESS",
                    "Divergences",
                ),
                fits,
                "The agents compared by leave-one-out prediction of each report (1 nat: a factor 2.7 in the "
                "probability of a person's reports). Kalman: no change points. Belief-anchored: updates start "
                "from an unseen belief instead of the last report. k = b = 1: outcomes are taken to be as "
                "noisy as they are. q = 0: between changes the position is taken to stand still. R-hat (1 is "
                "best) and effective sample size: the worst of all group-level parameters. Divergences: transitions "
                "of the sampler that lost the posterior, of all it made. Simulated people: the fit that must "
                "find the known parameters of simulated participants again.",
            ),
        ),
    )


def _chains(diagnostics: dict[str, float]) -> tuple[str, str, str]:
    """R-hat, effective sample size, and divergent transitions of all."""
    divergent, draws = diagnostics["num_divergent"], diagnostics["num_draws"]
    return (
        f"{diagnostics['rhat']:.3f}",
        f"{diagnostics['ess']:.0f}",
        f"{divergent:.0f} of {draws:,.0f}",
    )


def network_section(results: Results, summary: Summary) -> Section:
    """The network."""
    precisions = ", ".join(
        f"{name} {value:.0f}"
        for name, value in zip(
            summary.levels.names, np.asarray(summary.precisions), strict=True
        )
    )
    return Section(
        "The network",
        (
            f"A hierarchy of {', '.join(summary.levels.names)} (bottom to top) learned weights and precisions by EM "
            f"with posterior samples. Inverted, it names **{summary.accuracy:.1%}** of a held-out third correctly: "
            f"the digit under which an image has the least energy (untrained {summary.untrained_accuracy:.1%}). The "
            f"belief studied below, the inferred top left free, is largest at the right digit for "
            f"{summary.readout_accuracy:.1%}. Learned precisions: {precisions}. Inference converged in "
            f"{summary.converged:.1%} of all presentations.",
        ),
        (
            Panel(
                "learning",
                "Energy and precisions over training.",
                "Energy falls; precisions settle.",
            ),
        ),
    )
