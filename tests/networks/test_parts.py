"""How parts of levels are written, addressed and stored."""

from itertools import pairwise

import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Level, Part, UserError
from pcmodel.model.levels import Units, find_level, find_units
from pcmodel.model.slopes import SlopedModel
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.networks.storage.network_file import describe

PARTS = {"hidden1": {"left": 3, "self": 1}, "top": {"self": [0, 2]}}
FOUND = (
    Part("left", 1, (0, 1, 2)),
    Part("self", 1, (3,)),
    Part("self", 2, (0, 2)),
)


def network(parts=PARTS, widths=(2, 4, 3), **options):
    layers = [
        pcmodel.Dense(above, below, rngs=nnx.Rngs(0))
        for below, above in pairwise(widths)
    ]
    return pcmodel.Network(
        layers, widths, log_precisions=[0.0] * len(widths), parts=parts, **options
    )


def test_parts_are_written_as_sizes_or_as_units():
    assert network().parts == FOUND
    same = {1: {"left": range(3), "self": np.asarray([3])}, -1: {"self": (0, 2)}}
    assert network(same).parts == FOUND
    assert network((FOUND[2], *FOUND[:2])).parts == FOUND
    for nothing in (None, {}, ()):
        assert network(nothing).parts == ()


def test_a_hierarchy_s_levels_bring_their_parts():
    """Also where the order of levels changes on the way into the network."""
    made = pcmodel.hierarchy(
        {
            "top": Level(3, parts={"self": [0, 2]}),
            "data": Level(2, parents=["hidden1"]),
            "hidden1": Level(4, parents=["top"], parts={"left": 3, "self": 1}),
        },
        rngs=nnx.Rngs(0),
    )
    assert made.names == ("data", "hidden1", "top") and made.parts == FOUND


PLACES = {
    "hidden1/left": Units(1, (0, 1, 2)),
    "left": Units(1, (0, 1, 2)),
    "top/self": Units(2, (0, 2)),
    "hidden1/self": Units(1, (3,)),
    "hidden1": Units(1),
    "top": Units(2),
    -2: Units(1),
    np.int64(0): Units(0),
}


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_place_is_found_in_a_network_and_its_models(place):
    own = network()
    for named in (own, as_model(own).model, SlopedModel(as_model(own).model)):
        assert find_units(place, named) == PLACES[place]


def test_the_last_level_is_top_whatever_it_is_called():
    own = network(names=("image", "maps", "class"), parts={"class": {"self": [1]}})
    assert find_units("top/self", own) == find_units("class/self", own)
    assert find_units("top/self", own) == Units(2, (1,))
    assert find_level("top", own) == 2
    with pytest.raises(UserError, match="'self' is a part of a level; expected"):
        find_level("self", own)


@pytest.mark.parametrize(
    "place",
    [True, 1.0, None, 3, "left/hidden1", "/", "hidden1/", "/left", "hidden1/left/left"],
)
def test_what_is_no_place_is_refused(place):
    with pytest.raises(UserError) as caught:
        find_units(place, network())
    assert "\n" not in str(caught.value)


def test_other_parts_are_another_model_and_the_same_parts_the_same():
    """Prevents a program compiled for one division of a level from answering for another."""
    models = [
        as_model(network(parts)).model for parts in (PARTS, PARTS, None, FOUND[:2])
    ]
    assert models[0] == models[1]
    assert len({*models}) == 3


def test_parts_survive_copies_learning_and_files(tmp_path):
    own = network()
    pure = as_model(own)
    learned = with_arrays(own, pure.weights, pure.log_precisions)
    assert learned.parts == nnx.clone(own).parts == FOUND
    path = tmp_path / "network.npz"
    pcmodel.save(own, path)
    assert pcmodel.load(path).parts == FOUND
    # Names are those of the network that is given.
    assert pcmodel.load(path, into=network(None)).parts == ()


def test_a_file_without_parts_says_nothing_of_them():
    assert "parts" not in describe(network(None), {})
    assert "parts" in describe(network(), {})


WRONG = {
    "sizes that do not sum": (
        {"hidden1": {"left": 3, "self": 2}},
        ["level 'hidden1'", "3 + 2 units are 5", "the level has 4"],
    ),
    "sizes that do not fill": ({"top": {"self": 1}}, ["1 units are 1", "has 3"]),
    "sizes and units": (
        {"hidden1": {"left": 3, "self": [3]}},
        ["level 'hidden1'", "for every part"],
    ),
    "an empty size": ({"hidden1": {"left": 4, "self": 0}}, ["'hidden1'", "at least 1"]),
    "no units": ({"top": {"self": []}}, ["part 'self'", "none"]),
    "units beyond the level": ({"top": {"self": [1, 3]}}, ["1, 3", "0 to 2"]),
    "negative units": ({"top": {"self": [-1, 0]}}, ["part 'self'", "-1"]),
    "units that descend": ({"top": {"self": [2, 0]}}, ["2, 0", "ascending"]),
    "a unit twice": ({"top": {"self": [1, 1]}}, ["1, 1", "ascending"]),
    "half a unit": ({"top": {"self": [0.5]}}, ["self", "0.5"]),
    "a size in words": ({"top": {"self": "three"}}, ["self", "'three'"]),
    "a level that is none": ({"hidden7": {"self": 3}}, ["'hidden7'", "hidden1"]),
    "a level twice": (
        {"top": {"self": [0]}, 2: {"rest": [1]}},
        ["parts of level 'top'", "twice"],
    ),
    "a part twice": (
        [Part("self", 1, (0,)), Part("self", 1, (1,))],
        ["level 'hidden1'", "two parts 'self'"],
    ),
    "a part called like a level": (
        {"top": {"data": 3}},
        ["two things are called 'data'", "part of level 'top'"],
    ),
    "a part called like every top": (
        {"hidden1": {"top": 4}},
        ["two things are called 'top'"],
    ),
    "a slash": ({"top": {"my/self": 3}}, ["'my/self'", "without '/'"]),
    "no name": ({"top": {"": 3}}, ["level 'top'", "without '/'"]),
    "not a division": ({"top": 3}, ["parts['top']", "3"]),
    "a list of names": (["self"], ["parts", "'self'"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parts_are_refused_in_a_sentence(name):
    parts, said = WRONG[name]
    with pytest.raises(UserError) as caught:
        network(parts)
    assert "\n" not in str(caught.value)
    for words in said:
        assert words in str(caught.value), str(caught.value)


def test_a_level_with_a_slash_has_no_parts():
    """Its name would read as an address; without parts it stays a name."""
    names = ("data", "a/b", "top")
    assert find_units("a/b", network(None, names=names)) == Units(1)
    with pytest.raises(UserError, match="'a/b' has a '/'"):
        network({"top": {"self": 3}}, names=names)
