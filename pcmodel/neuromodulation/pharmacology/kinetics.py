r"""Concentration over time: one compartment, and an effect site behind it.

A dose passes through a chain of first-order steps: gut (rate $k_a$), plasma ($k_e$), effect site
($k_{e0}$; Sheiner et al. 1979). The last compartment's content is the product of the rates times
the *divided difference* of $e^{-kt}$ over them (Bateman's formula is that over two rates). It stays
finite for equal rates, where the textbook formulas divide by zero (between flip-flop kinetics and
others). A constant infusion is a chain whose first rate is 0. All is linear in the dose, so
repeated doses add.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

# Spread of rates times time below which the Taylor expansion is more exact.
NEARLY = 0.03


class Kinetics(NamedTuple):
    """The kinetics of one compound in one person.

    lag: before absorption, h.
    absorption: rate, 1/h.
    elimination: rate, 1/h.
    volume: of distribution, L; apparent, V/F, for a swallowed compound.
    effect_site: rate, 1/h; infinite where the effect follows plasma at once.
    bioavailability: F of a swallowed dose; the volume of an injected one is F times the apparent.
    """

    lag: Array
    absorption: Array
    elimination: Array
    volume: Array
    effect_site: Array
    bioavailability: Array | float = 1.0

    @property
    def clearance(self) -> Array:
        """Apparent clearance, CL/F, L/h."""
        return self.elimination * self.volume

    @property
    def true_volume(self) -> Array:
        """Volume of distribution of an injected dose, L."""
        return self.volume * self.bioavailability


def difference_2(time: Array, first: Array, second: Array) -> Array:
    """Divided difference over two rates: (exp(-a t) - exp(-b t)) / (b - a), or t exp(-a t)."""
    low, gap = jnp.minimum(first, second), jnp.abs(second - first)
    spread = gap * time
    near = spread < 1e-4
    safe = jnp.where(near, 1.0, spread)
    ratio = jnp.where(near, 1 - spread / 2 + spread**2 / 6, -jnp.expm1(-safe) / safe)
    return time * jnp.exp(-low * time) * ratio


def difference_3(time: Array, a: Array, b: Array, c: Array) -> Array:
    """Divided difference of exp(-k t) over three rates (positive)."""
    low = jnp.minimum(jnp.minimum(a, b), c)
    high = jnp.maximum(jnp.maximum(a, b), c)
    middle = a + b + c - low - high
    spread = (high - low) * time
    near = spread < NEARLY
    gap = jnp.where(near, 1.0, high - low)
    exact = (difference_2(time, low, middle) - difference_2(time, middle, high)) / gap
    mean = (a + b + c) / 3
    variance = ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 3
    # E exp(-t Y), Y uniform over the simplex of the rates: variance of Y is a quarter of theirs.
    series = 0.5 * time**2 * jnp.exp(-mean * time) * (1 + variance * time**2 / 8)
    return jnp.where(near, series, exact)


def unit_oral(kinetics: Kinetics, time: Array) -> tuple[Array, Array]:
    """Plasma and effect-site concentration `time` h after swallowing 1 mg, ng/mL."""
    since = jnp.maximum(time - kinetics.lag, 0)
    ka, ke, k0 = kinetics.absorption, kinetics.elimination, kinetics.effect_site
    scale = 1000 * ka / kinetics.volume
    plasma = scale * difference_2(since, ka, ke)
    through = partial(difference_3, since, ka, ke)
    return plasma, behind(plasma, k0, lambda rate: scale * rate * through(rate))


def unit_bolus(kinetics: Kinetics, time: Array) -> tuple[Array, Array]:
    """Plasma and effect-site concentration `time` h after injecting 1 mg at once, ng/mL."""
    since = jnp.maximum(time, 0)
    ke, k0 = kinetics.elimination, kinetics.effect_site
    scale = jnp.where(time >= 0, 1000 / kinetics.true_volume, 0)
    plasma = scale * jnp.exp(-ke * since)
    through = partial(difference_2, since, ke)
    return plasma, behind(plasma, k0, lambda rate: scale * rate * through(rate))


def unit_infusion(
    kinetics: Kinetics, time: Array, duration: Array
) -> tuple[Array, Array]:
    """Plasma and effect-site concentration `time` h after an infusion of 1 mg starts, ng/mL.

    After its end the concentrations reached then decay: the difference of two infinite infusions
    would lose all digits by cancellation.
    """
    going = jnp.clip(time, 0, duration)
    after = jnp.maximum(time - duration, 0)
    zero = jnp.zeros((), duration.dtype)
    ke, k0 = kinetics.elimination, kinetics.effect_site
    scale = 1000 / kinetics.true_volume / duration
    reached = scale * difference_2(going, zero, ke)
    plasma = reached * jnp.exp(-ke * after)

    def site(rate: Array) -> Array:
        filled = scale * rate * difference_3(going, zero, ke, rate)
        passing = rate * reached * difference_2(after, ke, rate)
        return filled * jnp.exp(-rate * after) + passing

    return plasma, behind(plasma, k0, site)


def behind(plasma: Array, rate: Array, delayed) -> Array:
    """The effect-site concentration; that of plasma where the rate is infinite."""
    is_finite = jnp.isfinite(rate)
    safe = jnp.where(is_finite, rate, 1.0)
    return jnp.where(is_finite, delayed(safe), plasma)


class Concentration(NamedTuple):
    """Concentrations over time.

    plasma: ng/mL.
    effect_site: ng/mL.
    """

    plasma: Float[Array, " times"]
    effect_site: Float[Array, " times"]


def superpose(parts: list[tuple[Array, Array]], like: Array) -> Concentration:
    """The sum of the concentrations of one compound's doses; `like` has the shape for none."""
    zero = jnp.zeros_like(like)
    plasma = sum((plasma for plasma, _ in parts), zero)
    return Concentration(plasma, sum((site for _, site in parts), zero))
