r"""Random-effects Bayesian model selection: the frequencies of models in a population.

Every person follows one of $K$ models, drawn with frequencies $r \sim \mathrm{Dir}(\alpha_0)$. Stephan, Penny,
Daunizeau, Moran & Friston (2009, NeuroImage 46:1004) find an approximate posterior $\mathrm{Dir}(\alpha)$ from each
person's log evidence $\ell_{nk}$ by the fixed point

$g_{nk} \propto \exp(\ell_{nk} + \psi(\alpha_k)), \quad \alpha_k = \alpha_0 + \sum_n g_{nk}.$

Rigoux, Stephan, Friston & Daunizeau (2014, NeuroImage 84:971) compare it with the hypothesis that all models are equally
frequent, $p(\ell_n) = \frac1K \sum_k \exp \ell_{nk}$: the probability of that is the Bayes omnibus risk $b$, and the
protected exceedance probability is $(1 - b) \varphi_k + b / K$.

The plain iteration gains a factor of $N / (N + 1)$ a step where models are tied, thousands of steps for thousands of people;
here Newton steps follow it.
"""

from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Float
from scipy.special import digamma, expit, gammaln, logsumexp, polygamma, softmax

from pcmodel.behaviour.comparison.dirichlet import exceedance
from pcmodel.behaviour.comparison.evidence import read_evidence, relative
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Range

NUM_PLAIN, NUM_NEWTON = 30, 200
TOLERANCE = 1e-9  # of alpha, as a share of its sum


class ModelSelection(NamedTuple):
    """The frequencies of models in a population.

    alpha: parameters of the Dirichlet posterior.
    frequency: expected frequency of each model.
    frequency_sd: posterior SD of each frequency.
    attribution: probability that each person follows each model.
    exceedance: probability that each model is the most frequent, if frequencies differ.
    omnibus_risk: probability that all models are equally frequent.
    protected_exceedance: exceedance probabilities, averaged over both hypotheses.
    log_bayes_factor: of differing frequencies over equal ones, nats; a lower bound, as the approximation is one.
    residual: largest change of alpha by one more iteration, as a share of its sum.
    converged: whether the residual is below the tolerance.
    """

    alpha: Float[np.ndarray, " models"]
    frequency: Float[np.ndarray, " models"]
    frequency_sd: Float[np.ndarray, " models"]
    attribution: Float[np.ndarray, "people models"]
    exceedance: Float[np.ndarray, " models"]
    omnibus_risk: float
    protected_exceedance: Float[np.ndarray, " models"]
    log_bayes_factor: float
    residual: float
    converged: bool


@checked_arguments
def select_models(
    log_evidence: ArrayLike,
    *,
    prior_count: Annotated[float, Range(0.01, 1e6)] = 1.0,
) -> ModelSelection:
    """Random-effects selection from each person's log evidence (nats) of each model.

    log_evidence: the marginal likelihood of each person's responses, or what stands for it: the density of a
        person whom the fit has not seen (`left_out_people`). Only differences within a person matter.
    prior_count: the prior's parameter of each model; 1, as published, is uniform over frequencies.
    Raises UserError for values that are not finite.
    """
    evidence = relative(read_evidence(log_evidence))
    alpha = _posterior(evidence, prior_count)
    attribution = _attribution(evidence, alpha)
    residual = float(np.max(np.abs(_gap(evidence, alpha, prior_count))) / alpha.sum())
    factor = _bound(evidence, alpha, prior_count) - _equal(evidence)
    risk = float(expit(-factor))
    chance, total = exceedance(alpha), alpha.sum()
    share = alpha / total
    return ModelSelection(
        alpha=alpha,
        frequency=share,
        frequency_sd=np.sqrt(share * (1.0 - share) / (total + 1.0)),
        attribution=attribution,
        exceedance=chance,
        omnibus_risk=risk,
        protected_exceedance=(1.0 - risk) * chance + risk / len(alpha),
        log_bayes_factor=factor,
        residual=residual,
        converged=residual < TOLERANCE,
    )


def _attribution(evidence: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Probability of each model for each person, given the frequencies' posterior."""
    return softmax(evidence + digamma(alpha), axis=1)


def _gap(evidence: np.ndarray, alpha: np.ndarray, prior_count: float) -> np.ndarray:
    """Change of alpha by one iteration; 0 at the fixed point."""
    return prior_count + _attribution(evidence, alpha).sum(axis=0) - alpha


def _posterior(evidence: np.ndarray, prior_count: float) -> np.ndarray:
    """The fixed point that the iteration from equal frequencies leads to."""
    num_people, num_models = evidence.shape
    alpha = np.full(num_models, prior_count + num_people / num_models)
    for _ in range(NUM_PLAIN):
        alpha = alpha + _gap(evidence, alpha, prior_count)
    for _ in range(NUM_NEWTON):
        gap = _gap(evidence, alpha, prior_count)
        if np.max(np.abs(gap)) < 1e-3 * TOLERANCE * alpha.sum():
            break
        alpha = _step(evidence, alpha, gap, prior_count)
    return alpha


def _step(
    evidence: np.ndarray, alpha: np.ndarray, gap: np.ndarray, prior_count: float
) -> np.ndarray:
    """A Newton step on the gap if it raises the bound, else one iteration, which always does."""
    share = _attribution(evidence, alpha)
    spread = np.diag(share.sum(axis=0)) - share.T @ share
    slope = spread * polygamma(1, alpha)[None, :] - np.eye(len(alpha))
    proposed = alpha - np.linalg.solve(slope, gap)
    plain = alpha + gap
    if not np.all(proposed >= prior_count * (1.0 - 1e-12)):
        return plain
    gain = _bound(evidence, proposed, prior_count) - _bound(
        evidence, plain, prior_count
    )
    return proposed if gain >= -1e-12 * len(evidence) else plain


def _bound(evidence: np.ndarray, alpha: np.ndarray, prior_count: float) -> float:
    """Variational lower bound of the log evidence, at the best attribution for `alpha` (nats)."""
    size, total = len(alpha), alpha.sum()
    log_share = digamma(alpha) - digamma(total)
    each = logsumexp(evidence + digamma(alpha), axis=1) - digamma(total)
    data = each.sum()
    prior = gammaln(size * prior_count) - size * gammaln(prior_count)
    own = gammaln(total) - gammaln(alpha).sum()
    return float(data + prior - own + ((prior_count - alpha) * log_share).sum())


def _equal(evidence: np.ndarray) -> float:
    """Log evidence if all models are equally frequent (nats)."""
    each = logsumexp(evidence, axis=1) - np.log(evidence.shape[1])
    return float(each.sum())
