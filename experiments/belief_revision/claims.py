"""The claims: predictions about networks that could have failed, what mathematics demands, and what fits to people say.

Fields of shape (2,) or (2, 3) are at the first gain (no drug) and at the last; three numbers are a mean and its
95 % interval.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pcmodel.paradigms.revision import Revision
from pcmodel.report import Claim

from .config import Config
from .people_claims import PEOPLE
from .simulate import Results
from .summary import Summary, mean, morph

ENDS = [0, -1]


class Relaxed(NamedTuple):
    """The top relaxed.  gain: the last.  threshold, flips: see `Curves`, (2, 3)."""

    gain: float
    threshold: np.ndarray
    flips: np.ndarray


def top_relaxed(summary: Summary) -> Relaxed:
    curves = summary.curves
    return Relaxed(summary.gains[-1], curves.threshold[ENDS], curves.flips[ENDS])


def evidence_wins(found: Relaxed) -> bool:
    sooner = found.threshold[1, 0] < found.threshold[0, 0]
    return sooner and found.flips[1, 1] > found.flips[0, 2]


def evidence_in_words(found: Relaxed) -> str:
    before, after = map(morph, found.threshold[:, 0])
    none, most = found.flips[:, 0]
    return (
        f"threshold {before} -> {after}; flips {none:.0%} -> {most:.0%} "
        f"(gain 1 -> {found.gain:g})"
    )


class Protection(NamedTuple):
    """The levels between relaxed.  revision: mean over pairs, (2,).  fell: share of pairs in which it did."""

    gain: float
    revision: np.ndarray
    fell: float


def between_relaxed(config: Config, results: Results) -> Protection:
    revision = np.asarray(results.trained.combined("all between").revision)
    fell = np.mean(revision[-1] < revision[0])
    return Protection(config.gains[-1], mean(revision[ENDS]), float(fell))


def is_protected(found: Protection) -> bool:
    return found.fell > 0.95


class Landing(NamedTuple):
    """Share of beliefs that land on the class shown at the last gain, (3,) each."""

    gain: float
    trained: np.ndarray
    untrained: np.ndarray
    noise: np.ndarray


def landing(summary: Summary) -> Landing:
    curves = summary.curves
    shares = curves.flips, curves.untrained_flips, curves.noise_flips
    return Landing(summary.gains[-1], *(each[-1] for each in shares))


def only_trained_lands(found: Landing) -> bool:
    return found.trained[1] > max(found.untrained[2], found.noise[2])


class Meeting(NamedTuple):
    """Of an established belief.  flips: (2,).  precision: of the belief; evidence: of one image."""

    flips: np.ndarray
    precision: float
    evidence: float


def established(results: Results) -> Meeting:
    found = results.established
    return Meeting(found.flips[ENDS], found.precision, results.scales.evidence)


def flips_more(found: Meeting) -> bool:
    return found.flips[1] > found.flips[0]


class OrderEffect(NamedTuple):
    """Belief after rising less that after falling strength.  spread: half its 95 % interval.  distance: of modes."""

    difference: float
    spread: float
    distance: float


def order_effect(results: Results) -> OrderEffect:
    order = results.order.rising - results.order.falling
    spread = 1.96 * order.std() / np.sqrt(len(order))
    return OrderEffect(order.mean(), spread, results.order.distance.mean())


def order_matters(found: OrderEffect) -> bool:
    return abs(found.difference) > found.spread


PREDICTIONS = (
    Claim(
        name="Relaxing the top lets evidence win",
        prediction="the morph at which belief passes 1/2 falls with the top's precision, and the readout flips to "
        "the class shown",
        kind="predicted",
        measure=top_relaxed,
        holds=evidence_wins,
        observed=evidence_in_words,
    ),
    Claim(
        name="Relaxing the levels between protects the belief",
        prediction="evidence passes through them in series: revision falls",
        kind="predicted",
        measure=between_relaxed,
        holds=is_protected,
        observed="revision {revision[0]:.3f} -> {revision[1]:.3f} at gain {gain:g}; it fell in {fell:.0%} of pairs",
    ),
    Claim(
        name="Only a trained network flips to the correct class",
        prediction="an untrained network revises too (a theorem), and noise of the same size moves the belief as "
        "far, but neither lands on the class shown",
        kind="predicted",
        measure=landing,
        holds=only_trained_lands,
        observed="at gain {gain:g}: trained {trained[0]:.0%}, untrained {untrained[0]:.0%}, matched noise "
        "{noise[0]:.0%}",
    ),
    Claim(
        name="A belief established by images behaves alike",
        prediction="after {config.established_by} images of one class, one image of another flips more beliefs the "
        "more the top is relaxed",
        kind="predicted",
        measure=established,
        holds=flips_more,
        observed="flips {flips[0]:.0%} -> {flips[1]:.0%}; established precision {precision:.0f} against "
        "{evidence:.0f} of one image",
    ),
    Claim(
        name="Order of evidence matters in the nonlinear network",
        prediction="the same images rising and falling in strength leave different beliefs",
        kind="predicted",
        measure=order_effect,
        holds=order_matters,
        observed="belief in the shown class differs by {difference:+.3f} +- {spread:.3f} (modes {distance:.2g} apart)",
    ),
)


def below(found: Any, **limits: float) -> bool:
    """Whether each of these fields is below its limit."""
    return all(getattr(found, name) < limit for name, limit in limits.items())


class Alike(NamedTuple):
    """All gains alike.  moved: the mode.  covariance, settling: relative errors of their growth by 1/gain."""

    moved: float
    covariance: float
    settling: float


def all_alike(config: Config, results: Results) -> Alike:
    gains, found = np.asarray(config.gains), results.trained.combined("all alike")
    variance, times = variances(found), results.settling.uniform
    grown = variance * gains[:, None, None] / variance[:1]
    slowed = times * gains[:, None] / times[:1]
    return Alike(largest(found.mode - found.mode[:1]), off_one(grown), off_one(slowed))


class Pair(NamedTuple):
    """Two modulations.  apart: their modes.  ratio: relative error of the covariances' ratio, 1/gain."""

    apart: float
    ratio: float


