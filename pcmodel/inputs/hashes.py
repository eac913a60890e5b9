"""SHA-256 of contents, in hexadecimal digits: of bytes, texts and arrays.

Run folders, checkpoints and network files hold these hashes: what is hashed must stay the same bytes.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np


def hash_parts(parts: Iterable[bytes]) -> str:
    """Of all parts, one after the other; a generator's parts are never held together."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def hash_bytes(content: bytes) -> str:
    """Of one content.

    >>> hash_bytes(b"")[:8]
    'e3b0c442'
    """
    return hash_parts([content])


def hash_text(text: str) -> str:
    """Of a text in UTF-8."""
    return hash_bytes(text.encode())


def hash_array(array: Any) -> str:
    """Of an array's numbers in the order of its last axis; not of its shape or type."""
    return hash_bytes(np.ascontiguousarray(np.asarray(array)).tobytes())
