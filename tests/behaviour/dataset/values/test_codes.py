"""What counts as 0 and as 1 is told by options that hold the words of the table."""

import pytest

from tests.behaviour.dataset.small_tables import (
    as_arguments,
    complaint,
    load,
    options,
    table,
)


def rows_of(responses, outcomes=("0", "1", "1")):
    cells = zip(outcomes * len(responses), responses * len(outcomes), strict=False)
    rows = [f"a,{outcome},{response}" for outcome, response in cells]
    return table("subject,outcome,response", *rows)


def followed(folder, text, *option):
    return load(folder, text, **as_arguments(option)).values["response"][0].tolist()


@pytest.mark.parametrize(
    ("only", "zero", "one"),
    [
        ("1", "response=1,2", "response=0,1"),
        ("5", "response=5,6", "response=4,5"),
        ("0.1", "response=0.1,1.1", "response=-0.9,0.1"),
        ("left", "response=left,other", "response=other,left"),
        ("other", "response=other,another", "response=another,other"),
    ],
)
def test_one_value_alone_is_asked_about(only, zero, one, tmp_path):
    text = rows_of((only,))
    found = options(complaint(tmp_path, text))
    assert sorted(found) == sorted([("--codes", zero), ("--codes", one)])
    assert followed(tmp_path, text, "--codes", zero) == [0.0] * 3
    assert followed(tmp_path, text, "--codes", one) == [1.0] * 3


def test_a_value_that_may_be_missing_is_named_and_the_other_asked_about(tmp_path):
    text = rows_of(("0", "2", "2", "2"))
    found = options(complaint(tmp_path, text))
    assert found == [("--missing", "response=0"), ("--codes", "response=0,2")]
    said = complaint(tmp_path, text, **as_arguments(found[0]))
    assert ("--codes", "response=1,2") in options(said)
    own = followed(tmp_path, text, *found[0], "--codes", "response=1,2")
    assert own[1:4] == [1.0, 1.0, 1.0] and own[0] != own[0]
    assert followed(tmp_path, text, *found[1])[:4] == [0.0, 1.0, 1.0, 1.0]


def test_words_with_commas_are_in_no_list(tmp_path):
    said = complaint(tmp_path, rows_of(('"one, two"', "three")))
    assert "write words without commas" in said and not options(said)


def test_the_code_of_one_column_is_offered_for_the_other(tmp_path):
    text = rows_of(("yes", "no"), ("no", "yes", "yes"))
    given = ("--codes", "response=yes,no")
    said = complaint(tmp_path, text, **as_arguments(given))
    assert set(options(said)) == {("--codes", "outcome=yes,no")}
    series = load(tmp_path, text, **as_arguments((*given, "--codes", "outcome=yes,no")))
    assert series.values["outcome"][0].tolist()[:3] == [1.0, 0.0, 0.0]
    # Of other words nothing can be offered.
    text = rows_of(("yes", "maybe"), ("no", "yes", "yes"))
    given = ("--codes", "response=yes,maybe")
    said = complaint(tmp_path, text, **as_arguments(given))
    assert "give both one code" in said and not options(said)
