r"""The contextual size illusion (Ebbinghaus, Delboeuf): a centre looks smaller in a large surround.

Two log sizes are seen, that of the centre and that of its surround.  A hierarchy of three levels explains
them; what is perceived of the centre is read from its posterior.  A prior that centre and surround share
makes the centre look like its surround (assimilation).  Contrast needs a mechanism, and which one is
contested; four are named, and with them the sign of what a precision does:

| mechanism | hierarchy, senses = sizes + noise | perceived |
|---|---|---|
| `scale` | angle = size + scale; one scale (distance) for both | size of the centre |
| `reference` | sizes around one norm | size minus the norm |
| `expectation` | learned: the centre is expected to differ from its surround | size of the centre |
| `assimilation` | sizes around one norm | size of the centre |

With noise of variance n, sizes of variance a and a scale or norm of variance q (of `scale`, n is the sum of senses
and angles), the illusion per unit of log size of the surround is

$$I_\text{scale} = I_\text{reference} = \frac{-aq}{(a+n)(a+n+2q)}, \quad
  I_\text{assimilation} = -I_\text{expectation} = \frac{nq}{(a+n)(a+n+2q)}\ \text{(coupling 1)}.$$

A top that is relaxed alone (q) strengthens every one of them.  Priors that are all relaxed, the senses exempt, are the
same as less noise n: `scale` and `reference` grow, and the others shrink wherever $n^2 < a (a + 2q)$.  So the sign of what
a drug does to an illusion belongs to the illusion's mechanism as much as to the account of the drug.

Sources: explaining away of scale or distance, Kersten, Mamassian & Yuille 2004 Annu Rev Psychol 55:271 and
misapplied constancy, Gregory 1963 Nature 199:678; reference, Helson 1964 (adaptation level); expectation,
Howe & Purves 2004 J Cogn Neurosci 16:90 (natural scenes).  From memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Positive
from pcmodel.networks.network import linear_gaussian
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.accounts.maps import anatomy as anatomy_of
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.factors import factors_of, mean_activity

PLACES = ("sensory", "dorsal attention", "default")
"""The networks of cortex that the three levels represent by default: assumed."""


class Mechanism(NamedTuple):
    """One way for a surround to act on a centre.

    names: of the levels, lowest first.
    middle: the sizes that the senses report, from the units of the middle level.
    top: the middle level, from the units of the top.
    sizes, norm: what is perceived is `sizes` . middle + `norm` . top.
    is_coupled: whether the coupling acts on the first row of `top`.
    """

    names: tuple[str, str, str]
    top: tuple[tuple[float, ...], ...]
    sizes: tuple[float, ...]
    norm: tuple[float, ...]
    is_coupled: bool = False


MECHANISMS = {
    # The top holds both sizes and the scale; what is perceived is a size, without the scale.
    "scale": Mechanism(
        ("senses", "angles", "causes"), ((1, 0, 1), (0, 1, 1)), (0, 0), (1, 0, 0)
    ),
    "reference": Mechanism(("senses", "sizes", "norm"), ((1,), (1,)), (1, 0), (-1,)),
    "expectation": Mechanism(
        ("senses", "sizes", "context"), ((-1,), (1,)), (1, 0), (0,), True
    ),
    "assimilation": Mechanism(
        ("senses", "sizes", "norm"), ((1,), (1,)), (1, 0), (0,), True
    ),
}


@checked_arguments
@dataclass(frozen=True)
class SizeIllusion:
    """A centre and its surround, explained by one hierarchy.

    Attributes:
        mechanism: a name of `MECHANISMS`.
        precisions: of senses, middle and top level; 1 / (log size)^2.
        coupling: of `expectation` and `assimilation`, how far the centre is expected to follow the context
            (`expectation`: away from it), log size per log size.

    Raises UserError for an unknown mechanism and numbers that are not positive.
    """

    mechanism: str = "scale"
    precisions: Sequence[Positive] = (4.0, 4.0, 1.0)
    coupling: Positive = 1.0

    def __post_init__(self):
        if self.mechanism not in MECHANISMS:
            raise unknown_name(
                "mechanism", self.mechanism, MECHANISMS, where="size illusion"
            )
        if len(self.precisions) != 3:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="size illusion",
                expected="3: of senses, middle and top level",
            )

    def network(self) -> PureNetwork:
        """The hierarchy: senses (centre, surround), and two levels above."""
        mechanism = MECHANISMS[self.mechanism]
        top = np.array(mechanism.top, float)
        if mechanism.is_coupled:
            top[0] *= self.coupling
        made = linear_gaussian(
            [np.eye(2), top], list(self.precisions), names=mechanism.names
        )
        return as_model(made)


class Illusion(NamedTuple):
    """A size illusion at every moment; the leading axes are those of the effects.

    illusion: perceived log size of the centre in a large surround minus that in a small one, per unit of log
        size between the surrounds; negative is contrast, positive assimilation.
    in_large, in_small: perceived log size of a centre of log size 0, in surrounds of +1/2 and -1/2.
    converged: whether inference converged in both.
    """

    illusion: Float[Array, "..."]
    in_large: Float[Array, "..."]
    in_small: Float[Array, "..."]
    converged: Bool[Array, "..."]


@checked_arguments
def size_illusion(
    illusion: SizeIllusion,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
) -> Illusion:
    """The illusion under an account of a drug, at every moment of everyone.

    illusion: mechanism and precisions.
    drug: a `Group` (people, times), one person's `Course` (times) or `Effects` of any shape.
    account: of the drug's action on precisions, slopes and activity (`pcmodel.neuromodulation`).
    anatomy: receptors of the three levels; by default `PLACES`.

    Raises UserError for an account that does not fit the levels or needs receptors that the drug does not reach,
    and for effects that are no finite numbers of one shape.
    """
    network, mechanism = illusion.network(), MECHANISMS[illusion.mechanism]
    factors = factors_of(
        network, drug, account=account, anatomy=anatomy or anatomy_of(*PLACES)
    )
    surrounds = jnp.array([[0.0, 0.5], [0.0, -0.5]])
    (_, middle, top), converged = mean_activity(network, surrounds, factors)
    large, small = middle @ np.asarray(
        mechanism.sizes, middle.dtype
    ) + top @ np.asarray(mechanism.norm, top.dtype)
    return Illusion(large - small, large, small, converged.all(axis=0))
