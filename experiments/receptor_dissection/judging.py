"""`analyse`: a verdict for every claim."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._dosing import judge
from .computing import Config, Results, removed


class Summary(NamedTuple):
    """Share of psilocybin's change that buspirone removes, by level (negative: adds), and verdicts."""

    removed: np.ndarray
    removed_if_restoring: np.ndarray
    least_efficacy: float
    verdicts: tuple[Verdict, ...]


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    share, other = removed(results.dimming), removed(results.restoring)
    some = results.partial.max(axis=1) > 0.01
    least = float(results.efficacy[np.argmax(some)])
    return Summary(share[0], other[0], least, verdicts(results, share, other, least))


def verdicts(results: Results, share, other, least: float) -> tuple[Verdict, ...]:
    """What could have failed, and what could not."""
    dim = results.dimming
    gap = share[1:, 0] - share[1:, -1]
    helped = np.mean((gap > 0) & (share[1:, 0] > 0))
    gap_other = other[1:, 0] - other[1:, -1]
    weak, blocked = dim["third of efficacy"], dim["+ ketanserin"]
    at_third = results.partial[np.argmin(np.abs(results.efficacy - 1 / 3))].max()
    add = dim["+ buspirone"].response_1a[0] - dim["psilocybin"].response_1a[0]
    return (
        judge(
            "Buspirone takes more from the senses than from the top (5-HT1A dims)",
            "removes a larger share of psilocybin's change at the lowest level than at the top, in most people "
            "(published: visual effects p < 0.001, oceanic boundlessness p = 0.062)",
            f"removes {share[0, 0]:+.1%} there and {share[0, -1]:+.1%} at the top; so in {helped:.0%} of people",
            helped > 0.5,
            "predicted",
        ),
        judge(
            "The same, if 5-HT1A gives precision back",
            "as above, under the other reading of 5-HT1A",
            f"removes {other[0, 0]:+.1%} and {other[0, -1]:+.1%}; more from the senses in {np.mean((gap_other > 0) & (other[1:, 0] > 0)):.0%} of people",
            np.mean((gap_other > 0) & (other[1:, 0] > 0)) > 0.5,
            "predicted",
        ),
        judge(
            "Buspirone adds to psilocin at 5-HT1A",
            "20 mg raises the 5-HT1A response under psilocybin by a tenth or more",
            f"{dim['psilocybin'].response_1a[0]:.3f} {add:+.3f}",
            add >= 0.1 * dim["psilocybin"].response_1a[0],
            "predicted",
        ),
        judge(
            "An agonist of a third of psilocin's efficacy does nothing through 5-HT2A",
            "no effect at any dose up to 2 g, for the threshold after the receptor",
            f"largest effect {100 * at_third:.2f} %; at 20 mg {100 * weak.effect_2a[0]:.2f} %; effects begin at "
            f"{least:.0%} of psilocin's efficacy",
            at_third == 0 and weak.effect_2a.max() == 0,
            "predicted",
        ),
        judge(
            "Ketanserin leaves 5-HT1A alone",
            "5-HT2A effect gone, 5-HT1A response unchanged within 2 %",
            f"effect {100 * blocked.effect_2a[0]:.0f} %; response {blocked.response_1a[0] / dim['psilocybin'].response_1a[0]:.1%} of that without",
            blocked.effect_2a[0] < 0.1 * dim["psilocybin"].effect_2a[0]
            and abs(blocked.response_1a[0] / dim["psilocybin"].response_1a[0] - 1)
            < 0.02,
            "predicted",
        ),
    )
