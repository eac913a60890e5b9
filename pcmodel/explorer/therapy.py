"""Simulated people in courses of therapy, ready to be followed in a browser.

Nothing here depends on beliefs: who the people are, what they happen to meet, and what each dose does to them at every
event. The page follows the beliefs itself (`assets/course.mjs`). `tools/explorer_therapy.py` writes the result to
`data/therapy.npz`, since it takes a minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.neuromodulation.accounts.maps import Anatomy, graded
from pcmodel.neuromodulation.compounds import load_compounds
from pcmodel.neuromodulation.dosing import Regimen
from pcmodel.sessions.cohort import DYNAMICS, STREAM_ACCOUNT, WINDOW, Study, prepare
from pcmodel.sessions.person.hierarchy import self_anatomy
from pcmodel.sessions.person.traits import Traits
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.events import PHASES
from pcmodel.sessions.protocol.load import load_protocol
from pcmodel.sessions.readouts import HALVED, POINTS, WELL
from pcmodel.sessions.timeline import doses_of
from pcmodel.sessions.treatment.acute import Population
from pcmodel.sessions.treatment.blinding import HALF, PATIENCE
from pcmodel.sessions.treatment.treat import Treatment, treat

NUM_PEOPLE = 24
SEED = 0
SESSIONS = {"all": (), "no_integration": ("integration",), "none": PHASES}
"""Which phases bring no evidence, by the name of the choice."""


class Course(NamedTuple):
    """A course that is shown: a protocol and multiples of its doses.

    protocol: name of a shipped one.
    scales: multiples of its own doses, ascending.
    """

    protocol: str
    scales: tuple[float, ...]


COURSES = (
    Course("psilocybin_depression", (0.04, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)),
    Course("mdma_trauma", (0.25, 0.5, 0.75, 1.0, 1.25)),
)


def settings_of(protocol: Protocol) -> Protocol:
    """The protocol with one arm for every combination of sessions, setting and bad news."""
    held = {each.phase for each in protocol.held()}
    fates = (False, True) if protocol.adverse_event is not None else (False,)
    arms = tuple(
        Arm(
            setting_name(sessions, harmful, spared),
            "a setting of the explorer",
            without=tuple(phase for phase in SESSIONS[sessions] if phase in held),
            harmful=harmful,
            spared=spared or None,
        )
        for sessions, harmful, spared in product(SESSIONS, (False, True), fates)
    )
    return replace(protocol, arms=arms)


def setting_name(sessions: str, harmful: bool, spared: bool) -> str:
    """The arm's name of one combination."""
    return "_".join(
        (
            f"sessions_{sessions}",
            "harmful" if harmful else "kind",
            "spared" if spared else "struck",
        )
    )


def scaled(doses: Regimen, factor: float) -> Regimen:
    """The doses times a factor."""
    return tuple(
        replace(dose, mg=float(np.asarray(dose.mg)) * factor) for dose in doses
    )


def study_of(
    course: Course, *, num_people: int = NUM_PEOPLE, seed: int = SEED
) -> Study:
    """The people of a course in every setting, with its own doses."""
    protocol = settings_of(load_protocol(course.protocol))
    return prepare(protocol, num_people=num_people, key=jax.random.key(seed))


def treatments(course: Course, study: Study, *, seed: int = SEED) -> Treatment:
    """What each multiple of the doses does to the people, (scales, people, events) each."""
    protocol = load_protocol(course.protocol)
    own = doses_of(protocol, "drug_and_therapy")
    regimens = tuple(scaled(own, factor) for factor in course.scales)
    number = len(regimens)

    def repeated(values: Any) -> Any:
        return np.repeat(np.asarray(values)[:1], number, axis=0)

    arms = study.course._replace(
        doses=regimens,
        masked=repeated(study.course.masked),
        told=repeated(study.course.told),
        felt=repeated(study.course.felt),
        intake=repeated(study.course.intake),
    )
    _, for_drugs, _ = jax.random.split(jax.random.key(seed), 3)
    compounds = tuple(dict.fromkeys(dose.compound for dose in own))
    people = Population(study.luck.shape[0], for_drugs, compounds, load_compounds())
    return treat(arms, people, unblinding=DYNAMICS.unblinding, window=WINDOW)


