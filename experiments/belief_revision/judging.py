"""A verdict for every control: what must hold, and what was predicted and could have failed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from pcmodel.behaviour.posterior.diagnostics import BRIEF
from pcmodel.report import Verdict

if TYPE_CHECKING:
    from .analysing import Curves, Levels
    from .behaviour import BehaviourResults
    from .computing import Results
    from .config import Config


def verdict(
    name: str, prediction: str, observed: str, holds: Any, kind: str
) -> Verdict:
    """Holds or fails; None for `holds` is inconclusive."""
    outcome = "inconclusive" if holds is None else "holds" if bool(holds) else "fails"
    return Verdict(name, prediction, observed, outcome, kind)


def judge(
    config: "Config", results: "Results", curves: "Curves", levels: "Levels"
) -> tuple[Verdict, ...]:
    """All verdicts, predictions first."""
    return (
        *predictions(config, results, curves, levels),
        *theorems(config, results),
        *behaviour(results.behaviour),
    )


def predictions(config, results, curves, levels) -> tuple[Verdict, ...]:
    """What the relaxed-beliefs account says of a trained network; each could have failed."""
    least = config.gains[-1]
    threshold, flips = curves.threshold, curves.flips
    between = results.trained.combinations.revision[2]
    protected = between[-1] - between[0]
    order = results.order.rising - results.order.falling
    spread = 1.96 * order.std() / np.sqrt(len(order))
    gap = flips[-1, 1] - max(curves.untrained_flips[-1, 2], curves.noise_flips[-1, 2])
    held = results.established.flips
    return (
        verdict(
            "Relaxing the top lets evidence win",
            "the morph at which belief passes 1/2 falls with the top's precision, and the readout "
            "flips to the class shown",
            f"threshold {_morph(threshold[0, 0])} -> {_morph(threshold[-1, 0])}; flips "
            f"{flips[0, 0]:.0%} -> {flips[-1, 0]:.0%} (gain 1 -> {least:g})",
            threshold[-1, 0] < threshold[0, 0] and flips[-1, 1] > flips[0, 2],
            "predicted",
        ),
        verdict(
            "Relaxing the levels between protects the belief",
            "evidence passes through them in series: revision falls",
            f"revision {between[0].mean():.3f} -> {between[-1].mean():.3f} at gain {least:g}; "
            f"it fell in {np.mean(protected < 0):.0%} of pairs",
            np.mean(protected < 0) > 0.95,
            "predicted",
        ),
        verdict(
            "Only a trained network flips to the correct class",
            "an untrained network revises too (a theorem), and noise of the same size moves the belief "
            "as far, but neither lands on the class shown",
            f"at gain {least:g}: trained {flips[-1, 0]:.0%}, untrained "
            f"{curves.untrained_flips[-1, 0]:.0%}, matched noise {curves.noise_flips[-1, 0]:.0%}",
            gap > 0,
            "predicted",
        ),
        verdict(
            "A belief established by images behaves alike",
            f"after {config.established_by} images of one class, one image of another flips more beliefs "
            "the more the top is relaxed",
            f"flips {held[0]:.0%} -> {held[-1]:.0%}; established precision "
            f"{results.established.precision:.0f} against {results.scales.evidence:.0f} of one image",
            held[-1] > held[0],
            "predicted",
        ),
        verdict(
            "Order of evidence matters in the nonlinear network",
            "the same images rising and falling in strength leave different beliefs",
            f"belief in the shown class differs by {order.mean():+.3f} +- {spread:.3f} "
            f"(modes {results.order.distance.mean():.2g} apart)",
            abs(order.mean()) > spread,
            "predicted",
        ),
    )


def theorems(config, results) -> tuple[Verdict, ...]:
    """What mathematics demands of the software."""
    alike, all_but, _, raised = (
        np.asarray(results.trained.combinations.mode[i]) for i in range(4)
    )
    gains = np.asarray(config.gains)
    moved = np.abs(alike - alike[:1]).max()
    covariance = results.trained.combinations.covariance
    scaled = covariance[0] * gains[:, None, None, None] / covariance[0][:1]
    alike_error = np.abs(scaled[..., np.arange(10), np.arange(10)] - 1).max()
    same = np.abs(all_but - raised).max()
    ratio = covariance[1] * gains[:, None, None, None] / covariance[3]
    ratio_error = np.abs(ratio[..., np.arange(10), np.arange(10)] - 1).max()
    linear = results.linear_revision
    settle = results.settling
    clock = np.abs(settle.uniform * gains[:, None] / settle.uniform[:1] - 1).max()
    measured = np.abs(settle.measured / settle.predicted[0] - 1).max()
    return (
        verdict(
            "All gains alike move nothing",
            "the mode stays within 1e-5; covariance and settling time grow by exactly 1/gain",
            f"mode moved {moved:.1e}; relative error of the covariance {alike_error:.1e}, of the "
            f"settling time {clock:.1e}",
            moved < 1e-5 and alike_error < 1e-4 and clock < 1e-3,
            "theorem",
        ),
        verdict(
            "Raised senses equal relaxed everything-else in the mode",
            "the same mode, posterior covariance larger by exactly 1/gain: means cannot tell them apart, "
            "uncertainty can",
            f"modes differ by {same:.1e}; relative error of the covariance ratio {ratio_error:.1e}",
            same < 1e-5 and ratio_error < 1e-4,
            "theorem",
        ),
        verdict(
            "Relaxation without evidence moves nothing",
            "with no image, no latent changes",
            f"largest change {results.no_evidence.max():.1e}",
            results.no_evidence.max() < 1e-8,
            "theorem",
        ),
        verdict(
            "Linear networks revise monotonically",
            "revision lies in [0, 1] and rises as the top's gain falls",
            f"tanh taken out, {len(linear)} pairs: range {linear.min():.3f}-{linear.max():.3f}, smallest rise "
            f"{np.diff(linear, axis=1).min():.1e}",
            linear.min() >= 0
            and linear.max() <= 1
            and np.diff(linear, axis=1).min() > 0,
            "theorem",
        ),
        verdict(
            "No order effect without nonlinearity",
            "the same weights with tanh taken out end at the same belief in either order",
            f"modes {results.linear_order.distance.max():.1e} apart",
            results.linear_order.distance.max() < 1e-8,
            "theorem",
        ),
        verdict(
            "Settling time is 1 / smallest curvature",
            "gradient descent decays at that rate",
            f"relative difference of the measured time constant {measured:.1%}",
            measured < 0.02,
            "theorem",
        ),
    )


def behaviour(found) -> tuple[Verdict, ...]:
    """What the fits to people say."""
    agents = list(found.agents)
    people = found.loo_by_participant.shape[1]

    def against(name: str, reference: str = "change point") -> tuple[float, float]:
        own, other = (
            found.loo_by_participant[agents.index(n)] for n in (name, reference)
        )
        gap = other - own
        return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(people))

    def answer(name: str) -> tuple[str, bool | None]:
        """The gap in words, and whether this agent predicts worse (None: open)."""
        word = found.loo_verdicts[agents.index(name)]
        mean, error = against(name)
        text = f"{mean:.1f} +- {error:.1f} nats a person (LOO)"
        if word == "unconverged":
            text += "; the chains of a fit disagree on this"
        elif found.diagnostics[agents.index(name)]["rhat"] > BRIEF.max_rhat:
            text += "; its chains disagree on parameters, and each alone says the same"
        return text, {"worse": True, "better": False}.get(word)

    belief, fixed = answer("belief-anchored"), answer("k = b = 1")
    kalman, change = found.ridge_sd[1], found.ridge_sd[0]
    expected = ridge_from_prior_alone(found.log_precision_prior, kalman[1])
    return (
        verdict(
            "A Kalman agent identifies only a ratio",
            "along the diagonal of prior and sensory log-precision the data add nothing: its spread is "
            "what the prior alone gives",
            f"SD along {kalman[0]:.2f}, from the prior alone {expected:.2f}; across {kalman[1]:.2f}",
            abs(kalman[0] / expected - 1) < 0.2,
            "theorem",
        ),
        verdict(
            "A change-point agent bounds the sensory scale",
            "jumps over a known range break the symmetry: narrower along the diagonal than the Kalman "
            "agent's ridge",
            f"SD along the diagonal {change[0]:.2f} against {kalman[0]:.2f}",
            change[0] < 0.7 * kalman[0],
            "predicted",
        ),
        verdict(
            "People's sensory scale is not the task's",
            "holding k = b = 1 predicts their reports worse",
            fixed[0] + without_drift(agents, against),
            fixed[1],
            "predicted",
        ),
        verdict(
            "People update from their last report",
            "an agent anchored on the report predicts better than one on a latent belief",
            *belief,
            "predicted",
        ),
        recovery(found),
    )


def recovery(found: "BehaviourResults") -> Verdict:
    """Whether the fit to simulated people finds them again; other fits' chains say nothing about it."""
    coverage = np.nanmean(found.recovery_coverage)
    diverged = int(found.recovery_diagnostics["num_divergent"])
    return verdict(
        "Fits recover simulated participants",
        "90 % intervals cover the truth, without divergence",
        f"coverage {coverage:.0%} over parameters; {diverged} of "
        f"{found.recovery_diagnostics['num_draws']:,} transitions diverged",
        diverged == 0 and 0.8 <= coverage,
        "predicted",
    )


def ridge_from_prior_alone(prior: np.ndarray, across: float) -> float:
    """SD along the diagonal if data spoke only across it, to an SD of `across`.

    Two independent normals conditioned on their difference.
    """
    first, second = prior.std(axis=0) ** 2
    given = 2 * first * second / (first + second)
    slope = (first - second) / (first + second)
    return float(np.sqrt(given + (slope * across) ** 2))


def without_drift(agents: list[str], against) -> str:
    """The same question where the belief may not drift, if that was asked for."""
    if "q = 0" not in agents:
        return ""
    mean, error = against("q = 0, k = b = 1", "q = 0")
    return f"; where the assumed drift q is held at 0, {mean:.1f} +- {error:.1f}"


def _morph(threshold: float) -> str:
    return "never" if not np.isfinite(threshold) else f"{threshold:.2f}"
