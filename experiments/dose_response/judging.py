"""`analyse`: a verdict for every claim."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._dosing import judge
from .computing import Config, Results


class Summary(NamedTuple):
    """What result.json holds.

    felt: median hours of LSD alone and with ketanserin after.  ratio_for_published: dose ratio at which
    ketanserin an hour after leaves the published 3.5 h.
    """

    felt: tuple[float, float]
    ratio_for_published: float
    half_effect_dose: dict[str, float]
    verdicts: tuple[Verdict, ...]


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    block = results.blockade
    alone, after = (float(np.median(hours[1:])) for hours in block.felt[:2])
    finite = block.felt_by_ratio
    order = np.argsort(block.ratios)
    ratio = float(np.interp(-3.5, -finite[order], block.ratios[order]))
    if not finite.min() < 3.5 < finite.max():
        ratio = float("nan")
    return Summary(
        (alone, after),
        ratio,
        {name: half_dose(each) for name, each in results.curves.items()},
        (
            *blockade(results, alone, after, ratio),
            readouts(results),
            *beliefs(results),
            schild(results),
        ),
    )


def half_dose(curves) -> float:
    """Dose (mg) at which the typical effect is 50 %."""
    return float(np.interp(50.0, curves.effect.typical, curves.dose))


def blockade(results: Results, alone: float, after: float, ratio: float):
    """Ketanserin against LSD."""
    block = results.blockade
    peak, left = block.alone.max(), block.felt[2][1:]
    abolished = float(np.mean(left < 0.1 * peak))
    at_default = 1 + (block.ratios[0] - 1) * block.constants[0] / 16.5
    return (
        judge(
            "Ketanserin an hour after LSD ends the experience",
            "shorter than alone, LSD in plasma the same number for number (published 8.5 -> 3.5 h)",
            f"median {alone:.1f} -> {after:.1f} h at a dose ratio of {at_default:.1f}; plasma "
            + ("unchanged" if block.plasma_unchanged else "changed"),
            after < alone and block.plasma_unchanged,
            "predicted",
        ),
        judge(
            "How much shorter, as published",
            "2.5 to 4.5 h with the assumed affinity of ketanserin",
            f"{after:.1f} h; 3.5 h needs a dose ratio of {ratio:.2f}",
            2.5 <= after <= 4.5,
            "predicted",
        ),
        judge(
            "Ketanserin an hour before LSD abolishes it",
            "effect below a tenth of its peak alone in 95 % of people",
            f"{abolished:.0%} of people",
            abolished >= 0.95,
            "predicted",
        ),
    )


def readouts(results: Results) -> Verdict:
    """Good effect and ego dissolution."""
    good, ego = results.readouts.good_ratio, results.readouts.ego_ratio
    share = float(np.mean(ego[1:] > good[1:]))
    return judge(
        "Good effect is nearer its ceiling at 100 µg than ego dissolution",
        "200/100 µg ratio larger for ego dissolution",
        f"{ego[0]:.2f} against {good[0]:.2f}; so in {share:.0%} of people",
        ego[0] > good[0],
        "predicted",
    )


def beliefs(results: Results) -> tuple[Verdict, ...]:
    """1 and 25 mg."""
    confidence, entropy = results.beliefs
    falls = (confidence[0] - confidence[1:])[:, 1:]
    gains = (entropy[2] - entropy[0])[1:]
    related = float(np.corrcoef(falls[1], gains)[0, 1])
    return (
        judge(
            "25 mg but not 1 mg of psilocybin lowers confidence in a negative self-belief",
            "falls in 95 % of people after 25 mg, and by less than a tenth as much after 1 mg",
            f"mean fall {falls[1].mean():.4f} against {falls[0].mean():.4f}; in {np.mean(falls[1] > 0):.0%} of people",
            np.mean(falls[1] > 0) >= 0.95 and falls[0].mean() < 0.1 * falls[1].mean(),
            "predicted",
        ),
        judge(
            "Confidence falls more in people whose uncertainty rises more",
            "correlation of the fall with the gain in entropy above 0.3",
            f"r = {related:.2f}",
            related > 0.3,
            "predicted",
        ),
    )


def schild(results: Results) -> Verdict:
    """Competition shifts dose curves without lowering them."""
    curves = results.curves["psilocybin"]
    free, blocked = curves.effect.typical, curves.blocked_effect.typical
    shift = np.interp(20.0, blocked, curves.dose) / np.interp(20.0, free, curves.dose)
    reaches = blocked.max() >= 20
    return judge(
        "Blockade shifts the dose curve to the right",
        "a larger dose restores the same effect",
        f"by a factor of {shift:.1f} at a fifth of the maximum"
        if reaches
        else "not reached within the doses tried",
        (shift > 1) if reaches else None,
        "theorem",
    )
