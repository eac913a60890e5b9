"""The claims, and what result.json holds."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics.linear_activity import Keeps
from pcmodel.report import UNPERTURBED, Claim, Parameter, Perturbation, Verdict

from .._brain import FAVOURED, PARAMETERS, paired
from .simulate import (
    ALONE,
    NO_EVIDENCE,
    Case,
    Config,
    Mind,
    Results,
    beliefs_after,
    measured,
)

STRENGTH = PARAMETERS[0]
WORLD = PARAMETERS[1:4:2]
"""Variance that parents explain, and the mean of the world's weights."""
TRAIT = (Parameter("rigidity", "trait.rigidity"),)
LEARNING = (
    Parameter("self that is contradicted", "evidence.self"),
    Parameter("rate of learning", "learning.rate"),
    Parameter("opening of the window", "plasticity.gain"),
)


def field(rows: np.ndarray, name: str) -> np.ndarray:
    """One measure of everybody."""
    return rows[:, Mind._fields.index(name)]


class Change(NamedTuple):
    """Mean over people before and after, and the t of the change within people."""

    before: float
    after: float
    t: float


def change(before: np.ndarray, after: np.ndarray) -> Change:
    found = paired(before, after)
    return Change(found.before, found.before + found.change, found.t)


def by_trait(
    config: Config, seed: int, perturbation: Perturbation, measure: str
) -> Change:
    """From as negative a self that is not rigid to the rigid one."""
    kinds = ("negative, not rigid", "rigid")
    return change(
        *(measured(config, seed, Case(one), measure, perturbation) for one in kinds)
    )


def by_drug(
    config: Config,
    seed: int,
    perturbation: Perturbation,
    measure: str,
    name: str,
    keeps: Keeps = "mobility",
) -> Change:
    """In rigid people, acutely."""
    cases = [Case("rigid", one, keeps=keeps) for one in ("placebo", name)]
    return change(
        *(measured(config, seed, one, measure, perturbation) for one in cases)
    )


def over_null(
    config: Config, seed: int, perturbation: Perturbation, name: str
) -> Change:
    """Revision by a memory in rigid people: from the null account to another."""
    cases = [Case("rigid", one) for one in ("uniform", name)]
    return change(
        *(measured(config, seed, one, "by_memory", perturbation) for one in cases)
    )


class Lasting(NamedTuple):
    """The belief before; the day after the control arm and the arm; t of arm minus control."""

    before: float
    control: float
    arm: float
    t: float


def lasting(
    config: Config,
    seed: int,
    perturbation: Perturbation,
    arm: str,
    control: str,
    way: str = "memory",
) -> Lasting:
    control_rows, rows = (
        beliefs_after(config, seed, one, way, perturbation) for one in (control, arm)
    )
    found = paired(control_rows, rows)
    moved = beliefs_after(config, seed, NO_EVIDENCE, way, perturbation).mean()
    return Lasting(float(moved), found.before, found.before + found.change, found.t)


class Modularity(NamedTuple):
    """Of the seven networks: before, the day after the evidence alone, and after drug and evidence; t of that change, and of
    its excess over the evidence alone."""

    before: float
    alone: float
    drug: float
    t: float
    t_excess: float


def modularity_after(
    config: Config, seed: int, perturbation: Perturbation, arm: str
) -> Modularity:
    before, alone, drug = (
        measured(config, seed, Case("rigid", arm=one), "modularity", perturbation)
        for one in ("", ALONE, arm)
    )
    found, excess = paired(before, drug), paired(alone, drug)
    return Modularity(
        found.before,
        float(alone.mean()),
        float(drug.mean()),
        found.t,
        excess.t,
    )


class Largest(NamedTuple):
    """Largest difference in anyone."""

    difference: float


def no_evidence(results: Results) -> Largest:
    """Every measure, the day after a drug without evidence against the day before."""
    before, after = results.before["rigid"], results.after[NO_EVIDENCE]
    return Largest(float(np.abs(after - before).max()))


def at_rest(results: Results) -> Largest:
    """Mean of the self belief under every account, nothing being met."""
    before = field(results.before["rigid"], "belief")
    moved = [
        np.abs(field(own, "belief") - before).max() for own in results.acute.values()
    ]
    return Largest(float(max(moved)))


def screened(config: Config, seed: int) -> Largest:
    """The day after a memory met under raised senses, against noise: neither acts on what lies above a memory."""
    rows = [
        beliefs_after(config, seed, one, "memory", UNPERTURBED)
        for one in ("sensory", "noise")
    ]
    return Largest(float(np.abs(rows[1] - rows[0]).max()))


def is_rounding(found: Largest) -> bool:
    return found.difference < 1e-9


def rises(found: Change) -> bool:
    return found.after > found.before and found.t > 2


def falls(found: Change) -> bool:
    return found.after < found.before and found.t < -2


def more_than_control(found: Lasting) -> bool:
    return found.arm > found.control and found.t > 2


def falls_more(found: Modularity) -> bool:
    return found.t < -2 and found.t_excess < -2


MOVED = "{before:.3f} to {after:.3f} (t {t:.1f})"
STAYED = "log of the mean stay in seconds: {before:.2f} to {after:.2f} (t {t:.1f})"
LASTED = "belief {before:.3f} before; the day after {control:.3f} without, {arm:.3f} with (t {t:.1f})"
READINGS = (
    ("rebus", "REBUS, measured map", ()),
    ("rebus, top favoured", "REBUS, top favoured", FAVOURED),
)


