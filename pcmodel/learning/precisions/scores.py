r"""Centred and non-centred scores of the log-precisions, from posterior draws.

By Fisher's identity the score of the data is the posterior mean of the joint score of data and latents, in any
parametrisation of the latents.  With the *latents* fixed (centred) a level's score is that of its own Gaussian,
$\tfrac12(d - |z_\ell|^2)$ for a scalar; with the *whitened errors* fixed (non-centred) the latents below move and the
score is that of the observed units.  Both have the same posterior mean and very different variances: the centred score
is nearly all noise where the prior is more informative than the data, the non-centred one in the opposite case
(Papaspiliopoulos, Roberts & Sköld 2007, Stat Sci 22:59; Yu & Meng 2011, JCGS 20:531, interweave them in sampling).

Their *difference* therefore has mean zero under the posterior.  It is a control variate for one more gradient, and a
test of the sampler: its mean differs from zero while chains have not reached the posterior.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.inference.posterior import row_log_det
from pcmodel.inference.whitened import objective, whitened_from_latents
from pcmodel.model.energy import energy
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents, LogPrecisions


class Scores(NamedTuple):
    """Scores of one draw; one entry per level, shaped like its log-precision (None where there is none).

    centred: d log p / d lambda, with lambda the log-precision, at fixed latents.
    difference: non-centred minus centred score.
    """

    centred: tuple[Array | None, ...]
    difference: tuple[Array | None, ...]


def scores(problem: Problem, latents: Latents) -> Scores:
    """Both scores of one posterior draw; only for problems without beliefs about lower levels."""
    whitened = whitened_from_latents(problem, latents)

    def centred(log_precisions: LogPrecisions) -> Array:
        return -energy(with_precisions(problem, log_precisions), latents)

    def non_centred(log_precisions: LogPrecisions) -> Array:
        changed = with_precisions(problem, log_precisions)
        return 0.5 * row_log_det(changed) - objective(changed, whitened)

    own = problem.inputs.log_precisions
    held, moved = jax.grad(centred)(own), jax.grad(non_centred)(own)
    return Scores(held, jax.tree.map(jnp.subtract, moved, held))


def with_precisions(problem: Problem, log_precisions: LogPrecisions) -> Problem:
    """The same problem with other precisions."""
    return replace(
        problem, inputs=problem.inputs._replace(log_precisions=log_precisions)
    )
