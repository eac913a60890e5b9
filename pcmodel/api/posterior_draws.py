r"""`sample_posterior`: draws from the exact posterior by Hamiltonian Monte Carlo.

For networks whose Laplace posterior is inaccurate (`Posterior.diagnose`).  Each of several chains starts at a mode
searched from its own draw of the prior, so that chains in different modes disagree; the result contains convergence
diagnostics.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np
from jax import Array
from jax.core import Tracer
from jaxtyping import Bool, Float

from pcmodel.api.batching import in_parts, joined, keys_of, run_over_examples
from pcmodel.api.pose import Clamps, Observation, Posed, Prior, pose
from pcmodel.errors import UserError
from pcmodel.inference.mcmc import HmcOptions, run_chain
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network
from pcmodel.runtime.memory import check_fits

LARGEST_RHAT = 1.01
LEAST_SIZE = 100.0
"""Smallest effective number of draws per chain, of the worst unit (Vehtari et al. 2021)."""


@dataclass(frozen=True)
class PosteriorDraws:
    """Draws from the posterior of one example, or of a batch (all arrays with a leading axis).

    latents: one array per level, ([batch,] chains, draws, width); clamped units hold their values.
    rhat: rank-normalised split R-hat of the worst free unit, ([batch,]).
    effective_size: effective draws of the worst free unit over all chains, bulk or tail, ([batch,]).
    acceptance: mean acceptance probability of the chains' proposals, ([batch,]).
    """

    latents: tuple[np.ndarray, ...]
    rhat: Float[np.ndarray, "*batch"]
    effective_size: Float[np.ndarray, "*batch"]
    acceptance: Float[np.ndarray, "*batch"]

    @property
    def mixed(self) -> Bool[np.ndarray, "*batch"]:
        """Whether the chains agree: R-hat at most 1.01, and at least 100 effective draws per chain."""
        least = LEAST_SIZE * self.latents[0].shape[-3]
        return np.asarray((self.rhat <= LARGEST_RHAT) & (self.effective_size >= least))

    @property
    def mean(self) -> tuple[np.ndarray, ...]:
        """Mean of every level over chains and draws; reliable only if the chains are `mixed`."""
        return tuple(x.mean(axis=(-3, -2), dtype=float) for x in self.latents)

    @property
    def variances(self) -> tuple[np.ndarray, ...]:
        """Variance of every unit over chains and draws (0 where clamped)."""
        return tuple(x.var(axis=(-3, -2), dtype=float) for x in self.latents)

    @property
    def advice(self) -> str | None:
        """A sentence that explains how the chains disagree and what to change; None if they agree."""
        if np.all(self.mixed):
            return None
        bad = ~np.atleast_1d(self.mixed)
        where = f" of {bad.sum()} of {bad.size} examples" if self.mixed.ndim else ""
        return (
            f"the chains{where} do not agree: R-hat up to {np.max(self.rhat):.3f} (limit "
            f"{LARGEST_RHAT:g}), {np.min(self.effective_size):.0f} effective draws; take more draws, "
            "a longer burn-in or longer trajectories (pcmodel.HmcOptions)"
        )


@checked_arguments
def sample_posterior(
    network: Network,
    observation: Observation | None = None,
    *,
    key: Array,
    num_samples: int = 1000,
    num_chains: int = 4,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    sampling: HmcOptions | None = None,
) -> PosteriorDraws:
    """Draws from the posterior of any network by Hamiltonian Monte Carlo; other arguments as for `infer`.

    num_samples: draws of each chain, at least 4.
    num_chains: at least two, to assess convergence.
    sampling: burn-in, thinning and trajectories of a chain.

    Check `mixed` (or `rhat` and `effective_size`) before using the draws.  Raises UserError for input that does
    not fit the network, and inside jit, vmap or grad.
    """
    num_samples = whole_number(num_samples, "num_samples", least=4)
    num_chains = whole_number(num_chains, "num_chains", least=2)
    check_fits(num_samples, num_chains, sum(network.widths), what="draws of all chains")
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((posed.problem, key))):
        raise UserError(
            "sample_posterior compares its chains in numpy and cannot run inside jit, vmap or grad: "
            "call it outside (a batch is one call)."
        )
    if posed.problem.structure.num_free == 0:
        raise UserError("every unit is clamped: there is no posterior to draw from.")
    key = check_key(key)
    options = dict(num_samples=num_samples, sampling=sampling or HmcOptions())
    drawn = [_judged(posed, *part) for part in _drawn(posed, key, num_chains, options)]
    return PosteriorDraws(*joined(posed, drawn))


def _drawn(
    posed: Posed, key: Array, num_chains: int, options: dict
) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """Latents (examples, chains, draws, width) and acceptance of the examples, in parts."""
    keys = keys_of(posed, key, num_chains)
    numbers = num_chains * options["num_samples"]
    numbers *= sum(posed.problem.structure.model.widths)
    for part in in_parts(posed, numbers):
        found = run_over_examples(
            _chains, part.problem, part.of(keys), batching=posed.batching, **options
        )
        yield part.kept(found)


def _judged(posed: Posed, latents: tuple[np.ndarray, ...], acceptance: np.ndarray):
    """The fields of `PosteriorDraws` for some examples."""
    from pcmodel.inference.rank_normalised import ranked_ess, ranked_rhat

    structure = posed.problem.structure
    rhat, size = [], []
    for example in range(len(acceptance)):
        free = np.concatenate(
            [
                np.asarray(x[example])[..., structure.free_units(level)]
                for level, x in enumerate(latents)
            ],
            axis=-1,
        ).astype(float)
        with np.errstate(all="ignore"):
            # A unit with NaN draws, or one that never moved, makes both NaN: not mixed.
            rhat.append(np.max(ranked_rhat(free)))
            size.append(np.min(ranked_ess(free)))
    return latents, np.asarray(rhat), np.asarray(size), acceptance.mean(axis=1)


def _chains(
    problem: Problem, keys: Array, *, num_samples: int, sampling: HmcOptions
) -> tuple[Latents, Array]:
    """Latents (chains, draws, width) and acceptance of the chains of one example."""
    dtype, free = problem.inputs.gains[0].dtype, problem.structure.num_free

    def one(key: Array) -> tuple[Latents, Array]:
        start_key, chain_key = jax.random.split(key)
        start = jax.random.normal(start_key, (free,), dtype)
        chain = run_chain(problem, chain_key, num_samples, sampling, start=start)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(chain.whitened)
        return latents, chain.acceptance

    return jax.vmap(one)(keys)
