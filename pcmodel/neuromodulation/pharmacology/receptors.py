r"""Receptors: who sits on them, and what comes of it.

Ligands compete for one site (Gaddum 1937), $\rho_i = x_i / (1 + \sum_j x_j)$ with $x = C/K$.  The response is
the operational model (Black & Leff 1983, Proc R Soc B 220:141) for agonists together: the stimulus
$S = \sum_i \tau_i \rho_i$ and

$$E = \frac{S^n}{1 + S^n} \quad (\text{share of the system's maximum}),$$

for one agonist the published $(\tau A)^n / ((K_A + A)^n + (\tau A)^n)$.  An efficacy $\tau = 0$ is a silent
antagonist, a low one a partial agonist, which lowers the response to a full agonist present in
excess.  Losing receptors scales $\tau$.  Nothing steeper is hidden here: what else stands between
receptor and experience is the second stage (`pcmodel.neuromodulation.pharmacology.transducer`).
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def occupancy(ratios: Float[Array, " ligands"]) -> Float[Array, " ligands"]:
    """Share of receptors each ligand fills, from concentrations over K (Gaddum)."""
    return ratios / (1 + jnp.sum(ratios))


def stimulus(
    ratios: Float[Array, " ligands"], efficacies: Float[Array, " ligands"]
) -> Float[Array, ""]:
    """S = sum tau rho."""
    return jnp.sum(efficacies * occupancy(ratios))


def operational(stimulus: Array, slope: Array) -> Array:
    """S^n / (1 + S^n); at S = 0 it is 0, with the right derivative for n of 1 or more."""
    something = stimulus > 0
    safe = jnp.where(something, stimulus, 1.0)
    # S^(n-1) S: the power alone has no derivative at S = 0.
    at_zero = jnp.where(slope > 1, 0.0, 1.0)
    power = jnp.where(something, safe ** (slope - 1), at_zero) * stimulus
    return power / (1 + power)


def maximum(efficacy: Array, slope: Array) -> Array:
    """Largest response an agonist can reach: tau^n / (1 + tau^n)."""
    return operational(efficacy, slope)
