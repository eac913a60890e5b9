"""What is simulated: trains of standards and their deviants under each drug and account, and roving sequences."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Bolus, Dose, Effects, Infusion, Oral, effects
from pcmodel.neuromodulation.accounts.accounts import (
    Account,
    Dimmer,
    NmdaBlock,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Together,
    Uniform,
)
from pcmodel.paradigms.oddball import (
    Mismatch,
    Oddball,
    mismatch,
    respond,
    roving_sequence,
)
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Parameter, Perturbation

from .._dosing import MIDPOINT, take
from .._options import at_least

HOURS = np.linspace(0, 4, 49)
LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16)
DRUGS = {
    "placebo": Dose("psilocybin", 0.0, 0.0, Oral()),
    "psilocybin": Dose("psilocybin", 15.0, 0.0, Oral()),
    "LSD": Dose("LSD", 0.075, 0.0, Bolus()),
    "ketamine": Dose("ketamine", 35.0, 0.0, Infusion(40 / 60)),
}
"""Psilocybin by mouth, LSD 75 µg into a vein, ketamine 0.5 mg/kg over 40 minutes; each at its largest effect."""
PLACEBO, PSILOCYBIN, LSD, KETAMINE = range(4)


def accounts(strength: float) -> dict[str, Account]:
    """The rivals for 5-HT2A and 5-HT1A, each at its default strength where `strength` is 2."""
    half = strength / 2
    relaxed = Rebus(strength)
    return {
        "relaxed priors": relaxed,
        "relaxed top alone": Rebus(strength, selectivity=8.0),
        "relaxed and dimmed": Together((relaxed, Dimmer(half))),
        "strengthened priors": Rebus(strength, sign=1),
        "strengthened, then relaxed": Sebus(strength),
        "raised senses": Sensory(strength),
        "generated from above": Oneirogen(half),
        "dimmed (5-HT1A)": Dimmer(half),
        "noise": Noise(strength),
        "all alike": Uniform(strength),
    }


BLOCKS = {
    "errors and plasticity": NmdaBlock(),
    "errors alone": NmdaBlock(plasticity=0.0),
    "plasticity alone": NmdaBlock(transmission=0.0),
}
PARAMETERS = (
    Parameter("strength of the account", "account.strength"),
    MIDPOINT,
    Parameter("rate of the memory", "oddball.memory_rate"),
    Parameter("rate of adaptation", "oddball.adaptation_rate"),
    Parameter("recovery from adaptation", "oddball.adaptation_recovery"),
    Parameter("ms per unit of inference", "oddball.ms_per_unit"),
)


@dataclass(frozen=True)
class Config:
    """strength: log units per effect.  sequences: random roving ones.  trains: in each of them."""

    strength: float = 2.0
    sequences: int = 20
    trains: int = 40

    def __post_init__(self):
        at_least(2, sequences=self.sequences, trains=self.trains)
        if not 0 < self.strength < np.inf:
            raise UserError("strength must be a positive number.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few, short sequences."""
        return cls(sequences=2, trains=5)


class Roving(NamedTuple):
    """Random roving sequences.

    growth: slope of the evoked response to the change on the log of the train before it, (sequences, drugs).
    adaptation: share by which the response falls from the first to the sixth tone of a train, likewise.
    """

    growth: np.ndarray
    adaptation: np.ndarray


class Results(NamedTuple):
    """found: by account, the drugs in the order of `DRUGS`.  blocks: ketamine alone under each kind of block.
    roving: by account."""

    lengths: np.ndarray
    found: dict[str, Mismatch]
    blocks: dict[str, Mismatch]
    roving: dict[str, Roving]
    tested: Examined = NOT_EXAMINED


@lru_cache(maxsize=32)
def peaks(perturbation: Perturbation = UNPERTURBED) -> Effects:
    """The typical participant at the largest effect of each drug, (drugs,)."""

    def of(dose: Dose) -> Effects:
        course, _ = take([dose], HOURS, perturbation=perturbation)
        felt = jax.tree.map(lambda curve: curve[0], effects(course))
        best = jnp.argmax(felt.effect_2a + felt.nmda_block)
        return jax.tree.map(lambda curve: curve[best], felt)

    return jax.tree.map(lambda *each: jnp.stack(each), *map(of, DRUGS.values()))


