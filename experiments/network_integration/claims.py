"""The claims, and what result.json holds."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import BrainPlan, EyesClosed, as_correlation
from pcmodel.report import UNPERTURBED, Claim, Perturbation, Verdict

from .._brain import (
    FAVOURED,
    PARAMETERS,
    Paired,
    activity_of,
    modulation_of,
    paired,
    person,
)
from .._brain_imaging import bold_of
from .._brain_scans import SCANNED, image
from .context_claims import CONTEXT_CLAIMS
from .simulate import Config, Results, field

PROPORTION = "networks, noise in proportion"
POSITIVE = 0.3
"""Mean weight of a world in which networks are correlated positively: far more than in the recordings."""


class Order(NamedTuple):
    """Changes of mean Fisher z over people, with their t."""

    within: float
    between: float
    t_within: float
    t_between: float


def change(
    name: str,
    measure: str,
    config: Config,
    seed: int,
    perturbation: Perturbation,
    kind: str = "networks",
) -> Paired:
    """One measure's change from placebo, eyes closed."""
    setting = config.setting(seed)
    before, after = (
        field(image(kind, one, "closed", setting, perturbation), measure)
        for one in ("placebo", name)
    )
    return paired(before, after)


def order_of(
    config: Config,
    seed: int,
    perturbation: Perturbation,
    name: str = "rebus",
    kind: str = "networks",
) -> Order:
    within, between = (
        change(name, one, config, seed, perturbation, kind)
        for one in ("within", "between")
    )
    return Order(within.change, between.change, within.t, between.t)


def between_first(found: Order) -> bool:
    """Between rises clearly; within falls by less, or does not fall."""
    rises = found.between > 0 and found.t_between > 2
    return rises and -found.within < found.between


def in_a_positive_world(config: Config, seed: int) -> Order:
    """The top favoured, where causes mostly add up."""
    world = Perturbation("world.mean_weight", "", POSITIVE / BrainPlan().mean_weight)
    return order_of(config, seed, world, "rebus, top favoured")


class Difference(NamedTuple):
    """Change of within minus between, % of that without drug: with the global signal, and without."""

    plain: float
    regressed: float


def difference(
    config: Config,
    seed: int,
    perturbation: Perturbation,
    name: str = "rebus",
    kind: str = "networks",
) -> Difference:
    told = []
    for end in ("", "_regressed"):
        within, between = (
            change(name, one + end, config, seed, perturbation, kind)
            for one in ("within", "between")
        )
        before = within.before - between.before
        told.append(100 * (within.change - between.change) / before)
    return Difference(*told)


def falls_as_published(found: Difference) -> bool:
    return all(-40 <= one <= -10 for one in found)


class Entropies(NamedTuple):
    """Change of the eigenspectrum's entropy, with t: regions; every unit a region."""

    regions: float
    t_regions: float
    fine: float
    t_fine: float


def entropies(
    config: Config, seed: int, perturbation: Perturbation, name: str = "rebus"
) -> Entropies:
    regions, fine = (
        change(name, one, config, seed, perturbation)
        for one in ("entropy", "fine_entropy")
    )
    return Entropies(regions.change, regions.t, fine.change, fine.t)


def both_rise(found: Entropies) -> bool:
    return found.regions > 0 < found.fine and min(found.t_regions, found.t_fine) > 2


class Excess(NamedTuple):
    """Change of within minus between under REBUS, less that under the null account, with its t over people."""

    rebus: float
    null: float
    t: float


def excess(config: Config, seed: int, perturbation: Perturbation) -> Excess:
    setting = config.setting(seed)
    rows = {
        name: image("networks", name, "closed", setting, perturbation)
        for name in ("placebo", "rebus", "uniform")
    }
    gap = {n: field(r, "within") - field(r, "between") for n, r in rows.items()}
    told = paired(gap["uniform"], gap["rebus"])
    return Excess(
        float((gap["rebus"] - gap["placebo"]).mean()),
        float((gap["uniform"] - gap["placebo"]).mean()),
        told.t,
    )


def more_than_the_null(found: Excess) -> bool:
    """It falls, and by more."""
    return found.rebus < min(found.null, 0.0) and found.t < -2


class Largest(NamedTuple):
    """Largest change of any correlation between regions in three people."""

    change: float


def noise_at_rest(config: Config, seed: int) -> Largest:
    """Of activity itself, without the scanner's noise."""
    setting, worst = config.setting(seed), 0.0
    for number in range(3):
        brain = person(seed, number, UNPERTURBED)
        matrices = []
        for name in ("placebo", "noise"):
            drug = modulation_of(brain, name, setting)
            bold = bold_of(brain, activity_of(brain, EyesClosed(), drug))
            matrices.append(as_correlation(bold.regions))
        worst = max(worst, float(np.abs(matrices[1] - matrices[0]).max()))
    return Largest(worst)


