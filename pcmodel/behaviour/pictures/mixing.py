"""Draws of the numbers of the group whose chains mix worst: for traces, ranks and pairs."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

from pcmodel.behaviour.pictures.words import effect_in_words
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior, effect_labels
from pcmodel.inference.rank_normalised import ranked_ess, ranked_rhat

MOST_SHOWN = 4
NUM_BINS = 20


class Mixing(NamedTuple):
    """Draws of some numbers of the group, those that mix worst first.

    names: of the numbers, in words.
    rhat: rank-normalised R-hat of each.
    ess: effective sample size of each.
    draws: of each number, by chain.
    ranks: draws of each chain that fall in each twentieth of all draws together.
    diverging: which transitions diverged.
    """

    names: tuple[str, ...]
    rhat: Float[np.ndarray, " numbers"]
    ess: Float[np.ndarray, " numbers"]
    draws: Float[np.ndarray, "numbers chains draws"]
    ranks: Int[np.ndarray, "numbers chains bins"]
    diverging: Bool[np.ndarray, "chains draws"]


def mixing(posterior: Posterior) -> Mixing | None:
    """The numbers with the largest R-hat, then the fewest effective draws; None for draws that are no chains."""
    if not isinstance(posterior.diagnostics, Diagnostics):
        return None
    effects = posterior.effects
    if not effects:
        return None
    words = {
        label.name: effect_in_words(
            label.parameter, label.column, is_spread=label.is_spread
        )
        for label in effect_labels(posterior.hierarchy)
    }
    every = {
        name: (_number(ranked_rhat(own)), _number(ranked_ess(own)))
        for name, own in effects.items()
    }
    order = sorted(effects, key=lambda name: (-every[name][0], every[name][1]))
    order = order[:MOST_SHOWN]
    draws = np.stack([effects[name] for name in order])
    diverging = posterior.sample_stats.get("diverging", np.zeros(draws.shape[1:]))
    return Mixing(
        tuple(words[name] for name in order),
        np.asarray([every[name][0] for name in order]),
        np.asarray([every[name][1] for name in order]),
        draws,
        np.stack([rank_counts(own) for own in draws]),
        np.asarray(diverging, dtype=bool),
    )


def _number(value: object) -> float:
    """A number to sort by; what is not finite mixes worst."""
    found = float(value)  # pyright: ignore[reportArgumentType]
    return found if np.isfinite(found) else np.inf


def rank_counts(
    draws: Float[np.ndarray, "chains draws"],
) -> Int[np.ndarray, "chains bins"]:
    """Of each chain the draws in each twentieth of all ranks (Vehtari et al. 2021, Bayesian Anal 16:667)."""
    ranks = rankdata(draws, method="ordinal").reshape(draws.shape) - 1
    bins = np.minimum(ranks * NUM_BINS // draws.size, NUM_BINS - 1)
    return np.stack([np.bincount(own, minlength=NUM_BINS) for own in bins.astype(int)])
