r"""Rival accounts of a drug's action on a hierarchy, each a strategy that returns a `Modulation`.

| account | source | mechanism |
|---|---|---|
| `Rebus` | Carhart-Harris & Friston 2019 | precision of priors falls with the excitability of deep-layer cells |
| `Sensory` | aberrant salience; Rajpal et al. 2022 | sensory precision rises |
| `Sebus` | Safron et al., ALBUS | priors strengthened at low to moderate effect, relaxed at very high |
| `Oneirogen` | Bredenberg et al., eLife 105968 | activity partly generated from above |
| `Dimmer` | 5-HT1A, Gi | units respond less steeply; no precision changes |
| `Noise` | Juliani et al. 2024 | activity fluctuates more: a temperature |
| `NmdaBlock` | ketamine | errors of the upper levels are not passed on, and less is learned |
| `Uniform` | null | every precision alike: changes no belief |

Between receptor and precision is the *excitability* of deep-layer pyramidal cells, a separate step:
that 5-HT2A agonists raise it has moderate support; that this lowers a precision is the weakest link
of the whole chain, and its sign is an argument.

The *senses* are the ends of a hierarchy, the levels that are nobody's parent: level 0 of a chain, every stream of evidence
of a directed hierarchy (`Anatomy.ends`).
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jax.core import Tracer

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, is_whole, short
from pcmodel.model.modulation import Modulation, combine
from pcmodel.neuromodulation.accounts.account_checks import (
    check_moment,
    check_number,
    check_selectivity,
    check_share,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy, graded
from pcmodel.neuromodulation.course import Course


class Effects(NamedTuple):
    """The effects of drugs on the hierarchy, at one moment or over times; all 0 without any.

    effect_2a: 5-HT2A response after the second stage; 1 = psilocin at every receptor.
    response_1a: share of the 5-HT1A system's maximum.
    nmda_block: share of NMDA channels blocked.
    """

    effect_2a: Array
    response_1a: Array
    nmda_block: Array


@checked_arguments
def effects(course: Course) -> Effects:
    """The effects over a course, (times,) each."""
    return Effects(course.effect_2a, course.response_1a, course.nmda_block)


@runtime_checkable
class Account(Protocol):
    """A strategy that turns effects into a modulation."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields of `Effects` on which it depends."""
        ...

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation of a hierarchy of `anatomy.num_levels` levels."""
        ...


def excitability(effects: Effects, *, per_effect: float = 1.0) -> Array:
    """Rise in the gain of deep-layer pyramidal cells, as a share (0 = rest)."""
    return per_effect * effects.effect_2a


def spared(level: int, exemption: float, anatomy: Anatomy) -> float:
    """The share of an action that reaches a level: the senses may be exempt, in whole or in part."""
    return 1.0 - exemption if level in anatomy.ends else 1.0


@dataclass(frozen=True)
class Rebus:
    """Precision of every level but the (exempt) senses falls: log g = sign strength kappa x.

    Attributes:
        strength: log precision lost per unit of excitability, mean over levels.
        sign: -1 lowers precisions, +1 raises them by the same excitability.
        selectivity: 0 follows the receptor map, which is nearly flat; above 0 higher levels are
            assumed to be more affected (`graded`).
        exemption: share by which the senses are exempt, from 0 to 1.
        restoring_1a: log precision restored by 5-HT1A, per unit of its response.
    """

    strength: float = 2.0
    sign: int = -1
    selectivity: float = 0.0
    exemption: float = 1.0
    restoring_1a: float = 0.0

    needs = ("effect_2a",)

    def __post_init__(self):
        if not is_whole(self.sign) or self.sign not in (-1, 1):
            raise UserError(
                f"account rebus: sign must be -1 or 1, got {short(self.sign)}."
            )
        check_number("rebus", "strength", self.strength)
        check_number("rebus", "restoring_1a", self.restoring_1a)
        check_share("rebus", "exemption", self.exemption)
        check_selectivity("rebus", self.selectivity)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by precision gains, below 1 for sign -1."""
        check_moment("rebus", effects)
        excited = excitability(effects)
        kappa = graded(anatomy.density_2a, self.selectivity, anatomy.heights)
        return Modulation(
            {
                level: jnp.exp(
                    spared(level, self.exemption, anatomy)
                    * (
                        self.sign * self.strength * kappa[level] * excited
                        + self.restoring_1a
                        * anatomy.density_1a[level]
                        * effects.response_1a
                    )
                )
                for level in range(anatomy.num_levels)
            }
        )


@dataclass(frozen=True)
class Sensory:
    """Precision of the senses rises: log g = strength x effect at every end.

    Attributes:
        strength: log precision gained per unit of effect.
    """

    strength: float = 2.0
    needs = ("effect_2a",)

    def __post_init__(self):
        check_number("sensory", "strength", self.strength)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by a precision gain above 1 on every end."""
        check_moment("sensory", effects)
        gain = jnp.exp(self.strength * effects.effect_2a)
        return Modulation({level: gain for level in anatomy.ends})


@dataclass(frozen=True)
class Sebus:
    """Precisions change non-monotonically: log g = -strength kappa (A - s A (1 - A)), A the effect.

    Priors are strengthened at A < 1 - 1/s and relaxed above.

    Attributes:
        strength: log precision lost per unit of net effect, mean over levels.
        strengthening: s, above 1.
        selectivity: as in `Rebus`.
        exemption: as in `Rebus`.
    """

    strength: float = 2.0
    strengthening: float = 3.0
    selectivity: float = 0.0
    exemption: float = 1.0
    needs = ("effect_2a",)

    def __post_init__(self):
        check_number("sebus", "strength", self.strength)
        check_number("sebus", "strengthening", self.strengthening)
        if not self.strengthening > 1:
            raise UserError(
                f"account sebus: strengthening must exceed 1, got {self.strengthening}."
            )
        check_share("sebus", "exemption", self.exemption)
        check_selectivity("sebus", self.selectivity)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by precision gains, above 1 at low effect and below 1 at high."""
        check_moment("sebus", effects)
        effect = effects.effect_2a
        net = effect - self.strengthening * effect * (1 - effect)
        relaxing = Rebus(
            self.strength, selectivity=self.selectivity, exemption=self.exemption
        )
        return relaxing.modulate(effects._replace(effect_2a=net), anatomy)


