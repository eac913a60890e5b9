"""Whether a sampled posterior may be believed, and the one place where the limits stand."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pcmodel.inference.rank_normalised import ranked_ess, ranked_rhat
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import NotNegative, Positive, Share


@checked_options()
@dataclass(frozen=True)
class Limits:
    """What a sample must reach; R-hat and effective sample size as in Vehtari et al. 2021."""

    max_rhat: Positive = 1.01
    min_ess: NotNegative = 400.0
    max_deepest: Share = 0.01  # share of trajectories at the depth limit
    max_people_rhat: Positive = 1.05  # the worst of hundreds of coordinates
    max_people_lost: Share = 0.05  # share of any one participant's trajectories


MORE_DRAWS = "take more draws, num_samples (`pcmodel fit --samples`)"
MORE_CARE = "raise target_accept (`pcmodel fit --target-accept`)"
SETTLED = 1e-3  # share of the loss by which it may still move
STRICT = Limits()
# The study within the main job has minutes: there the change-point agent comes to about
# 1.01 and 170, the belief-anchored one has two modes, and depth is bounded by intent.
BRIEF = Limits(max_rhat=1.05, min_ess=100.0, max_deepest=1.0)


class Diagnostics(NamedTuple):
    """Worst case over everything that does not belong to one participant."""

    rhat: float  # from ranks; NaN where a coordinate is not finite or never moved
    ess: float  # bulk or tail, whichever is smaller
    num_divergent: int
    deepest_share: float  # share of trajectories that reached the depth limit
    accept_prob: float
    num_draws: int
    limits: Limits = STRICT
    people_rhat: float = 1.0  # worst of what belongs to one participant
    people_lost: float = (
        0.0  # share of the worst one's trajectories that lost all energy
    )

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
                f"{MORE_DRAWS}, or let fewer effects vary"
            )
        if not self.ess >= limits.min_ess:
            found.append(
                f"effective sample size {self.ess:.0f} below {limits.min_ess:.0f}: "
                f"intervals are rough; {MORE_DRAWS}"
            )
        if self.num_divergent:
            found.append(
                f"{self.num_divergent} of {self.num_draws} transitions diverged: part of "
                f"the posterior was not reached; {MORE_CARE}"
            )
        if self.deepest_share > limits.max_deepest:
            found.append(
                f"{self.deepest_share:.0%} of trajectories reached the depth limit: "
                "raise max_tree_depth (`pcmodel fit --max-tree-depth`)"
            )
        if not self.people_rhat <= limits.max_people_rhat:
            found.append(
                f"R-hat {self.people_rhat:.3f} of a participant above "
                f"{limits.max_people_rhat:g}: {MORE_DRAWS}"
            )
        if self.people_lost > limits.max_people_lost:
            found.append(
                f"{self.people_lost:.1%} of a participant's trajectories diverged: "
                f"{MORE_CARE}"
            )
        return tuple(found)


class Settling(NamedTuple):
    """Whether a variational fit had come to rest; there are no chains to compare."""

    falling: float  # by how much of itself the loss fell just before the rate did
    above_lowest: float  # how far the end lies above the lowest, as a share of it
    num_steps: int

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong and what to do about it; empty when nothing is."""
        if self.falling <= SETTLED and self.above_lowest <= SETTLED:
            return ()
        return (
            f"after {self.num_steps} steps the variational loss had not settled: take "
            "more steps, num_steps (`pcmodel fit --steps`)",
        )


def settle(loss: Float[np.ndarray, " steps"]) -> Settling:
    """From the loss at every step, of a rate that falls in the second half.

    Tenths of the steps are compared: the fifth with the fourth, for a rate that has
    fallen flattens any loss, and the last with the lowest. NaN lets nothing pass.
    """
    tenth = max(1, len(loss) // 10)
    means = loss[: len(loss) // tenth * tenth].reshape(-1, tenth).mean(axis=1)
    place = min(4, len(means) - 1)
    size = np.abs(means[-1])
    return Settling(
        float((means[max(0, place - 1)] - means[place]) / size),
        float((means[-1] - means.min()) / size),
        len(loss),
    )


def diagnose(
    values: Float[np.ndarray, "chains draws coordinates"],
    *,
    diverging: np.ndarray,
    num_steps: np.ndarray,
    accept_prob: np.ndarray,
    max_tree_depth: int,
    limits: Limits = STRICT,
    people: Float[np.ndarray, "chains draws people"] | None = None,
    people_lost: Bool[np.ndarray, "chains draws participants"] | None = None,
) -> Diagnostics:
    """From coordinates that are free to move and the sampler's counts, (chains, draws).

    One coordinate that is not finite, or never moved, makes R-hat and the effective
    sample size NaN, which no limit lets pass.
    """
    with np.errstate(all="ignore"):
        rhat, ess = np.max(ranked_rhat(values)), np.min(ranked_ess(values))
    stuck = not np.all(np.isfinite(values)) or np.any(np.ptp(values, axis=(0, 1)) == 0)
    return Diagnostics(
        rhat=np.nan if stuck else float(rhat),
        ess=np.nan if stuck else float(ess),
        num_divergent=int(diverging.sum()),
        deepest_share=float(np.mean(num_steps >= 2**max_tree_depth - 1)),
        accept_prob=float(accept_prob.mean()),
        num_draws=diverging.size,
        limits=limits,
        people_rhat=1.0 if people is None else _worst_rhat(people),
        people_lost=_worst_lost(people_lost),
    )


def _worst_rhat(values: Float[np.ndarray, "chains draws coordinates"]) -> float:
    """NaN where one is not finite or never moved."""
    with np.errstate(all="ignore"):
        return float(np.max(ranked_rhat(values)))


def _worst_lost(lost: np.ndarray | None) -> float:
    """Of participants alone: hundreds of others must not hide one who is lost."""
    return (
        float(lost.mean(axis=(0, 1)).max()) if lost is not None and lost.size else 0.0
    )
