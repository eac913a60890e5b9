"""Second attempts at a trial are no trials of their own, unless the user says so."""

import pytest

from tests.behaviour.dataset.small_tables import both, follow, load, options, table

ATTEMPTS = [1, 1, 2, 1, 1, 2, 3, 1, 1, 1]
TRIALS = [1, 2, 2, 3, 4, 4, 4, 5, 6, 7]


def rows(name, cells, *, numbered):
    """Two people with these attempts."""
    lines = [
        f"{who},{f'{n},' * numbered}{cell},{i % 2},{i // 2 % 2}"
        for who in "ab"
        for i, (n, cell) in enumerate(zip(TRIALS, cells, strict=True))
    ]
    head = f"subject,{'trial,' * numbered}{name},outcome,response"
    return table(head, *lines)


@pytest.mark.parametrize(
    "name",
    ["Attempt", "attempt", "repetition_of_trial", "Versuch_Nr", "try", "repeat"],
)
@pytest.mark.parametrize("numbered", [True, False])
def test_second_attempts_are_asked_about(name, numbered, tmp_path, capsys):
    text = rows(name, ATTEMPTS, numbered=numbered)
    said = both(tmp_path, capsys, text)
    assert f"column {name!r}, row 4: counts the attempts at one trial" in said
    assert "6 of 20 rows" in said and "--series" not in said
    first, *every = options(said)
    assert first == ("--where", f'{name} == "1"')
    series, _ = follow(tmp_path, capsys, text, *first)
    outcomes = [i % 2 for i, attempt in enumerate(ATTEMPTS) if attempt == 1]
    assert series.values["outcome"].tolist() == [outcomes] * 2
    told = [word for option in every for word in option]
    series, _ = follow(tmp_path, capsys, text, *told)
    assert series.present.sum() == 20


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("attempt", [1] * 10),
        ("repeat", [1] * 5 + [2] * 5),  # of the list
        ("Versuch", list(range(1, 11))),
        ("repeat", [0, 1, 1, 0, 0, 1, 1, 1, 0, 0]),  # of the stimulus
    ],
)
def test_counts_of_other_things_are_no_attempts(name, cells, tmp_path):
    assert load(tmp_path, rows(name, cells, numbered=False)).present.sum() == 20
