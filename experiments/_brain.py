"""People with brain hierarchies, the rival accounts at one dose, and what is observed of each person."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.brain.dynamics import (
    MODULES,
    BrainHierarchy,
    BrainPlan,
    EyesClosed,
    Film,
    Task,
    as_correlation,
    brain_hierarchy,
    brain_modulation,
    lagged_covariances,
    linear_activity,
    read_regions,
    sample_activity,
    self_hold,
)
from pcmodel.brain.dynamics.linear_activity import Keeps, LinearActivity
from pcmodel.brain.dynamics.read_out import RegionReadOut, region_means
from pcmodel.brain.measures import (
    covariance_transfer_entropy,
    eigenspectrum_entropy,
    lempel_ziv_count,
)
from pcmodel.errors import UserError
from pcmodel.model.modulation import Modulation
from pcmodel.neuromodulation import Effects
from pcmodel.neuromodulation.accounts.accounts import (
    Account,
    Dimmer,
    NmdaBlock,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

from ._options import at_least

FULL, MODERATE = 0.72, 0.3
"""Effects: psilocybin 25 mg, and where SEBUS strengthens."""
STEP, SAMPLES = 0.02, 2000
"""Seconds between samples of fast activity, and their number, for Lempel-Ziv complexity."""
LAG, LAGS = 0.02, 5
"""Seconds of one lag of transfer entropy, and the number of lags."""
FRONT, BACK = ("control", "default"), ("visual",)
GOAL, HELD = "control/region 1", "control 1"
"""Part that holds a task's goal, and the region that it is."""

PARAMETERS = (
    Parameter("strength of the account", "account.strength"),
    Parameter("variance that parents explain", "world.explained"),
    Parameter("correlation within networks", "world.shared"),
    Parameter("mean of the world's weights", "world.mean_weight"),
    Parameter("time constants of control, limbic and default", "speed.top"),
)
FAVOURED = (Parameter("selectivity for the top", "account.selectivity"),)
FILMED = (
    Parameter("variance of the film", "film.variance"),
    Parameter("time constant of the film", "film.time_constant"),
)


def accounts(strength: float, selectivity: float = 0.0) -> dict[str, Account]:
    """The rivals at one strength, log units per effect.  selectivity: of "rebus, top favoured"."""
    return {
        "rebus": Rebus(strength),
        "rebus, top favoured": Rebus(strength, selectivity=selectivity),
        "sensory": Sensory(strength),
        "sebus": Sebus(strength),
        "oneirogen": Oneirogen(strength / 2),
        "dimmer": Dimmer(strength / 2),
        "noise": Noise(strength),
        "nmda_block": NmdaBlock(),
        "uniform": Uniform(strength),
    }


class Setting(NamedTuple):
    """What all simulations of an experiment share.

    people: number.  strength: log units per effect.  selectivity: of "rebus, top favoured".  seed: of the people.
    """

    people: int
    strength: float
    selectivity: float
    seed: int


