"""The claims: when each holds, how it is told, and which parameters could overturn it."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Claim, Parameter, Table, Verdict

from .._believing import BELIEF_ASSUMED, UNSEPARATED
from .._dosing import DIFFERENCES, MIDPOINT, STAGE, assumed, half_life
from . import measures
from .measures import SPREADS
from .simulate import ACCOUNTS, Config, Results

PSILOCIN = (
    half_life("psilocin half-life", "psilocybin"),
    Parameter("psilocin volume", "kinetics.volume", "psilocybin"),
    Parameter("psilocin absorption rate", "kinetics.absorption", "psilocybin"),
)
ACTION = (
    Parameter("psilocin K at 5-HT2A", "ligands.k_2a", "psilocybin"),
    Parameter("psilocin efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
)
LSD = (
    half_life("LSD half-life", "LSD"),
    Parameter("LSD effect-site rate", "kinetics.effect_site", "LSD"),
    Parameter("LSD K at 5-HT2A", "ligands.k_2a", "LSD"),
)
STORE = (
    Parameter("release from the store", "physiology.release"),
    Parameter("refill of the store", "physiology.refill"),
    Parameter("MDMA concentration of half release", "ligands.release_ec50", "MDMA"),
    half_life("MDMA half-life", "MDMA"),
    Parameter("MDMA absorption rate", "kinetics.absorption", "MDMA"),
)
PRESSURE = (
    Parameter("habituation of pressure", "physiology.habituation"),
    Parameter("variation of the rise", "variation.rise"),
    Parameter("spread of resting pressure", "variation.resting"),
)


def duration_ratio(number: float) -> str:
    return f"{number:.2f}" if np.isfinite(number) else "no effect"


def range_of(found: measures.Ratio, of: str) -> str:
    ratio, low, high = (duration_ratio(number) for number in found)
    return f"{ratio} (90 % of {of} {low} to {high})"


def over_studies(found: measures.Ratio) -> str:
    return range_of(found, "studies")


def over_people(found: measures.Ratio) -> str:
    return range_of(found, "people")


def typical_ratio(found: measures.TypicalRatio) -> str:
    return duration_ratio(found.ratio)


def is_below_one(found: measures.Ratio) -> bool:
    """In 95 %."""
    return found.high < 1


def is_near_published(found: measures.TypicalRatio) -> bool:
    """Within 0.2 of 4.9 h / 8.2 h."""
    return abs(found.ratio - 0.6) < 0.2


def spread_as_published(found: measures.Spreads) -> bool:
    """Every SD within a factor of 1.5."""
    ratios = found.sd / np.asarray(list(SPREADS.values()))
    return bool(np.all((1 / 1.5 < ratios) & (ratios < 1.5)))


def spreads_in_words(found: measures.Spreads) -> str:
    pairs = zip(SPREADS, found.sd, strict=True)
    return ", ".join(f"{name} {mg:g}: {sd:.1f} h" for (name, mg), sd in pairs)


def adds_less_than_half(found: measures.SecondDose) -> bool:
    return found.added < 0.5 * found.first


def plasma_as_published(found: measures.Psilocin) -> bool:
    """Cmax in the published ranges; tmax after 25 mg."""
    low, high = np.asarray([10, 16, 19]), np.asarray([13, 19, 24])
    inside = np.all((low <= found.peak) & (found.peak <= high))
    return bool(inside and abs(found.peak_hour[1] - 2) <= 0.3)


def felt_as_published(found: measures.Psilocin) -> bool:
    """Intensity and duration after every dose."""
    percent = np.abs(found.intensity - np.asarray([58, 73, 80]))
    hours = np.abs(found.felt - np.asarray([5.6, 5.5, 6.4]))
    return bool(np.all(percent <= 8) and np.all(hours <= 1))


def pressure_as_published(found: measures.Pressure) -> bool:
    return abs(found.systolic - 146) <= 8 and abs(found.diastolic - 94) <= 8


def lsd_as_published(found: measures.Lsd) -> bool:
    """Plasma within 10 %, duration, and time of the peak."""
    plasma = abs(found.peak - 1.7) < 0.17 and abs(found.peak_hour - 1.7) <= 0.17
    felt = abs(found.felt - 8.5) <= 2 and abs(found.intensity_hour - 2.5) <= 0.6
    return plasma and felt


def comes_and_goes(found: measures.DmtCourse) -> bool:
    rises = found.bolus_minutes <= 3 and found.at_30 > 0.95 * found.at_90
    return rises and found.after < 0.1 * found.at_90


def course_in_words(found: measures.DmtCourse) -> str:
    if not found.at_90 > 0:
        return "no effect"
    reached, left = found.at_30 / found.at_90, found.after / found.at_90
    return f"{found.bolus_minutes:.1f} min; {reached:.0%} of the plateau; {left:.0%}"


def hypertension_as_published(found: measures.Hypertension) -> bool:
    """Over both doses, and more after the higher."""
    return abs(found.mean - 0.33) <= 0.12 and found.after_125 > found.after_75


def is_identical(found: measures.Identity) -> bool:
    return found.identical


def identity_in_words(found: measures.Identity) -> str:
    return "identical" if found.identical else "different"


MEAN_RATIO = Claim(
    name="Psilocybin 20 mg ends before LSD 100 µg",
    prediction="ratio of mean durations below 1 in 95 % of simulated studies of 32; published 4.9 h / 8.2 h = 0.60",
    kind="predicted",
    measure=measures.mean_ratio,
    holds=is_below_one,
    observed=over_studies,
    parameters=(*PSILOCIN[:2], *ACTION, *LSD, MIDPOINT),
)
BY_PERSON = Claim(
    name="It ends before LSD in nearly everyone",
    prediction="ratio of one person's durations below 1 in 95 % of people",
    kind="predicted",
    measure=measures.ratio_by_person,
    holds=is_below_one,
    observed=over_people,
    parameters=(*PSILOCIN[:1], ACTION[0], *LSD, MIDPOINT, *DIFFERENCES),
)
IN_VITRO = Claim(
    name="The ratio does not depend on the test tube",
    prediction="with in-vitro efficacies (LSD 28 %, psilocin 16 % of serotonin) and clinical EC50s kept, "
    "the ratio stays within 0.2 of the published 0.60",
    kind="predicted",
    measure=measures.ratio_in_vitro,
    holds=is_near_published,
    observed=typical_ratio,
    parameters=(PSILOCIN[0], ACTION[0], *LSD, MIDPOINT),
)
CLAIMS = (
    MEAN_RATIO,
    BY_PERSON,
    IN_VITRO,
    Claim(
        name="People differ in duration as published",
        prediction="SD of hours felt within a factor of 1.5 of the published "
        + ", ".join(f"{name} {mg:g}: {sd:g}" for (name, mg), sd in SPREADS.items()),
        kind="predicted",
        measure=measures.spreads,
        holds=spread_as_published,
        observed=spreads_in_words,
        parameters=(*DIFFERENCES, PSILOCIN[0], LSD[0], MIDPOINT),
    ),
    Claim(
        name="A second dose of MDMA does less",
        prediction="100 mg again after 4 h adds less than half of the first peak, plasma being twice as high",
        kind="predicted",
        measure=measures.second_dose,
        holds=adds_less_than_half,
        observed="adds {share:.0%} of the first peak",
        parameters=(*STORE, Parameter("pause between doses", "dose.hours", "MDMA")),
    ),
    Claim(
        name="Psilocin in plasma",
        prediction="mean Cmax 10-13, 16-19, 19-24 ng/mL after 15, 25, 30 mg; tmax 2.0 +- 0.3 h",
        kind="calibrated",
        measure=measures.psilocin,
        holds=plasma_as_published,
        observed="{peak[0]:.1f}, {peak[1]:.1f}, {peak[2]:.1f} ng/mL; {peak_hour[1]:.1f} h",
        parameters=PSILOCIN,
    ),
    Claim(
        name="Psilocybin intensity and duration",
        prediction="means 58, 73, 80 % (+- 8) and 5.6, 5.5, 6.4 h (+- 1)",
        kind="calibrated",
        measure=measures.psilocin,
        holds=felt_as_published,
        observed="{intensity[0]:.0f} %, {intensity[1]:.0f} %, {intensity[2]:.0f} %; "
        "{felt[0]:.1f} h, {felt[1]:.1f} h, {felt[2]:.1f} h",
        parameters=(*PSILOCIN, *ACTION, *STAGE),
    ),
    Claim(
        name="Blood pressure under psilocybin 25 mg",
        prediction="mean peaks 146 (SD 19) / 94 (SD 10) mmHg, +- 8",
        kind="calibrated",
        measure=measures.pressure,
        holds=pressure_as_published,
        observed="{systolic:.0f} ({systolic_sd:.0f}) / {diastolic:.0f} ({diastolic_sd:.0f})",
        parameters=(
            Parameter("psilocybin's rise", "ligands.rises", "psilocybin"),
            *PRESSURE,
        ),
    ),
    Claim(
        name="LSD 100 µg",
        prediction="means: Cmax 1.7 ng/mL at 1.7 h (10 %); felt 8.5 +- 2.0 h, peak at 2.5 +- 0.6 h",
        kind="calibrated",
        measure=measures.lsd,
        holds=lsd_as_published,
        observed="{peak:.2f} ng/mL at {peak_hour:.1f} h; felt {felt:.1f} h, peak at {intensity_hour:.1f} h",
        parameters=(
            *LSD,
            Parameter("LSD absorption rate", "kinetics.absorption", "LSD"),
            MIDPOINT,
        ),
    ),
    Claim(
        name="DMT comes and goes in minutes",
        prediction="bolus peaks within 3 min; infusion plateau by 30 min; under 10 % 15 min after its end",
        kind="calibrated",
        measure=measures.dmt_course,
        holds=comes_and_goes,
        observed=course_in_words,
        parameters=(
            half_life("DMT half-life", "DMT"),
            Parameter("DMT volume", "kinetics.volume", "DMT"),
            Parameter("DMT effect-site rate", "kinetics.effect_site", "DMT"),
            Parameter("DMT K at 5-HT2A", "ligands.k_2a", "DMT"),
            MIDPOINT,
        ),
    ),
    Claim(
        name="Blood pressure under MDMA",
        prediction="P(systolic > 160) 0.33 +- 0.12 over 75 and 125 mg; more after 125",
        kind="calibrated",
        measure=measures.hypertension,
        holds=hypertension_as_published,
        observed="{mean:.2f} ({after_75:.2f} and {after_125:.2f})",
        parameters=(
            Parameter("MDMA's rise", "ligands.rises", "MDMA"),
            *PRESSURE,
            *STORE[:3],
        ),
    ),
    Claim(
        name="Zero dose is no drug",
        prediction="0 mg gives the same belief as an inert tablet, bit for bit",
        kind="theorem",
        measure=measures.zero_dose,
        holds=is_identical,
        observed=identity_in_words,
    ),
)


class Summary(NamedTuple):
    """What result.json holds.

    intensity, hours_felt: the typical participant's, % and h, by group.
    ratio: of mean durations, and its middle 90 % over studies.  by_person: typical, and over people.
    ratio_in_vitro: with efficacies of the test tube.
    """

    intensity: dict[str, float]
    hours_felt: dict[str, float]
    ratio: np.ndarray
    by_person: np.ndarray
    ratio_in_vitro: float
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Groups, and ratios of durations."""
    mean, person, in_vitro = (
        np.asarray(results.tested[claim.name].as_set)
        for claim in (MEAN_RATIO, BY_PERSON, IN_VITRO)
    )
    return Summary(
        {name: float(each.intensity[0]) for name, each in results.groups.items()},
        {name: float(each.felt[0]) for name, each in results.groups.items()},
        mean,
        person,
        float(in_vitro[0]),
    )


def groups(results: Results) -> Table:
    """The typical participant of each group."""
    fields = ("peak", "peak_hour", "intensity", "felt")
    rows = [
        (
            name,
            *(float(getattr(each, field)[0]) for field in fields),
            f"{each.felt[1:].std():.1f}",
        )
        for name, each in results.groups.items()
    ]
    columns = ("Dose (mg)", "Cmax (ng/mL)", "tmax (h)", "Peak effect (%)", "Felt (h)")
    caption = "Typical participant; SD over people."
    return Table((*columns, "SD of felt (h)"), rows, caption)


def account(config: Config) -> str:
    return str(ACCOUNTS[config.account])


TABLES = {"groups": groups}
WORDS = {
    "account": account,
    "unseparated": UNSEPARATED.strip(),
    "belief_assumed": BELIEF_ASSUMED,
    "assumed": assumed("psilocybin", "LSD", "DMT", "MDMA"),
}