def nothing_changes(found: Largest) -> bool:
    return found.change < 1e-9


ORDER = "within {within:+.3f} (t {t_within:.1f}), between {between:+.3f} (t {t_between:.1f})"
FELL = "{plain:+.0f} % with the global signal, {regressed:+.0f} % without"
ROSE = "{regions:+.3f} (t {t_regions:.1f}) of 30 regions, {fine:+.3f} (t {t_fine:.1f}) of 60"
CLAIMS = (
    Claim(
        name="Between rises first (REBUS, measured map)",
        prediction="coupling between networks rises (t > 2), within falls less or not",
        kind="predicted",
        measure=order_of,
        holds=between_first,
        observed=ORDER,
        parameters=(*PARAMETERS, *SCANNED),
    ),
    Claim(
        name="Between rises first (REBUS, top favoured)",
        prediction="as above, if selectivity for the top is assumed",
        kind="predicted",
        measure=partial(order_of, name="rebus, top favoured"),
        holds=between_first,
        observed=ORDER,
        parameters=(*PARAMETERS, *FAVOURED, *SCANNED),
    ),
    Claim(
        name="Between rises first (REBUS, top favoured, causes that mostly add up)",
        prediction=f"as above, if the world's weights have mean {POSITIVE}, so that networks are correlated positively",
        kind="predicted",
        measure=in_a_positive_world,
        holds=between_first,
        observed=ORDER,
    ),
    Claim(
        name="Within minus between falls by 10 to 40 % (REBUS, measured map)",
        prediction="with and without global-signal regression (public data: -24 and -22 %)",
        kind="predicted",
        measure=difference,
        holds=falls_as_published,
        observed=FELL,
        parameters=(*PARAMETERS, *SCANNED),
    ),
    Claim(
        name="Within minus between falls by 10 to 40 % (REBUS, top favoured)",
        prediction="as above, if selectivity for the top is assumed",
        kind="predicted",
        measure=partial(difference, name="rebus, top favoured"),
        holds=falls_as_published,
        observed=FELL,
        parameters=(*PARAMETERS, *FAVOURED, *SCANNED),
    ),
    Claim(
        name="The eigenspectrum's entropy rises in either parcellation (REBUS, measured map)",
        prediction="t > 2 for 30 regions and for 60",
        kind="predicted",
        measure=entropies,
        holds=both_rise,
        observed=ROSE,
        parameters=(*PARAMETERS, *SCANNED),
    ),
    Claim(
        name="REBUS does more than the null account",
        prediction="within minus between falls by more than if every precision falls alike (t < -2)",
        kind="predicted",
        measure=excess,
        holds=more_than_the_null,
        observed="{rebus:+.3f}, null {null:+.3f}, difference's t {t:.1f}",
        parameters=(*PARAMETERS, *SCANNED),
    ),
    Claim(
        name="Between rises first, if noise is in proportion to the signal",
        prediction="REBUS by the measured map, with a scanner whose noise grows with the signal",
        kind="predicted",
        measure=partial(order_of, kind=PROPORTION),
        holds=between_first,
        observed=ORDER,
        parameters=(PARAMETERS[0], *SCANNED),
    ),
    Claim(
        name="Within minus between falls, if noise is in proportion to the signal",
        prediction="REBUS by the measured map, by 10 to 40 %",
        kind="predicted",
        measure=partial(difference, kind=PROPORTION),
        holds=falls_as_published,
        observed=FELL,
        parameters=(PARAMETERS[0], *SCANNED),
    ),
    Claim(
        name="Noise changes no correlation of activity at rest",
        prediction="with eyes closed a temperature multiplies every covariance alike (before the scanner's noise)",
        kind="theorem",
        measure=noise_at_rest,
        holds=nothing_changes,
        observed="largest change {change:.1g}",
    ),
    *CONTEXT_CLAIMS,
)


class Summary(NamedTuple):
    """What result.json holds: changes from placebo, eyes closed, by account: within, between, their t, entropy."""

    changes: dict[str, list[float]]
    public_coupling: np.ndarray
    public_entropy: np.ndarray
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Every account's changes with eyes closed."""
    rows = results.observed["closed"]
    told = {}
    for name, own in rows.items():
        pairs = [
            paired(field(rows["placebo"], one), field(own, one))
            for one in ("within", "between", "entropy")
        ]
        told[name] = [number for pair in pairs for number in (pair.change, pair.t)]
    return Summary(told, results.public.coupling, results.public.entropy)
