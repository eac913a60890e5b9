"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._dosing import assumed, turning_table
from .computing import COMPOUNDS, Config, Results
from .judging import Summary


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    halves = [
        (name, f"{summary.half_effect_dose[name] / scale:.3g} {unit}")
        for name, (_, _, _, unit, scale, _, _) in COMPOUNDS.items()
    ]
    needed = summary.ratio_for_published
    return Report(
        title="Dose and response",
        question="How do revision, confidence, settling time and uncertainty depend on dose and time, with and "
        "without blockade?",
        answer="Belief follows the effect, not the occupancy: below a threshold dose nothing moves, above it the "
        "curve is steep. Ketanserin an hour after LSD shortens it from "
        f"**{summary.felt[0]:.1f}** to **{summary.felt[1]:.1f} h** (published 8.5 to 3.5); the published length "
        f"needs a dose ratio of {needed:.2f}.",
        verdicts=summary.verdicts,
        key_panel=Panel(
            "curves",
            "At each participant's peak: lines, the typical participant; bands, the middle 90 % of "
            f"{config.people} people. Dotted: a usual full dose. Grey: after ketanserin.",
            "Sigmoid dose curves with a threshold; ketanserin shifts them right.",
        ),
        sections=(
            Section(
                "Over time",
                panels=(
                    Panel(
                        "surface",
                        "Revision of the typical participant's belief.",
                        "Revision over dose and time.",
                    ),
                ),
                tables=(
                    Table(
                        ("Compound", "Dose of half effect"),
                        halves,
                        "Typical participant.",
                    ),
                ),
            ),
            Section(
                "Blockade and read-outs",
                (
                    "Competition is exact: more agonist restores the response. What is not known is how much "
                    "ketanserin is at the receptor; the middle panel shows what would follow.",
                ),
                (
                    Panel(
                        "blockade",
                        "Left: LSD with ketanserin. Middle: how long LSD is felt against ketanserin's dose ratio. "
                        "Right: two read-outs of LSD with different thresholds.",
                        "Ketanserin cuts the experience short.",
                    ),
                ),
                (
                    turning_table(
                        results.after_turns,
                        "ketanserin an hour after LSD leaves between 0 and 6 h",
                    ),
                    turning_table(
                        results.readout_turns,
                        "ego dissolution has the larger 200/100 µg ratio (difference of ratios)",
                    ),
                ),
            ),
        ),
        assumptions=[
            f"Account: REBUS, the senses exempt, {config.strength:g} log units of precision per unit of effect; its sign "
            "is disputed (see rival_accounts).",
            "Receptors equilibrate at once; LSD in fact leaves 5-HT2A slowly, which would delay a late blockade.",
            "Ketanserin's affinity in plasma is its test-tube affinity over its free fraction.",
            *assumed("psilocybin", "LSD", "DMT", "ketanserin"),
        ],
        limitations=(
            "The two read-outs' thresholds were set from LSD's own EC50s, so their order is a weak prediction.",
        ),
        references=(
            "Becker et al. 2023, Int J Neuropsychopharmacol 26:97 (ketanserin after LSD).",
            "Preller et al. 2017, Curr Biol 27:451 (ketanserin before LSD).",
            "Holze et al. 2021, Neuropsychopharmacology 46:537 (LSD 25-200 µg).",
            "Zeifman et al. 2025, Sci Rep (negative self-beliefs after 1 and 25 mg).",
        ),
    )