@dataclass(frozen=True)
class People:
    """people: each in a world of their own.  strength: log units per effect.  selectivity: where the top is favoured."""

    people: int = 20
    strength: float = 2.0
    selectivity: float = 2.0

    def __post_init__(self):
        at_least(3, people=self.people)
        for name in ("strength", "selectivity"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise UserError(
                    f"is {value:g}", where=name, expected="a positive number"
                )

    @classmethod
    def smoke(cls) -> Self:
        """Few people."""
        return cls(people=3)

    def setting(self, seed: int) -> Setting:
        """What all simulations share."""
        return Setting(self.people, self.strength, self.selectivity, seed)


@lru_cache(maxsize=256)
def person(seed: int, number: int, perturbation: Perturbation) -> BrainHierarchy:
    """One person in a world of their own; the same world's random numbers under every perturbation."""
    usual = BrainPlan()
    plan = BrainPlan(
        explained=usual.explained * perturbation.factor_of("world.explained"),
        shared=usual.shared * perturbation.factor_of("world.shared"),
        mean_weight=usual.mean_weight * perturbation.factor_of("world.mean_weight"),
        sense_noise=min(
            0.95, usual.sense_noise * perturbation.factor_of("world.sense_noise")
        ),
    )
    return brain_hierarchy(jax.random.fold_in(jax.random.key(seed), number), plan=plan)


def world_of(perturbation: Perturbation) -> Perturbation:
    """The perturbation as far as it changes a world, so that people are made once."""
    return perturbation if perturbation.path.startswith("world.") else UNPERTURBED


def modulation_of(
    brain: BrainHierarchy,
    name: str,
    setting: Setting,
    perturbation: Perturbation = UNPERTURBED,
) -> Modulation | None:
    """An account's modulation at its dose; None for "placebo"."""
    if name == "placebo":
        return None
    strength = setting.strength * perturbation.factor_of("account.strength")
    favoured = setting.selectivity * perturbation.factor_of("account.selectivity")
    amount = jnp.asarray(MODERATE if name == "sebus" else FULL)
    return brain_modulation(
        brain, accounts(strength, favoured)[name], Effects(amount, amount, amount)
    )


def activity_of(
    brain: BrainHierarchy,
    condition,
    modulation: Modulation | None,
    perturbation: Perturbation = UNPERTURBED,
    keeps: Keeps = "mobility",
) -> LinearActivity:
    """Activity under a condition, with slower or faster high levels if so perturbed."""
    factor = perturbation.factor_of("speed.top")
    slow = {
        name: MODULES[name].time_constant * factor
        for name in ("control", "limbic", "default")
    }
    return linear_activity(
        brain, condition, modulation=modulation, time_constants=slow, keeps=keeps
    )


def film(perturbation: Perturbation = UNPERTURBED, variance: float = 1.0) -> Film:
    """The usual film."""
    return Film(
        variance=variance * perturbation.factor_of("film.variance"),
        time_constant=0.5 * perturbation.factor_of("film.time_constant"),
    )


def condition_of(
    name: str, perturbation: Perturbation = UNPERTURBED, variance: float = 1.0
) -> EyesClosed | Film | Task:
    """ "closed"; "film"; or "task": a film, and a goal that one region of control holds."""
    if name == "closed":
        return EyesClosed()
    seen = film(perturbation, variance)
    return seen if name == "film" else Task({GOAL: np.ones(2)}, seen)


class Fast(NamedTuple):
    """Of fast activity of regions (as MEG would see it).

    lempel_ziv: mean over regions of c log2(n) / n.  spread: half the log determinant of the regions' covariance, nats.
    entropy: of its correlations' eigenspectrum.  down, up: transfer entropy from control and default to visual, and back,
    nats.
    """

    lempel_ziv: float
    spread: float
    entropy: float
    down: float
    up: float


def fast_of(brain: BrainHierarchy, activity: LinearActivity, key: jax.Array) -> Fast:
    """Complexity is of samples, with the same key in every condition; the rest is exact."""
    read = read_regions(brain, activity)
    covariance = read.covariance(activity)
    samples = sample_activity(activity, key, step=STEP, num_samples=SAMPLES)
    means = region_means(brain, activity.structure)[2]
    series = means @ np.asarray(samples).T
    high = (series > np.median(series, axis=1, keepdims=True)).astype(np.uint8)
    counts = [lempel_ziv_count(row.tobytes()) for row in high]
    return Fast(
        float(np.mean(counts) * np.log2(SAMPLES) / SAMPLES),
        0.5 * float(np.linalg.slogdet(covariance)[1]),
        eigenspectrum_entropy(as_correlation(covariance)).value,
        *transfers(read, activity),
    )


def transfers(
    read: RegionReadOut, activity: LinearActivity, lag: float = LAG
) -> tuple[float, float]:
    """Transfer entropy between all regions of the front and all of the back: down, up; exact, nats."""
    groups = [
        [i for i, own in enumerate(read.networks) if own in group]
        for group in (FRONT, BACK)
    ]
    seen = activity._replace(read=read.weights[groups[0] + groups[1]])
    lagged = lagged_covariances(seen, lag, lags=LAGS)
    front = list(range(len(groups[0])))
    back = list(range(len(front), len(front) + len(groups[1])))
    return (
        covariance_transfer_entropy(lagged, source=front, target=back),
        covariance_transfer_entropy(lagged, source=back, target=front),
    )


class Hold(NamedTuple):
    """The self module's hold: share of the others' variance, information, coupling to body and perception (nats)."""

    share: float
    information: float
    body: float
    perception: float


def self_of(brain: BrainHierarchy, activity: LinearActivity) -> Hold:
    """Of stationary activity; exact."""
    found = self_hold(brain, activity)
    return Hold(found.share, found.information, found.self_body, found.self_perception)


@lru_cache(maxsize=4096)
def observe(
    kind: str,
    name: str,
    condition: str,
    setting: Setting,
    perturbation: Perturbation = UNPERTURBED,
    variance: float = 1.0,
    keeps: Keeps = "mobility",
) -> np.ndarray:
    """Fast activity or the self under one account, (people, fields).

    kind: "fast" or "self".  condition: "closed", "film" or "task".
    """
    rows = []
    for number in range(setting.people):
        brain = person(setting.seed, number, world_of(perturbation))
        given = condition_of(condition, perturbation, variance)
        modulation = modulation_of(brain, name, setting, perturbation)
        activity = activity_of(brain, given, modulation, perturbation, keeps)
        if kind == "self":
            rows.append(self_of(brain, activity))
        else:
            key = jax.random.fold_in(jax.random.key(setting.seed + 1), number)
            rows.append(fast_of(brain, activity, key))
    return np.asarray(rows, float)


class Paired(NamedTuple):
    """Of the change within people: mean, its t over people, and mean without drug."""

    change: float
    t: float
    before: float


def paired(before: np.ndarray, after: np.ndarray) -> Paired:
    """t is 0 where nobody changes beyond rounding, and infinite where all change alike."""
    change = after - before
    mean, spread = float(change.mean()), float(change.std(ddof=1))
    rounding = 1e-9 * float(np.abs(before).max())
    if abs(mean) <= rounding and spread <= rounding:
        return Paired(0.0, 0.0, float(before.mean()))
    t = mean / (spread / np.sqrt(len(change))) if spread > 0 else np.inf * mean
    return Paired(mean, float(t), float(before.mean()))


def clear(found: Paired, sign: int) -> bool:
    """Whether the change has a sign, by more than two standard errors."""
    return sign * found.change > 0 and abs(found.t) > 2


ASSUMED = (
    "Modules, their order and their time constants are assumed; each simulated person learned from a world of their own.",
    "Every account at the effect of 25 mg psilocybin (SEBUS at a moderate one), with the same strength; the dimmer's is its "
    "5-HT1A response, NMDA block the share of channels.",
    "The receptor map is measured, its link to precision is not; that the top is favoured is an assumption of its own.",
)
