"""Plans of comparisons: which condition is compared with which."""

import numpy as np
import pytest

from pcmodel import UserError
from pcmodel.brain.comparison import digest, find_contrast, parse_contrast, parse_only
from pcmodel.brain.reading import Recording


def of(*pairs):
    return [Recording(np.zeros((2, 8)), who, what, "") for who, what in pairs]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a", "b"), ("a", "b")),
        (("drug", "placebo"), ("placebo", "drug")),
        (("Baseline", "lsd"), ("Baseline", "lsd")),
        (("baseline", "placebo"), ("baseline", "placebo")),
        (("a",), None),
        (("a", "b", "c"), None),
    ],
)
def test_what_is_compared_with_what(names, expected):
    both = of(*((who, name) for who in "xy" for name in names))
    assert find_contrast(both, ()) == expected


def test_fewer_than_two_pairs_are_not_compared_unless_asked():
    lone = of(("x", "a"), ("x", "b"), ("y", "a"))
    assert find_contrast(lone, ()) is None
    assert find_contrast(lone, ("b", "a")) == ("b", "a")


def test_words():
    assert parse_contrast(("placebo=2", "drug")) == {"2": "placebo", "drug": "drug"}
    assert parse_only(("seg=Yeo7", "desc=x")) == {"seg": "Yeo7", "desc": "x"}
    for wrong in (
        (),
        ("a",),
        ("a", "a"),
        ("a", "b", "c"),
        ("x=1", "x=2"),
        ("a=1", "b=1"),
    ):
        with pytest.raises(UserError, match="expected two conditions"):
            parse_contrast(wrong)
    for wrong in ("seg", "=x", "seg="):
        with pytest.raises(UserError, match="expected ENTITY=VALUE"):
            parse_only((wrong,))


def test_the_digest_is_of_names_and_content(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("1")
    second.write_text("1")
    assert digest([first]) != digest([second]) and digest([first]) == digest([first])
    before = digest([first])
    first.write_text("2")
    assert digest([first]) != before
