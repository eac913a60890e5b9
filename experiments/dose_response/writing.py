"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._believing import BELIEF_ASSUMED, UNSEPARATED
from .._claims import overturning
from .._dosing import assumed
from .claiming import claims
from .computing import COMPOUNDS, Config, Results
from .judging import Summary


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    halves = [
        (name, f"{summary.half_effect_dose[name] / scale:.3g} {unit}")
        for name, (_, _, _, unit, scale, _, _) in COMPOUNDS.items()
    ]
    return Report(
        title="Dose and response",
        question="How do revision, confidence, settling time and uncertainty depend on dose and time, with and "
        "without blockade?",
        answer="Belief follows the effect, not the occupancy: below a threshold dose nothing moves, above it the "
        "curve is steep. Ketanserin an hour after LSD shortens it from "
        f"**{summary.felt[0]:.1f}** to **{summary.felt[1]:.1f} h** (published 8.5 to 3.5). "
        + both_lengths(summary),
        verdicts=summary.verdicts,
        key_panel=Panel(
            "curves",
            "At each participant's peak: lines, the typical participant; bands, the middle 90 % of "
            f"{config.people} people. Dotted: a usual full dose. Grey: ketanserin 40 mg an hour before.",
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
                why_it_fails(summary),
                (
                    Panel(
                        "blockade",
                        "Top left: the typical participant's effect. Right: how long LSD is felt with ketanserin an hour "
                        "after, and how many people feel nothing (less than a tenth of their peak alone) with it an hour "
                        "before, against ketanserin's dose ratio. Bottom left: two read-outs of LSD with different thresholds.",
                        "Ketanserin cuts the experience short.",
                    ),
                ),
            ),
            overturning(claims(config), results.tested),
            Section(
                "What belief means alone cannot separate",
                (
                    UNSEPARATED
                    + "Confidence is not the mean alone: it falls when the mean moves and also when uncertainty rises. Under any "
                    "account in which one number follows the effect, confidence and entropy change together, so that their "
                    "correlation over people speaks for one cause, not for which.",
                ),
            ),
        ),
        assumptions=[
            f"Account: REBUS, the senses exempt, {config.strength:g} log units of precision per unit of effect; its sign "
            "is disputed (see rival_accounts).",
            BELIEF_ASSUMED,
            "Receptors equilibrate at once; LSD in fact leaves 5-HT2A slowly, which would delay a late blockade.",
            "LSD's affinity in plasma is its clinical EC50 at psilocin's ratio of affinity to EC50.",
            "Ketanserin's affinity in plasma is its test-tube affinity over its free fraction.",
            *assumed("psilocybin", "LSD", "DMT", "ketanserin"),
        ],
        limitations=(
            "The two read-outs' thresholds were set from LSD's own EC50s, so their order is a weak prediction.",
            "Confidence falls by about a hundredth: one observation meets a belief nine times as precise, and relaxing hardly "
            "moves it past zero. Its sign is judged, not its size.",
        ),
        references=(
            "Becker et al. 2023, Int J Neuropsychopharmacol 26:97 (ketanserin after LSD).",
            "Preller et al. 2017, Curr Biol 27:451 (ketanserin before LSD).",
            "Holze et al. 2021, Neuropsychopharmacology 46:537 (LSD 25-200 µg).",
            "Zeifman et al. 2025, Sci Rep (negative self-beliefs after 1 and 25 mg).",
        ),
    )


def why_it_fails(summary: Summary) -> tuple[str, ...]:
    """Blockade in words: why the published times are not met, and what would have to change."""
    return (
        "Competition is exact: more agonist restores the response. What is not known is how much ketanserin is "
        "at the receptor; the panels on the right show what would follow from more or less.",
        f"Why the length fails: receptors equilibrate at once, so ketanserin's dose ratio of {summary.ratio:.1f} takes LSD "
        "below the threshold as soon as it is absorbed, before most of the effect has begun. The parameter that would have to "
        "change is the speed of exchange at the receptor (LSD leaves it slowly; it is infinite here), or ketanserin's affinity, "
        f"to a dose ratio of {summary.ratio_for_published:.1f}, which blockade beforehand then contradicts.",
        f"Blockade beforehand abolishes LSD in {summary.abolished:.0%} of people, near the line drawn at 95 %: the rest clear "
        "ketanserin fast or LSD slowly. Its affinity in plasma, a test-tube constant over a free fraction, decides.",
    )


def both_lengths(summary: Summary) -> str:
    """Whether one affinity of ketanserin gives both published results."""
    if summary.ratio_for_published != summary.ratio_for_published:
        return "No dose ratio tried leaves the published length."
    alone = (
        ": no one affinity gives both results."
        if summary.abolished_there < 0.95
        else ", so that one affinity would give both."
    )
    return (
        f"The published length needs a dose ratio of {summary.ratio_for_published:.1f}, at which ketanserin an hour before "
        f"would abolish LSD in {summary.abolished_there:.0%} of people{alone}"
    )
