"""What is simulated: people before, under every account, and the day after."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import (
    BrainHierarchy,
    EyesClosed,
    FixedStimulus,
    Task,
    as_correlation,
    correlation_times,
    lagged_covariances,
    linear_activity,
)
from pcmodel.brain.dynamics.linear_activity import Keeps, LinearActivity
from pcmodel.brain.measures import gaussian_dwell, modularity_of
from pcmodel.errors import UserError
from pcmodel.model.modulation import Modulation
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._brain import People, Setting, accounts, modulation_of, person, self_of, world_of
from .._brain_imaging import bold_of, networks_of, recorded
from .._brain_scans import scanner_noise
from .._options import at_least
from .trait import (
    MEMORY,
    Lesson,
    Parameters,
    contrary,
    examples_of,
    lesson_of,
    self_places,
    taught,
    window_gains,
    with_learned,
    with_trait,
)

LOOK = 0.1
"""Seconds between two looks at the belief."""
PEOPLE = ("healthy", "negative, not rigid", "rigid")
NO_EVIDENCE, ALONE = "drug alone", "evidence alone"


@dataclass(frozen=True)
class Config(People):
    """people, strength, selectivity: see `People`.

    rigidity: factor on the default mode's precision.  negative: by how much the self's prior mean is lowered, in standard
    deviations of a unit.  contrary: the self of which the experiences tell.  experiences: number of them.  rate: weight of
    one session in the belief, before the window.
    """

    rigidity: float = 8.0
    negative: float = 0.5
    contrary: float = 1.0
    experiences: int = 20
    rate: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        at_least(1, experiences=self.experiences)
        for name in ("rigidity", "negative", "contrary"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise UserError(
                    f"is {value:g}", where=name, expected="a positive number"
                )
        if not 0 < self.rate <= 0.25:
            raise UserError(
                f"is {self.rate:g}",
                where="rate",
                expected="above 0, at most 0.25: the window and a sensitivity double it",
            )


class Mind(NamedTuple):
    """Of one person; spontaneous activity with eyes closed unless said otherwise.

    belief: mean of the self's units, standard deviations of a unit.  spread: its standard deviation.  time: integral of its
    autocorrelation, seconds.  negative: share of time below 0.  log_stay: log of the mean seconds of a stay there.
    share: of the other modules' variance that the self explains.
    default_within, default_between: fMRI coupling of the default network, Fisher z.  between: of all networks.
    entropy: of the eigenspectrum.  modularity: of the seven networks.
    by_memory, by_senses: share of the way to what contradicts it that the belief goes, if met as a memory, or by the senses.
    """

    belief: float
    spread: float
    time: float
    negative: float
    log_stay: float
    share: float
    default_within: float
    default_between: float
    between: float
    entropy: float
    modularity: float
    by_memory: float
    by_senses: float


PARTS = {
    "thought": Mind._fields[:5],
    "image": Mind._fields[5:11],
    "revision": Mind._fields[11:],
}
"""Measures that come from one simulation."""


class Results(NamedTuple):
    """before, acute, after: by people, account and arm, (people, fields of `Mind`).  after_senses: belief of the day after
    by arm, where what contradicts it is met by the senses, (people,).  window: factors on the rate in the session and
    on the day after."""

    before: dict[str, np.ndarray]
    acute: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    after_senses: dict[str, np.ndarray]
    window: np.ndarray
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Everybody before, under every account, and the day after."""
    names = tuple(accounts(config.strength))
    arms = (NO_EVIDENCE, ALONE, *names)
    before = {one: minds(config, seed, Case(one)) for one in PEOPLE}
    acute = {
        one: minds(config, seed, Case("rigid", one))
        for one in progress.track(names, "accounts")
    }
    after = {
        one: minds(config, seed, Case("rigid", arm=one))
        for one in progress.track(arms, "the day after")
    }
    by_senses = {one: beliefs_after(config, seed, one, "senses") for one in arms}
    return Results(before, acute, after, by_senses, np.asarray(window_gains()))


@lru_cache(maxsize=1024)
def someone(
    config: Config, seed: int, number: int, kind: str, perturbation: Perturbation
) -> BrainHierarchy:
    """One person of a kind of `PEOPLE`."""
    healthy = person(seed, number, world_of(perturbation))
    if kind == "healthy":
        return healthy
    rigidity = config.rigidity * perturbation.factor_of("trait.rigidity")
    return with_trait(
        healthy,
        mean=-config.negative * perturbation.factor_of("trait.negative"),
        precision=rigidity if kind == "rigid" else 1.0,
    )


