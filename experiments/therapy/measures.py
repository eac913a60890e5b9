"""What the claims measure, in the protocol that was asked for and in those that come with the package."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS
from pcmodel.report import Perturbation
from pcmodel.sessions.cohort import Cohort, follow
from pcmodel.sessions.readouts import (
    day_of,
    improvement,
    negative_confidence,
    rank_correlation,
    ranked,
)

from .perturb import Asked, account_of, cohort_of, protocol_of, study_of
from .simulate import DRUG, NONE, THERAPY, WHOLE, Config, asked_of, reading_day

DIRECTIVE = ("directive_true", "directive_false")
GENTLE = ("non_directive_true", "non_directive_false")
SOBER = "_without_drug"


def gained(cohort: Cohort, day: float) -> dict[str, np.ndarray]:
    """Improvement of each person by arm, symptom points."""
    return dict(zip(cohort.arms, improvement(cohort, day=day), strict=True))


def two_errors(values: np.ndarray) -> float:
    """Two standard errors of a mean over people."""
    return float(2 * values.std(ddof=1) / np.sqrt(len(values)))


class Still(NamedTuple):
    """Largest change of a belief without evidence, belief units, over people, days and accounts; with it, the largest."""

    without: float
    with_evidence: float


def without_evidence(config: Config, seed: int) -> Still:
    """Every account, every person, with all effects and the window, and no evidence of any kind."""
    asked = asked_of(config, seed)
    study = study_of(asked)
    silent = study._replace(
        course=study.course._replace(precision=jnp.zeros_like(study.course.precision))
    )
    accounts = [account_of(config.account)]
    if config.rivals:
        accounts = [account_of(name) for name in ACCOUNTS]
    moved = 0.0
    for account in accounts:
        belief = np.asarray(follow(silent, account=account).belief)
        moved = max(moved, float(np.abs(belief - belief[..., :1]).max()))
    seen = cohort_of(asked, config.account).belief
    return Still(moved, float(np.abs(seen - seen[..., :1]).max()))


class Synergy(NamedTuple):
    """Improvement beyond that of the untreated, points: together, therapy, drug; and two standard errors of
    together minus both apart."""

    together: float
    therapy: float
    drug: float
    surplus: float
    error: float


def synergy(config: Config, seed: int, perturbation: Perturbation) -> Synergy:
    """Of the protocol that was asked for."""
    asked = asked_of(config, seed)
    day = reading_day(protocol_of(config.protocol))
    own = gained(cohort_of(asked, config.account, perturbation), day)
    both, therapy, drug = (own[arm] - own[NONE] for arm in (WHOLE, THERAPY, DRUG))
    surplus = both - therapy - drug
    return Synergy(
        both.mean(),
        therapy.mean(),
        drug.mean(),
        surplus.mean(),
        two_errors(surplus),
    )


class Kept(NamedTuple):
    """Improvement at the reading day, points: as planned and otherwise, and two standard errors of the difference."""

    planned: float
    otherwise: float
    difference: float
    error: float


def compared(config: Config, seed: int, perturbation: Perturbation, other: str) -> Kept:
    """The whole treatment against another arm."""
    asked = asked_of(config, seed)
    day = reading_day(protocol_of(config.protocol))
    own = gained(cohort_of(asked, config.account, perturbation), day)
    difference = own[WHOLE] - own[other]
    return Kept(
        own[WHOLE].mean(), own[other].mean(), difference.mean(), two_errors(difference)
    )


def integration(config: Config, seed: int, perturbation: Perturbation) -> Kept:
    """With integration and without."""
    return compared(config, seed, perturbation, "no_integration")


def setting(config: Config, seed: int, perturbation: Perturbation) -> Kept:
    """In the setting as planned, and in one that says the opposite."""
    return compared(config, seed, perturbation, "harmful_setting")


class Carried(NamedTuple):
    """Therapy's share of the gain of MDMA with therapy: since the start, and beyond the untreated."""

    share: float
    beyond: float


