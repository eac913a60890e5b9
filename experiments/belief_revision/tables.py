"""The page's tables, and its words that depend on numbers."""

from pcmodel.report import Table

from .config import Config
from .simulate import Results
from .summary import Summary, morph

TOP = (
    *("Top gain", "Threshold", "Revision", "Flips", "Flips, belief from images"),
    *("Confidence", "Settling time"),
)
PARAMETERS = (
    *("Parameter", "Mean", "2.5 %", "97.5 %", "Contraction", "Verdict"),
    "Recovery coverage",
)
AGENTS = (
    *("Agent", "Worse than the best by, nats a person", "R-hat", "ESS"),
    "Divergences",
)


def flipping(summary: Summary) -> str:
    """The answer's first sentence."""
    flips, untrained = summary.curves.flips, summary.curves.untrained_flips
    return (
        f"With the top's precision at {summary.gains[-1]:g} of normal, beliefs flip to the digit shown in "
        f"**{flips[-1, 0]:.0%}** of cases instead of **{flips[0, 0]:.0%}**; an untrained network with equally "
        f"relaxed beliefs does so in {untrained[-1, 0]:.0%}."
    )


def levels(summary: Summary) -> str:
    return ", ".join(summary.levels.names)


def precisions(summary: Summary) -> str:
    """What training gave each level."""
    learned = zip(summary.levels.names, summary.precisions, strict=True)
    return ", ".join(f"{name} {value:.0f}" for name, value in learned)


def laplace(results: Results) -> str:
    return results.laplace.sentence()


def top(config: Config, results: Results, summary: Summary) -> Table:
    """The top relaxed alone, by gain."""
    curves = summary.curves
    rows = [
        (
            f"{gain:g}",
            morph(curves.threshold[i, 0]),
            float(curves.revision[i, 0]),
            f"{curves.flips[i, 0]:.0%}",
            f"{results.established.flips[i]:.0%}",
            float(summary.levels.confidence[-1, i]),
            float(results.settling.predicted[i].mean()),
        )
        for i, gain in enumerate(config.gains)
    ]
    return Table(
        TOP,
        rows,
        "The top relaxed alone. Threshold: median morph at which belief in the digit shown passes 1/2. Settling "
        "time in units of 1 / gradient rate.",
    )


def parameters(results: Results) -> Table:
    """What people's data say of each parameter's mean."""
    found = results.behaviour
    rows = [
        (
            name,
            *map(float, found.group_mean[0, i]),
            f"{found.contraction[0, i]:.0%}",
            found.verdicts[0].get(name, ""),
            f"{found.recovery_coverage[i]:.0%}",
        )
        for i, name in enumerate(found.parameters)
    ]
    return Table(
        PARAMETERS,
        rows,
        "Group means of the change-point agent. Contraction: share of the prior variance that the data removed. "
        "Verdict: identified (half or more removed), else prior: the number is mostly what was assumed. Recovery "
        "coverage: how often 90 % intervals hold the truth of simulated people.",
    )


def agents(results: Results, summary: Summary) -> Table:
    """Every fit: how it predicts, and its chains."""
    gaps = summary.behaviour["loo_per_person_below_best"].items()
    found = results.behaviour
    rows = [
        (name, f"{gap:.1f}", *chains(diagnostics))
        for (name, gap), diagnostics in zip(gaps, found.diagnostics, strict=True)
    ]
    simulated = (
        "change point, simulated people",
        "",
        *chains(found.recovery_diagnostics),
    )
    return Table(
        AGENTS,
        [*rows, simulated],
        "The agents compared by leave-one-out prediction of each report (1 nat: a factor 2.7 in the probability "
        "of a person's reports). Kalman: no change points. Belief-anchored: updates start from an unseen belief "
        "instead of the last report. k = b = 1: outcomes are taken to be as noisy as they are. q = 0: between "
        "changes the position is taken to stand still. R-hat (1 is best) and effective sample size: the worst of "
        "all group-level parameters. Divergences: transitions of the sampler that lost the posterior, of all it "
        "made. Simulated people: the fit that must find the known parameters of simulated participants again.",
    )


def chains(diagnostics: dict[str, float]) -> tuple[str, str, str]:
    """R-hat, effective sample size, and divergent transitions of all."""
    divergent, draws = diagnostics["num_divergent"], diagnostics["num_draws"]
    return (
        f"{diagnostics['rhat']:.3f}",
        f"{diagnostics['ess']:.0f}",
        f"{divergent:.0f} of {draws:,.0f}",
    )


TABLES = {"top": top, "parameters": parameters, "agents": agents}
WORDS = {
    "flipping": flipping,
    "levels": levels,
    "precisions": precisions,
    "laplace": laplace,
}