@lru_cache(maxsize=1024)
def met(
    config: Config, seed: int, number: int, way: str, perturbation: Perturbation
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What contradicts the belief: mean by level and covariance. way: "memory" or "senses"."""
    healthy = person(seed, number, world_of(perturbation))
    value = config.contrary * perturbation.factor_of("evidence.self")
    return contrary(healthy, MEMORY if way == "memory" else healthy.senses, value)


@lru_cache(maxsize=1024)
def lesson(
    config: Config,
    seed: int,
    number: int,
    way: str,
    perturbation: Perturbation,
) -> Lesson:
    """What a rigid person meets: nothing, or what contradicts the belief as a "memory" or by the "senses"."""
    brain = someone(config, seed, number, "rigid", perturbation)
    if way == "nothing":
        return lesson_of(brain, None)
    rng = np.random.default_rng([seed, number])
    told = met(config, seed, number, way, perturbation)
    return lesson_of(brain, examples_of(*told, config.experiences, rng))


@lru_cache(maxsize=4096)
def learned(
    config: Config,
    seed: int,
    number: int,
    arm: str,
    way: str,
    perturbation: Perturbation,
) -> Parameters:
    """Of a rigid person the day after an arm: an account with experiences, those alone, or a drug (top favoured) alone."""
    brain = someone(config, seed, number, "rigid", perturbation)
    name = {NO_EVIDENCE: "rebus, top favoured", ALONE: "placebo"}.get(arm, arm)
    drug = modulation_of(brain, name, config.setting(seed), perturbation)
    gains = (1.0, 1.0) if arm == ALONE else window_gains()
    opened = perturbation.factor_of("plasticity.gain")
    way = "nothing" if arm == NO_EVIDENCE else way
    return taught(
        lesson(config, seed, number, way, perturbation),
        drug,
        rate=config.rate * perturbation.factor_of("learning.rate"),
        window=(1 + opened * (gains[0] - 1), 1 + opened * (gains[1] - 1)),
    )


def brain_of(
    config: Config,
    seed: int,
    number: int,
    kind: str,
    arm: str,
    perturbation: Perturbation,
) -> BrainHierarchy:
    """Someone, on the day after an arm if one is named."""
    brain = someone(config, seed, number, kind, perturbation)
    if not arm:
        return brain
    found = learned(config, seed, number, arm, "memory", perturbation)
    return with_learned(brain, found)


class Case(NamedTuple):
    """Whom to look at, and how.  kind: of `PEOPLE`.  account: that acts.  arm: on the day after which; "" before."""

    kind: str
    account: str = "placebo"
    arm: str = ""
    keeps: Keeps = "mobility"


def minds(
    config: Config,
    seed: int,
    case: Case,
    perturbation: Perturbation = UNPERTURBED,
) -> np.ndarray:
    """Everybody's measures, (people, fields of `Mind`)."""
    parts = [look(config, seed, case, part, perturbation) for part in PARTS]
    return np.hstack(parts)


def measured(
    config: Config, seed: int, case: Case, name: str, perturbation: Perturbation
) -> np.ndarray:
    """One field of `Mind` of everybody, (people,)."""
    part = next(part for part, names in PARTS.items() if name in names)
    own = look(config, seed, case, part, perturbation)
    return own[:, PARTS[part].index(name)]


@lru_cache(maxsize=4096)
def look(
    config: Config, seed: int, case: Case, part: str, perturbation: Perturbation
) -> np.ndarray:
    """Everybody's measures of one part of `PARTS`, (people, measures)."""
    setting, rows = config.setting(seed), []
    for number in range(config.people):
        brain = brain_of(config, seed, number, case.kind, case.arm, perturbation)
        drug = modulation_of(brain, case.account, setting, perturbation)
        if part == "revision":
            rows.append(revised(brain, drug, config, seed, number, perturbation))
            continue
        activity = linear_activity(
            brain, EyesClosed(), modulation=drug, keeps=case.keeps
        )
        if part == "thought":
            rows.append(thought(brain, activity))
        else:
            rows.append(imaged(brain, activity, number, setting, perturbation))
    return np.asarray(rows, float)


def thought(
    brain: BrainHierarchy, activity: LinearActivity
) -> tuple[float, float, float, float, float]:
    """The first five fields of `Mind`."""
    places = activity.structure.free_slices()[-1].start + self_places(brain)
    seen = activity._replace(read=activity.read[places].mean(axis=0, keepdims=True))
    now, then = lagged_covariances(seen, LOOK, lags=1)[:, 0, 0]
    mean = float(activity.activity[places].mean())
    dwell = gaussian_dwell(mean, float(now), float(then), step=LOOK)
    time = float(correlation_times(activity, seen.read)[0])
    return mean, float(np.sqrt(now)), time, dwell.share, dwell.log_stay


def imaged(
    brain: BrainHierarchy,
    activity: LinearActivity,
    number: int,
    setting: Setting,
    perturbation: Perturbation,
) -> tuple[float, ...]:
    """The next six fields of `Mind`; the scanner's noise is that of the same person's healthy self."""
    bold = bold_of(brain, activity)
    noise = scanner_noise(number, setting, world_of(perturbation))
    found = networks_of(bold, noise)
    matrix = as_correlation(recorded(bold, noise)[0])
    return (
        self_of(brain, activity).share,
        found.default_within,
        found.default_between,
        found.between,
        found.entropy,
        modularity_of(matrix, bold.labels).value,
    )


def revised(
    brain: BrainHierarchy,
    drug: Modulation | None,
    config: Config,
    seed: int,
    number: int,
    perturbation: Perturbation,
) -> tuple[float, float]:
    """The last two fields of `Mind`."""
    own = self_places(brain)
    prior = np.asarray(brain.network.prior_mean[...])[own].mean()
    aim = config.contrary * perturbation.factor_of("evidence.self")
    moved = []
    for way in ("memory", "senses"):
        told, _ = met(config, seed, number, way, perturbation)
        condition = Task(told, EyesClosed()) if way == "memory" else FixedStimulus(told)
        activity = linear_activity(brain, condition, modulation=drug)
        places = activity.structure.free_slices()[-1].start + own
        moved.append((activity.activity[places].mean() - prior) / (aim - prior))
    return float(moved[0]), float(moved[1])


@lru_cache(maxsize=1024)
def beliefs_after(
    config: Config,
    seed: int,
    arm: str,
    way: str = "memory",
    perturbation: Perturbation = UNPERTURBED,
) -> np.ndarray:
    """Everybody's belief the day after an arm, (people,)."""
    found = []
    for number in range(config.people):
        own = learned(config, seed, number, arm, way, perturbation)
        brain = person(seed, number, world_of(perturbation))
        prior = np.asarray(own.weights["prior_mean"])
        found.append(prior[self_places(brain)].mean())
    return np.asarray(found)
