"""Decimal commas and points between thousands are numbers as they were meant, or asked about."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    check,
    complaint,
    follow,
    load,
    options,
)

AGE = ("--formula", "omega2 ~ age")


def people(column, cells, *, separator=";"):
    """Two trials of each person, of whom one cell is told."""
    lines = [separator.join(("id", "trial", "outcome", "response", column))]
    for i, cell in enumerate(cells):
        lines += [
            separator.join((f"p{i}", f"{t}", f"{t}", f"{1 - t}", cell)) for t in (0, 1)
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("word", ["k.A.", "#NV", "unbekannt", "weiß nicht"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_word_among_decimal_commas_is_asked_about(word, separator, tmp_path, capsys):
    """They would be labels, a level for every age."""
    text = people("age", ("21,5", "34,5", word, "40"), separator=separator)
    said = both(tmp_path, capsys, text, *AGE, covariates=("age",))
    assert (
        f"column 'age', row 6 {word!r}, row 7 {word!r}: is a word among numbers" in said
    )
    assert "'21" not in said
    ways = [*advised(said), "age != n/a", f'age != "{word}"']
    for way in ways:
        series, _ = follow(
            *(tmp_path, capsys, text, "--missing", f"age={word}", "--where", way),
            *AGE,
            covariates=("age",),
        )
        assert series.covariates["age"].tolist() == [21.5, 34.5, 40.0]
    assert len(ways) == 3
    series = load(tmp_path, text, covariates=("age",), reading=Reading(where=ways[2]))
    assert series.covariates["age"].tolist() == [21.5, 34.5, 40.0]


def test_words_beside_commas_in_quotation_marks_are_asked_about(tmp_path):
    text = people("age", ('"21,5"', '"34,5"', "unknown"), separator=",")
    said = complaint(tmp_path, text, covariates=("age",))
    assert "row 2 '21,5', row 3 '21,5', row 4 '34,5', row 5 '34,5': has a comma" in said
    assert "row 6 'unknown', row 7 'unknown': is a word among numbers" in said
    (kept,) = set(advised(said))
    said = complaint(tmp_path, text, covariates=("age",), reading=Reading(where=kept))
    assert "has a comma; write a point" in said


def test_times_with_commas_beside_a_word(tmp_path, capsys):
    text = people("rt", ("0,5", "0,75", "keine"))
    judged = ("--judgements", "reaction_time")
    said = both(tmp_path, capsys, text, *judged)
    assert "row 6 'keine', row 7 'keine': is not a number" in said
    ((_, missing),) = options(said)
    series, _ = follow(tmp_path, capsys, text, *judged, "--missing", missing)
    np.testing.assert_array_equal(
        series.values["reaction_time"], [[0.5] * 2, [0.75] * 2, [np.nan] * 2]
    )
