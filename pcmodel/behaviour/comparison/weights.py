r"""Weights of models by how well they predict: stacking and pseudo-BMA+.

Both are of Yao, Vehtari, Simpson & Gelman 2018 (Bayesian Anal 13:917).
Stacking maximises the left-out log density of the mixture, $\sum_n \log \sum_k w_k \exp \ell_{nk}$, over weights that sum to 1:
a concave problem. At the answer the gap $\max_k \sum_n p_{nk} / \sum_j w_j p_{nj} - N$ bounds how far the mixture is from the
best one, in nats. Pseudo-BMA+ averages Akaike-type weights over a Bayesian bootstrap of the units that are left out.
"""

from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Float
from scipy.optimize import minimize
from scipy.special import softmax

from pcmodel.behaviour.comparison.evidence import read_evidence, relative
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Range

TOLERANCE = 1e-6  # nats a unit
NUM_EM = 20_000


class Stacking(NamedTuple):
    """The mixture of models that predicts best.

    weights: of the models, summing to 1.
    log_density: of the mixture, summed over units, nats.
    gap: upper bound of how much more another mixture could have, nats.
    converged: whether the gap is below 1e-6 nats a unit.
    """

    weights: Float[np.ndarray, " models"]
    log_density: float
    gap: float
    converged: bool


@checked_arguments
def stack_models(log_density: ArrayLike) -> Stacking:
    """Stacking weights from left-out log densities (nats) of each unit: people, or responses.

    Raises UserError for values that are not finite.
    """
    given = read_evidence(log_density, where="log_density")
    density = np.exp(relative(given))
    weights = _polished(density, _first(density))
    gap = _gap(density, weights)
    best = given.max(axis=1)
    return Stacking(
        weights,
        float((best + np.log(density @ weights)).sum()),
        gap,
        gap < TOLERANCE * len(given),
    )


def _first(density: Float[np.ndarray, "units models"]) -> np.ndarray:
    """The maximum by sequential quadratic programming, made a point inside the simplex."""
    size = density.shape[1]
    equal = np.full(size, 1.0 / size)
    if size == 1:
        return equal

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.maximum(density @ weights, 1e-300)
        slope = -(density / mixed[:, None]).mean(axis=0)
        return -float(np.log(mixed).mean()), slope

    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * size,
        constraints=[
            {
                "type": "eq",
                "fun": lambda w: w.sum() - 1.0,
                "jac": lambda w: np.ones(size),
            }
        ],
        options={"maxiter": 500, "ftol": 1e-14},
    )
    weights = np.maximum(np.nan_to_num(found.x), 0.0)
    weights = weights / weights.sum() if weights.sum() > 0.0 else equal
    # A weight of exactly 0 would never change in what follows.
    return 0.999999 * weights + 1e-6 * equal


def _polished(
    density: Float[np.ndarray, "units models"], weights: np.ndarray
) -> np.ndarray:
    """Weights after multiplicative (EM) steps, none of which lowers the density, until the gap is small."""
    for _ in range(NUM_EM):
        slope = _slope(density, weights)
        if slope.max() - 1.0 < 0.1 * TOLERANCE:
            break
        weights = weights * slope
        weights = weights / weights.sum()
    return weights


def _slope(density: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gradient of the log density of the mixture, a unit."""
    return (density / (density @ weights)[:, None]).mean(axis=0)


def _gap(density: np.ndarray, weights: np.ndarray) -> float:
    return float(len(density) * max(_slope(density, weights).max() - 1.0, 0.0))


@checked_arguments
def pseudo_bma(
    log_density: ArrayLike,
    *,
    num_bootstrap: Count = 2000,
    seed: Annotated[int, Range(0)] = 0,
) -> Float[np.ndarray, " models"]:
    """Pseudo-BMA+ weights, which allow for the units being a sample.

    num_bootstrap: Bayesian bootstraps of the units.
    """
    given = relative(read_evidence(log_density, where="log_density"))
    rng = np.random.default_rng(seed)
    draws = rng.dirichlet(np.ones(len(given)), size=num_bootstrap)
    return softmax(len(given) * (draws @ given), axis=1).mean(axis=0)
