r"""The exchange of ligands at receptors: at once, or with rates.

At equilibrium ligands share a receptor by their concentrations over K (Gaddum). With rates,

$$\dot\rho_i = k_i \left(x_i(t)\, v - \rho_i\right), \quad v = 1 - \sum_j \rho_j, \quad x_i = C_i / K_i,$$

where $k_i$ is the dissociation rate of ligand $i$ (1 over its residence time) and $k_i / K_i$ its
association rate, so that K keeps its meaning. A ligand of infinite rate is at equilibrium with
the receptors that the others leave vacant; if all rates are infinite, this is Gaddum's equation.

It is a Markov chain between "vacant" and one state for each ligand, with real eigenvalues that
may differ by sixteen powers of ten. Its exponential over a step is a contour integral of
resolvents (Talbot quadrature; Trefethen, Weideman & Schmelzer 2006, BIT 46:653), and the resolvent
of such a star of states has a closed form without cancellation: it is exact for constant
concentrations at any rate and any step. Concentrations that change are held at those of both
ends of a step in turn, which is second order, and leaves fast ligands at the equilibrium of the
step's end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.neuromodulation.pharmacology.receptors import occupancy

AT_ONCE = 1e12  # rate times step of a ligand that is always at equilibrium

Ratios = Callable[[Array], Float[Array, "ligands times"]]


@runtime_checkable
class Exchange(Protocol):
    """A strategy for the occupancy of receptors over time."""

    @property
    def integrates(self) -> bool:
        """Whether it is integrated from rest on, in short steps."""
        ...

    def occupy(
        self, ratios: Ratios, times: Array, off_rates: Array, tone: Array
    ) -> Float[Array, "ligands times"]:
        """Share of receptors that each ligand occupies.

        ratios: concentrations over K at any times.
        times: of the result, h.
        off_rates: dissociation rate of each ligand, 1/h.
        tone: ratios of each ligand before the first time, when it is at equilibrium.
        """
        ...


@dataclass(frozen=True)
class AtOnce:
    """Exchange so fast that receptors are at equilibrium with the effect site at every time."""

    integrates = False

    def occupy(
        self, ratios: Ratios, times: Array, off_rates: Array, tone: Array
    ) -> Float[Array, "ligands times"]:
        """Shares at equilibrium (Gaddum)."""
        return jax.vmap(occupancy, in_axes=1, out_axes=1)(ratios(times))


@checked_arguments
@dataclass(frozen=True)
class WithRates:
    """Exchange at the rates of each ligand (`off_rate_2a` of the compounds).

    Attributes:
        substeps: steps between two times; the error falls with its square.
    """

    substeps: Count = 8
    integrates = True

    def occupy(
        self, ratios: Ratios, times: Array, off_rates: Array, tone: Array
    ) -> Float[Array, "ligands times"]:
        """Shares over time, from equilibrium with `tone` before the first time."""
        step = jnp.diff(times) / self.substeps
        inner = jnp.arange(self.substeps) / self.substeps
        nodes = times[:-1, None] + jnp.diff(times)[:, None] * inner[None]
        at_nodes = ratios(nodes.ravel()).reshape(-1, *nodes.shape)
        at_times = ratios(times)
        shares = jnp.broadcast_to(occupancy(tone), tone.shape)
        state = settle(
            State(shares, 1 - jnp.sum(shares)), at_times[:, 0], turns(off_rates, 0.0)
        )

        def interval(state: State, inputs: tuple[Array, ...]) -> tuple[State, Array]:
            ratios, after, step = inputs
            half, whole = turns(off_rates, step / 2), turns(off_rates, step)
            state = settle(state, ratios[:, 0], half)
            for index in range(1, self.substeps):
                state = settle(state, ratios[:, index], whole)
            state = settle(state, after, half)
            return state, state.shares

        inputs = (jnp.moveaxis(at_nodes, 1, 0), at_times[:, 1:].T, step)
        _, later = jax.lax.scan(interval, state, inputs)
        return jnp.concatenate([state.shares[None], later]).T


class State(NamedTuple):
    """The state of receptors; all shares sum to 1.

    shares: occupied by each ligand.
    vacant: occupied by none.
    """

    shares: Float[Array, " ligands"]
    vacant: Float[Array, ""]


def turns(rates: Array, step: Array | float) -> Array:
    """Rate times step, `AT_ONCE` at most; for an infinite rate also after a step of 0."""
    return jnp.where(jnp.isinf(rates), AT_ONCE, jnp.minimum(rates * step, AT_ONCE))


def settle(state: State, ratios: Array, turns: Array) -> State:
    """The exact state after a step of constant concentrations.

    ratios: concentrations over K.
    turns: rates times the step.
    """
    number = 24 if state.shares.dtype == jnp.float64 else 14
    poles, weights = contour(number, state.shares.dtype)
    filled, turns, ratios = (
        each[None].astype(poles.dtype) for each in (state.shares, turns, ratios)
    )
    # Resolvent at every pole: (z - M)^-1 applied to the state, (poles, ligands).
    below = poles[:, None] + turns
    turned = turns / below
    free = state.vacant.astype(poles.dtype) + jnp.sum(filled * turned, axis=1)
    free = free / poles / (1 + jnp.sum(ratios * turned, axis=1))
    parts = filled / below + ratios * turned * free[:, None]
    shares = 2 * jnp.real(weights @ parts)
    vacant = 2 * jnp.real(jnp.sum(weights * free))
    # Rounding may leave an empty state just below 0.
    shares, vacant = jnp.maximum(shares, 0), jnp.maximum(vacant, 0)
    total = vacant + jnp.sum(shares)
    return State(shares / total, vacant / total)


def contour(number: int, dtype: jnp.dtype) -> tuple[Complex[Array, " n"], ...]:
    """Poles and weights with exp(x) = 2 Re sum w / (z - x) for x <= 0, to about 3.9^-number."""
    angle = np.pi * (2 * np.arange(number // 2) + 1) / number
    cot = 1 / np.tan(0.6407 * angle)
    poles = number * (0.5017 * angle * cot - 0.6122 + 0.2645j * angle)
    slope = 0.5017 * cot - 0.5017 * 0.6407 * angle / np.sin(0.6407 * angle) ** 2
    weights = np.exp(poles) * (slope + 0.2645j) / 1j
    kind = jnp.complex128 if dtype == jnp.float64 else jnp.complex64
    return jnp.asarray(poles, kind), jnp.asarray(weights, kind)
