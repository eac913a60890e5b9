"""People: the traits that differ between them, and the phenotypes from which they are drawn.

A belief is measured in *belief units*: 1 is the standard deviation of one everyday experience; 0 is neutral, below is
bad. Precisions are per squared belief unit. Nobody measured these numbers in people: the tables say what each rests on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, SupportsIndex
from zlib import crc32

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import expit, logit
from jaxtyping import Float

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Finite, NotNegative
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.runtime.memory import check_fits


class Traits(NamedTuple):
    """The traits of one person, () each, or of several, (people,).

    belief: baseline mean of the belief about the self, belief units; negative is bad.
    log_precision: log of its baseline precision.
    suggestibility: factor on the precision of what a therapist says; 1 is average.
    expectancy: factor on the improvement that is expected; 1 is average.
    avoidance: share of everyday evidence that somebody sure of a negative belief does not meet, 0 to 1.
    rumination: factor on the precision of a memory that is replayed with the feeling the belief predicts.
    alliance: share of the therapist's words that is heard at the start, 0 to 1.
    alliance_growth: factor on what alliance gains in a session.
    validity: prior probability that an experience says something about the self, 0 to 1; low is cognitive immunisation.
    learning: factor on the rates of learning; 1 is average.
    """

    belief: Array
    log_precision: Array
    suggestibility: Array
    expectancy: Array
    avoidance: Array
    rumination: Array
    alliance: Array
    alliance_growth: Array
    validity: Array
    learning: Array


@checked_arguments
@dataclass(frozen=True)
class Trait:
    """How one trait is distributed over people.

    median: of people, in the trait's unit.
    spread: standard deviation between people: of the trait itself (belief), of its logarithm (precision and factors),
        or of its log odds (shares).
    source: a publication, or "assumed" and a reason.
    """

    median: Finite
    spread: NotNegative
    source: str


FACTORS = (
    "suggestibility",
    "expectancy",
    "rumination",
    "alliance_growth",
    "learning",
)
SHARES = ("avoidance", "alliance", "validity")
UNITS = {
    "belief": "belief units",
    "precision": "1 / belief units squared",
    **dict.fromkeys(FACTORS, "factor"),
    **dict.fromkeys(SHARES, "share"),
}
"""The traits of a phenotype with their units, in the order of the table."""


@checked_arguments
@dataclass(frozen=True)
class Phenotype:
    """A kind of people: the distribution of every trait.

    name: of the kind.
    about: one line.
    traits: one `Trait` for each name of `UNITS`.

    Raises UserError for a missing or unknown trait and for a median outside of its unit.
    """

    name: str
    about: str
    traits: Mapping[str, Trait]

    def __post_init__(self):
        for name in self.traits:
            if name not in UNITS:
                raise unknown_name(
                    "trait", name, UNITS, where=f"phenotype {self.name!r}"
                )
        for name in UNITS:
            if name not in self.traits:
                raise UserError(
                    f"has no {name}",
                    where=f"phenotype {self.name!r}",
                    expected=f"one Trait for each of: {', '.join(UNITS)}",
                )
            check_median(self.name, name, self.traits[name].median)

    def scaled(self, trait: str, factor: float) -> "Phenotype":
        """The phenotype with one median multiplied; a share above 1 becomes 1.

        Raises UserError for an unknown trait and for a factor that leaves the trait's unit.
        """
        if trait not in UNITS:
            raise unknown_name("trait", trait, UNITS, where=f"phenotype {self.name!r}")
        found = self.traits[trait]
        median = found.median * factor
        if trait in SHARES:
            median = min(median, 1.0)
        return replace(
            self, traits={**self.traits, trait: replace(found, median=median)}
        )


def check_median(phenotype: str, trait: str, median: float) -> None:
    """UserError for a share outside 0 to 1, a factor below 0 and a precision that is not positive."""
    unit = UNITS[trait]
    if unit == "share" and not 0 <= median <= 1:
        expected = "a share, 0 to 1"
    elif unit == "factor" and median < 0:
        expected = "a factor, 0 or more"
    elif trait == "precision" and median <= 0:
        expected = "a precision, above 0"
    else:
        return
    raise UserError(
        f"median of {trait} is {median:g}",
        where=f"phenotype {phenotype!r}",
        expected=expected,
    )


IMMUNISED = (
    "assumed; that good news is dismissed: Kube et al. 2019, Psychol Med 49:1532"
)
OVERPRECISE = (
    "assumed; a sharp negative belief: Carhart-Harris & Friston 2019, Pharmacol Rev 71"
)
AVERAGE = "assumed: 1 is the average by definition; spread assumed"
PHENOTYPES = {
    "depression": Phenotype(
        "depression",
        "a negative belief about the self, held with too much precision, and rumination",
        {
            "belief": Trait(-2.0, 0.3, "assumed"),
            "precision": Trait(8.0, 0.3, OVERPRECISE),
            "suggestibility": Trait(1.0, 0.5, AVERAGE),
            "expectancy": Trait(1.0, 0.5, AVERAGE),
            "avoidance": Trait(
                0.7, 0.7, "calibrated: untreated people stay; withdrawal"
            ),
            "rumination": Trait(1.0, 0.4, "assumed: the unit in which others are told"),
            "alliance": Trait(0.3, 0.5, "assumed"),
            "alliance_growth": Trait(1.0, 0.3, AVERAGE),
            "validity": Trait(0.7, 0.7, IMMUNISED),
            "learning": Trait(1.0, 0.4, AVERAGE),
        },
    ),
    "trauma": Phenotype(
        "trauma",
        "a belief that danger is near, held with too much precision, avoidance, and memories that intrude",
        {
            "belief": Trait(-2.5, 0.3, "assumed"),
            "precision": Trait(12.0, 0.3, OVERPRECISE),
            "suggestibility": Trait(1.0, 0.5, AVERAGE),
            "expectancy": Trait(1.0, 0.5, AVERAGE),
            "avoidance": Trait(0.8, 0.7, "calibrated as in depression; a criterion"),
            "rumination": Trait(2.0, 0.4, "assumed: intrusions are involuntary"),
            "alliance": Trait(0.2, 0.5, "assumed: trust is harder"),
            "alliance_growth": Trait(1.0, 0.3, AVERAGE),
            "validity": Trait(0.7, 0.7, IMMUNISED),
            "learning": Trait(1.0, 0.4, AVERAGE),
        },
    ),
    "healthy": Phenotype(
        "healthy",
        "a slightly positive belief of moderate precision",
        {
            "belief": Trait(0.5, 0.3, "assumed; a mild positive bias"),
            "precision": Trait(2.0, 0.3, "assumed: a quarter of depression's"),
            "suggestibility": Trait(1.0, 0.5, AVERAGE),
            "expectancy": Trait(1.0, 0.5, AVERAGE),
            "avoidance": Trait(0.1, 0.7, "assumed"),
            "rumination": Trait(0.25, 0.4, "assumed"),
            "alliance": Trait(0.4, 0.5, "assumed"),
            "alliance_growth": Trait(1.0, 0.3, AVERAGE),
            "validity": Trait(
                0.9, 0.7, "assumed; no immunisation: Kube & Glombiewski 2021"
            ),
            "learning": Trait(1.0, 0.4, AVERAGE),
        },
    ),
}


@checked_arguments
def find_phenotype(name: str) -> Phenotype:
    """The phenotype of this name; UserError for an unknown one."""
    if name not in PHENOTYPES:
        raise unknown_name("phenotype", name, PHENOTYPES)
    return PHENOTYPES[name]


@checked_arguments
def draw_people(
    phenotype: Phenotype, *, num_people: SupportsIndex, key: Array
) -> Traits:
    """The traits of people drawn from a phenotype, (people,) each.

    key: equal keys yield the same people; the first of many are those of a few.

    Raises UserError for no people, and for more than memory holds.
    """
    number = whole_number(num_people, "num_people")
    check_fits(number, 20 * len(UNITS), what="so many people")
    keys = jax.vmap(lambda one: jax.random.fold_in(check_key(key), one))(
        jnp.arange(number)
    )
    return jax.vmap(lambda one: _drawn(phenotype, one))(keys)


@checked_arguments
def typical_person(phenotype: Phenotype) -> Traits:
    """The traits of the person with every median, () each."""
    return _traits(phenotype, dict.fromkeys(UNITS, jnp.zeros(())))


def _drawn(phenotype: Phenotype, key: Array) -> Traits:
    # Each trait has a key by its name, so that a further trait leaves the others as they are.
    deviations = {
        name: jax.random.normal(jax.random.fold_in(key, crc32(name.encode())))
        for name in UNITS
    }
    return _traits(phenotype, deviations)


def _traits(phenotype: Phenotype, deviations: Mapping[str, Float[Array, ""]]) -> Traits:
    """Traits from standard normal deviations."""
    given = phenotype.traits

    def factor(name: str) -> Array:
        return given[name].median * jnp.exp(given[name].spread * deviations[name])

    def share(name: str) -> Array:
        odds = logit(jnp.asarray(given[name].median, float))
        return expit(odds + given[name].spread * deviations[name])

    belief = given["belief"]
    return Traits(
        belief.median + belief.spread * deviations["belief"],
        jnp.log(factor("precision")),
        **{name: factor(name) for name in FACTORS},
        **{name: share(name) for name in SHARES},
    )