def carried(config: Config, seed: int, perturbation: Perturbation) -> Carried:
    """Of the protocol mdma_trauma, at the last follow-up day."""
    asked = Asked("mdma_trauma", (WHOLE, THERAPY, NONE), config.people, seed)
    day = reading_day(protocol_of("mdma_trauma"))
    own = gained(cohort_of(asked, config.account, perturbation), day)
    whole, therapy, alone = (own[arm].mean() for arm in (WHOLE, THERAPY, NONE))
    return Carried(over(therapy, whole), over(therapy - alone, whole - alone))


def over(part: float, whole: float) -> float:
    """A ratio; NaN over nothing."""
    return float(part / whole) if abs(whole) > 1e-9 else np.nan


class Suggested(NamedTuple):
    """How far a true and a false suggestion are apart in the belief the day after, belief units.

    directive_drug, directive_sober: directive.  gentle_drug, gentle_sober: non-directive.
    """

    directive_drug: float
    directive_sober: float
    gentle_drug: float
    gentle_sober: float


def suggested(config: Config, seed: int, perturbation: Perturbation) -> Suggested:
    """Of the protocol suggestion_contrast, on the day after."""
    every = [*DIRECTIVE, *GENTLE]
    arms = (*every, *(name + SOBER for name in every))
    asked = Asked("suggestion_contrast", arms, config.people, seed)
    found = cohort_of(asked, config.account, perturbation)
    day = day_of(found, 1)
    belief = dict(zip(found.arms, found.belief[..., day].mean(axis=1), strict=True))

    def apart(names: tuple[str, str], state: str = "") -> float:
        return float(belief[names[0] + state] - belief[names[1] + state])

    return Suggested(
        apart(DIRECTIVE), apart(DIRECTIVE, SOBER), apart(GENTLE), apart(GENTLE, SOBER)
    )


class Who(NamedTuple):
    """Rank correlations of improvement with two traits, in the psychedelic's arm and in the comparator's.

    suggestible_drug, expecting_drug: in the psychedelic's arm.  suggestible_other, expecting_other: in the comparator's.
    leads_drug: by how much suggestibility tells more than expectancy on the psychedelic: value, and the ends of the
        interval that holds 95 % of resampled groups of people.
    leads_other: by how much expectancy tells more than suggestibility on the comparator, likewise.
    """

    suggestible_drug: float
    expecting_drug: float
    suggestible_other: float
    expecting_other: float
    leads_drug: np.ndarray
    leads_other: np.ndarray


def who_improves(config: Config, seed: int, perturbation: Perturbation) -> Who:
    """Of the protocol psilocybin_escitalopram, on its last day."""
    asked = Asked("psilocybin_escitalopram", (WHOLE, "comparator"), config.people, seed)
    day = reading_day(protocol_of(asked.protocol))
    own = gained(cohort_of(asked, config.account, perturbation), day)
    people = study_of(asked).people
    traits = [np.asarray(t, float) for t in (people.suggestibility, people.expectancy)]
    drug, other = (
        lead(traits[0], traits[1], own[arm], seed=seed) for arm in asked.arms
    )
    (own_first, own_second), (other_first, other_second) = drug.each, other.each
    return Who(
        *(own_first, own_second),
        *(other_first, other_second),
        leads_drug=drug.difference,
        leads_other=-other.difference[[0, 2, 1]],
    )


class Lead(NamedTuple):
    """Rank correlations of two traits with one outcome; the first less the second, with the ends of its interval."""

    each: np.ndarray
    difference: np.ndarray


RESAMPLES = 2000


