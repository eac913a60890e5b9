"""One simulated person: every parameter of the chain, as arrays.

The typical participant has the values of the tables; others are drawn around it, log-normally,
so that the typical one is the median. All functions that use a participant take one and are
mapped over several by `vmap`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.neuromodulation.compounds import Compound, Library
from pcmodel.neuromodulation.pharmacology.kinetics import Kinetics
from pcmodel.neuromodulation.table import Number, assumptions, builtin, read_table
from pcmodel.runtime.memory import check_fits

SIGNS = ("systolic", "diastolic", "heart_rate")

UNITS = {
    "share": "pet_ceiling half full ego_half least onset rise_cv",
    "multiple": "serotonin_k_2a serotonin_k_1a tone excess",
    "tau": "serotonin_efficacy_2a serotonin_efficacy_1a",
    "1/h": "release refill down_regulation recovery habituation heart_habituation",
    "mmHg": "systolic diastolic systolic_sd diastolic_sd",
    "bpm": "heart_rate heart_rate_sd",
    "cv": "clearance volume absorption affinity onset",
    "power": "slope power",
}


class Ligands(NamedTuple):
    """The numbers of each compound; constants are infinite where it does not act.

    kinetics: every field (compounds,).
    k_2a: K at 5-HT2A, ng/mL.
    off_2a: dissociation rate at 5-HT2A, 1/h; infinite where not known.
    efficacy_2a: tau at 5-HT2A.
    k_1a: K at 5-HT1A, ng/mL.
    efficacy_1a: tau at 5-HT1A.
    release_ec50: of the release of serotonin, ng/mL.
    nmda_ic50: of the block of NMDA channels, ng/mL.
    rises: of systolic and diastolic pressure (mmHg) and heart rate (bpm) per unit of drive, before
        habituation.
    """

    kinetics: Kinetics
    k_2a: Float[Array, " compounds"]
    off_2a: Float[Array, " compounds"]
    efficacy_2a: Float[Array, " compounds"]
    k_1a: Float[Array, " compounds"]
    efficacy_1a: Float[Array, " compounds"]
    release_ec50: Float[Array, " compounds"]
    nmda_ic50: Float[Array, " compounds"]
    rises: Float[Array, "compounds signs"]


class Physiology(NamedTuple):
    """The numbers of a person that do not depend on compounds; `physiology.csv` has their sources.

    slope: exponent of the operational model.
    pet_ceiling: share of PET binding that can be displaced.
    serotonin_k_2a: K of serotonin at 5-HT2A, the unit in which serotonin is counted.
    serotonin_k_1a: K of serotonin at 5-HT1A, in multiples of that at 5-HT2A.
    serotonin_efficacy_2a: tau of serotonin at 5-HT2A.
    serotonin_efficacy_1a: tau of serotonin at 5-HT1A.
    tone: serotonin at rest, in multiples of its K at 5-HT2A.
    excess: serotonin released from a full store, in multiples of its K at 5-HT2A.
    release: rate at which the store is depleted, 1/h.
    refill: rate at which the store is refilled, 1/h.
    down_regulation: rate at which occupied 5-HT2A receptors are lost, 1/h.
    recovery: rate at which 5-HT2A receptors return, 1/h.
    half: response at half of the second stage's ceiling, share.
    power: exponent of the second stage.
    full: response of psilocin at every receptor, share.
    ego_half: response at half of the maximal bad effects, share.
    least: smallest effect that is felt, share.
    onset: response at which the rival second stage begins, share.
    resting: systolic and diastolic pressure (mmHg) and heart rate (bpm).
    habituation: rate for each of these signs, 1/h.
    """

    slope: Array
    pet_ceiling: Array
    serotonin_k_2a: Array
    serotonin_k_1a: Array
    serotonin_efficacy_2a: Array
    serotonin_efficacy_1a: Array
    tone: Array
    excess: Array
    release: Array
    refill: Array
    down_regulation: Array
    recovery: Array
    half: Array
    power: Array
    full: Array
    ego_half: Array
    least: Array
    onset: Array
    resting: Float[Array, " signs"]
    habituation: Float[Array, " signs"]


class Variation(NamedTuple):
    """The variation between people.

    clearance: coefficient of variation.
    volume: coefficient of variation of the volume of distribution.
    absorption: coefficient of variation of the absorption rate.
    affinity: coefficient of variation of all K at one receptor.
    onset: coefficient of variation of the second stage's midpoint and threshold.
    rise: coefficient of variation of the rise of vital signs.
    resting: SD of systolic and diastolic pressure (mmHg) and heart rate (bpm) at rest.
    """

    clearance: ArrayLike
    volume: ArrayLike
    absorption: ArrayLike
    affinity: ArrayLike
    onset: ArrayLike
    rise: ArrayLike
    resting: Float[Array, " signs"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Participant:
    """One person, or many with a leading axis on every array.

    Attributes:
        ligands: the numbers of each compound.
        physiology: the numbers that do not depend on compounds.
        compounds: their names, in the order of the arrays.
        has_releaser: whether any of them releases serotonin; the store is then integrated.
    """

    ligands: Ligands
    physiology: Physiology
    compounds: tuple[str, ...] = field(metadata={"static": True})
    has_releaser: bool = field(metadata={"static": True})


@cache
def physiology_table() -> dict[tuple[str, str], Number]:
    """The rows of `physiology.csv` by subject and quantity."""
    units: dict[str, set[str]] = {}
    for unit, quantities in UNITS.items():
        for quantity in quantities.split():
            units.setdefault(quantity, set()).add(unit)
    rows = read_table(builtin("physiology.csv"), units)
    return {(row.subject, row.quantity): row for row in rows}


def physiology_assumptions() -> list[str]:
    """The assumed numbers of `physiology.csv`, one sentence each."""
    return assumptions(list(physiology_table().values()))


def of_person(subject: str, quantity: str) -> float:
    """The value of one number of `physiology.csv`."""
    return physiology_table()[subject, quantity].value


@checked_arguments
def typical(library: Library, *names: str) -> Participant:
    """The median participant, with the numbers of the compounds that will be taken.

    UserError for an unknown compound, or none.
    """
    if not names or [name for name in names if not isinstance(name, str)]:
        raise UserError(
            f"a participant is made for {', '.join(map(repr, names)) or 'no compound'}",
            expected='one name or more: typical(library, "LSD", "ketanserin")',
        )
    chosen = [library[name] for name in dict.fromkeys(names)]
    return Participant(
        stack_ligands(chosen),
        typical_physiology(),
        tuple(compound.name for compound in chosen),
        any("release_ec50" in compound.numbers for compound in chosen),
    )


def stack_ligands(compounds: list[Compound]) -> Ligands:
    """The compounds' numbers as arrays."""

    def column(quantity: str, default: float = np.inf) -> Array:
        # numpy first: one device array for each number would compile for every shape.
        values = np.asarray([c.get(quantity, default) for c in compounds])
        return jnp.asarray(values, float)

    rates = np.log(2.0) / np.asarray([c.get("half_life", np.inf) for c in compounds])
    # NaN where a route is not possible.
    shares = [c.get("bioavailability", np.nan if c.is_oral else 1.0) for c in compounds]
    kinetics = Kinetics(
        column("lag", 0.0),
        column("absorption_rate", np.nan),
        jnp.asarray(rates, float),
        column("volume"),
        column("effect_site_rate"),
        jnp.asarray(np.asarray(shares), float),
    )
    rises = [[c.get(f"{sign}_rise", 0.0) for sign in SIGNS] for c in compounds]
    return Ligands(
        kinetics,
        column("k_2a"),
        column("off_rate_2a"),
        column("efficacy_2a", 0.0),
        column("k_1a"),
        column("efficacy_1a", 0.0),
        column("release_ec50"),
        column("nmda_ic50"),
        jnp.asarray(rises, float),
    )


