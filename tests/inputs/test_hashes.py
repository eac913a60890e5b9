"""Hashes are stored: they must keep their values."""

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.inputs.hashes import hash_array, hash_bytes, hash_parts, hash_text
from pcmodel.record import RunIdentity
from pcmodel.record.strict_json import hash_json

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""Of the bytes `abc`, FIPS 180-4."""


def test_the_same_bytes_have_one_hash():
    assert hash_bytes(b"abc") == hash_text("abc") == ABC
    assert hash_parts(iter([b"a", b"", b"bc"])) == ABC
    assert hash_array(np.frombuffer(b"abc", np.uint8)) == ABC


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_hashed_in_the_order_of_its_last_axis(order):
    rows = np.asarray([[1.0, 2.0], [3.0, 4.0]], order=order)
    assert hash_array(rows) == hash_bytes(rows.tobytes("C"))
    assert hash_array(rows.T) != hash_array(rows)
    assert hash_array(jnp.float32(1.5)) == hash_bytes(np.float32(1.5).tobytes())


def test_values_have_the_hash_of_their_json():
    assert hash_json(["abc", None]) == hash_text('["abc", null]')
    assert RunIdentity("coin", {"flips": 3}, 0).config_hash == "c4ff2fa1"
