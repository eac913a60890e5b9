"""`report`: the page."""

from pcmodel.report import Panel, Report, Section, Table

from .._believing import BELIEF_ASSUMED, UNSEPARATED
from .._claims import overturning
from .._dosing import assumed
from .claiming import claims
from .computing import COMPOUNDS, Config, Results
from .judging import Summary
from .low_doses import LEAST, SPREAD, STUDIED


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
        answer="Belief follows the effect, not the occupancy: the curve is steep, and low doses fade in. Published, 10 µg of "
        f"LSD is felt; here its mean peak is **{summary.ten_micrograms[3]:.2g} %** of the scale, which is not. "
        "Ketanserin an hour after LSD shortens it from "
        f"**{summary.felt[0]:.1f}** to **{summary.felt[1]:.1f} h** (published 8.5 to 3.5). "
        + both_lengths(summary)
        + " "
        + with_rates(summary),
        verdicts=summary.verdicts,
        key_panel=Panel(
            "curves",
            "At each participant's peak: lines, the typical participant; bands, the middle 90 % of "
            f"{config.people} people. Dotted: a usual full dose. Grey: ketanserin 40 mg an hour before.",
            "Steep dose curves; ketanserin shifts them right.",
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
                "Low doses of LSD",
                why_low_doses_fail(results, summary),
                (
                    Panel(
                        "low_doses",
                        "Left: mean over people of the peak effect; arrows, what people reported (their height means nothing more). The rival stage is exactly 0 "
                        "where its line ends. Right: when the effect of 10 µg is above a tenth of its own peak, however small; "
                        "dark line, the peak. Nothing here was calibrated on these doses.",
                        "Simulated effects of 10 and 20 µg are far too small; their timing is about right.",
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
                        "before, against ketanserin's dose ratio. Bottom left: two read-outs of LSD with different midpoints.",
                        "Ketanserin cuts the experience short.",
                    ),
                ),
            ),
            Section(
                "If receptors exchange slowly",
                what_rates_do(summary),
                (
                    Panel(
                        "rates",
                        "LSD leaving 5-HT2A at its measured rate, as long a stay of ketanserin as the left axis says and its affinity "
                        "as below. Circles: both results as published (2.5 to 4.5 h after; abolished in 95 % before). Cross: "
                        "ketanserin as assumed.",
                        "Both results need ketanserin to stay on its receptor for hours.",
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
            "Receptors equilibrate at once, except under 'If receptors exchange slowly'. That is the default because exchange with "
            "rates predicts no more of what was published, and rests on two more numbers that were not read in their sources.",
            f"An effect is felt from {LEAST:.0%} of the scale on; doses are judged by the group's mean.",
            "LSD's affinity in plasma is its clinical EC50 at psilocin's ratio of affinity to EC50.",
            "Ketanserin's affinity in plasma is its test-tube affinity over its free fraction.",
            *assumed("psilocybin", "LSD", "DMT", "ketanserin"),
        ],
        limitations=(
            "The two read-outs' midpoints were set from LSD's own EC50s, so their order is a weak prediction.",
            "Confidence falls by about a hundredth: one observation meets a belief nine times as precise, and relaxing hardly "
            "moves it past zero. Its sign is judged, not its size.",
        ),
        references=(
            "Becker et al. 2023, Int J Neuropsychopharmacol 26:97 (ketanserin after LSD).",
            "Preller et al. 2017, Curr Biol 27:451 (ketanserin before LSD).",
            "Holze et al. 2021, Neuropsychopharmacology 46:537 (LSD 25-200 µg).",
            "Holze et al. 2021, Clin Pharmacol Ther 109:658 (LSD 5-20 µg); Holze et al. 2019, Br J Clin Pharmacol (spread).",
            "Wacker et al. 2017, Cell 168:377 (LSD leaves its receptor slowly; the 221 min are from memory).",
            "Zeifman et al. 2025, Sci Rep (negative self-beliefs after 1 and 25 mg).",
        ),
    )


def why_low_doses_fail(results: Results, summary: Summary) -> tuple[str, ...]:
    """Low doses in words."""
    _, peak, end, size, _ = summary.ten_micrograms
    little, late = summary.shelf
    return (
        "The second stage was a threshold, under which these doses had an effect of exactly 0. Now it is a sigmoid: every dose has "
        "some effect, and none is cut off. Two numbers (midpoint and power) were set from psilocybin 15 to 30 mg and LSD 100 µg "
        "alone; the threshold stays as a rival (`threshold_of`).",
        f"The timing of 10 µg comes out about right (peak at {peak:.1f} h, end at {end:.1f} h), its size does not: {size:.2g} % of the "
        "scale. No second stage on one receptor response mends that without a shelf. The peak of 10 µg of LSD reaches a "
        f"response of {little:.3f}; psilocybin 25 mg still has {late:.3f} when its experience is over and a tenth of its "
        "peak is left. An effect that rises with the response cannot be 5 % at the first and about 7 % at the second unless it "
        "is nearly flat between them, and below 5 % again at the response of 5 µg.",
        "What would have to change comes before or beside the second stage: acute tolerance (the end of psilocybin would then not be a "
        "low response), an affinity of LSD higher than its EC50 at full doses says, or plasma: measured concentrations at these "
        f"doses are {summary.plasma_ratio[0]:.1f} to {summary.plasma_ratio[1]:.1f} times those that the kinetics of 100 µg give "
        "(twice as much, LSD's volume halved, is among the changes tried below).",
        how_people_differ(results),
    )


def how_people_differ(results: Results) -> str:
    """The spread of durations in words."""
    claim = "People differ in how long 100 µg lasts as published"
    own, error, low, high = results.tested[claim].as_set
    return (
        f"People differ in how long 100 µg lasts by an SD of {own:.2f} h (two standard errors: {error:.2f}); published, {SPREAD:g} h in "
        f"{STUDIED} people, which leaves {low:.2f} to {high:.2f} h open. "
        + (
            "It is larger, if not more so than chance allows."
            if SPREAD < own < high
            else ""
        )
    )


def what_rates_do(summary: Summary) -> tuple[str, ...]:
    """Exchange with rates in words."""
    alone, peak, after, share = summary.with_rates
    needed = summary.residence_for_both
    found = (
        f"Some affinity gives both only where ketanserin stays {needed:.0f} min or longer (circles)."
        if needed == needed
        else "No stay and affinity tried gives both."
    )
    return (
        "LSD stays on 5-HT2A for 221 min (measured in cells; the number is from memory, that it is slow was read). "
        "With its affinity kept, what leaves slowly also arrives slowly. That takes the place of the effect site's delay: LSD 100 µg alone is "
        f"felt for {alone:.1f} h with its peak at {peak:.1f} h.",
        f"Slow departure alone does not explain ketanserin's late blockade. As LSD also arrives slowly, ketanserin an hour later finds "
        f"receptors still vacant and fills them: LSD is then felt for {after:.1f} h (abolished beforehand in {share:.0%}). "
        + found
        + " That is longer than the minutes that radioligand work suggests; a slow way of ketanserin into the brain would do the "
        "same. So one set of parameters exists, and it needs a slow blocker, which is not known to be one.",
    )


def with_rates(summary: Summary) -> str:
    """The same in a sentence, for the answer."""
    needed = summary.residence_for_both
    if needed != needed:
        return "Nor does slow exchange at the receptor give both results."
    return (
        "With LSD leaving its receptor as slowly as measured both results appear only if ketanserin, too, stays for "
        f"{needed:.0f} min or more, and the published minutes are fewer."
    )


def why_it_fails(summary: Summary) -> tuple[str, ...]:
    """Blockade in words: why the published times are not met, and what would have to change."""
    return (
        "Competition is exact: more agonist restores the response. What is not known is how much ketanserin is "
        "at the receptor; the panels on the right show what would follow from more or less.",
        f"Why the length fails: receptors equilibrate at once, so ketanserin's dose ratio of {summary.ratio:.1f} takes LSD "
        "down the steep second stage as soon as it is absorbed, before most of the effect has begun. What would have to change is "
        "how fast the blocker arrives (next section), or its affinity, to a dose ratio of "
        f"{summary.ratio_for_published:.1f}, which blockade beforehand then contradicts.",
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