def event_rows(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Distinct events, (rows, 3 x streams + 2), and the row of each event in each setting, (settings, events).

    A row holds means, standard deviations and precisions by stream, whether the belief is replayed, and the alliance.
    """
    course = study.course
    parts = [
        np.asarray(part, float) for part in (course.mean, course.sd, course.precision)
    ]
    flags = [
        np.asarray(course.replays_belief, float),
        np.asarray(course.alliance_building, float),
    ]
    whole = np.concatenate([*parts, *(flag[..., None] for flag in flags)], axis=-1)
    rows, index = np.unique(
        whole.reshape(-1, whole.shape[-1]), axis=0, return_inverse=True
    )
    return rows, index.reshape(whole.shape[:2])


def acute_columns(given: Treatment) -> np.ndarray:
    """Indices of the events at which anything acts or the strongest effect so far rises."""
    peak = np.asarray(given.acute.peak)
    rises = np.diff(peak, axis=-1, prepend=0.0) != 0
    acting = [*given.acute.effects, given.acute.released]
    moving = rises | np.any([np.asarray(each) != 0 for each in acting], axis=0)
    return np.flatnonzero(moving.any(axis=(0, 1)))


def course_arrays(course: Course) -> dict[str, np.ndarray]:
    """The arrays of one course, by name, as `tables` reads them."""
    study = study_of(course)
    given = treatments(course, study)
    rows, index = event_rows(study)
    columns = acute_columns(given)
    acute = given.acute
    curves = {
        "effect_2a": acute.effects.effect_2a,
        "response_1a": acute.effects.response_1a,
        "released": acute.released,
        "peak": acute.peak,
    }
    arrays = {name: np.asarray(curve)[..., columns] for name, curve in curves.items()}
    own = doses_of(load_protocol(course.protocol), "drug_and_therapy")
    return {
        **{name: values.astype(np.float32) for name, values in arrays.items()},
        "columns": columns,
        "rise": (np.asarray(given.plasticity) - 1).astype(np.float32),
        "days": np.asarray(study.course.day, float),
        "readings": study.days,
        "rows": rows,
        "index": index,
        "chosen": np.asarray(study.course.chosen),
        "is_session": np.asarray(study.course.is_session),
        "phase": np.asarray(study.course.phase),
        "luck": np.asarray(study.luck, np.float32),
        "traits": np.stack([np.asarray(each) for each in study.people]).astype(
            np.float32
        ),
        "scales": np.asarray(course.scales),
        "doses_mg": np.asarray([float(np.asarray(dose.mg)) for dose in own]),
        "told": np.asarray(study.course.told[0]),
        "intake": np.asarray(study.course.intake[0]),
    }


def all_arrays(courses: Sequence[Course] = COURSES) -> dict[str, np.ndarray]:
    """The arrays of every course, by `course.name`."""
    return {
        f"{course.protocol}.{name}": values
        for course in courses
        for name, values in course_arrays(course).items()
    }


def numbers() -> Mapping[str, Any]:
    """What is alike in everybody, as the page names it."""
    own = DYNAMICS
    places: Anatomy = self_anatomy()
    return {
        "numbers": {
            "meanRate": own.mean_rate,
            "precisionRate": own.precision_rate,
            "feelingPrecision": own.feeling_precision,
            "exceptionSd": own.exception_sd,
            "labileDays": own.labile_days,
            "consolidation": own.consolidation,
            "forgetting": own.forgetting,
            "threat": STREAM_ACCOUNT.threat,
            "trust": STREAM_ACCOUNT.trust,
        },
        "blinding": {
            "unblinding": DYNAMICS.unblinding,
            "half": HALF,
            "patience": PATIENCE,
        },
        "scale": {"well": WELL, "points": POINTS, "response": HALVED},
        "anatomy": anatomy_table(places),
        "traits": list(Traits._fields),
    }


def anatomy_table(places: Anatomy) -> dict[str, Any]:
    """Receptors by level, bottom first: densities over the mean, weights of mean 1, and the senses."""
    return {
        "density2a": list(places.density_2a),
        "density1a": list(places.density_1a),
        "kappa": [float(k) for k in graded(places.density_2a, 0.0, places.heights)],
        "ends": list(places.ends),
    }
