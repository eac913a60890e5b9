r"""The families of priors that may be set, and one number's prior of such a family.

Every family is a standard distribution times a scale, about a centre: $x = m + s\,r$. The sampler's coordinate of a mean or an
effect is $r$ itself, and that of a spread the normal quantile of $r$ (`spreads`), whatever the distribution of $r$ is: the
density of $r$ and the Jacobian of its coordinate are computed exactly, so that each of these families is held exactly.
Families that end at a number (uniform), have a corner (Laplace), no density (flat) or more than a scale for a spread (gamma,
lognormal, inverse gamma) are not among them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jaxtyping import Array, Float
from numpyro.distributions import constraints
from scipy import stats

NORMAL_QUARTILE = 0.6744897501960817
HALF_NORMAL_IQR = 0.8317100164116327  # between the quartiles of a standard half-normal
HALF_NORMAL_SD = math.sqrt(1.0 - 2.0 / math.pi)  # of the half-normal of scale 1


class Family(NamedTuple):
    """What is written of a family.

    numbers: in the parentheses, in their order.
    is_spread: whether it is of an SD over people, which is above zero.
    """

    numbers: tuple[str, ...]
    is_spread: bool


FAMILIES = {
    "Normal": Family(("mean", "SD"), False),
    "StudentT": Family(("df", "location", "scale"), False),
    "Cauchy": Family(("location", "scale"), False),
    "Logistic": Family(("location", "scale"), False),
    "HalfNormal": Family(("scale",), True),
    "HalfStudentT": Family(("df", "scale"), True),
    "HalfCauchy": Family(("scale",), True),
    "Exponential": Family(("rate",), True),
}
DEGREES = "df"


@dataclass(frozen=True)
class Law:
    """The prior of one number.

    Attributes:
        family: of `FAMILIES`.
        centre: added to the standard distribution; 0 for a spread.
        scale: times the standard distribution: of a normal prior its SD, of an exponential one 1 / rate.
        degrees: of freedom of a Student's t; else 0.
    """

    family: str
    centre: float
    scale: float
    degrees: float = 0.0

    @property
    def is_spread(self) -> bool:
        """Whether it is of an SD over people."""
        return FAMILIES[self.family].is_spread

    @property
    def text(self) -> str:
        """As it is written.

        >>> Law("Normal", -3.0, 4.0).text, Law("Exponential", 0.0, 0.5).text
        ('Normal(-3, 4)', 'Exponential(2)')
        """
        known = {
            DEGREES: self.degrees,
            "mean": self.centre,
            "location": self.centre,
            "SD": self.scale,
            "scale": self.scale,
            "rate": 1.0 / self.scale,
        }
        numbers = [f"{known[name]:.10g}" for name in FAMILIES[self.family].numbers]
        return f"{self.family}({', '.join(numbers)})"

    @property
    def sd(self) -> float:
        """Its SD; of a Student's t or Cauchy, whose SD may be infinite, that of the normal with the same quartiles."""
        if self.family == "HalfNormal":
            return HALF_NORMAL_SD * self.scale
        if self.degrees == 0.0 and "Cauchy" not in self.family:
            return float(self.on_host.std())
        low, high = self.on_host.ppf([0.25, 0.75])
        if self.is_spread:
            return float((high - low) / HALF_NORMAL_IQR) * HALF_NORMAL_SD
        return float((high - low) / (2.0 * NORMAL_QUARTILE))

    @property
    def on_host(self) -> Any:
        """The distribution in scipy, in double precision."""
        place = {"loc": self.centre, "scale": self.scale}
        if self.family == "HalfStudentT":
            return _HalfStudentT(self.degrees, self.scale)
        if self.family == "StudentT":
            return stats.t(self.degrees, **place)
        plain = {
            "Normal": stats.norm,
            "Cauchy": stats.cauchy,
            "Logistic": stats.logistic,
            "HalfNormal": stats.halfnorm,
            "HalfCauchy": stats.halfcauchy,
            "Exponential": stats.expon,
        }
        return plain[self.family](**place)

    def wider(self, factor: float) -> "Law":
        """With the scale times a factor."""
        return replace(self, scale=factor * self.scale)


class _HalfStudentT:
    """The absolute value of a Student's t about 0, by scipy's t."""

    def __init__(self, degrees: float, scale: float) -> None:
        self._whole: Any = stats.t(degrees, scale=scale)

    def ppf(self, share: Any) -> Any:
        return self._whole.ppf(0.5 + 0.5 * np.asarray(share))

    def cdf(self, value: Any) -> Any:
        return 2.0 * self._whole.cdf(value) - 1.0

    def logpdf(self, value: Any) -> Any:
        own = np.log(2.0) + self._whole.logpdf(value)
        return np.where(np.asarray(value) < 0.0, -np.inf, own)

    def median(self) -> float:
        return float(self.ppf(0.5))


def standard_site(laws: Sequence[Law], *, is_spread: bool) -> dist.Distribution:
    """The distribution of the standard values $r$ of several numbers, each of its own family."""
    families = {(law.family, law.degrees) for law in laws}
    size = len(laws)
    if families <= {("Normal", 0.0), ("HalfNormal", 0.0)}:
        one = dist.HalfNormal(1.0) if is_spread else dist.Normal(0.0, 1.0)
        return one.expand([size]).to_event(1)
    return _Columns(tuple(laws), is_spread)


class _Columns(dist.Distribution):
    """Independent numbers of different families, as one vector."""

    pytree_aux_fields = ("laws", "is_spread")

    def __init__(self, laws: tuple[Law, ...], is_spread: bool) -> None:
        self.laws, self.is_spread = laws, is_spread
        super().__init__(batch_shape=(), event_shape=(len(laws),))

    @property
    def support(self) -> Any:
        own = constraints.positive if self.is_spread else constraints.real
        return constraints.independent(own, 1)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Array:
        if key is None:
            raise ValueError("draws need a key")
        keys = jax.random.split(key, len(self.laws))
        pairs = zip(self.laws, keys, strict=True)
        own = [_standard(law).sample(each, sample_shape) for law, each in pairs]
        return jnp.stack([jnp.abs(x) if self.is_spread else x for x in own], -1)

    def log_prob(
        self, value: Float[Array, "*draws numbers"], intermediates: Any = None
    ) -> Float[Array, "*draws"]:
        double = math.log(2.0) if self.is_spread else 0.0
        found = [
            jnp.asarray(_standard(law).log_prob(value[..., i]))
            + (0.0 if law.family == "Exponential" else double)
            for i, law in enumerate(self.laws)
        ]
        return jnp.stack(found).sum(axis=0)


def _standard(law: Law) -> dist.Distribution:
    """Of centre 0 and scale 1; of a spread's family the whole of which it is half."""
    if law.degrees:
        return dist.StudentT(law.degrees)
    name = law.family.removeprefix("Half")
    return {
        "Normal": dist.Normal(0.0, 1.0),
        "Cauchy": dist.Cauchy(0.0, 1.0),
        "Logistic": dist.Logistic(0.0, 1.0),
        "Exponential": dist.Exponential(1.0),
    }[name]
