"""Convergence diagnostics of a fit, and the limits that they must meet."""

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
    """Limits of a sample; R-hat and effective sample size as in Vehtari et al. (2021).

    Attributes:
        max_rhat: of the group's coordinates.
        min_ess: effective sample size of the group's coordinates.
        max_deepest: share of trajectories that reach the depth limit.
        max_people_rhat: of participants' coordinates, the worst of hundreds.
        max_people_lost: share of any one participant's trajectories that diverge.
    """

    max_rhat: Positive = 1.01
    min_ess: NotNegative = 400.0
    max_deepest: Share = 0.01
    max_people_rhat: Positive = 1.05
    max_people_lost: Share = 0.05


MORE_DRAWS = "take more draws, num_samples (`pcmodel fit --samples`)"
MORE_CARE = "raise target_accept (`pcmodel fit --target-accept`)"
SETTLED = 1e-3  # share of the loss by which it may still change
STRICT = Limits()
# The study within the main job takes minutes: there the change-point agent reaches an R-hat of
# about 1.01 and an ESS of 170, the belief-anchored one has two modes, and depth is limited.
BRIEF = Limits(max_rhat=1.05, min_ess=100.0, max_deepest=1.0)


class Diagnostics(NamedTuple):
    """Diagnostics of NUTS draws, each the worst over coordinates.

    rhat: of the group's coordinates, rank-normalised; NaN where one is not finite or constant.
    ess: effective sample size of the group's coordinates, the smaller of bulk and tail.
    num_divergent: the number of divergent transitions.
    deepest_share: share of trajectories that reached the depth limit.
    accept_prob: mean acceptance probability.
    num_draws: of all chains.
    limits: that the others must meet.
    people_rhat: of participants' coordinates; NaN where one is not finite.
    people_lost: share of divergent trajectories of the participant with most of them.
    """

    rhat: float
    ess: float
    num_divergent: int
    deepest_share: float
    accept_prob: float
    num_draws: int
    limits: Limits = STRICT
    people_rhat: float = 1.0
    people_lost: float = 0.0

    @property
    def converged(self) -> bool:
        """Whether the R-hat of the group's coordinates is within its limit."""
        return self.rhat <= self.limits.max_rhat

    @property
    def complaints(self) -> tuple[str, ...]:
        """A sentence on each limit that is not met, with advice."""
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


VARIATIONAL = "a variational interval, which may be too narrow by an unknown amount"


class Settling(NamedTuple):
    """Convergence of a variational fit, by its loss; there are no chains to compare.

    falling: decrease of the loss in the last tenth before the learning rate fell, beyond three
        standard errors of its noise, as a share of the final loss.
    above_lowest: final loss minus the lowest, beyond three standard errors, as a share of the final loss.
    num_steps: of the fit.
    pareto_shape: of the tail of the draws' importance ratios, posterior over approximation; NaN if
        not measured.
    is_weighted: whether the draws were chosen by these ratios; else they are the approximation's own.
    """

    falling: float
    above_lowest: float
    num_steps: int
    pareto_shape: float = np.nan
    is_weighted: bool = False

    @property
    def complaints(self) -> tuple[str, ...]:
        """A sentence on each limit that is not met, with advice."""
        if self.falling <= SETTLED and self.above_lowest <= SETTLED:
            return ()
        return (
            f"after {self.num_steps} steps the variational loss had not settled: take "
            "more steps, num_steps (`pcmodel fit --steps`)",
        )

    @property
    def caveat(self) -> str:
        """What to know of the draws, in a few words."""
        if self.is_weighted:
            return (
                f"variational draws, reweighted to the posterior (Pareto k {self.pareto_shape:.2f}): in small studies 95 % "
                "intervals of spreads covered 90 %"
            )
        return VARIATIONAL


def settle(loss: Float[np.ndarray, " steps"]) -> Settling:
    """Convergence by the loss of each step, for a learning rate that falls in the second half.

    Means over tenths of the steps are compared: the fifth with the fourth, since a rate that
    has fallen flattens any loss, and the last with the lowest. Each step's loss has the noise of its
    draws: of a small study it is more than the share that is tolerated. NaN meets no limit.
    """
    tenth = max(1, len(loss) // 10)
    parts = loss[: len(loss) // tenth * tenth].reshape(-1, tenth)
    means, variances = parts.mean(axis=1), parts.var(axis=1) / tenth

    def gap(before: int, after: int) -> float:
        """How much lower the later tenth is, for certain."""
        noise = 3.0 * np.sqrt(variances[before] + variances[after])
        return float((means[before] - means[after] - noise) / np.abs(means[-1]))

    place = min(4, len(means) - 1)
    return Settling(
        gap(max(0, place - 1), place),
        gap(-1, int(np.argmin(means))),
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
    """Diagnostics of NUTS draws.

    values: of the group's free coordinates.
    diverging: whether each transition diverged, (chains, draws).
    num_steps: leapfrog steps of each transition, (chains, draws).
    accept_prob: acceptance probability of each transition, (chains, draws).
    max_tree_depth: the depth limit.
    limits: that they must meet.
    people: the participants' coordinates; None where nobody differs.
    people_lost: whether each participant's own trajectory diverged.
    A group's coordinate that is not finite or constant makes R-hat and the effective sample
    size NaN, which meets no limit.
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
    """The largest R-hat; NaN where a coordinate is not finite or constant."""
    with np.errstate(all="ignore"):
        return float(np.max(ranked_rhat(values)))


def _worst_lost(lost: np.ndarray | None) -> float:
    """The largest share over participants: a mean over hundreds would hide one of them."""
    if lost is None or not lost.size:
        return 0.0
    return float(lost.mean(axis=(0, 1)).max())