def typical_physiology() -> Physiology:
    """The median person of `physiology.csv`."""

    def value(subject: str, quantity: str) -> Array:
        return jnp.asarray(of_person(subject, quantity), float)

    def values(subject: str, quantities: Iterable[str]) -> Array:
        return jnp.asarray([of_person(subject, each) for each in quantities], float)

    homes = {
        "receptors": "slope pet_ceiling serotonin_k_2a serotonin_k_1a "
        "serotonin_efficacy_2a serotonin_efficacy_1a tone down_regulation recovery",
        "serotonin_store": "excess release refill",
        "transducer": "half power full ego_half least",
        "threshold": "onset",
    }
    scalars = {
        name: value(subject, name)
        for subject, names in homes.items()
        for name in names.split()
    }
    pace = ("habituation", "habituation", "heart_habituation")
    return Physiology(
        **scalars,
        resting=values("body", SIGNS),
        habituation=values("body", pace),
    )


def typical_variation() -> Variation:
    """The variation between people in `physiology.csv`."""
    names = ("clearance", "volume", "absorption", "affinity", "onset")
    return Variation(
        *(of_person("variation", name) for name in names),
        rise=of_person("body", "rise_cv"),
        resting=jnp.asarray([of_person("body", f"{sign}_sd") for sign in SIGNS], float),
    )


