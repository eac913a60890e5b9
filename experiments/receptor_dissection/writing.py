"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._believing import LEVELS
from .._dosing import assumed, turning_table
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
        answer=f"Buspirone removes **{summary.removed[0]:+.1%}** of psilocybin's change at the lowest latent level and "
        f"{summary.removed[-1]:+.1%} at the top: on the assumed constants psilocin itself already fills 5-HT1A, and a second partial "
        "agonist of lower efficacy can hardly add to it. A 5-HT2A agonist needs about "
        f"{summary.least_efficacy:.0%} of psilocin's efficacy to do anything at all.",
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
                        "Left: dose curves of agonists that differ in efficacy at 5-HT2A alone, psilocin's being 100 %; dotted, 25 mg. Right: 5-HT1A response of psilocybin 20 mg with buspirone; dotted, 20 mg.",
                        "A threshold in efficacy.",
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
                    turning_table(
                        results.turns,
                        "buspirone takes more from the senses than from the top (difference of shares removed, lowest level less top)",
                    ),
                ),
            ),
        ),
        assumptions=[
            f"5-HT2A relaxes precisions ({config.relaxation:g} log units per effect), 5-HT1A dims slopes ({config.dimming:g} per response).",
            "The sensory part of the experience is read at the lowest latent level, the ineffable part at the top.",
            *assumed("psilocybin", "buspirone", "ketanserin"),
        ],
        limitations=(
            "Buspirone's active metabolite, its autoreceptor action and dopamine are left out.",
        ),
        references=(
            "Pokorny et al. 2016, Eur Neuropsychopharmacol 26:756 (buspirone, ergotamine).",
            "Vollenweider et al. 1998, NeuroReport 9:3897 (ketanserin). Rickli et al. 2016 (affinities).",
            "Black & Leff 1983, Proc R Soc B 220:141.",
        ),
    )
