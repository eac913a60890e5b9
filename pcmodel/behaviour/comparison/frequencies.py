r"""The posterior of the models' frequencies without the variational approximation, by importance sampling.

$p(r \mid \ell) \propto \mathrm{Dir}(r; \alpha_0) \prod_n \sum_k r_k \exp \ell_{nk}$ has as many dimensions as there are models,
less one, so that draws from Dirichlet distributions matched to it in a few rounds reweight well. The variational posterior
(`random_effects`) attributes each person on its own: where the evidence of persons is weak it is too certain of the
frequencies, and its omnibus risk too high (of thousands of people about whom nothing is known it is nearly 1, and in
truth one half).
"""

from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Float
from scipy.special import expit, gammaln, logsumexp

from pcmodel.behaviour.comparison.evidence import read_evidence, relative
from pcmodel.behaviour.comparison.random_effects import select_models
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Range

BATCH = 2**22  # numbers computed at once
NUM_ROUNDS, ROUND_DRAWS = 8, 2000
FLATTER = (1.0, 0.5, 0.1)  # proposals: shares of the matched concentration
LEAST_EFFECTIVE = 400.0
SMALLEST = 1e-300  # of a share, whose logarithm is finite


class FrequencyPosterior(NamedTuple):
    """The frequencies of models in a population, by weighted draws.

    frequency: expected frequency of each model.
    frequency_sd: posterior SD of each frequency.
    exceedance: probability that each model is the most frequent, if frequencies differ.
    omnibus_risk: probability that all models are equally frequent.
    protected_exceedance: exceedance probabilities, averaged over both hypotheses.
    log_bayes_factor: of differing frequencies over equal ones, nats.
    standard_error: Monte Carlo error of log_bayes_factor, nats.
    effective_draws: number of independent draws with the same accuracy.
    converged: whether these are 400 or more.
    """

    frequency: Float[np.ndarray, " models"]
    frequency_sd: Float[np.ndarray, " models"]
    exceedance: Float[np.ndarray, " models"]
    omnibus_risk: float
    protected_exceedance: Float[np.ndarray, " models"]
    log_bayes_factor: float
    standard_error: float
    effective_draws: float
    converged: bool


@checked_arguments
def sample_frequencies(
    log_evidence: ArrayLike,
    *,
    prior_count: Annotated[float, Range(0.01, 1e6)] = 1.0,
    num_draws: Count = 20_000,
    seed: Annotated[int, Range(0)] = 0,
) -> FrequencyPosterior:
    """The posterior of frequencies from log evidences, persons x models (nats), as of `select_models`."""
    evidence = relative(read_evidence(log_evidence))
    prior = np.full(evidence.shape[1], float(prior_count))
    rng = np.random.default_rng(seed)
    found = select_models(evidence, prior_count=prior_count).alpha
    proposals = _around(found, prior)
    for _ in range(NUM_ROUNDS):
        draws, log_weights = _draw(rng, evidence, prior, proposals, ROUND_DRAWS)
        proposals = _around(_matched(draws, log_weights), prior)
    draws, log_weights = _draw(rng, evidence, prior, proposals, num_draws)
    return _summary(draws, log_weights, evidence)


def _summary(
    draws: np.ndarray, log_weights: np.ndarray, evidence: np.ndarray
) -> FrequencyPosterior:
    size = evidence.shape[1]
    log_evidence = float(logsumexp(log_weights) - np.log(len(draws)))
    weights = np.exp(log_weights - logsumexp(log_weights))
    effective = float(1.0 / (weights**2).sum())
    mean = weights @ draws
    chance = np.bincount(draws.argmax(axis=1), weights, minlength=size)
    equal = (logsumexp(evidence, axis=1) - np.log(size)).sum()
    factor = log_evidence - float(equal)
    risk = float(expit(-factor))
    return FrequencyPosterior(
        frequency=mean,
        frequency_sd=np.sqrt(weights @ (draws - mean) ** 2),
        exceedance=chance,
        omnibus_risk=risk,
        protected_exceedance=(1.0 - risk) * chance + risk / size,
        log_bayes_factor=factor,
        standard_error=float(np.sqrt(max(1.0 / effective - 1.0 / len(draws), 0.0))),
        effective_draws=effective,
        converged=effective >= LEAST_EFFECTIVE,
    )


def _around(alpha: np.ndarray, prior: np.ndarray) -> list[np.ndarray]:
    """Proposals: the matched Dirichlet distribution, flatter ones, and the prior."""
    return [prior + share * np.maximum(alpha - prior, 0.0) for share in FLATTER] + [
        prior
    ]


def _draw(
    rng: np.random.Generator,
    evidence: np.ndarray,
    prior: np.ndarray,
    proposals: list[np.ndarray],
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws from the mixture of proposals, and their log weights against it."""
    sizes = [len(part) for part in np.array_split(np.arange(count), len(proposals))]
    draws = np.concatenate(
        [
            rng.dirichlet(alpha, size)
            for alpha, size in zip(proposals, sizes, strict=True)
        ]
    )
    draws = np.maximum(draws, SMALLEST)
    logs = np.log(draws)
    shares = np.log(np.asarray(sizes) / count)[:, None]
    mixture = np.stack([_log_density(logs, alpha) for alpha in proposals])
    target = _log_density(logs, prior) + _log_likelihood(draws, evidence)
    return draws, target - logsumexp(mixture + shares, axis=0)


def _log_density(logs: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Log density of a Dirichlet distribution, from the logarithms of shares."""
    norm = gammaln(alpha.sum()) - gammaln(alpha).sum()
    return norm + logs @ (alpha - 1.0)


def _log_likelihood(draws: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Log of the product over people of the mixture of their evidences."""
    density = np.exp(evidence).T
    step = max(1, BATCH // density.shape[1])
    parts = [
        np.log(np.maximum(draws[i : i + step] @ density, SMALLEST)).sum(axis=1)
        for i in range(0, len(draws), step)
    ]
    return np.concatenate(parts)


def _matched(draws: np.ndarray, log_weights: np.ndarray) -> np.ndarray:
    """The Dirichlet distribution with the mean and the summed variance of the weighted draws.

    Weights are tempered where few draws carry them all, so that a round cannot collapse onto one draw.
    """
    gaps = log_weights - log_weights.max()
    power = 1.0
    weights = np.exp(gaps)
    while weights.sum() ** 2 / (weights**2).sum() < 100.0 and power > 1e-3:
        power *= 0.7
        weights = np.exp(power * gaps)
    weights = weights / weights.sum()
    mean = weights @ draws
    spread = float((weights @ (draws - mean) ** 2).sum())
    total = float((mean * (1.0 - mean)).sum()) / max(spread, 1e-12) - 1.0
    return np.maximum(mean * max(total, 0.1), 1e-3)
