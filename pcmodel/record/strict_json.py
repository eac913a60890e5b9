"""JSON that every reader accepts.

Python's `json` writes the tokens NaN and Infinity, which are not JSON and which
other languages refuse. Here NaN becomes null, and the infinities become strings.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

from pcmodel.inputs.hashes import hash_text


def to_jsonable(value: Any) -> Any:
    """Convert dataclasses, named tuples, arrays and numbers to plain JSON values.

    Raises TypeError, naming the type, for anything else: a record that silently
    holds the `repr` of an object cannot be read back.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Enum):
        return to_jsonable(value.value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, PurePath):
        return str(value)
    return _container(value)


def _container(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_jsonable(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_jsonable(value._asdict())  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, Mapping):
        return {_key(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(item) for item in value]
    if hasattr(value, "__array__"):
        return _array(value)
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


def _array(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "biufUV" or array.dtype.fields:
        raise TypeError(f"cannot write an array of {array.dtype} as JSON")
    if array.dtype.kind == "V":  # bfloat16 and similar types
        array = array.astype(np.float32)
    return to_jsonable(array.tolist())


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _key(key: Any) -> str:
    if isinstance(key, str | int | np.integer):
        return str(key)
    raise TypeError(f"cannot use a {type(key).__name__} as a JSON key")


def dump_json(value: Any, *, indent: int | None = 2) -> str:
    """The strict JSON text of any supported value; equal values give equal text."""
    return json.dumps(
        to_jsonable(value), indent=indent, allow_nan=False, ensure_ascii=False
    )


def hash_json(value: Any) -> str:
    """SHA-256 of the strict JSON text of any supported value, in hexadecimal digits."""
    return hash_text(dump_json(value, indent=None))
