"""The claims: what is measured, when it holds, and which parameters could overturn it."""

from functools import partial

import numpy as np

from .._believing import BELIEF_KNOBS
from .._claims import Claim, Knob, Setting
from .computing import LEAST, Config, condition, removed, with_a_third

AT_1A = (
    Knob("psilocin K at 5-HT1A", "ligands.k_1a", "psilocybin"),
    Knob("psilocin efficacy at 5-HT1A", "ligands.efficacy_1a", "psilocybin"),
    Knob("buspirone K at 5-HT1A", "ligands.k_1a", "buspirone"),
    Knob("buspirone efficacy at 5-HT1A", "ligands.efficacy_1a", "buspirone"),
    Knob("buspirone dose", "dose.mg", "buspirone"),
    Knob("psilocybin dose", "dose.mg", "psilocybin"),
)
BUSPIRONE_2A = (Knob("buspirone K at 5-HT2A", "ligands.k_2a", "buspirone"),)
STRENGTHS = (
    Knob("log precision per unit of 5-HT2A effect", "account.strength"),
    Knob("strength of 5-HT1A's action", "account.dimming"),
)
STAGE = (
    Knob("second-stage midpoint", "physiology.half"),
    Knob("second-stage power", "physiology.power"),
    Knob("slope of the operational model", "physiology.slope"),
)


def claims(config: Config, seed: int = 0) -> tuple[Claim, ...]:
    """Every claim of the experiment."""
    return (
        buspirone("dimming", config, seed),
        buspirone("restoring", config, seed),
        addition(config, seed),
        weak_agonist(config, seed),
        selective(config, seed),
    )


def removal(setting: Setting, reading: str, config: Config, seed: int) -> np.ndarray:
    """What buspirone removes at the lowest latent level and at the top (SD); in whom more below.

    The first two are the typical participant's.  The third is the share of those who feel
    psilocybin in whom it removes something below, and more than at the top.
    """
    alone, both = (
        condition(label, reading, config, seed, setting)
        for label in ("psilocybin", "+ buspirone")
    )
    less = removed(alone, both)
    low, top = less[:, 0], less[:, -1]
    feels = alone.effect_2a[1:] > LEAST
    more = feels & (low[1:] > top[1:]) & (low[1:] > 0)
    return np.asarray([low[0], top[0], more.sum() / max(feels.sum(), 1)])


def buspirone(reading: str, config: Config, seed: int) -> Claim:
    """Pokorny 2016 under one reading of 5-HT1A."""
    name, told = {
        "dimming": (
            "Buspirone takes more from the senses than from the top (5-HT1A dims)",
            "lessens psilocybin's change of the lowest level by more undrugged SDs than that of the top, in most people "
            "(published: visual effects p < 0.001, oceanic boundlessness p = 0.062)",
        ),
        "restoring": (
            "The same, if 5-HT1A gives precision back",
            "as above, under the other reading of 5-HT1A",
        ),
    }[reading]
    return Claim(
        name,
        told,
        "predicted",
        partial(removal, reading=reading, config=config, seed=seed),
        lambda v: bool(v[2] > 0.5),
        lambda v: (
            f"removes {v[0]:+.3f} SD there and {v[1]:+.3f} at the top; so in {v[2]:.0%} of people"
        ),
        (*AT_1A, *BUSPIRONE_2A, *STRENGTHS, *BELIEF_KNOBS),
    )


def responses(setting: Setting, config: Config, seed: int) -> np.ndarray:
    """5-HT1A response of the typical participant, alone and with buspirone."""
    return np.asarray(
        [
            condition(label, "dimming", config, seed, setting).response_1a[0]
            for label in ("psilocybin", "+ buspirone")
        ]
    )


def addition(config: Config, seed: int) -> Claim:
    """What two partial agonists make together."""
    return Claim(
        "Buspirone adds to psilocin at 5-HT1A",
        "20 mg raises the 5-HT1A response under psilocybin by a tenth or more",
        "predicted",
        partial(responses, config=config, seed=seed),
        lambda v: bool(v[1] >= 1.1 * v[0]),
        lambda v: f"{v[0]:.3f} {v[1] - v[0]:+.3f}",
        AT_1A,
    )


def weak_agonist(config: Config, seed: int) -> Claim:
    """Ergotamine's side of Pokorny 2016: an agonist that is not felt."""
    return Claim(
        "An agonist of a third of psilocin's efficacy does nothing through 5-HT2A",
        f"felt by no one (below {LEAST:.0%} of the scale) at any dose up to 2 g: the second stage is steep",
        "predicted",
        partial(with_a_third, config=config, seed=seed),
        lambda v: bool(np.all(v < 100 * LEAST)),
        lambda v: f"largest effect {v[0]:.2g} % after 12 mg, {v[1]:.2g} % after 2 g",
        (
            Knob("its efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
            Knob("its K at 5-HT2A", "ligands.k_2a", "psilocybin"),
            *STAGE,
        ),
    )


def blocked(setting: Setting, config: Config, seed: int) -> np.ndarray:
    """With ketanserin over without, typical participant: 5-HT2A effect, 5-HT1A response."""
    alone, both = (
        condition(label, "dimming", config, seed, setting)
        for label in ("psilocybin", "+ ketanserin")
    )
    effect = alone.effect_2a[0]
    return np.asarray(
        [
            both.effect_2a[0] / effect if effect > 0 else np.nan,
            both.response_1a[0] / alone.response_1a[0],
        ]
    )


def selective(config: Config, seed: int) -> Claim:
    """Ketanserin as a tool."""
    return Claim(
        "Ketanserin leaves 5-HT1A alone",
        "5-HT2A effect below a tenth, 5-HT1A response unchanged within 2 %",
        "predicted",
        partial(blocked, config=config, seed=seed),
        lambda v: bool(v[0] < 0.1 and abs(v[1] - 1) < 0.02),
        lambda v: (
            f"effect {v[0]:.0%}, response {v[1]:.1%} of that without"
            if np.isfinite(v[0])
            else "psilocybin is not felt"
        ),
        (
            Knob("ketanserin K at 5-HT2A", "ligands.k_2a", "ketanserin"),
            Knob("ketanserin K at 5-HT1A", "ligands.k_1a", "ketanserin"),
            Knob("ketanserin dose", "dose.mg", "ketanserin"),
            Knob("psilocybin dose", "dose.mg", "psilocybin"),
            STAGE[0],
        ),
    )
