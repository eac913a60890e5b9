"""The level that counts as 1 is told by what it means, in whatever order it is listed."""

import pytest

from pcmodel.behaviour.dataset.values.meanings import larger_of


@pytest.mark.parametrize(
    ("zero", "one"),
    [
        ("loss", "win"),
        ("lost 10 cents", "won 10 cents"),
        ("no reward", "reward"),
        ("not rewarded", "rewarded"),
        ("no shock", "shock"),
        ("without an electric shock", "an electric shock"),
        ("incorrect", "correct"),
        ("not correct", "correct"),
        ("wrong", "right"),
        ("omission", "reward delivered"),
        ("No", "Yes"),
        ("miss", "hit"),
        ("loss (no win)", "win (no loss)"),
    ],
)
def test_meanings_are_recognised_by_word(zero, one):
    for levels in ({"A": zero, "B": one}, {"B": one, "A": zero}):
        assert larger_of(levels) == "B"
    assert larger_of({one: "", zero: ""}) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left", "right"),
        ("right button", "left button"),
        ("A", "B"),
        ("win", "draw"),
        ("high reward", "low reward"),
        ("win", "a win"),
        ("", ""),
    ],
)
def test_meanings_that_say_nothing_are_not_guessed(one, other):
    assert larger_of({"A": one, "B": other}) is None
    assert larger_of({one: "", other: ""}) is None


def test_a_word_and_its_description_must_agree():
    assert larger_of({"win": "loss", "loss": "win"}) is None
    assert larger_of({"win": "of the agent", "loss": "of the agent"}) == "win"