def lead(
    first: np.ndarray, second: np.ndarray, outcome: np.ndarray, *, seed: int
) -> Lead:
    """The interval is the bootstrap's over people, who keep both traits and their outcome: the correlations are not
    independent."""
    rows = np.stack([first, second, outcome])
    count = rows.shape[1]
    drawn = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    resampled = np.stack([rank_correlations(rows[:, each]) for each in drawn])
    each = rank_correlations(rows)
    # Resamples in which a trait or the outcome is the same in everybody tell nothing.
    differences = resampled[:, 0] - resampled[:, 1]
    told = differences[np.isfinite(differences)]
    if not len(told):
        return Lead(each, np.full(3, np.nan))
    low, high = np.quantile(told, (0.025, 0.975))
    return Lead(each, np.array([each[0] - each[1], low, high]))


def rank_correlations(rows: np.ndarray) -> np.ndarray:
    """Spearman's, of each row but the last with the last; NaN where a row does not vary."""
    ranks = np.stack([ranked(row) for row in rows])
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=1))
    below = size[:-1] * size[-1]
    shared = ranks[:-1] @ ranks[-1]
    return np.where(below > 0, shared / np.where(below > 0, below, 1.0), np.nan)


class Confidence(NamedTuple):
    """Fall of the confidence that the self is bad, a week after 25 and 1 mg; and the rank correlation, over people, of
    its fall with the strongest effect that was felt."""

    full: float
    low: float
    correlation: float


def confidence(config: Config, seed: int, perturbation: Perturbation) -> Confidence:
    """Of the protocol psilocybin_depression, a week after the dose."""
    asked = Asked("psilocybin_depression", (WHOLE, "low_dose"), config.people, seed)
    found = cohort_of(asked, config.account, perturbation)
    told = negative_confidence(found)
    fall = told[..., day_of(found, 0)] - told[..., day_of(found, 8)]
    peak = np.asarray(study_of(asked).treatment.acute.peak[0, :, -1], float)
    r = rank_correlation(peak, fall[0], "effect").value
    return Confidence(fall[0].mean(), fall[1].mean(), r)


def ketamine_cohort(config: Config, seed: int, *perturbations: Perturbation) -> Cohort:
    """Of the protocol ketamine_reactivation, the drug and its comparator."""
    asked = Asked("ketamine_reactivation", (WHOLE, "midazolam"), config.people, seed)
    return cohort_of(asked, config.account, *perturbations)


class Null(NamedTuple):
    """Ketamine after reactivation against its comparator at 30 days, in units of the spread of change between people."""

    standardised: float


def ketamine_null(config: Config, seed: int, perturbation: Perturbation) -> Null:
    """As set, or with one parameter perturbed."""
    return Null(difference(ketamine_cohort(config, seed, perturbation), MONTH))


MONTH = 30
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


class NullRange(NamedTuple):
    """The same where the rise of the window (first row) or the rate of learning (second) is multiplied by `FACTORS`."""

    standardised: np.ndarray


def ketamine_range(config: Config, seed: int) -> NullRange:
    """Over a quarter to four times both."""
    rows = [
        [
            difference(
                ketamine_cohort(config, seed, Perturbation(path, "", factor)), MONTH
            )
            for factor in FACTORS
        ]
        for path in ("drug.window", "dynamics.mean_rate")
    ]
    return NullRange(np.asarray(rows))


def difference(cohort: Cohort, day: float) -> float:
    """The first arm's improvement minus the second's, over their pooled spread."""
    first, second = improvement(cohort, day=day)[:2]
    pooled = np.sqrt(0.5 * (first.var(ddof=1) + second.var(ddof=1)))
    return over(first.mean() - second.mean(), pooled)


class Undone(NamedTuple):
    """Points of improvement at the end with avoidance as it is and without, in the arm with drug and therapy."""

    with_avoidance: float
    without: float
    error: float


def undone(config: Config, seed: int, perturbation: Perturbation) -> Undone:
    """Of the protocol that was asked for, on its last day."""
    asked = asked_of(config, seed)
    day = protocol_of(config.protocol).length
    bold = Perturbation("people.avoidance", "", 0.0)
    here, there = (
        gained(cohort_of(asked, config.account, perturbation, *more), day)[WHOLE]
        for more in ((), (bold,))
    )
    return Undone(here.mean(), there.mean(), two_errors(there - here))