@dataclass(frozen=True)
class Oneirogen:
    """A share 1 - exp(-strength A) of activity is generated from above; see `pcmodel.inference.activity`.

    Attributes:
        strength: per unit of effect, 0 or more.
    """

    strength: float = 1.0
    needs = ("effect_2a",)

    def __post_init__(self):
        check_number("oneirogen", "strength", self.strength)
        if not isinstance(self.strength, Tracer) and self.strength < 0:
            raise UserError(
                f"account oneirogen: strength must be 0 or more, got {self.strength}."
            )

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by a share of top-down activity."""
        check_moment("oneirogen", effects)
        return Modulation(top_down=1 - jnp.exp(-self.strength * effects.effect_2a))


@dataclass(frozen=True)
class Dimmer:
    """5-HT1A: slopes fall, log alpha = -strength lambda R; precisions stay.

    Attributes:
        strength: log slope lost per unit of 5-HT1A response, mean over levels.
    """

    strength: float = 1.0
    needs = ("response_1a",)

    def __post_init__(self):
        check_number("dimmer", "strength", self.strength)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by slopes below 1 on every level that predicts."""
        check_moment("dimmer", effects)
        response = effects.response_1a
        return Modulation(
            slopes={
                level: jnp.exp(-self.strength * anatomy.density_1a[level] * response)
                for level in range(anatomy.num_levels)
                if level not in anatomy.ends
            }
        )


@dataclass(frozen=True)
class Noise:
    """Activity fluctuates more around the same mode: log temperature = strength A.

    Attributes:
        strength: log temperature per unit of effect.
    """

    strength: float = 2.0
    needs = ("effect_2a",)

    def __post_init__(self):
        check_number("noise", "strength", self.strength)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by a temperature above 1."""
        check_moment("noise", effects)
        return Modulation(temperature=jnp.exp(self.strength * effects.effect_2a))


@dataclass(frozen=True)
class NmdaBlock:
    """Errors of upper levels are passed on less, and less is learned: factors 1 - share x block.

    Attributes:
        transmission: share of the errors' transmission that a full block removes, 0 to 1.
        plasticity: share of plasticity that a full block removes, 0 to 1.
        lowest: the height (`Anatomy.heights`; in a chain the index) of the lowest level whose errors are affected; 0
            is that of the senses.
    """

    transmission: float = 1.0
    plasticity: float = 1.0
    lowest: int = 1
    needs = ("nmda_block",)

    def __post_init__(self):
        check_share("nmda_block", "transmission", self.transmission)
        check_share("nmda_block", "plasticity", self.plasticity)
        if not is_whole(self.lowest) or self.lowest < 0:
            raise UserError(
                f"account nmda_block: lowest must be a level, got {short(self.lowest)}."
            )

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by error transmission and plasticity below 1.

        UserError where no level from `lowest` up has a level above it.
        """
        check_moment("nmda_block", effects)
        heights = anatomy.heights
        senders = [level for level in anatomy.senders if heights[level] >= self.lowest]
        if not senders:
            last = max(heights[level] for level in anatomy.senders)
            raise UserError(
                f"account nmda_block: lowest is level {self.lowest}, and of {anatomy.num_levels} levels "
                f"the last that sends errors up is {last}."
            )
        passed = 1 - self.transmission * effects.nmda_block
        return Modulation(
            error_transmission={level: passed for level in senders},
            plasticity=1 - self.plasticity * effects.nmda_block,
        )


@dataclass(frozen=True)
class Uniform:
    """The null account: all precisions, those of the senses included, fall alike.

    Attributes:
        strength: log precision lost per unit of effect.
    """

    strength: float = 2.0
    needs = ("effect_2a",)

    def __post_init__(self):
        check_number("uniform", "strength", self.strength)

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by one precision gain for all levels."""
        check_moment("uniform", effects)
        gain = jnp.exp(-self.strength * effects.effect_2a)
        return Modulation({level: gain for level in range(anatomy.num_levels)})


@checked_arguments
@dataclass(frozen=True)
class Together:
    """Several mechanisms at once, such as the 5-HT2A and 5-HT1A actions of one drug.

    Attributes:
        accounts: one for each mechanism.
    """

    accounts: tuple[Account, ...]

    def __post_init__(self):
        if not self.accounts:
            raise UserError("account together: there are no accounts in it.")

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields of `Effects` on which any of them depends."""
        return tuple(
            dict.fromkeys(need for each in self.accounts for need in each.needs)
        )

    def modulate(self, effects: Effects, anatomy: Anatomy) -> Modulation:
        """The modulation by the product of their factors."""
        whole = Modulation()
        for account in self.accounts:
            whole = combine(whole, account.modulate(effects, anatomy))
        return whole


ACCOUNTS = {
    "rebus": Rebus,
    "sensory": Sensory,
    "sebus": Sebus,
    "oneirogen": Oneirogen,
    "dimmer": Dimmer,
    "noise": Noise,
    "nmda_block": NmdaBlock,
    "uniform": Uniform,
}