def chain(perturbation: Perturbation = UNPERTURBED) -> Oddball:
    """The paradigm, where a perturbation is about one of its rates, which are at most 1, or its time."""
    part, _, field = perturbation.path.partition(".")
    plain = Oddball()
    if part != "oddball":
        return plain
    value = getattr(plain, field) * perturbation.factor
    return replace(
        plain, **{field: value if field == "ms_per_unit" else min(value, 1.0)}
    )


@lru_cache(maxsize=512)
def measured(config: Config, name: str, perturbation: Perturbation) -> Mismatch:
    """Trains under every drug, with one account for 5-HT2A and 5-HT1A; ketamine blocks NMDA channels."""
    own = perturbation.path.partition(".")[0] not in ("account", "oddball")
    felt = peaks(perturbation if own else UNPERTURBED)
    strength = config.strength * perturbation.factor_of("account.strength")
    account = Together((accounts(strength)[name], NmdaBlock()))
    return as_arrays(
        mismatch(chain(perturbation), felt, account=account, lengths=LENGTHS)
    )


def as_arrays(found: Mismatch) -> Mismatch:
    return jax.tree.map(np.asarray, found)


def roving(config: Config, name: str, seed: int) -> Roving:
    """Random sequences under every drug."""
    oddball = Oddball(tones=7)
    account = Together((accounts(config.strength)[name], NmdaBlock()))
    slopes, falls = [], []
    for key in jax.random.split(jax.random.key(seed), config.sequences):
        # As long for all, so that they are one program; the last train is cut.
        tones = roving_sequence(key, trains=config.trains, tones=7)
        tones = np.resize(tones, 4 * config.trains)
        found = respond(oddball, tones, peaks(), account=account)
        size = np.asarray(found.evoked[..., :37].mean(axis=-1))  # to 280 ms
        slopes.append(slope_of_changes(tones, size))
        falls.append(fall_in_trains(tones, size))
    return Roving(np.asarray(slopes), np.asarray(falls))


def run_lengths(tones: np.ndarray) -> np.ndarray:
    """How often each tone has been heard in a row, itself included."""
    counts = np.ones(len(tones), int)
    for at in range(1, len(tones)):
        counts[at] = counts[at - 1] + 1 if tones[at] == tones[at - 1] else 1
    return counts


def slope_of_changes(tones: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Slope of responses to changes (drugs, trials) on the log of the train before; the first eight are left out."""
    counts = run_lengths(tones)
    changes = np.flatnonzero((counts == 1) & (np.arange(len(tones)) > 8))
    before = np.log(counts[changes - 1])
    centred = before - before.mean()
    return size[:, changes] @ centred / max(float(centred @ centred), 1e-12)


def fall_in_trains(tones: np.ndarray, size: np.ndarray, late: int = 6) -> np.ndarray:
    """Share by which the mean response falls from the first to the late-th tone of a train; NaN without such a train."""
    counts = run_lengths(tones)
    if not np.any(counts == late):
        return np.full(len(size), np.nan)
    return 1 - size[:, counts == late].mean(axis=1) / size[:, counts == 1].mean(axis=1)


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Trains under every account, blocks of three kinds, roving sequences of some accounts."""
    names = progress.track(accounts(config.strength), "accounts")
    found = {name: measured(config, name, UNPERTURBED) for name in names}
    blocks = {
        name: as_arrays(mismatch(Oddball(), peaks(), account=block, lengths=LENGTHS))
        for name, block in BLOCKS.items()
    }
    wandering = {
        name: roving(config, name, seed)
        for name in progress.track(accounts(config.strength), "roving sequences")
    }
    return Results(np.asarray(LENGTHS), found, blocks, wandering)
