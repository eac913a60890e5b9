"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._believing import BELIEF_ASSUMED, LEVELS, UNSEPARATED
from .._claims import overturning
from .._dosing import assumed
from .claiming import claims
from .computing import Config, Results
from .judging import Summary


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    rows = [
        (
            name,
            *(float(100 * x) for x in (one.effect_2a[0], one.response_1a[0])),
            *(float(c) for c in one.change[0]),
            float(results.restoring[name].change[0, -1]),
        )
        for name, one in results.dimming.items()
    ]
    return Report(
        title="Receptor dissection",
        question="What does each receptor contribute: 5-HT2A, 5-HT1A, partial agonists, buspirone?",
        answer=f"Buspirone lessens psilocybin's change of the lowest latent level by **{summary.removed[0]:.3f} SD** and "
        f"that of the top by {summary.removed[-1]:.3f}, very little: on the assumed constants psilocin itself already fills 5-HT1A, and a second partial "
        "agonist of lower efficacy can hardly add to it. A 5-HT2A agonist needs about "
        f"{summary.least_efficacy:.0%} of psilocin's efficacy to be felt at all.",
        verdicts=summary.verdicts,
        key_panel=Panel(
            "receptors",
            "Bars: typical participant at psilocybin's peak; whiskers: middle 90 % of people.",
            "Effect and change by condition.",
        ),
        sections=(
            Section(
                "Efficacy",
                panels=(
                    Panel(
                        "efficacy",
                        "Left: dose curves of agonists that differ in efficacy at 5-HT2A alone, psilocin's being 100 %; dotted, a usual full dose. Right: 5-HT1A response of psilocybin 12 mg with buspirone; dotted, the dose of the study.",
                        "Too little efficacy is not felt at any dose.",
                    ),
                ),
                tables=(
                    Table(
                        (
                            "Condition",
                            "5-HT2A effect (%)",
                            "5-HT1A response (%)",
                            *(f"Change, {level}" for level in LEVELS[1:]),
                            "Top, if 1A restores",
                        ),
                        rows,
                        "Typical participant.",
                    ),
                ),
            ),
            Section("What buspirone does", what_buspirone_does(results, summary)),
            overturning(claims(config), results.tested),
            Section(
                "What belief means alone cannot separate",
                (
                    UNSEPARATED
                    + "Nor do they separate the receptors: dimmer units and relaxed priors move the same means by different "
                    "routes, and a smaller change at the senses can be bought by less 5-HT2A effect as well as by more "
                    "5-HT1A. Slopes and precisions part in the spread of activity, which this experiment does not judge.",
                ),
            ),
        ),
        assumptions=[
            f"5-HT2A relaxes precisions ({config.relaxation:g} log units per effect), 5-HT1A dims slopes ({config.dimming:g} per response).",
            BELIEF_ASSUMED,
            "The sensory part of the experience is read at the lowest latent level, the ineffable part at the top.",
            *assumed("psilocybin", "buspirone", "ketanserin"),
        ],
        limitations=(
            "Buspirone's active metabolites (6-hydroxybuspirone is a 5-HT1A agonist that circulates at far higher "
            "concentrations, from memory), its autoreceptor action and dopamine are left out.",
            "The published interval from buspirone to psilocybin was not at hand; 15 minutes is assumed.",
        ),
        references=(
            "Pokorny et al. 2016, Eur Neuropsychopharmacol 26:756 (buspirone, ergotamine).",
            "Vollenweider et al. 1998, NeuroReport 9:3897 (ketanserin). Rickli et al. 2016 (affinities).",
            "Black & Leff 1983, Proc R Soc B 220:141.",
        ),
    )


def what_buspirone_does(results: Results, summary: Summary) -> tuple[str, ...]:
    """Why buspirone does so little, and what its verdicts rest on."""
    alone, both = (results.dimming[name] for name in ("psilocybin", "+ buspirone"))
    return (
        "Two partial agonists of similar efficacy replace each other: psilocin already drives 5-HT1A to "
        f"{alone.response_1a[0]:.0%} of its maximum, and with buspirone it is {both.response_1a[0]:.0%}. That is why it "
        "fails to add there, and its own efficacy or affinity would have to be larger. What it removes comes from weak "
        f"blockade of 5-HT2A: {alone.effect_2a[0]:.0%} of effect becomes {both.effect_2a[0]:.0%}.",
        "Changes are compared in undrugged SDs of each level. As a share of psilocybin's own change the comparison would be "
        "meaningless if 5-HT1A dims: at the top relaxing and dimming pull against each other, and of the "
        f"{alone.change[0, 0]:.2f} at the lowest level {alone.change[0, -1]:.3f} is left.",
        "Both verdicts say that less 5-HT2A effect changes the senses' neighbours more than the top, as evidence reaches them "
        "first; neither shows that 5-HT1A does it.",
    )