def senses_against_others(config: Config, results: Results) -> Pair:
    others, raised = map(
        results.trained.combined, ("all but sensory", "sensory raised")
    )
    gains = np.asarray(config.gains)[:, None, None]
    ratio = variances(others) * gains / variances(raised)
    return Pair(largest(others.mode - raised.mode), off_one(ratio))


def variances(revision: Revision) -> np.ndarray:
    """Of the top's posterior: (gains, pairs, top)."""
    return np.diagonal(revision.covariance, axis1=-2, axis2=-1)


def largest(values: ArrayLike) -> float:
    return np.max(np.abs(values))


def off_one(ratio: np.ndarray) -> float:
    return largest(ratio - 1)


class Movement(NamedTuple):
    """Of any latent, or between any two modes."""

    largest: float


def without_evidence(results: Results) -> Movement:
    return Movement(results.no_evidence.max())


def linear_order(results: Results) -> Movement:
    return Movement(results.linear_order.distance.max())


class Rise(NamedTuple):
    """Of revision in a linear network as its top is relaxed.  rise: the smallest from gain to gain."""

    pairs: int
    low: float
    high: float
    rise: float


def linear_revision(results: Results) -> Rise:
    found = results.linear_revision
    rise = np.diff(found, axis=1).min()
    return Rise(len(found), found.min(), found.max(), rise)


def is_monotone(found: Rise) -> bool:
    return found.low >= 0 and found.high <= 1 and found.rise > 0


class Clock(NamedTuple):
    """Largest relative difference of a measured time constant."""

    difference: float


def settling(results: Results) -> Clock:
    found = results.settling
    return Clock(off_one(found.measured / found.predicted[0]))


THEOREMS = (
    Claim(
        name="All gains alike move nothing",
        prediction="the mode stays within 1e-5; covariance and settling time grow by exactly 1/gain",
        kind="theorem",
        measure=all_alike,
        holds=partial(below, moved=1e-5, covariance=1e-4, settling=1e-3),
        observed="mode moved {moved:.1e}; relative error of the covariance {covariance:.1e}, of the settling time "
        "{settling:.1e}",
    ),
    Claim(
        name="Raised senses equal relaxed everything-else in the mode",
        prediction="the same mode, posterior covariance larger by exactly 1/gain: means cannot tell them apart, "
        "uncertainty can",
        kind="theorem",
        measure=senses_against_others,
        holds=partial(below, apart=1e-5, ratio=1e-4),
        observed="modes differ by {apart:.1e}; relative error of the covariance ratio {ratio:.1e}",
    ),
    Claim(
        name="Relaxation without evidence moves nothing",
        prediction="with no image, no latent changes",
        kind="theorem",
        measure=without_evidence,
        holds=partial(below, largest=1e-8),
        observed="largest change {largest:.1e}",
    ),
    Claim(
        name="Linear networks revise monotonically",
        prediction="revision lies in [0, 1] and rises as the top's gain falls",
        kind="theorem",
        measure=linear_revision,
        holds=is_monotone,
        observed="tanh taken out, {pairs:.0f} pairs: range {low:.3f}-{high:.3f}, smallest rise {rise:.1e}",
    ),
    Claim(
        name="No order effect without nonlinearity",
        prediction="the same weights with tanh taken out end at the same belief in either order",
        kind="theorem",
        measure=linear_order,
        holds=partial(below, largest=1e-8),
        observed="modes {largest:.1e} apart",
    ),
    Claim(
        name="Settling time is 1 / smallest curvature",
        prediction="gradient descent decays at that rate",
        kind="theorem",
        measure=settling,
        holds=partial(below, difference=0.02),
        observed="relative difference of the measured time constant {difference:.1%}",
    ),
)
CLAIMS = (*PREDICTIONS, *THEOREMS, *PEOPLE)
