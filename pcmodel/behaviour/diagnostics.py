"""Whether a sampled posterior may be believed, and the one place where the limits stand."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin


@dataclass(frozen=True)
class Limits:
    """What a sample must reach; the defaults are those of Vehtari et al. 2021."""

    max_rhat: float = 1.01
    min_ess: float = 400.0
    max_deepest: float = 0.01  # share of trajectories at the depth limit


STRICT = Limits()
# The study within the main job has minutes: there the change-point agent comes to about
# 1.01 and 170, the belief-anchored one has two modes, and depth is bounded by intent.
BRIEF = Limits(max_rhat=1.05, min_ess=100.0, max_deepest=1.0)


class Diagnostics(NamedTuple):
    """Worst case over everything that does not belong to one participant."""

    rhat: float  # split; NaN where a coordinate is not finite or never moved
    ess: float
    num_divergent: int
    deepest_share: float  # share of trajectories that reached the depth limit
    accept_prob: float
    num_draws: int
    limits: Limits = STRICT

    @property
    def converged(self) -> bool:
        """Whether the chains agree."""
        return self.rhat <= self.limits.max_rhat

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong and what to do about it; empty when nothing is."""
        limits, found = self.limits, []
        if not self.converged:
            found.append(
                f"R-hat {self.rhat:.3f} above {limits.max_rhat:g}: the chains disagree; "
                "take more draws, or fewer varying effects"
            )
        if not self.ess >= limits.min_ess:
            found.append(
                f"effective sample size {self.ess:.0f} below {limits.min_ess:.0f}: "
                "intervals are rough; take more draws"
            )
        if self.num_divergent:
            found.append(
                f"{self.num_divergent} of {self.num_draws} transitions diverged: part of "
                "the posterior was not reached; raise the target acceptance"
            )
        if self.deepest_share > limits.max_deepest:
            found.append(
                f"{self.deepest_share:.0%} of trajectories reached the depth limit: "
                "raise it"
            )
        return tuple(found)


def diagnose(
    values: Float[np.ndarray, "chains draws coordinates"],
    *,
    diverging: np.ndarray,
    num_steps: np.ndarray,
    accept_prob: np.ndarray,
    max_tree_depth: int,
    limits: Limits = STRICT,
) -> Diagnostics:
    """From coordinates that are free to move and the sampler's counts, (chains, draws).

    One coordinate that is not finite, or never moved, makes R-hat and the effective
    sample size NaN, which no limit lets pass.
    """
    with np.errstate(all="ignore"):
        rhat = np.max(split_gelman_rubin(values))
        ess = np.min(effective_sample_size(values))
    stuck = not np.all(np.isfinite(values)) or np.any(np.ptp(values, axis=(0, 1)) == 0)
    return Diagnostics(
        rhat=np.nan if stuck else float(rhat),
        ess=np.nan if stuck else float(ess),
        num_divergent=int(diverging.sum()),
        deepest_share=float(np.mean(num_steps >= 2**max_tree_depth - 1)),
        accept_prob=float(accept_prob.mean()),
        num_draws=diverging.size,
        limits=limits,
    )
