r"""Receptors: their occupancy by ligands and the response to it.

Ligands compete for one site (Gaddum 1937), $\rho_i = x_i / (1 + \sum_j x_j)$ with $x = C/K$. The
response is that of the operational model (Black & Leff 1983, Proc R Soc B 220:141) to all agonists:
the stimulus $S = \sum_i \tau_i \rho_i$ and

$$E = \frac{S^n}{1 + S^n} \quad (\text{share of the system's maximum}),$$

for one agonist the published $(\tau A)^n / ((K_A + A)^n + (\tau A)^n)$. A ligand of efficacy
$\tau = 0$ is a silent antagonist, one of low efficacy a partial agonist, which lowers the response to
a full agonist present in excess. A loss of receptors scales $\tau$. The steepness between receptors
and experience is that of the second stage (`pcmodel.neuromodulation.pharmacology.transducer`).
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def occupancy(ratios: Float[Array, " ligands"]) -> Float[Array, " ligands"]:
    """Share of receptors that each ligand occupies, from concentrations over K (Gaddum)."""
    return ratios / (1 + jnp.sum(ratios))


def stimulus(
    ratios: Float[Array, " ligands"], efficacies: Float[Array, " ligands"]
) -> Float[Array, ""]:
    """The stimulus S = sum tau rho."""
    return jnp.sum(efficacies * occupancy(ratios))


def operational(stimulus: Array, slope: Array) -> Array:
    """The response S^n / (1 + S^n); at S = 0 it has the right derivative for n of 1 or more."""
    is_positive = stimulus > 0
    safe = jnp.where(is_positive, stimulus, 1.0)
    # S^(n-1) S: the power alone has no derivative at S = 0.
    at_zero = jnp.where(slope > 1, 0.0, 1.0)
    power = jnp.where(is_positive, safe ** (slope - 1), at_zero) * stimulus
    return power / (1 + power)


def maximum(efficacy: Array, slope: Array) -> Array:
    """The largest response to an agonist: tau^n / (1 + tau^n)."""
    return operational(efficacy, slope)
