r"""Modulation: the effect of a drug on a network.

A `Modulation` refers to levels and their parts by name, is not part of the network, and is resolved before tracing:
neutral factors do not appear in the compiled program, so that "no drug" and "zero dose" give bit-identical results.

| field | neutral | acts on |
|---|---|---|
| `gains` | 1 | the precision of a level's errors |
| `slopes` | 1 | the activation slope of a level's units: they predict $f(\alpha x)$ |
| `error_transmission` | 1 | the errors a level sends up, its own constraint untouched |
| `top_down` | 0 | the share of a level's activity that is generated from above |
| `temperature` | 1 | the variance of activity around the mode |
| `plasticity` | 1 | learning rates (`train(..., modulation=)`); inference ignores it |

The first three act in inference.  `top_down` and `temperature` act on activity around the mode
(`pcmodel.activity`); `infer` and `posterior` raise a UserError for them.

Weakened error transmission is equivalent to a change of gains.  With a factor $t_c$ on the errors that level c sends to
its parents the latents of level p settle where $\Pi_p e_p = \sum_c t_c J_{cp}^\top \Pi_c e_c$, the sum over its children.
That is the stationarity condition of a hierarchy with gains $\gamma$ if $\gamma_p = \gamma_c / t_c$ for every child c of
every p; $\gamma_0 = 1$, and in a chain $\gamma_\ell = \prod_{k<\ell} 1/t_k$.  Where several paths join two levels, the
factors along each must have the same product, or there are no such gains.  The mode is exact; a posterior covariance is
that of the equivalent hierarchy.
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
from pcmodel.model.generative import GenerativeModel, ends_of
from pcmodel.model.levels import (
    LevelName,
    Units,
    find_level,
    find_units,
    indices,
    told,
)
from pcmodel.model.likelihood import Categorical
from pcmodel.model.precision import check_log_precision

Levels = Mapping[LevelName, ArrayLike]
AGREEMENT = 1e-9
"""Relative difference of the products of factors along two paths that is rounding."""


ONE = np.ones(())
ONE.setflags(write=False)
"""The neutral gain; one array for all levels, which costs one transfer."""


@checked_arguments
@dataclass(frozen=True)
class Modulation:
    """Factors by level name or index, or by the name of a part (1 for what is not named), and three scalars.

    gains: factors on precisions, positive, a scalar or one per unit; below 1 relaxes the level or part.
    slopes: factors on activation slopes, positive, a scalar or one per unit, of levels that predict others.
    error_transmission: factors on the errors that a level sends to its parents, positive scalars, of whole levels that
        have parents.
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
                check_factor(factor, f"level {str(level)!r}")

    def resolve(self, model: GenerativeModel, dtype: jnp.dtype) -> tuple[Array, ...]:
        """One gain per level, () or (width,), error transmission included; raises UserError for invalid levels."""
        neutral = jnp.ones((), dtype)
        return tuple(
            neutral if gain is ONE else jnp.asarray(gain, dtype)
            for gain in self.numbers(model, dtype)
        )

    def numbers(self, model: GenerativeModel, dtype: jnp.dtype) -> tuple[Numbers, ...]:
        """The gains of `resolve` as numbers on the host, but for traced ones."""
        resolved: list[Numbers] = [ONE] * len(model.names)
        for level, gain in level_factors(self.gains, model, dtype).items():
            if np.ndim(gain) and isinstance(model.likelihoods[level], Categorical):
                raise UserError(
                    f"{np.size(gain)} gains of one categorical choice",
                    where=f"modulation of level {model.names[level]!r}",
                    expected="one gain: it tempers the choice, whose units are no observations of their own",
                )
            resolved[level] = gain
        if self.error_transmission:
            passed = transmitted(self.error_transmission, model, dtype)
            for level, gain in enumerate(equivalent_gains(passed, model, dtype)):
                resolved[level] = resolved[level] * gain
        given = self.gains or self.error_transmission
        for name, gain in zip(model.names, resolved, strict=True) if given else ():
            if not is_traced(gain) and not is_held(gain, dtype):
                raise UserError(
                    f"gain and error transmission together make {np.asarray(gain)}",
                    where=f"modulation of level {name!r}",
                    expected=f"a factor that {jnp.dtype(dtype).name} can hold",
                )
        return tuple(resolved)

    def resolve_slopes(
        self, model: GenerativeModel, dtype: jnp.dtype
    ) -> tuple[Array, ...] | None:
        """One slope per level, () or (width,); None if all are exactly 1. Raises UserError for invalid levels."""
        resolved = [jnp.ones((), dtype) for _ in model.names]
        ends = ends_of(model)
        for place in self.slopes:
            found = find_units(place, model)
            if found.level in ends:
                raise UserError(
                    f"slope of {told(found, model)}: the level predicts nothing."
                )
        given = level_factors(self.slopes, model, dtype)
        for level, slope in given.items():
            resolved[level] = jnp.asarray(slope, dtype)
        # The given values: under jit the resolved jax arrays are traced even if they are 1.
        if all(
            not is_traced(slope) and np.all(np.asarray(slope) == 1)
            for slope in given.values()
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


def level_factors(
    factors: Levels, model: GenerativeModel, dtype: jnp.dtype
) -> dict[int, Numbers]:
    """Factors by level index, () or (width,); those of a level's parts together, 1 for its other units.

    Raises UserError for a unit that is given twice.
    """
    found: dict[int, list[tuple[Units, Numbers]]] = {}
    for place, factor in factors.items():
        units = find_units(place, model)
        width = model.widths[units.level]
        for other, _ in found.get(units.level, []):
            refuse_twice(units, other, model)
        size = len(indices(units, width))
        value = checked_gain(factor, told(units, model), size, dtype)
        found.setdefault(units.level, []).append((units, value))
    return {level: joined(own, model.widths[level]) for level, own in found.items()}


def refuse_twice(units: Units, other: Units, model: GenerativeModel) -> None:
    """Raise a UserError if some unit belongs to both of two places of one level."""
    width = model.widths[units.level]
    both = np.intersect1d(indices(units, width), indices(other, width))
    if not len(both):
        return
    name = model.names[units.level]
    if units == other and units.units is None:
        raise UserError(
            f"modulation: level {name!r} is given twice, by name and by index."
        )
    raise UserError(
        f"modulation: unit {both[0]} of level {name!r} is given twice, by {told(other, model)} and "
        f"by {told(units, model)}."
    )


def joined(factors: list[tuple[Units, Numbers]], width: int) -> Numbers:
    """Factors of parts of one level as one array, (width,); the factor of a whole level as it is."""
    (units, value), *_ = factors
    if units.units is None:
        return value
    whole: Numbers = np.ones(width)
    for units, value in factors:
        own = indices(units, width)
        if isinstance(value, Tracer):
            whole = jnp.asarray(whole, value.dtype)
        if isinstance(whole, np.ndarray):
            whole[own] = value
        else:
            whole = whole.at[own].set(value)
    return whole


def transmitted(
    factors: Levels, model: GenerativeModel, dtype: jnp.dtype
) -> dict[int, Numbers]:
    """Factors on the errors that levels send up, by level index; raises UserError for tops, parts and several numbers."""
    for place in factors:
        level = find_level(place, model, where="error transmission")
        if not model.parents[level]:
            raise UserError(
                f"error transmission of level {model.names[level]!r}: a top sends no errors up."
            )
    found = level_factors(factors, model, dtype)
    for level, factor in found.items():
        if np.ndim(factor):
            raise UserError(
                f"error transmission of level {model.names[level]!r} must be one number."
            )
    # One object for all levels to which one was given: traced factors are known to be equal only so.
    made: dict[int, Numbers] = {}
    given = zip(found.items(), factors.values(), strict=True)
    return {level: made.setdefault(id(one), own) for (level, own), one in given}


def equivalent_gains(
    passed: Mapping[int, Numbers], model: GenerativeModel, dtype: jnp.dtype
) -> list[Numbers]:
    """The gains of the hierarchy that settles where one with these factors on ascending errors does; 1 for level 0.

    Raises UserError if there are none; of traced factors they are NaN where that is so.
    """
    edges = [(c, p) for c, own in enumerate(model.parents) for p in own]
    gains: dict[int, Numbers] = {}
    # Which factors are in a gain, and how often; where these are equal, so are gains of traced factors.
    powers: dict[int, dict[int, int]] = {}
    with np.errstate(all="ignore"):
        for start in range(len(model.parents)):
            if start not in gains:
                gains[start], powers[start] = np.float64(1), {}
            walk(start, edges, passed, gains, powers)
        agreed = {edge: agree(edge, passed, gains, powers) for edge in edges}
        valid: Numbers = True
        for (child, parent), known in agreed.items():
            if known is False:
                refuse_paths(child, parent, model)
            if known is None:
                sent = gains[child] / passed.get(child, 1.0)
                rounding = 1e3 * float(jnp.finfo(dtype).eps)
                valid &= jnp.abs(sent / gains[parent] - 1) < rounding
    found = [gains[level] for level in range(len(model.parents))]
    if valid is True:
        return found
    return [jnp.where(valid, gain, jnp.nan) for gain in found]


def walk(
    start: int,
    edges: list[tuple[int, int]],
    passed: Mapping[int, Numbers],
    gains: dict[int, Numbers],
    powers: dict[int, dict[int, int]],
) -> None:
    """Add the gains of all levels that edges join to one whose gain is known."""
    waiting = [start]
    while waiting:
        level = waiting.pop(0)
        for child, parent in edges:
            if level not in (child, parent):
                continue
            other, sign = (parent, -1) if level == child else (child, 1)
            if other in gains:
                continue
            gain, power = gains[level], dict(powers[level])
            if child in passed:
                factor = passed[child]
                gain = gain / factor if sign < 0 else gain * factor
                power[id(factor)] = power.get(id(factor), 0) + sign
            gains[other] = gain
            powers[other] = {each: n for each, n in power.items() if n}
            waiting.append(other)


def agree(
    edge: tuple[int, int],
    passed: Mapping[int, Numbers],
    gains: Mapping[int, Numbers],
    powers: Mapping[int, dict[int, int]],
) -> bool | None:
    """Whether the gains of two levels differ by the factor on the errors sent between them; None if that is traced."""
    child, parent = edge
    power = dict(powers[child])
    if child in passed:
        power[id(passed[child])] = power.get(id(passed[child]), 0) - 1
    if {each: n for each, n in power.items() if n} == powers[parent]:
        return True
    numbers = (gains[child], gains[parent], passed.get(child, 1.0))
    if is_traced(numbers):
        return None
    own, above, factor = map(np.float64, numbers)
    return bool(np.abs(own / factor / above - 1) < AGREEMENT)


def refuse_paths(child: int, parent: int, model: GenerativeModel) -> None:
    """Raise the UserError for factors that no gains are equivalent to."""
    raise UserError(
        f"the factors along the paths that join levels {model.names[child]!r} and {model.names[parent]!r} have "
        "different products, and no gains are equivalent to them",
        where="error transmission",
        expected="equal products along all paths between two levels",
    )


def is_held(value: Numbers, dtype: jnp.dtype) -> bool:
    """Whether every number is finite and positive in a dtype."""
    with np.errstate(all="ignore"):
        numbers = np.asarray(value).astype(dtype).astype(float)
    return bool(np.all(np.isfinite(numbers) & (numbers > 0)))


def check_scalar(name: str, value: ArrayLike, largest: float) -> None:
    """Raise a UserError unless 0 <= value <= largest (and finite)."""
    number = read_numbers(value, where=f"modulation: {name}", finite=False)
    if isinstance(number, Tracer):
        return
    if number.shape or not np.isfinite(number) or not 0 <= number <= largest:
        bound = "in [0, 1]" if largest == 1 else "finite and not negative"
        raise UserError(f"modulation: {name} must be one number, {bound}; got {value}.")


def check_factor(factor: ArrayLike, place: str) -> Numbers:
    """The factor as numbers; raises a UserError with the level or part unless they are finite and positive."""
    value = read_numbers(factor, where=f"modulation of {place}", finite=False)
    if isinstance(value, Tracer):
        return value
    if not np.size(value) or not np.all(np.isfinite(value)) or np.any(value <= 0):
        raise UserError(
            f"modulation of {place}: a gain must be finite and positive "
            f"(1 = no drug), got {short(factor)}."
        )
    return value


def checked_gain(gain: ArrayLike, place: str, width: int, dtype: jnp.dtype) -> Numbers:
    """The gain as numbers, () or (width,); raises a UserError with the level or part if it is invalid."""
    where, value = f"modulation of {place}", check_factor(gain, place)
    shape = np.shape(value)
    if shape not in ((), (width,)):
        raise UserError(
            f"{where}: expected one gain or {width} (one per unit), got shape {shape}."
        )
    if isinstance(value, Tracer):
        return jnp.asarray(value, dtype)
    value = np.asarray(value, float)
    check_log_precision(np.log(value), where=where, dtype=dtype)
    return value


@checked_arguments
def combine(first: Modulation, second: Modulation) -> Modulation:
    """The combination of two modulations: factors multiply, and top_down is 1 - (1 - a) (1 - b).

    A level or part must be referred to in the same way in both (a name and an index are different keys).
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
    """A modulation of the precision of one level or part: `relax("top", 0.25)` divides it by four."""
    return Modulation({level: gain})


def uniform(gain: float, names: tuple[str, ...]) -> Modulation:
    """The same gain for every level, which does not change the mode."""
    return Modulation({name: gain for name in names})