def predicted(name, prediction, measure, holds, observed, parameters=()) -> Claim:
    """A claim of kind predicted."""
    return Claim(
        name=name,
        prediction=prediction,
        kind="predicted",
        measure=measure,
        holds=holds,
        observed=observed,
        parameters=parameters,
    )


TRAIT_CLAIMS = tuple(
    predicted(
        name, words, partial(by_trait, measure=measure), holds, told, (*TRAIT, *WORLD)
    )
    for name, words, measure, holds, told in (
        (
            "A rigid default mode dwells in its belief",
            "a stay in the negative belief is longer than without rigidity (t > 2)",
            "log_stay",
            rises,
            STAYED,
        ),
        (
            "A rigid self explains more of the other modules",
            "its share of their variance is higher (t > 2)",
            "share",
            rises,
            MOVED,
        ),
        (
            "A rigid default mode is coupled more within",
            "fMRI coupling within the default network is higher (t > 2)",
            "default_within",
            rises,
            MOVED,
        ),
        (
            "A rigid default mode is coupled less to other networks",
            "fMRI coupling of the default network with others is lower (t < -2)",
            "default_between",
            falls,
            MOVED,
        ),
        (
            "A rigid default mode makes activity less diverse",
            "the entropy of the eigenspectrum is lower (t < -2)",
            "entropy",
            falls,
            MOVED,
        ),
    )
)
ACUTE_CLAIMS = tuple(
    predicted(
        f"{words} ({label})",
        prediction,
        partial(by_drug, measure=measure, name=name),
        holds,
        told,
        (STRENGTH, *favoured, *TRAIT),
    )
    for name, label, favoured in READINGS
    for words, prediction, measure, holds, told in (
        (
            "Under the drug the belief is left sooner",
            "a stay in the negative belief is shorter (t < -2)",
            "log_stay",
            falls,
            STAYED,
        ),
        (
            "Under the drug a memory that contradicts it revises the belief more",
            "its share of the way to what contradicts it is larger (t > 2)",
            "by_memory",
            rises,
            MOVED,
        ),
    )
)
SPEED_CLAIMS = tuple(
    predicted(
        f"The belief is left sooner if gains leave speed as it is ({label})",
        "a stay in the negative belief is shorter where a level keeps its time constant (t < -2)",
        partial(by_drug, measure="log_stay", name=name, keeps="time constant"),
        falls,
        STAYED,
    )
    for name, label, _ in READINGS
)
EXCESS_CLAIMS = (
    predicted(
        "A memory revises the belief more than under the null account (REBUS, measured map)",
        "its share of the way is larger than if every precision falls alike (t > 2)",
        partial(over_null, name="rebus"),
        rises,
        MOVED,
        (STRENGTH, *TRAIT),
    ),
)
LASTING_CLAIMS = (
    *(
        predicted(
            f"The day after, the belief is less negative than after {words} ({label})",
            "the drug with the evidence moves it further (t > 2)",
            partial(lasting, arm=name, control=control),
            more_than_control,
            LASTED,
            (STRENGTH, *favoured, *TRAIT, *LEARNING),
        )
        for name, label, favoured in READINGS
        for control, words in (
            (ALONE, "the evidence alone"),
            ("noise", "the evidence in an open window"),
        )
    ),
    predicted(
        "Raised senses make evidence last too, where it is met by the senses",
        "the day after, the belief is less negative than after the same in an open window (t > 2)",
        partial(lasting, arm="sensory", control="noise", way="senses"),
        more_than_control,
        LASTED,
        (STRENGTH,),
    ),
    *(
        predicted(
            f"Modularity is lower the day after ({label})",
            "than before, and than the day after the evidence alone (each t < -2)",
            partial(modularity_after, arm=name),
            falls_more,
            "{before:.4f} before; the day after {alone:.4f} with evidence alone, {drug:.4f} with the drug (t {t:.1f} and "
            "{t_excess:.1f})",
            (STRENGTH,),
        )
        for name, label, favoured in READINGS
    ),
)
THEOREMS = tuple(
    Claim(
        name=name,
        prediction=prediction,
        kind="theorem",
        measure=measure,
        holds=is_rounding,
        observed="largest difference {difference:.1g}",
    )
    for name, prediction, measure in (
        (
            "A drug without evidence leaves nothing behind",
            "with nothing met the expected change of every parameter is 0, whatever the precisions",
            no_evidence,
        ),
        (
            "Where nothing is met no account moves the belief",
            "gains, slopes and noise change how activity varies around the prior mean, not the mean",
            at_rest,
        ),
        (
            "Raised senses add nothing to a memory",
            "a memory screens the self from the senses: the same belief the day after as with noise",
            screened,
        ),
    )
)
CLAIMS = (
    *TRAIT_CLAIMS,
    *ACUTE_CLAIMS,
    *SPEED_CLAIMS,
    *EXCESS_CLAIMS,
    *LASTING_CLAIMS,
    *THEOREMS,
)


class Summary(NamedTuple):
    """What result.json holds: mean belief the day after by arm, and mean modularity."""

    belief: dict[str, float]
    modularity: dict[str, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Means over people."""
    arms = {"before": results.before["rigid"], **results.after}
    return Summary(
        {name: float(field(own, "belief").mean()) for name, own in arms.items()},
        {name: float(field(own, "modularity").mean()) for name, own in arms.items()},
    )
