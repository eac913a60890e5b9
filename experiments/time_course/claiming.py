"""The claims: when each holds, how it is told, and which parameters could overturn it."""

from functools import partial

import numpy as np

from .._claims import Claim, Knob, half_life
from .computing import (
    Config,
    infusion_course,
    second_dose,
    zero_dose_is_identical,
)
from .measuring import (
    HOLZE,
    SPREADS,
    hypertension,
    lsd,
    mean_ratio,
    pressure,
    psilocin,
    ratio,
    ratio_in_vitro,
    spreads,
)

PSILOCIN = (
    half_life("psilocin half-life", "psilocybin"),
    Knob("psilocin volume", "kinetics.volume", "psilocybin"),
    Knob("psilocin absorption rate", "kinetics.absorption", "psilocybin"),
)
ACTION = (
    Knob("psilocin K at 5-HT2A", "ligands.k_2a", "psilocybin"),
    Knob("psilocin efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
)
STAGE = (
    Knob("second-stage midpoint", "physiology.half"),
    Knob("second-stage power", "physiology.power"),
    Knob("slope of the operational model", "physiology.slope"),
)
LSD = (
    half_life("LSD half-life", "LSD"),
    Knob("LSD effect-site rate", "kinetics.effect_site", "LSD"),
    Knob("LSD K at 5-HT2A", "ligands.k_2a", "LSD"),
)
DIFFERENCES = tuple(
    Knob(f"variation of {name}", f"variation.{name}")
    for name in ("clearance", "volume", "absorption", "affinity", "onset")
)
STORE = (
    Knob("release from the store", "physiology.release"),
    Knob("refill of the store", "physiology.refill"),
    Knob("MDMA concentration of half release", "ligands.release_ec50", "MDMA"),
    half_life("MDMA half-life", "MDMA"),
    Knob("MDMA absorption rate", "kinetics.absorption", "MDMA"),
)
PRESSURE = (
    Knob("habituation of pressure", "physiology.habituation"),
    Knob("variation of the rise", "variation.rise"),
    Knob("spread of resting pressure", "variation.resting"),
)


def claims(config: Config, seed: int = 0) -> tuple[Claim, ...]:
    """Every claim of the experiment, predictions first."""
    options = {"people": config.people, "seed": seed}
    return (*predictions(options), *calibrations(options), theorem(config))


def theorem(config: Config) -> Claim:
    """What the software must do."""
    return Claim(
        "Zero dose is no drug",
        "0 mg gives the same belief as an inert tablet, bit for bit",
        "theorem",
        lambda _: np.asarray([zero_dose_is_identical(config.account)]),
        lambda v: bool(v[0]),
        lambda v: "identical" if v[0] else "different",
    )


def told(number: float, form: str = ".2f") -> str:
    """A ratio of durations as text."""
    return f"{number:{form}}" if np.isfinite(number) else "no effect"


def predictions(options) -> tuple[Claim, ...]:
    """What could have failed."""
    return (
        Claim(
            "Psilocybin 20 mg ends before LSD 100 µg",
            "ratio of mean durations below 1 in 95 % of simulated studies of 32; published 4.9 h / 8.2 h = 0.60",
            "predicted",
            partial(mean_ratio, **options),
            lambda v: bool(v[2] < 1),
            lambda v: f"{told(v[0])} (90 % of studies {told(v[1])} to {told(v[2])})",
            (*PSILOCIN[:2], *ACTION, *LSD, STAGE[0]),
        ),
        Claim(
            "It ends before LSD in nearly everyone",
            "ratio of one person's durations below 1 in 95 % of people",
            "predicted",
            partial(ratio, **options),
            lambda v: bool(v[2] < 1),
            lambda v: f"{told(v[0])} (90 % of people {told(v[1])} to {told(v[2])})",
            (*PSILOCIN[:1], ACTION[0], *LSD, STAGE[0], *DIFFERENCES),
        ),
        Claim(
            "The ratio does not depend on the test tube",
            "with in-vitro efficacies (LSD 28 %, psilocin 16 % of serotonin) and clinical EC50s kept, "
            "the ratio stays within 0.2 of the published 0.60",
            "predicted",
            partial(ratio_in_vitro, **options),
            lambda v: bool(abs(v[0] - 0.6) < 0.2),
            lambda v: told(v[0]),
            (PSILOCIN[0], ACTION[0], *LSD, STAGE[0]),
        ),
        Claim(
            "People differ in duration as published",
            "SD of hours felt within a factor of 1.5 of the published "
            + ", ".join(f"{name} {mg:g}: {sd:g}" for (name, mg), sd in SPREADS.items()),
            "predicted",
            partial(spreads, **options),
            lambda v: bool(
                all(
                    1 / 1.5 < sd / known < 1.5
                    for sd, known in zip(v, SPREADS.values(), strict=True)
                )
            ),
            lambda v: ", ".join(
                f"{name} {mg:g}: {sd:.1f} h"
                for (name, mg), sd in zip(SPREADS, v, strict=True)
            ),
            (*DIFFERENCES, PSILOCIN[0], LSD[0], STAGE[0]),
        ),
        Claim(
            "A second dose of MDMA does less",
            "100 mg again after 4 h adds less than half of the first peak, plasma being twice as high",
            "predicted",
            second_dose,
            lambda v: bool(v[1] < 0.5 * v[0]),
            lambda v: f"adds {v[1] / v[0]:.0%} of the first peak",
            (*STORE, Knob("pause between doses", "dose.hours", "MDMA")),
        ),
    )


def calibrations(options) -> tuple[Claim, ...]:
    """Numbers that parameters were set from."""
    return (*psilocin_calibrations(options), *other_calibrations(options))


def psilocin_calibrations(options) -> tuple[Claim, ...]:
    """What the second stage and psilocin's kinetics were set from; group means."""
    known = list(HOLZE.values())
    return (
        Claim(
            "Psilocin in plasma",
            "mean Cmax 10-13, 16-19, 19-24 ng/mL after 15, 25, 30 mg; tmax 2.0 +- 0.3 h",
            "calibrated",
            partial(psilocin, **options),
            lambda v: bool(
                all(
                    low <= mean <= high
                    for mean, ((low, high), *_) in zip(v[:3], known, strict=True)
                )
                and abs(v[4] - 2) <= 0.3
            ),
            lambda v: ", ".join(f"{x:.1f}" for x in v[:3]) + f" ng/mL; {v[4]:.1f} h",
            PSILOCIN,
        ),
        Claim(
            "Psilocybin intensity and duration",
            "means 58, 73, 80 % (+- 8) and 5.6, 5.5, 6.4 h (+- 1)",
            "calibrated",
            partial(psilocin, **options),
            lambda v: bool(
                all(
                    abs(percent - wanted) <= 8 and abs(hours - long) <= 1
                    for percent, hours, (_, wanted, long) in zip(
                        v[6:9], v[9:], known, strict=True
                    )
                )
            ),
            lambda v: (
                ", ".join(f"{x:.0f} %" for x in v[6:9])
                + "; "
                + ", ".join(f"{x:.1f} h" for x in v[9:])
            ),
            (*PSILOCIN, *ACTION, *STAGE),
        ),
        Claim(
            "Blood pressure under psilocybin 25 mg",
            "mean peaks 146 (SD 19) / 94 (SD 10) mmHg, +- 8",
            "calibrated",
            partial(pressure, **options),
            lambda v: bool(abs(v[0] - 146) <= 8 and abs(v[2] - 94) <= 8),
            lambda v: f"{v[0]:.0f} ({v[1]:.0f}) / {v[2]:.0f} ({v[3]:.0f})",
            (Knob("psilocybin's rise", "ligands.rises", "psilocybin"), *PRESSURE),
        ),
    )


def other_calibrations(options) -> tuple[Claim, ...]:
    """LSD, DMT and MDMA."""
    return (
        Claim(
            "LSD 100 µg",
            "means: Cmax 1.7 ng/mL at 1.7 h (10 %); felt 8.5 +- 2.0 h, peak at 2.5 +- 0.6 h",
            "calibrated",
            partial(lsd, **options),
            lambda v: bool(
                abs(v[0] - 1.7) < 0.17
                and abs(v[1] - 1.7) <= 0.17
                and abs(v[2] - 8.5) <= 2
                and abs(v[3] - 2.5) <= 0.6
            ),
            lambda v: (
                f"{v[0]:.2f} ng/mL at {v[1]:.1f} h; felt {v[2]:.1f} h, peak at {v[3]:.1f} h"
            ),
            (*LSD, Knob("LSD absorption rate", "kinetics.absorption", "LSD"), STAGE[0]),
        ),
        Claim(
            "DMT comes and goes in minutes",
            "bolus peaks within 3 min; infusion plateau by 30 min; under 10 % 15 min after its end",
            "calibrated",
            infusion_course,
            lambda v: bool(60 * v[3] <= 3 and v[0] > 0.95 * v[1] and v[2] < 0.1 * v[1]),
            lambda v: (
                f"{60 * v[3]:.1f} min; {v[0] / v[1]:.0%} of the plateau; {v[2] / v[1]:.0%}"
                if v[1] > 0
                else "no effect"
            ),
            (
                half_life("DMT half-life", "DMT"),
                Knob("DMT volume", "kinetics.volume", "DMT"),
                Knob("DMT effect-site rate", "kinetics.effect_site", "DMT"),
                Knob("DMT K at 5-HT2A", "ligands.k_2a", "DMT"),
                STAGE[0],
            ),
        ),
        Claim(
            "Blood pressure under MDMA",
            "P(systolic > 160) 0.33 +- 0.12 over 75 and 125 mg; more after 125",
            "calibrated",
            partial(hypertension, **options),
            lambda v: bool(abs(np.mean(v) - 0.33) <= 0.12 and v[1] > v[0]),
            lambda v: f"{np.mean(v):.2f} ({v[0]:.2f} and {v[1]:.2f})",
            (Knob("MDMA's rise", "ligands.rises", "MDMA"), *PRESSURE, *STORE[:3]),
        ),
    )
