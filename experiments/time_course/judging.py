"""`analyse`: a verdict for every claim."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._dosing import judge
from .computing import Config, Results


class Summary(NamedTuple):
    """What result.json holds."""

    intensity: dict[str, float]
    hours_felt: dict[str, float]
    ratio: tuple[float, float, float]
    verdicts: tuple[Verdict, ...]


SPREADS = {
    "psilocybin 15": 2.2,
    "psilocybin 25": 1.6,
    "psilocybin 30": 2.2,
    "LSD 0.1": 2.0,
}
HOLZE = {15: ((10, 13), 58, 5.6), 25: ((16, 19), 73, 5.5), 30: ((19, 24), 80, 6.4)}


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    groups = results.groups
    psilocybin, lsd = groups["psilocybin 20"].felt, groups["LSD 0.1"].felt
    ratios = np.where(lsd > 0, psilocybin / np.where(lsd > 0, lsd, 1), np.nan)
    low, high = np.nanquantile(ratios[1:], (0.05, 0.95))
    ratio = (float(ratios[0]), float(low), float(high))
    return Summary(
        {name: float(each.intensity[0]) for name, each in groups.items()},
        {name: float(each.felt[0]) for name, each in groups.items()},
        ratio,
        (*predictions(results, ratio), *calibrations(results), theorem(results)),
    )


def theorem(results: Results) -> Verdict:
    """What the software must do."""
    return judge(
        "Zero dose is no drug",
        "0 mg gives the same belief as an inert tablet, bit for bit",
        "identical" if results.zero_is_identical else "different",
        results.zero_is_identical,
        "theorem",
    )


def predictions(results: Results, ratio) -> tuple[Verdict, ...]:
    """What could have failed."""
    groups, (first, added) = results.groups, results.second_mdma
    spread = {name: float(groups[name].felt[1:].std()) for name in SPREADS}
    within = all(1 / 1.5 < spread[n] / SPREADS[n] < 1.5 for n in SPREADS)
    return (
        judge(
            "Psilocybin 20 mg ends before LSD 100 µg",
            "ratio of durations below 1 in 95 % of simulated people; published 4.9 h / 8.2 h = 0.60",
            f"{ratio[0]:.2f} (90 % of people {ratio[1]:.2f}-{ratio[2]:.2f})",
            ratio[2] < 1,
            "predicted",
        ),
        judge(
            "The ratio does not depend on the test tube",
            "with in-vitro efficacies (LSD 28 %, psilocin 16 % of serotonin) and clinical EC50s kept, "
            "the ratio stays within 0.2 of the published 0.60",
            f"{results.in_vitro_ratio:.2f}",
            abs(results.in_vitro_ratio - 0.6) < 0.2,
            "predicted",
        ),
        judge(
            "People differ in duration as published",
            "SD of hours felt within a factor of 1.5 of the published "
            + ", ".join(f"{name}: {sd:g}" for name, sd in SPREADS.items()),
            ", ".join(f"{name}: {sd:.1f} h" for name, sd in spread.items()),
            within,
            "predicted",
        ),
        judge(
            "A second dose of MDMA does less",
            "100 mg again after 4 h adds less than half of the first peak, plasma being twice as high",
            f"adds {added / first:.0%} of the first peak",
            added < 0.5 * first,
            "predicted",
        ),
    )


def calibrations(results: Results) -> tuple[Verdict, ...]:
    """Numbers that parameters were set from."""
    groups, lsd = results.groups, results.groups["LSD 0.1"]
    psilocybin = {mg: groups[f"psilocybin {mg}"] for mg in HOLZE}
    means = {mg: each.peak[1:].mean() for mg, each in psilocybin.items()}
    at30, at90, after, bolus = results.infusion
    systolic, diastolic = (
        groups["psilocybin 25"].systolic[1:],
        groups["psilocybin 25"].diastolic[1:],
    )
    over = [np.mean(groups[f"MDMA {mg}"].systolic[1:] > 160) for mg in (75, 125)]
    return (
        judge(
            "Psilocin in plasma",
            "mean Cmax 10-13, 16-19, 19-24 ng/mL after 15, 25, 30 mg; tmax 2.0 +- 0.3 h",
            ", ".join(f"{mean:.1f}" for mean in means.values())
            + f" ng/mL; tmax {psilocybin[25].peak_hour[0]:.1f} h",
            all(
                HOLZE[mg][0][0] <= mean <= HOLZE[mg][0][1] for mg, mean in means.items()
            )
            and abs(psilocybin[25].peak_hour[0] - 2) <= 0.3,
            "calibrated",
        ),
        judge(
            "Psilocybin intensity and duration",
            "58, 73, 80 % (+- 8) and 5.6, 5.5, 6.4 h (+- 1)",
            ", ".join(f"{each.intensity[0]:.0f} %" for each in psilocybin.values())
            + "; "
            + ", ".join(f"{each.felt[0]:.1f} h" for each in psilocybin.values()),
            all(
                abs(psilocybin[mg].intensity[0] - HOLZE[mg][1]) <= 8
                and abs(psilocybin[mg].felt[0] - HOLZE[mg][2]) <= 1
                for mg in HOLZE
            ),
            "calibrated",
        ),
        judge(
            "LSD 100 µg",
            "Cmax 1.7 ng/mL at 1.7 h (10 %); felt 8.5 +- 2.0 h, peak at 2.5 +- 0.6 h",
            f"{lsd.peak[0]:.2f} ng/mL at {lsd.peak_hour[0]:.1f} h; felt {lsd.felt[0]:.1f} h, "
            f"peak at {lsd.intensity_hour[0]:.1f} h",
            abs(lsd.peak[0] - 1.7) < 0.17
            and abs(lsd.peak_hour[0] - 1.7) <= 0.17
            and abs(lsd.felt[0] - 8.5) <= 2
            and abs(lsd.intensity_hour[0] - 2.5) <= 0.6,
            "calibrated",
        ),
        judge(
            "DMT comes and goes in minutes",
            "bolus peaks within 3 min; infusion plateau by 30 min; under 10 % 15 min after its end",
            f"{60 * bolus:.1f} min; {at30 / at90:.0%} of the plateau; {after / at90:.0%}",
            60 * bolus <= 3 and at30 > 0.95 * at90 and after < 0.1 * at90,
            "calibrated",
        ),
        judge(
            "Blood pressure under psilocybin 25 mg",
            "mean peaks 146 (SD 19) / 94 (SD 10) mmHg, +- 8",
            f"{systolic.mean():.0f} ({systolic.std():.0f}) / {diastolic.mean():.0f} ({diastolic.std():.0f})",
            abs(systolic.mean() - 146) <= 8 and abs(diastolic.mean() - 94) <= 8,
            "calibrated",
        ),
        judge(
            "Blood pressure under MDMA",
            "P(systolic > 160) 0.33 +- 0.12 over 75 and 125 mg; more after 125",
            f"{np.mean(over):.2f} ({over[0]:.2f} and {over[1]:.2f})",
            abs(np.mean(over) - 0.33) <= 0.12 and over[1] > over[0],
            "calibrated",
        ),
    )
