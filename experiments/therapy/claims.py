"""The claims: when each holds, how it is told, and which parameters could overturn it."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from pcmodel.report import Claim, Table, Verdict
from pcmodel.sessions.cohort import Cohort
from pcmodel.sessions.person.traits import UNITS, find_phenotype
from pcmodel.sessions.readouts import (
    POINTS,
    WELL,
    improvement,
    relapse,
    responded,
)

from . import measures
from .perturb import ALL, DRUG, EVIDENCE, LEARNING, PEOPLE, protocol_of
from .simulate import Config, Results, arms_of, reading_day
from .under_accounts import (
    Outcomes,
    alike_in_words,
    all_alike,
    outcomes,
    tell_accounts,
)

CALIBRATED = (
    "The rates of learning and forgetting and avoidance were set by hand so that untreated people stay within about a "
    "fifth of a belief unit over twelve weeks while a course of therapy moves them by more; the strength of trust so that "
    "therapy carries about two thirds of MDMA's gain (Mitchell et al. 2023). Nothing else was fitted to an outcome."
)


def nothing_moves(found: measures.Still) -> bool:
    return found.without < 1e-9 and found.with_evidence > 0.1


def more_than_both(found: measures.Synergy) -> bool:
    return found.surplus > found.error


def drug_alone_does_little(found: measures.Synergy) -> bool | None:
    """Less than a tenth of what both do."""
    if not found.together > 0:
        return None
    return bool(found.drug < 0.1 * found.together)


def is_better(found: measures.Kept) -> bool:
    return found.difference > found.error


def two_thirds(found: measures.Carried) -> bool:
    return 0.45 <= found.share <= 0.75


def installs(found: measures.Suggested) -> bool:
    return found.directive_drug > 1.5 * max(found.directive_sober, 0) > 0


def suggestion_in_words(found: measures.Suggested) -> str:
    return (
        f"a true and a false suggestion are {found.directive_drug:.2f} apart under the drug and "
        f"{found.directive_sober:.2f} without it if directive, {found.gentle_drug:.2f} and {found.gentle_sober:.2f} if not"
    )


def as_published(found: measures.Who) -> bool | None:
    """Both orders, by intervals of the differences; inconclusive while one of them reaches over 0."""
    leads = (found.leads_drug, found.leads_other)
    if any(high < 0 for _, _, high in leads):
        return False
    return True if all(low > 0 for _, low, _ in leads) else None


def who_in_words(found: measures.Who) -> str:
    """The correlations, and the differences on which the verdict rests."""

    def ahead(lead: np.ndarray) -> str:
        value, low, high = lead
        return f"{value:+.2f} (95 % {low:+.2f} to {high:+.2f})"

    return (
        f"psilocybin: suggestibility {found.suggestible_drug:+.2f}, expectancy {found.expecting_drug:+.2f}, "
        f"difference {ahead(found.leads_drug)}; comparator: expectancy {found.expecting_other:+.2f}, "
        f"suggestibility {found.suggestible_other:+.2f}, difference {ahead(found.leads_other)}"
    )


def only_the_full_dose(found: measures.Confidence) -> bool:
    return found.full > 0.01 > found.low and found.correlation > 0.3


def is_null(found: measures.Null) -> bool:
    """Below a fifth of a standard deviation."""
    return abs(found.standardised) < NULL


NULL = 0.2
"""Standard deviations below which a difference counts as none."""


def is_null_somewhere(found: measures.NullRange) -> bool:
    return bool(np.any(np.abs(found.standardised) < NULL))


def range_in_words(found: measures.NullRange) -> str:
    window, rate = (
        ", ".join(
            f"{factor:g}"
            for factor, value in zip(measures.FACTORS, row, strict=True)
            if abs(value) < NULL
        )
        for row in found.standardised
    )
    low, high = found.standardised.min(), found.standardised.max()
    return (
        f"{low:+.2f} to {high:+.2f} SD; below {NULL} at the window times {window or 'none of these'}, at the rate times "
        f"{rate or 'none of these'}"
    )


def avoidance_costs(found: measures.Undone) -> bool:
    return found.without - found.with_avoidance > found.error


BY_ACCOUNT = (
    Claim(
        name="A drug without evidence changes nobody",
        prediction="under every account, with the window open, no belief moves",
        kind="theorem",
        measure=measures.without_evidence,
        holds=nothing_moves,
        observed="at most {without:.1e} belief units; with evidence up to {with_evidence:.2f}",
    ),
    Claim(
        name="Drug and therapy do more together than apart",
        prediction="improvement beyond the untreated exceeds the sum of both alone by more than two standard errors",
        kind="predicted",
        measure=measures.synergy,
        holds=more_than_both,
        observed="together {together:.1f} points; therapy {therapy:.1f}, drug {drug:.1f}: {surplus:+.1f} ± {error:.1f}",
        parameters=ALL,
    ),
    Claim(
        name="The drug alone does little",
        prediction="less than a tenth of what drug and therapy do together",
        kind="predicted",
        measure=measures.synergy,
        holds=drug_alone_does_little,
        observed="{drug:.2f} of {together:.1f} points beyond the untreated",
        parameters=ALL,
    ),
    Claim(
        name="Integration adds",
        prediction="with integration people are better at follow-up by more than two standard errors",
        kind="predicted",
        measure=measures.integration,
        holds=is_better,
        observed="{planned:.1f} points with it, {otherwise:.1f} without: {difference:+.1f} ± {error:.1f}",
        parameters=(*LEARNING, *DRUG),
    ),
    Claim(
        name="A setting that says the opposite costs improvement",
        prediction="improvement is less than in the setting as planned by more than two standard errors",
        kind="predicted",
        measure=measures.setting,
        holds=is_better,
        observed="{planned:.1f} points as planned, {otherwise:.1f} in the harmful setting: {difference:+.1f} ± {error:.1f}",
        parameters=(*LEARNING, *DRUG),
    ),
    Claim(
        name="Therapy carries most of the gain of MDMA with therapy",
        prediction="0.45 to 0.75 of it since the start (0.62 in Mitchell et al. 2023)",
        kind="calibrated",
        measure=measures.carried,
        holds=two_thirds,
        observed="{share:.2f} since the start; {beyond:.2f} beyond the untreated",
        parameters=(*LEARNING, *DRUG, *PEOPLE),
    ),
    Claim(
        name="A directive suggestion installs beliefs under the drug",
        prediction="a directive true and a directive false suggestion are more than 1.5 times as far apart with it",
        kind="predicted",
        measure=measures.suggested,
        holds=installs,
        observed=suggestion_in_words,
        parameters=(*LEARNING, *DRUG, *PEOPLE, *EVIDENCE[1:4]),
    ),
    Claim(
        name="Suggestibility tells who improves on the psychedelic, expectancy on the comparator",
        prediction="the order of the correlations published for psilocybin and escitalopram, by 95 % intervals of their "
        "differences in the same people",
        kind="predicted",
        measure=measures.who_improves,
        holds=as_published,
        observed=who_in_words,
        parameters=(*LEARNING, *PEOPLE[1:], *EVIDENCE[3:]),
    ),
    Claim(
        name="25 mg, and not 1 mg, lowers confidence in the negative belief",
        prediction="by more than 0.01 a week after; its fall correlates with the effect above 0.3",
        kind="predicted",
        measure=measures.confidence,
        holds=only_the_full_dose,
        observed="{full:.3f} after 25 mg, {low:.3f} after 1 mg; correlation {correlation:+.2f}",
        parameters=(*LEARNING, *DRUG, *PEOPLE[:1]),
    ),
    Claim(
        name="Ketamine after reactivation leaves no difference at 30 days",
        prediction="less than a fifth of a standard deviation from the comparator, as observed in 13 and 13 people",
        kind="predicted",
        measure=measures.ketamine_null,
        holds=is_null,
        observed="{standardised:+.2f} SD",
        parameters=(*LEARNING, *DRUG, *PEOPLE),
    ),
    Claim(
        name="Another strength of ketamine's window or of learning leaves no difference",
        prediction="at a quarter to four times one of them it is less than a fifth of a standard deviation",
        kind="predicted",
        measure=measures.ketamine_range,
        holds=is_null_somewhere,
        observed=range_in_words,
    ),
    Claim(
        name="Avoidance undoes gains",
        prediction="without avoidance people are better at the end by more than two standard errors",
        kind="predicted",
        measure=measures.undone,
        holds=avoidance_costs,
        observed="{with_avoidance:.1f} points with it, {without:.1f} without (± {error:.1f})",
        parameters=(*LEARNING, *DRUG, *PEOPLE),
    ),
)


def under_accounts(config: Config, seed: int) -> Outcomes:
    return outcomes(BY_ACCOUNT, config, seed)


UNDER_ACCOUNTS = Claim(
    name="No verdict hangs on the account of the drug",
    prediction="every claim above has the same outcome under every account of what the drug does",
    kind="predicted",
    measure=under_accounts,
    holds=all_alike,
    observed=alike_in_words,
)
CLAIMS = (*BY_ACCOUNT, UNDER_ACCOUNTS)


class Summary(NamedTuple):
    """On the day of reading: points of improvement and share of people who responded, by arm."""

    day: float
    arms: tuple[str, ...]
    points: tuple[float, ...]
    responded: tuple[float, ...]
    at_start: float
    verdicts: tuple[Verdict, ...] = ()


def summarise(config, results: Results) -> Summary:
    """The outcomes of the arms."""
    found = cohort_like(config, results)
    protocol = protocol_of(config.protocol)
    day = reading_day(protocol)
    points = improvement(found, day=day).mean(axis=1)
    shares = responded(found, day=day).mean(axis=1)
    start = np.maximum(POINTS * (WELL - results.belief[0, :, 0]), 0).mean()
    return Summary(
        float(day),
        found.arms,
        tuple(map(float, points)),
        tuple(map(float, shares)),
        float(start),
    )


def cohort_like(config: Config, results: Results) -> Cohort:
    """The readings of the results as a cohort of read-outs."""
    none = jnp.zeros((1, 1, 1))
    return Cohort(
        arms_of(protocol_of(config.protocol)),
        results.days,
        jnp.asarray(results.belief),
        jnp.asarray(results.log_precision),
        none,
        results.event_days,
        none,
        none[..., None],
    )


def tell_arms(config, results: Results, summary: Summary) -> Table:
    """The arms, on the day of reading."""
    protocol = protocol_of(config.protocol)
    rows = [
        (
            name,
            protocol.arm(name).about or "",
            f"{points:.1f}",
            f"{100 * share:.0f} %",
            f"{believed:.2f}",
        )
        for name, points, share, believed in zip(
            summary.arms,
            summary.points,
            summary.responded,
            results.believed,
            strict=True,
        )
    ]
    header = ("arm", "what it is", "points lost", "responded", "believes drug")
    return Table(header, rows)


def tell_rivals(results: Results) -> Table:
    """Improvement under each account."""
    rows = [
        (name, *(f"{value:.1f}" for value in own), f"{own[0] - own[1]:+.1f}")
        for name, own in results.rivals.items()
    ]
    header = ("account", "drug and therapy", "therapy", "drug", "untreated", "added")
    return Table(header, rows or [("none were asked for", "", "", "", "", "")])


def tell_people(config) -> Table:
    """The phenotype, with what each number rests on."""
    found = find_phenotype(protocol_of(config.protocol).condition)
    rows = [
        (name, f"{trait.median:g}", f"{trait.spread:g}", UNITS[name], trait.source)
        for name, trait in found.traits.items()
    ]
    return Table(("trait", "median", "spread", "unit", "source"), rows)


def tell_relapse(config, results: Results) -> Table:
    """Those who had responded before the adverse event, and what became of them."""
    protocol, found = protocol_of(config.protocol), cohort_like(config, results)
    event, header = protocol.adverse_event, ("arm", "had responded", "relapsed")
    if event is None or not found.days[0] < event.day < protocol.length:
        return Table(header, [("the protocol has no adverse event", "", "")])
    told = relapse(found, before=event.day, after=protocol.length)
    rows = [
        (name, f"{number} of {config.people}", in_percent(share))
        for name, number, share in zip(
            found.arms, told.responders, told.relapsed, strict=True
        )
    ]
    return Table(header, rows)


def in_percent(share: float) -> str:
    """A share in words."""
    return "nobody to relapse" if np.isnan(share) else f"{100 * share:.0f} %"


def tell_under_accounts(config, results: Results) -> Table:
    """Every claim under every account."""
    return tell_accounts(BY_ACCOUNT, config, results.tested[UNDER_ACCOUNTS.name].as_set)


TABLES = {
    "accounts": tell_under_accounts,
    "arms": tell_arms,
    "relapse": tell_relapse,
    "rivals": tell_rivals,
    "people": tell_people,
}
WORDS = {"calibrated": CALIBRATED}
