"""`analyse`: a verdict for every cell of the published table of expectations."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.report import Perturbation, Verdict

from .._claims import Claim, examine, told, verdicts
from .computing import FULL, MODERATE, PARAMETERS, Config, Results, label
from .observing import Observed

OBSERVABLES = {
    "shift": "belief moves towards the data",
    "spread": "posterior uncertainty of the top",
    "transfer": "transfer entropy, top to bottom",
    "error": "top-level weighted error",
    "closed": "diversity, eyes closed",
    "structure": "structure, eyes closed",
    "input": "drug effect under stronger input",
}
EXPECTED = {  # +1 up, -1 down, 0 no change; absent: mixed, not judged
    "rebus": dict(shift=1, spread=1, transfer=-1, error=-1, closed=1, input=-1),
    "sensory": dict(shift=1, spread=-1, transfer=1, error=1, closed=0, input=1),
    "sebus": dict(shift=-1, spread=-1, transfer=1, error=-1, closed=-1, input=-1),
    "oneirogen": dict(shift=-1, spread=1, transfer=1, closed=1, structure=1, input=-1),
    "noise": dict(spread=1, transfer=-1, closed=1, structure=0, input=-1),
}
NOTHING = {"shift": 0.01, "error": 0.01, "transfer": 0.01}
"""Shares; below these, and below 0.005 nats, a change is none."""
WORDS = {1: "up", -1: "down", 0: "no change"}


class Summary(NamedTuple):
    """What result.json holds.

    median: change of each observable by account at its effect (accounts, observables); share: of
    networks in which it rises (transfer entropy and error relative to no drug).  separating: observables that separate each pair of accounts.
    """

    accounts: tuple[str, ...]
    observables: tuple[str, ...]
    median: np.ndarray
    rises: np.ndarray
    separating: dict[str, tuple[str, ...]]
    worst_residual: float
    verdicts: tuple[Verdict, ...]


def changes(observed: Observed, results: Results, effect: int) -> dict[str, np.ndarray]:
    """Change from no drug at one effect, by observable: (networks,)."""
    direction = observed.top[0] - results.prior
    along = direction / np.sum(direction**2, axis=1, keepdims=True)
    shift = np.sum((observed.top - results.prior[None]) * along[None], axis=2)
    low, high = (
        field[effect] - field[0] for field in (observed.still, observed.moving)
    )
    found = {
        name: getattr(observed, name)[effect] - getattr(observed, name)[0]
        for name in ("spread", "closed", "structure")
    }
    relative = {
        name: getattr(observed, name)[effect] / getattr(observed, name)[0] - 1
        for name in ("transfer", "error")
    }
    return {
        "shift": shift[effect] - shift[0],
        **found,
        **relative,
        "input": np.abs(high) - np.abs(low),
    }


def effect_of(account: str) -> int:
    """SEBUS is judged where it strengthens, everything else at a full dose."""
    return MODERATE if account == "sebus" else FULL


def signs(change: np.ndarray, observable: str) -> np.ndarray:
    """-1, 0 or 1 in each network."""
    small = NOTHING.get(observable, 0.005)
    return np.where(np.abs(change) < small, 0, np.sign(change))


def analyse(config: Config, results: Results) -> Summary:
    """Every cell, the theorems, and which observables separate which accounts."""
    names = tuple(results.observed)
    every = claims(results)
    cells = verdicts(every, {claim.name: examine(claim) for claim in every})
    found = {
        name: changes(each, results, effect_of(name))
        for name, each in results.observed.items()
    }
    order = tuple(OBSERVABLES)
    residual = max(float(each.residual.max()) for each in results.observed.values())
    return Summary(
        names,
        order,
        np.asarray([[np.median(found[n][o]) for o in order] for n in names]),
        np.asarray(
            [[np.mean(signs(found[n][o], o) > 0) for o in order] for n in names]
        ),
        separation(found),
        residual,
        (*theorems(results, found), *cells),
    )


def separation(found) -> dict[str, tuple[str, ...]]:
    """Observables whose changes differ in one direction in 95 % of networks, by pair."""
    names, pairs = list(found), {}
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            telling = []
            for observable in OBSERVABLES:
                gap = found[first][observable] - found[second][observable]
                sign = signs(gap, observable)
                if max(np.mean(sign > 0), np.mean(sign < 0)) >= 0.95:
                    telling.append(observable)
            pairs[f"{first} - {second}"] = tuple(telling)
    return pairs


def cell(
    perturbation: Perturbation, results: Results, account: str, observable: str
) -> np.ndarray:
    """Median change, and the share of networks in which it has the expected sign."""
    observed = results.settings[label(perturbation)][account]
    change = changes(observed, results, effect_of(account))[observable]
    share = np.mean(signs(change, observable) == EXPECTED[account][observable])
    return np.asarray([np.median(change), share])


def claims(results: Results) -> tuple[Claim, ...]:
    """One a cell: holds in 9 of 10 networks, fails below half, else undecided."""
    return tuple(
        Claim(
            f"{account}: {OBSERVABLES[observable]}",
            WORDS[sign],
            "predicted",
            partial(cell, results=results, account=account, observable=observable),
            lambda v: True if v[1] >= 0.9 else False if v[1] < 0.5 else None,
            lambda v: f"{v[0]:+.3f} (median); as predicted in {v[1]:.0%} of networks",
            PARAMETERS,
        )
        for account, expected in EXPECTED.items()
        for observable, sign in expected.items()
    )


def theorems(results: Results, found) -> tuple[Verdict, ...]:
    """What belief means cannot separate, and the null."""
    flat, raised = results.flat, results.raised
    apart = float(np.abs(flat.top - raised.top).max())
    spread = flat.spread[FULL] - raised.spread[FULL]
    moved = float(
        np.abs(
            results.observed["uniform"].top - results.observed["uniform"].top[0]
        ).max()
    )
    noise = float(
        np.abs(results.observed["noise"].top - results.observed["noise"].top[0]).max()
    )
    return (
        Verdict(
            "Belief means cannot tell relaxed priors from raised senses",
            "same top belief at every effect, with a flat map and the senses exempt; uncertainty differs",
            f"beliefs differ by {apart:.1e}, entropy of the top by {np.median(spread):+.2f} nats",
            told(bool(apart < 1e-6 and np.all(np.abs(spread) > 0.1))),
            "theorem",
        ),
        Verdict(
            "All precisions alike move no belief",
            "mode unchanged at every effect",
            f"largest movement {moved:.1e}",
            told(bool(moved < 1e-6)),
            "theorem",
        ),
        Verdict(
            "Noise moves no belief",
            "mode unchanged at every effect",
            f"largest movement {noise:.1e}",
            told(bool(noise < 1e-9)),
            "theorem",
        ),
    )