@checked_arguments
def draw_participants(
    person: Participant, key: Array, number: int, variation: Variation | None = None
) -> Participant:
    """People drawn around one person, with a leading axis on every array.

    Clearance, volume and absorption vary for each compound separately, affinities jointly for each
    receptor; resting signs, the size of their rise and the second stage's onset vary, too. Equal
    keys yield the same people whatever is taken and in whatever order, so that sessions of one
    person can be compared.
    UserError unless one person is given, the number is 1 or more and the variation is not negative.
    """
    check_one(person)
    key, number = check_key(key), whole_number(number, "number of participants")
    check_fits(number, 40 + 20 * len(person.compounds), what="so many participants")
    check_variation(variation)
    spread = variation or typical_variation()
    return jax.vmap(lambda one: draw_one(person, one, spread))(
        jax.random.split(key, number)
    )


def check_one(person: Participant) -> None:
    """UserError for a group where one person is meant."""
    if np.ndim(person.physiology.half) or np.ndim(person.ligands.k_2a) != 1:
        raise UserError(
            "is a group of people, their arrays have a leading axis",
            where="participant",
            expected="one person: map over the group with jax.vmap",
        )


def check_variation(variation: Variation | None) -> None:
    """UserError unless every number of the variation is finite and not negative."""
    for name, value in zip(Variation._fields, variation or (), strict=False):
        if isinstance(value, Tracer):
            continue
        number = np.asarray(value)
        if not np.all((number >= 0) & (number < np.inf)):
            raise UserError(
                f"variation of {name} is {value}", expected="finite, 0 or more"
            )


def draw_one(person: Participant, key: Array, variation: Variation) -> Participant:
    """One person drawn around another."""
    keys = jax.random.split(key, 7)
    for_clearance, for_volume, for_absorption, *others = keys
    for_affinity, for_onset, for_resting, for_rise = others
    ligands, physiology = person.ligands, person.physiology
    names = jnp.asarray([crc32(name.encode()) for name in person.compounds], jnp.uint32)

    def by_compound(key: Array, cv: ArrayLike) -> Array:
        # Keyed by name, so that a person is the same whatever else is taken.
        return jax.vmap(lambda name: log_normal(jax.random.fold_in(key, name), cv, ()))(
            names
        )

    clearance = by_compound(for_clearance, variation.clearance)
    volume = by_compound(for_volume, variation.volume)
    absorption = by_compound(for_absorption, variation.absorption)
    kinetics = ligands.kinetics._replace(
        absorption=ligands.kinetics.absorption * absorption,
        elimination=ligands.kinetics.elimination * clearance / volume,
        volume=ligands.kinetics.volume * volume,
    )
    affinity = log_normal(for_affinity, variation.affinity, (2,))
    onset = log_normal(for_onset, variation.onset, ())
    deviations = jax.random.normal(for_resting, (3,))
    resting = physiology.resting + variation.resting * deviations
    reactivity = log_normal(for_rise, variation.rise, ())
    return replace(
        person,
        ligands=ligands._replace(
            kinetics=kinetics,
            k_2a=ligands.k_2a * affinity[0],
            k_1a=ligands.k_1a * affinity[1],
            rises=ligands.rises * reactivity,
        ),
        physiology=physiology._replace(
            half=physiology.half * onset,
            ego_half=physiology.ego_half * onset,
            onset=physiology.onset * onset,
            resting=resting,
        ),
    )


def log_normal(key: Array, cv: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Log-normal factors of median 1 with this coefficient of variation."""
    sd = jnp.sqrt(jnp.log1p(jnp.square(jnp.asarray(cv, float))))
    return jnp.exp(sd * jax.random.normal(key, shape))
