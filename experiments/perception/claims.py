"""The claims: end-stopping and its controls, the mask, rivalry; a verdict for every account."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.paradigms.perception import HollowMask, flip_precision
from pcmodel.report import Claim, Perturbation, Table, Verdict

from .rivalry_claims import CLAIMS as OF_RIVALRY
from .simulate import PARAMETERS, Config, Results, accounts, at_full_dose


class Index(NamedTuple):
    """End-stopping index over seeds: least, median and most; mean and its standard error, 0 for one network."""

    least: float
    median: float
    most: float
    mean: float
    error: float


def index(results: Results, which: str) -> Index:
    found = np.atleast_1d(getattr(results, which).index)
    error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else 0.0
    numbers = (found.min(), np.median(found), found.max(), found.mean(), error)
    return Index(*map(float, numbers))


def is_stopped(found: Index) -> bool:
    return found.least > 0.2


def is_constant(found: Index) -> bool:
    return abs(found.most) < 1e-9


def is_not_stopped(found: Index) -> bool:
    """No fall on average: the mean is no more than two standard errors above 0."""
    return found.mean < 2 * found.error


class Flip(NamedTuple):
    """Precision of the shape's prior at which the percept flips, its own, and its number of modes."""

    threshold: float
    own: float
    modes: float


def flip(results: Results) -> Flip:
    curves = results.curves["all alike"].mask
    return Flip(
        flip_precision(HollowMask()), HollowMask().precisions[2], float(curves.modes[0])
    )


def flips(found: Flip) -> bool:
    return found.threshold < found.own and found.modes == 2


class Mask(NamedTuple):
    """Probability of a convex percept of the hollow mask, without and with the full dose."""

    without: float
    dosed: float


def mask(config: Config, perturbation: Perturbation, name: str) -> Mask:
    found = at_full_dose(config, name, perturbation).mask.convex
    return Mask(float(found[0]), float(found[1]))


def is_veridical(found: Mask) -> bool:
    """The illusion without the drug, and a concave percept with it."""
    return found.without > 0.5 > found.dosed


CLAIMS = (
    Claim(
        name="Bars that outgrow their field excite less",
        prediction="after learning, the error falls by a fifth or more from a bar of the field's length to the longest, in "
        "every network",
        kind="predicted",
        measure=partial(index, which="stopped"),
        holds=is_stopped,
        observed="index {median:.2f} (median; {least:.2f} to {most:.2f})",
    ),
    Claim(
        name="With feedback cut they do not",
        prediction="no fall beyond the field",
        kind="theorem",
        measure=partial(index, which="cut"),
        holds=is_constant,
        observed="index {most:.1e}",
    ),
    Claim(
        name="Without structure between fields nothing is stopped",
        prediction="no fall on average in networks that learned rows whose fields are of different images (the control)",
        kind="predicted",
        measure=partial(index, which="apart"),
        holds=is_not_stopped,
        observed="index {mean:+.2f} (mean; standard error {error:.2f}; {least:+.2f} to {most:+.2f})",
    ),
    Claim(
        name="The mask flips at a precision of the prior",
        prediction="bistable, and convex only above a threshold",
        kind="calibrated",
        measure=flip,
        holds=flips,
        observed="flips at {threshold:.2f}, held at {own:.2f}; {modes:.0f} modes",
    ),
    *(
        Claim(
            name=f"{name}: the mask is seen as it is",
            prediction="convex without the drug, concave at a full dose",
            kind="predicted",
            measure=partial(mask, name=name),
            holds=is_veridical,
            observed="convex with probability {without:.2f} without, {dosed:.2f} with",
            parameters=PARAMETERS,
        )
        for name in accounts(2.0)
    ),
    *OF_RIVALRY,
)


class Summary(NamedTuple):
    """What result.json holds: end-stopping index by account, first network."""

    index: dict[str, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    return Summary({name: float(each.index) for name, each in results.drugged.items()})


def by_account(results: Results) -> Table:
    """Everything at the full dose."""
    rows = []
    for name, curves in results.curves.items():
        rival = results.rivals[name]
        rate = rival.rate.mean(axis=-1) / max(float(rival.rate[0].mean()), 1e-30)
        rows.append(
            (
                name,
                f"{results.drugged[name].index:.2f}",
                f"{curves.mask.convex[-1]:.2f}",
                f"{rate[-2]:.2f}",
                f"{rate[-1]:.2f}",
                f"{rival.mixed[-2].mean():.0%}",
                *(
                    f"{curves.size[each][-1] / curves.size[each][0] - 1:+.0%}"
                    for each in ("scale", "reference", "expectation")
                ),
            )
        )
    columns = (
        "Account",
        "End-stopping",
        "Mask convex",
        "Rate, times",
        "with ketanserin",
        "Mixed",
        "Size, scale",
        "Size, reference",
        "Size, expectation",
    )
    caption = (
        "At a full dose. End-stopping: index of the first network, mixing and noise not read. Rate of "
        "rivalry over that without; mixed without: see the claims. Size: change of the illusion, by mechanism; "
        "illusions_under_psilocybin scores it on people."
    )
    return Table(columns, rows, caption)


def of_rivals(results: Results) -> str:
    """Which accounts slow and mix rivalry, and which slowing ketanserin leaves."""
    both = holding(results, "rivalry is slower and more mixed")
    left = holding(results, "ketanserin leaves the slowing")
    first = f"Slower and more mixed at once: **{both or 'no account'}**."
    return f"{first} Slower, and so after ketanserin: **{left or 'no account'}**."


def holding(results: Results, what: str) -> str:
    """The accounts whose claim of this name holds."""
    holds = {claim.name: claim.holds for claim in OF_RIVALRY}
    return ", ".join(
        name
        for name in results.curves
        if holds[f"{name}: {what}"](results.tested[f"{name}: {what}"].as_set)
    )


TABLES = {"accounts": by_account}
WORDS = {"rivals": of_rivals}
