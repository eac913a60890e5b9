"""Calls are held to their signatures: what is of another kind is named, with its place."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
import pcmodel.neuromodulation as nm
from pcmodel.behaviour.dataset.tables.readers import read_raw
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import parse_json, read_json
from pcmodel.inputs.ranges import Count, InnerShare, Share
from pcmodel.model.levels import LevelName


def door(kind: Any) -> Any:
    """A function of one argument of a kind."""

    def ask(value):
        return value

    ask.__annotations__ = {"value": kind}
    return checked_arguments(ask)


WRONG = [
    (float, 10**5000, "value is a whole number of thousands of digits"),
    (int, 3.0, "value is 3.0; expected a whole number"),
    (int, True, "value is True; expected a whole number"),
    (float, "3", "value is '3'; expected a number"),
    (float, float("nan"), "value is nan"),
    (float, 1j, "value is 1j"),
    (float, True, "value is True"),
    (float, np.ones(2), r"value is an array of shape \(2,\)"),
    (Share, 1.1, "value is 1.1; expected a number, 0 to 1"),
    (InnerShare, 1.0, "above 0 and below 1"),
    (Share, np.inf, "value is inf"),
    (Count, 0, "value is 0; expected a whole number, 1 or more"),
    (bool, "yes", "value is 'yes'; expected True or False"),
    (bool, 1, "value is 1; expected True or False"),
    (str, 3, "value is 3; expected text"),
    (Literal["a", "b"], "c", "value is 'c'; expected 'a' or 'b'"),
    (Path | str, 3, "expected a path or text"),
    (Callable[[Any], Any], "tanh", "value is 'tanh'; expected a function"),
    (Sequence[int], "ab", "value is 'ab'; expected a sequence of: a whole number"),
    (Sequence[int], {1: 2}, "value is of type dict"),
    (Sequence[int], (1, 2.5), r"value\[1\] is 2.5"),
    (Sequence[Sequence[str]], [["a"], ["b", None]], r"value\[1\]\[1\] is None"),
    (tuple[int, str], (1,), "of length 1"),
    (Mapping[str, int], [1], r"value is \[1\]; expected a dictionary"),
    (Mapping[str, int], {"a": "b"}, r"value\['a'\] is 'b'"),
    (
        Mapping[LevelName, int],
        {1.0: 1},
        "the key 1.0; expected a dictionary from a level's",
    ),
    (int | None, "x", "value is 'x'; expected a whole number"),
    (pcmodel.Modulation, pcmodel.Modulation, "value is the class Modulation"),
]


@pytest.mark.parametrize(("kind", "value", "said"), WRONG, ids=range(len(WRONG)))
def test_another_kind_is_named_with_its_place(kind, value, said):
    """Prevents an argument of the wrong kind from failing deep inside, or from being taken for another."""
    with pytest.raises(UserError, match=f"^ask: .*{said}"):
        door(kind)(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, np.int8(3)),
        (float, 3),
        (float, np.float32(0.5)),
        (float, jnp.asarray(0.5)),
        (float, np.inf),
        (bool, np.bool_(True)),
        (Sequence[int], np.array([1, 2])),
        (Sequence[int], range(3)),
        (tuple[float, ...], [0.5, 1]),
        (Share | None, None),
        (Any, {"any": "thing"}),
        (jax.Array, "left to whoever reads it"),
    ],
    ids=str,
)
def test_what_fits_is_passed_on_as_it_is(kind, value):
    """Prevents numpy's numbers, or lists for tuples, from being turned away."""
    assert door(kind)(value) is value


def test_a_traced_number_is_taken_at_its_word():
    """Prevents options from becoming impossible to differentiate."""
    twice = jax.jit(lambda x: 2 * door(Share)(x))
    assert twice(0.25) == 0.5 and jax.grad(twice)(0.25) == 2.0
    with pytest.raises(UserError, match="ask: value is"):
        jax.jit(door(Share))(np.ones(2))


def test_a_wrong_call_is_pythons_to_refuse():
    """Prevents a misspelt name from being swallowed."""
    with pytest.raises(TypeError, match="modulatoin"):
        pcmodel.infer(None, modulatoin=None)  # type: ignore[call-arg, arg-type]


def test_a_person_takes_what_they_have_numbers_for():
    """Prevents an effect of exactly 0 for a drug that the person was not made for."""
    library = nm.load_compounds()
    doses = nm.regimen(nm.Dose("LSD", 0.1), library=library)
    times = np.linspace(0.0, 12.0, 25)
    with pytest.raises(UserError, match=r"no numbers for it.*typical"):
        nm.simulate(doses, times, nm.typical(library, "psilocybin"))
    both = nm.typical(library, "psilocybin", "LSD")
    one, other = (
        nm.simulate(doses, times, person).effect_2a
        for person in (nm.typical(library, "LSD"), both)
    )
    assert 0.6 < one.max() < 0.7
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("read", [pcmodel.load, nm.load_compounds, read_raw, read_json])
def test_a_pipe_a_folder_and_a_dangling_link_are_no_files(tmp_path, read):
    """Prevents a reader from waiting for ever for what nobody writes."""
    pipe, folder, link = (tmp_path / f"{name}.csv" for name in ("pipe", "a", "link"))
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to("nowhere")
    with pytest.raises(UserError, match=r"pipe\.csv: is neither a file nor a folder"):
        read(pipe)
    with pytest.raises(UserError, match=r"link\.csv: is a link to a file"):
        read(link)
    if read is not read_raw:
        with pytest.raises(UserError, match=r"a\.csv: is a folder"):
            read(folder)
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(UserError, match="cannot be opened") as caught:
            read(name)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 1}', "has the key 'a' twice"),
        ('[{"b": {"a": 1, "a": 2}}]', "has the key 'a' twice"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "is not JSON"),
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(text, said):
    """Prevents the first of two values from being lost."""
    with pytest.raises(UserError, match=f"^it: .*{said}"):
        parse_json(text, where="it")


def test_a_scale_has_the_meaning_of_a_standard_deviation():
    """Scale 0 begins at nothing, and the spread is proportional to it."""
    made = [
        pcmodel.dense((40, 30), scale=scale, rngs=nnx.Rngs(0)).layers[0].weight[...]
        for scale in (0.0, 1.0, 2.0)
    ]
    assert not made[0].any()
    np.testing.assert_allclose(made[2], 2 * made[1], rtol=1e-12)
