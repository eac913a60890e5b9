"""Every number that the explorer's page has from the package, as JSON.

Compounds, bodies and receptor maps are read from the package's tables whenever a page is made; trained weights and
simulated people come from files that `tools/explorer_digits.py` and `tools/explorer_therapy.py` write.
"""

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.explorer import therapy
from pcmodel.neuromodulation.accounts.accounts import Rebus, Sebus
from pcmodel.neuromodulation.accounts.maps import CORTEX, anatomy
from pcmodel.neuromodulation.compounds import Compound, load_compounds
from pcmodel.neuromodulation.participant import of_person
from pcmodel.sessions.protocol.read import read_protocol

DATA = Path(__file__).parent / "data"

CHAIN = {
    "names": ["senses", "feeling", "meaning", "self-belief"],
    "precisions": [1.0, 4.0, 4.0, 9.0],
    "prior_mean": -2.0,
    "observed": 1.0,
}
"""A negative self-belief that meets one good observation; levels from the bottom."""

SHOWN = {
    "psilocybin": ("oral", 25.0, 40.0, 1.0, "mg", 8.0),
    "LSD": ("oral", 0.1, 0.3, 0.01, "mg", 14.0),
    "DMT": ("bolus", 20.0, 60.0, 1.0, "mg", 1.0),
    "MDMA": ("oral", 120.0, 200.0, 5.0, "mg", 12.0),
    "buspirone": ("oral", 20.0, 60.0, 1.0, "mg", 12.0),
    "ketamine": ("infusion", 35.0, 100.0, 1.0, "mg", 4.0),
}
"""Route, usual dose, largest, step, unit and hours that are shown, by compound."""
INFUSION_HOURS = 40 / 60
KETANSERIN = {"mg": 40.0, "hours_before": 1.0}
TIMES = 241


def encoded(values: Any) -> dict[str, Any]:
    """Float32 numbers as base64 with their shape."""
    numbers = np.ascontiguousarray(values, "<f4")
    return {
        "shape": list(numbers.shape),
        "float32": base64.b64encode(numbers.tobytes()).decode(),
    }


def finite(value: float) -> float | None:
    """The value, or None where it is infinite or no number: the page reads None as infinite."""
    return float(value) if math.isfinite(value) else None


def compound_table(compound: Compound) -> dict[str, Any]:
    """What the page needs of one compound; None where it does not act."""
    get = compound.get
    share = get("bioavailability", math.nan if compound.is_oral else 1.0)
    return {
        "kinetics": {
            "lag": get("lag", 0.0),
            "absorption": finite(get("absorption_rate", math.nan)),
            "elimination": math.log(2.0) / get("half_life", math.inf),
            "volume": get("volume", math.inf),
            "effectSite": finite(get("effect_site_rate", math.inf)),
            "bioavailability": finite(share),
        },
        "k2a": finite(get("k_2a", math.inf)),
        "k1a": finite(get("k_1a", math.inf)),
        "efficacy2a": get("efficacy_2a", 0.0),
        "efficacy1a": get("efficacy_1a", 0.0),
        "releaseEc50": finite(get("release_ec50", math.inf)),
        "nmdaIc50": finite(get("nmda_ic50", math.inf)),
    }


BODY = {
    "receptors": {
        "slope": "slope",
        "serotoninK2a": "serotonin_k_2a",
        "serotoninK1a": "serotonin_k_1a",
        "serotoninEfficacy2a": "serotonin_efficacy_2a",
        "serotoninEfficacy1a": "serotonin_efficacy_1a",
        "tone": "tone",
    },
    "serotonin_store": {"release": "release", "refill": "refill", "excess": "excess"},
    "transducer": {"half": "half", "power": "power", "full": "full"},
}


def dose_table() -> dict[str, Any]:
    """Compounds, body and receptors of the scene of dose and time."""
    library = load_compounds()
    shown = {
        name: {
            "route": {"infusion": INFUSION_HOURS} if route == "infusion" else route,
            "usual": usual,
            "most": most,
            "step": step,
            "unit": unit,
            "hours": hours,
        }
        for name, (route, usual, most, step, unit, hours) in SHOWN.items()
    }
    return {
        "compounds": {
            name: compound_table(library[name]) for name in (*SHOWN, "ketanserin")
        },
        "shown": shown,
        "ketanserin": KETANSERIN,
        "times": TIMES,
        "body": {
            key: of_person(subject, quantity)
            for subject, entries in BODY.items()
            for key, quantity in entries.items()
        },
        "anatomy": therapy.anatomy_table(anatomy(*CORTEX)),
        "networks": list(CORTEX),
        "strength": Rebus().strength,
        "strengthening": Sebus().strengthening,
        "chain": CHAIN,
    }


def load_arrays(name: str) -> Mapping[str, np.ndarray]:
    """The arrays of a data file."""
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def digits_table() -> dict[str, Any]:
    """The digits hierarchy, trained and untrained, and test images."""
    arrays = load_arrays("digits")
    record = json.loads(str(arrays["record"]))
    networks = {
        which: {
            "weights": [
                encoded(arrays[f"{which}_weight{level}"]) for level in range(3)
            ],
            "biases": [encoded(arrays[f"{which}_bias{level}"]) for level in range(3)],
        }
        for which in ("trained", "untrained")
    }
    return {
        "networks": networks,
        "widths": record["widths"],
        "activations": record["activations"],
        "logPrecisions": arrays["log_precisions"].tolist(),
        "priorMean": arrays["prior_mean"].tolist(),
        "images": encoded(arrays["images"]),
        "record": record,
    }


ENCODED = ("effect_2a", "response_1a", "released", "peak", "rise", "luck", "traits")


def therapy_table() -> dict[str, Any]:
    """The courses of therapy with their people."""
    arrays = load_arrays("therapy")
    courses = {}
    for course in therapy.COURSES:
        own = {
            name.split(".", 1)[1]: values
            for name, values in arrays.items()
            if name.startswith(f"{course.protocol}.")
        }
        protocol = therapy.settings_of(read_protocol(course.protocol).protocol)
        courses[course.protocol] = {
            **{
                name: encoded(values) if name in ENCODED else values.tolist()
                for name, values in own.items()
            },
            "arms": [arm.name for arm in protocol.arms],
            "compound": protocol.drug.compound if protocol.drug else None,
            "about": protocol.about,
            "adverse_day": protocol.adverse_event.day
            if protocol.adverse_event
            else None,
            "sessions": [
                {"phase": each.phase, "day": each.begins} for each in protocol.held()
            ],
            "condition": protocol.condition,
        }
    record = json.loads(str(arrays["record"]))
    return {"courses": courses, **therapy.numbers(), "record": record}


def all_tables() -> dict[str, Any]:
    """Everything, by scene."""
    return {
        "chain": CHAIN,
        "digits": digits_table(),
        "dose": dose_table(),
        "therapy": therapy_table(),
    }
