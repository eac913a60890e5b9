"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._believing import BELIEF_ASSUMED, UNSEPARATED
from .._claims import overturning
from .._dosing import assumed
from .claiming import claims
from .computing import ACCOUNTS, Config, Results
from .judging import Summary


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    rows = [
        (
            name,
            *(
                float(x)
                for x in (
                    each.peak[0],
                    each.peak_hour[0],
                    each.intensity[0],
                    each.felt[0],
                )
            ),
            f"{each.felt[1:].std():.1f}",
        )
        for name, each in results.groups.items()
    ]
    return Report(
        title="Time course",
        question="How does one dose travel from plasma to belief, on one clock?",
        answer="Receptors stay occupied for hours after the effect has gone: a steep second stage stands between them, "
        f"and with it set from psilocybin alone psilocybin 20 mg lasts **{summary.ratio[0]:.2f}** times as long as "
        "LSD 100 µg (published 0.60). That rests on equal efficacy of the two in people; with the efficacies of "
        f"the test tube the ratio is {summary.ratio_in_vitro:.2f}.",
        verdicts=summary.verdicts,
        key_panel=Panel(
            "clock",
            "Top to bottom: plasma, receptors, effect, precision of each level, a self-belief of -2 that meets one "
            "observation of +1, systolic pressure. Lines: typical participant; bands: 90 % of "
            f"{config.people} people (belief: one SD of its own uncertainty). Account: {config.account}.",
            "Occupancy outlasts effect; gains and belief follow the effect.",
        ),
        sections=(
            Section(
                "Groups",
                (
                    "Durations are times above a tenth of each person's own peak, 0 where that is below a twentieth of the "
                    "scale (not felt); MDMA's of released serotonin.",
                ),
                tables=(
                    Table(
                        (
                            "Dose (mg)",
                            "Cmax (ng/mL)",
                            "tmax (h)",
                            "Peak effect (%)",
                            "Felt (h)",
                            "SD of felt (h)",
                        ),
                        rows,
                        "Typical participant; SD over people.",
                    ),
                ),
            ),
            overturning(claims(config), results.tested),
            Section("Why two predictions fail", why_they_fail(summary)),
            Section(
                "What belief means alone cannot separate",
                (
                    UNSEPARATED
                    + "Time adds nothing to it: belief follows the effect at every moment, and any account in which one "
                    "number follows the effect gives a curve of the same shape.",
                ),
            ),
        ),
        assumptions=[
            "The effect lowers (or, by account, changes) precision: speculative, and its sign is disputed. In use: "
            f"{ACCOUNTS[config.account]}.",
            BELIEF_ASSUMED,
            "The receptor map by level is measured and nearly flat; the senses are exempt by assumption.",
            "All 5-HT2A agonists share psilocin's efficacy in people, and LSD's affinity in plasma is its clinical EC50 "
            "at psilocin's ratio of affinity to EC50.",
            *assumed("psilocybin", "LSD", "DMT", "MDMA"),
        ],
        limitations=(
            "One compartment: late plasma of DMT and ketanserin is not described.",
            "Acute tolerance other than MDMA's is switched off.",
            "Pressure falls below rest as an effect ends: habituation is assumed to lag behind it.",
            "Clearances of different compounds are drawn apart in each person. Were they alike (one liver), one person's ratio "
            "of durations would vary far less, and psilocybin would end first in nearly everyone.",
        ),
        references=(
            "Holze et al. 2023, Clin Pharmacol Ther 113:822; Holze et al. 2019, Br J Clin Pharmacol (LSD).",
            "Ley et al. 2023, Neuropsychopharmacology (durations side by side).",
            "Vogt et al. 2023, Transl Psychiatry 13:172 (DMT). Mas et al. 1999, JPET 290:136; Vizeli & Liechti 2017 (MDMA).",
            "Madsen et al. 2019, Neuropsychopharmacology 44:1328 (occupancy).",
        ),
    )


def why_they_fail(summary: Summary) -> tuple[str, ...]:
    """What stands behind failures, and which parameter would have to change."""
    return (
        "In the test tube LSD has twice psilocin's efficacy at 5-HT2A. Its affinity must then be lower to keep its clinical "
        "EC50, so that its receptors empty with plasma instead of staying full, and it ends about when psilocybin does (ratio "
        f"{summary.ratio_in_vitro:.2f}). LSD's efficacy in people would have to be near psilocin's, as is assumed elsewhere here.",
        f"One person's ratio ranges from {summary.by_person[1]:.2f} to {summary.by_person[2]:.2f} because the clearances of "
        "psilocin and LSD vary independently here; how far they go together in one person is not known. The mean over a "
        "study does not depend on it.",
    )
