r"""Modulation: the effect of a drug on a network.

A `Modulation` refers to levels by name, is not part of the network, and is resolved before tracing: neutral factors do
not appear in the compiled program, so that "no drug" and "zero dose" give bit-identical results.

| field | neutral | acts on |
|---|---|---|
| `gains` | 1 | the precision of a level's errors |
| `slopes` | 1 | the activation slope of a level's units: they predict $f(\alpha x)$ |
| `error_transmission` | 1 | the errors a level sends up, its own constraint untouched |
| `top_down` | 0 | the share of a level's activity that is generated from above |
| `temperature` | 1 | the variance of activity around the mode |
| `plasticity` | 1 | learning rates: `train(..., plasticity=modulation.plasticity)`; inference ignores it |

The first three act in inference.  `top_down` and `temperature` act on activity around the mode
(`pcmodel.activity`); `infer` and `posterior` raise a UserError for them.

Weakened error transmission is equivalent to a change of gains.  With a factor $t_\ell$ on the errors ascending from
level $\ell$ the latents settle where $\Pi_\ell e_\ell = t_{\ell-1} J^\top \Pi_{\ell-1} e_{\ell-1}$; multiplied by
$c_\ell = \prod_{k<\ell} 1/t_k$, this is the stationarity condition of a hierarchy with gains $c_\ell$.  The mode is
exact; a posterior covariance is that of the equivalent hierarchy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.inputs.arrays import Numbers, is_traced, read_numbers
from pcmodel.model.levels import LevelName, level_index
from pcmodel.model.precision import check_log_precision

Levels = Mapping[LevelName, ArrayLike]


@checked_arguments
@dataclass(frozen=True)
class Modulation:
    """Factors by level name or index (1 for a level that is not named), and three scalars.

    gains: factors on precisions, positive, a scalar or one per unit of a level; below 1 relaxes the level.
    slopes: factors on activation slopes, positive, a scalar or one per unit, of any level but the lowest.
    error_transmission: factors on the errors that a level sends up, positive scalars, of any level but the top.
    top_down: share of activity that is generated from above, in [0, 1].
    temperature: factor on the variance of activity around the mode, not negative.
    plasticity: factor on learning rates, not negative.

    Raises UserError for values outside these ranges.
    """

    gains: Levels = field(default_factory=dict)
    slopes: Levels = field(default_factory=dict)
    error_transmission: Levels = field(default_factory=dict)
    top_down: ArrayLike = 0.0
    temperature: ArrayLike = 1.0
    plasticity: ArrayLike = 1.0

    def __post_init__(self):
        check_scalar("top_down", self.top_down, 1.0)
        check_scalar("temperature", self.temperature, np.inf)
        check_scalar("plasticity", self.plasticity, np.inf)
        for factors in (self.gains, self.slopes, self.error_transmission):
            for level, factor in factors.items():
                check_factor(factor, str(level))

    def resolve(
        self, names: tuple[str, ...], widths: tuple[int, ...], dtype: jnp.dtype
    ) -> tuple[Array, ...]:
        """One gain per level, () or (width,), error transmission included; raises UserError for invalid levels."""
        resolved = [jnp.ones((), dtype)] * len(names)
        given = self.gains or self.error_transmission
        for index, gain in by_index(self.gains, names):
            resolved[index] = checked_gain(gain, names[index], widths[index], dtype)
        for index, share in by_index(self.error_transmission, names):
            if index == len(names) - 1:
                raise UserError(
                    f"error transmission of level {names[index]!r}: the top sends no "
                    "errors up."
                )
            passed = checked_gain(share, names[index], widths[index], dtype)
            if passed.ndim:
                raise UserError(
                    f"error transmission of level {names[index]!r} must be one number."
                )
            for above in range(index + 1, len(names)):
                resolved[above] = resolved[above] / passed
        for name, gain in zip(names, resolved, strict=True) if given else ():
            if not is_traced(gain) and not np.all(np.isfinite(gain) & (gain > 0)):
                raise UserError(
                    f"gain and error transmission together make {np.asarray(gain)}",
                    where=f"modulation of level {name!r}",
                    expected=f"a factor that {jnp.dtype(dtype).name} can hold",
                )
        return tuple(resolved)

    def resolve_slopes(
        self, names: tuple[str, ...], widths: tuple[int, ...], dtype: jnp.dtype
    ) -> tuple[Array, ...] | None:
        """One slope per level, () or (width,); None if all are exactly 1. Raises UserError for invalid levels."""
        resolved = [jnp.ones((), dtype) for _ in names]
        given = by_index(self.slopes, names)
        for index, slope in given:
            if index == 0:
                raise UserError(
                    f"slope of level {names[0]!r}: the lowest level predicts nothing."
                )
            resolved[index] = checked_gain(slope, names[index], widths[index], dtype)
        # The given values: under jit the resolved jax arrays are traced even if they are 1.
        if all(
            not is_traced(slope) and np.all(np.asarray(slope) == 1)
            for _, slope in given
        ):
            return None
        return tuple(resolved)

    @property
    def acts_on_activity(self) -> bool:
        """Whether the modulation changes activity around the mode (top_down or temperature)."""
        return not (_is(self.top_down, 0) and _is(self.temperature, 1))

    def in_inference(self) -> "Modulation":
        """The same modulation with neutral top_down and temperature."""
        return replace(self, top_down=0.0, temperature=1.0)


def _is(value: ArrayLike, neutral: float) -> bool:
    return not isinstance(value, Tracer) and float(np.asarray(value)) == neutral


def by_index(levels: Levels, names: tuple[str, ...]) -> list[tuple[int, ArrayLike]]:
    """Factors by level index; raises UserError for a level that is named twice."""
    found: dict[int, ArrayLike] = {}
    for level, factor in levels.items():
        index = level_index(level, names)
        if index in found:
            raise UserError(
                f"modulation: level {names[index]!r} is given twice, by name and by index."
            )
        found[index] = factor
    return list(found.items())


def check_scalar(name: str, value: ArrayLike, largest: float) -> None:
    """Raise a UserError unless 0 <= value <= largest (and finite)."""
    number = read_numbers(value, where=f"modulation: {name}", finite=False)
    if isinstance(number, Tracer):
        return
    if number.shape or not np.isfinite(number) or not 0 <= number <= largest:
        bound = "in [0, 1]" if largest == 1 else "finite and not negative"
        raise UserError(f"modulation: {name} must be one number, {bound}; got {value}.")


def check_factor(factor: ArrayLike, name: str) -> Numbers:
    """The factor as numbers; raises a UserError with the level's name unless they are finite and positive."""
    value = read_numbers(factor, where=f"modulation of level {name!r}", finite=False)
    if isinstance(value, Tracer):
        return value
    if not np.size(value) or not np.all(np.isfinite(value)) or np.any(value <= 0):
        raise UserError(
            f"modulation of level {name!r}: a gain must be finite and positive "
            f"(1 = no drug), got {short(factor)}."
        )
    return value


