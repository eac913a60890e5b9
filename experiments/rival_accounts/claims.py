"""The claims: three theorems, and a verdict for every cell of the published table of expectations."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pcmodel.report import Claim, Perturbation, Table, Verdict

from .observables import Observed
from .simulate import FULL, MODERATE, PARAMETERS, Results, label

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
DIRECTIONS = {1: "up", -1: "down", 0: "no change"}


def changes(observed: Observed, results: Results, effect: int) -> dict[str, Any]:
    """Change from no drug at one effect, by observable: (networks,)."""
    direction = observed.top[0] - results.prior
    along = direction / np.sum(direction**2, axis=1, keepdims=True)
    shift = np.sum((observed.top - results.prior[None]) * along[None], axis=2)
    low, high = (
        field[effect] - field[0] for field in (observed.still, observed.moving)
    )
    return {
        "shift": shift[effect] - shift[0],
        "spread": observed.spread[effect] - observed.spread[0],
        "transfer": observed.transfer[effect] / observed.transfer[0] - 1,
        "error": observed.error[effect] / observed.error[0] - 1,
        "closed": observed.closed[effect] - observed.closed[0],
        "structure": observed.structure[effect] - observed.structure[0],
        "input": np.abs(high) - np.abs(low),
    }


def effect_of(account: str) -> int:
    """SEBUS is judged where it strengthens, everything else at a full dose."""
    return MODERATE if account == "sebus" else FULL


def signs(change: np.ndarray, observable: str) -> np.ndarray:
    """-1, 0 or 1 in each network."""
    small = NOTHING.get(observable, 0.005)
    return np.where(np.abs(change) < small, 0, np.sign(change))


class Cell(NamedTuple):
    """Median change, and the share of networks in which it has the expected sign."""

    median: float
    share: float


def cell(
    results: Results, perturbation: Perturbation, account: str, observable: str
) -> Cell:
    observed = results.settings[label(perturbation)][account]
    change = changes(observed, results, effect_of(account))[observable]
    as_expected = signs(change, observable) == EXPECTED[account][observable]
    return Cell(np.median(change), np.mean(as_expected))


def is_as_expected(found: Cell) -> bool | None:
    """In 9 of 10 networks; below half it fails, else it is undecided."""
    return True if found.share >= 0.9 else False if found.share < 0.5 else None


class Separation(NamedTuple):
    """Relaxed priors against raised senses with a flat map.

    belief: largest difference of top beliefs.  entropy: of the top, nats, median difference at a full dose;
    least: the smallest in size.
    """

    belief: float
    entropy: float
    least: float


def flat_map(results: Results) -> Separation:
    flat, raised = results.flat, results.raised
    entropy = flat.spread[FULL] - raised.spread[FULL]
    apart = np.abs(flat.top - raised.top).max()
    return Separation(apart, np.median(entropy), np.abs(entropy).min())


def only_uncertainty_differs(found: Separation) -> bool:
    return found.belief < 1e-6 and found.least > 0.1


class Movement(NamedTuple):
    """Of any top belief at any effect."""

    largest: float


def movement(results: Results, account: str) -> Movement:
    top = results.observed[account].top
    return Movement(np.abs(top - top[0]).max())


def is_none(found: Movement, within: float) -> bool:
    return found.largest < within


CLAIMS = (
    Claim(
        name="Belief means cannot tell relaxed priors from raised senses",
        prediction="same top belief at every effect, with a flat map and the senses exempt; uncertainty differs",
        kind="theorem",
        measure=flat_map,
        holds=only_uncertainty_differs,
        observed="beliefs differ by {belief:.1e}, entropy of the top by {entropy:+.2f} nats",
    ),
    *(
        Claim(
            name=f"{name} no belief",
            prediction="mode unchanged at every effect",
            kind="theorem",
            measure=partial(movement, account=account),
            holds=partial(is_none, within=within),
            observed="largest movement {largest:.1e}",
        )
        for name, account, within in (
            ("All precisions alike move", "uniform", 1e-6),
            ("Noise moves", "noise", 1e-9),
        )
    ),
    *(
        Claim(
            name=f"{account}: {OBSERVABLES[observable]}",
            prediction=DIRECTIONS[sign],
            kind="predicted",
            measure=partial(cell, account=account, observable=observable),
            holds=is_as_expected,
            observed="{median:+.3f} (median); as predicted in {share:.0%} of networks",
            parameters=PARAMETERS,
        )
        for account, expected in EXPECTED.items()
        for observable, sign in expected.items()
    ),
)


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
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Every cell, and which observables separate which accounts."""
    found = {
        name: changes(each, results, effect_of(name))
        for name, each in results.observed.items()
    }
    cells = [[each[o] for o in OBSERVABLES] for each in found.values()]
    rises = [
        [np.mean(signs(change, o) > 0) for o, change in each.items()]
        for each in found.values()
    ]
    return Summary(
        tuple(found),
        tuple(OBSERVABLES),
        np.median(cells, axis=2),
        np.asarray(rises),
        separation(found),
        max(float(each.residual.max()) for each in results.observed.values()),
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


def tally(summary: Summary) -> str:
    """How many predictions held."""
    outcomes = [each.outcome for each in summary.verdicts if each.kind == "predicted"]
    held, failed, undecided = map(outcomes.count, ("holds", "fails", "inconclusive"))
    return (
        f"{len(outcomes)} expected signs **{held}** hold, **{failed}** fail and {undecided} "
        "are undecided"
    )


def laplace(results: Results) -> str:
    return results.laplace.sentence()


def separating(summary: Summary) -> Table:
    """Which observables tell two accounts apart."""
    rows = [
        (pair, ", ".join(OBSERVABLES[o] for o in telling) or "nothing observed here")
        for pair, telling in summary.separating.items()
    ]
    caption = "Observables whose changes differ in one direction in 95 % of networks."
    return Table(("Accounts", "Told apart by"), rows, caption)


def variants(results: Results) -> Table:
    """REBUS under other assumptions."""
    rows = []
    given = {"rebus": results.observed["rebus"], **results.assumptions}
    for name, observed in given.items():
        found = changes(observed, results, FULL)
        rows.append((name, *(f"{np.median(found[o]):+.3f}" for o in OBSERVABLES)))
    columns = ("Account", *OBSERVABLES.values())
    return Table(columns, rows, "Median change at a full dose.")


TABLES = {"separating": separating, "variants": variants}
WORDS = {"tally": tally, "laplace": laplace}