def checked_gain(gain: ArrayLike, name: str, width: int, dtype: jnp.dtype) -> Array:
    """The gain as an array, () or (width,); raises a UserError with the level's name if it is invalid."""
    where, value = f"modulation of level {name!r}", check_factor(gain, name)
    shape = np.shape(value)
    if shape not in ((), (width,)):
        raise UserError(
            f"modulation of level {name!r}: expected one gain or {width} (one per unit), "
            f"got shape {shape}."
        )
    if isinstance(value, Tracer):
        return jnp.asarray(value, dtype)
    check_log_precision(np.log(np.asarray(value, float)), where=where, dtype=dtype)
    return jnp.asarray(value, dtype)


@checked_arguments
def combine(first: Modulation, second: Modulation) -> Modulation:
    """The combination of two modulations: factors multiply, and top_down is 1 - (1 - a) (1 - b).

    A level must be referred to in the same way in both (a name and an index are different keys).
    """
    return Modulation(
        _product(first.gains, second.gains),
        _product(first.slopes, second.slopes),
        _product(first.error_transmission, second.error_transmission),
        1 - (1 - first.top_down) * (1 - second.top_down),  # type: ignore[operator]
        first.temperature * second.temperature,  # type: ignore[operator]
        first.plasticity * second.plasticity,  # type: ignore[operator]
    )


def _product(first: Levels, second: Levels) -> Levels:
    merged = dict(first)
    for level, factor in second.items():
        merged[level] = merged[level] * factor if level in merged else factor  # type: ignore[operator]
    return merged


@checked_arguments
def relax(level: LevelName, gain: ArrayLike) -> Modulation:
    """A modulation of one level's precision: `relax("top", 0.25)` divides it by four."""
    return Modulation({level: gain})


def uniform(gain: float, names: tuple[str, ...]) -> Modulation:
    """The same gain for every level, which does not change the mode."""
    return Modulation({name: gain for name in names})
