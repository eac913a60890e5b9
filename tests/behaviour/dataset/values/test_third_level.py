"""Of three values in a column of two the odd one is named, with advice that works."""

import pytest

from tests.behaviour.dataset.small_tables import both, follow, pasted, table


def rows_of(responses):
    rows = [f"a,{i},{i % 2},{cell}" for i, cell in enumerate(responses)]
    return table("subject,trial,outcome,choice", *rows)


@pytest.mark.parametrize(
    ("cells", "odd", "shown"),
    [
        ("1212120121", "0", "1 (5), 2 (4), 0 (1)"),  # 0 is no response, not 2
        ("0101210101", "2", "1 (5), 0 (4), 2 (1)"),
        ("9990109191", "9", "9 (5), 1 (3), 0 (2)"),  # missed more often than not
        ("1213121212", "3", "1 (5), 2 (4), 3 (1)"),
        (
            ["0", "1"] * 3 + ["0.123456789"],
            "0.123456789",
            "0 (3), 1 (3), 0.123456789 (1)",
        ),
        ("lrlrxrllrl", "x", "l (5), r (4), x (1)"),
    ],
)
def test_the_odd_cells_are_named_and_the_advice_works(
    cells, odd, shown, tmp_path, capsys
):
    text = rows_of(cells)
    said = both(tmp_path, capsys, text)
    rows = [f"row {2 + i} {odd!r}" for i, c in enumerate(cells) if c == odd]
    named = "rows " if len(rows) > 5 else ", ".join(rows)
    assert f"column 'choice', {named}: holds 3 values: {shown}" in said
    missing, where, turned = pasted(said)
    count = cells.count(odd)
    usual = sorted(set(cells) - {odd})
    meant = [float(usual.index(c)) for c in cells if c != odd]
    series, rows = follow(tmp_path, capsys, text, *missing)
    assert series.num_missing["response"] == count
    assert series.present.sum() == len(cells)
    assert rows["response, code"] == f"{usual[0]!r} is 0, {usual[1]!r} is 1"
    series, _ = follow(tmp_path, capsys, text, *where)
    assert series.values["response"][0].tolist() == meant
    series, _ = follow(tmp_path, capsys, text, *where[:2], *turned)
    assert series.values["response"][0].tolist() == [1 - y for y in meant]


def test_a_column_of_many_values_is_another_column(tmp_path, capsys):
    said = both(tmp_path, capsys, rows_of(range(10)))
    assert "column 'choice': holds 10 values: 0 (1), 1 (1)," in said
    assert "row" not in said.split("column 'choice'")[1]
    assert "--columns response=COLUMN" in said


def test_a_third_level_beside_given_codes_is_told_what_to_do(tmp_path, capsys):
    text = rows_of(["left", "right", "too slow", "left", "right"])
    said = both(tmp_path, capsys, text, "--codes", "response=left,right")
    assert "row 4 'too slow': is neither 'left' (0) nor 'right' (1)" in said
    missing, where = pasted(said)
    for options, count in ((missing, 5), (where, 4)):
        codes = ("--codes", "response=left,right")
        series, _ = follow(tmp_path, capsys, text, *options, *codes)
        assert series.present.sum() == count


def test_a_word_among_numbers_is_told_what_to_do(tmp_path, capsys):
    text = rows_of(["0", "1", "timeout", "1", "0"])
    said = both(tmp_path, capsys, text)
    assert "row 4 'timeout': is not a number, nor n/a" in said
    for options, count in zip(pasted(said), (5, 4), strict=True):
        assert follow(tmp_path, capsys, text, *options)[0].present.sum() == count


def test_two_words_are_told_as_codes_both_ways(tmp_path, capsys):
    text = rows_of(["left", "right", "right", "left", "right"])
    said = both(tmp_path, capsys, text)
    assert "--codes response=left,right or --codes response=right,left" in said
    series, _ = follow(tmp_path, capsys, text, "--codes", "response=left,right")
    assert series.values["response"][0].tolist() == [0, 1, 1, 0, 1]


def test_words_that_differ_in_case_are_one(tmp_path, capsys):
    text = rows_of(["left", "right", "Right", "left", "right"])
    said = both(tmp_path, capsys, text)
    assert "row 4 'Right': holds 3 values" in said and "differ only in case" in said


def test_a_number_among_words_is_the_odd_one(tmp_path, capsys):
    """As the button of a page of instructions among keys."""
    text = rows_of(["0", "f", "j", "j", "f"])
    said = both(tmp_path, capsys, text)
    assert "row 2 '0': holds 3 values: f (2), j (2), 0 (1)" in said
    missing, where, _ = pasted(said)
    for options, count in ((missing, 5), (where, 4)):
        series, _ = follow(tmp_path, capsys, text, *options)
        assert series.values["response"][0, -4:].tolist() == [0, 1, 1, 0]
        assert series.present.sum() == count


@pytest.mark.parametrize(
    ("words", "odd", "codes"),
    [
        (["timeout"] * 5 + ["left", "right"] * 2, "timeout", "left,right"),
        (["win", "loss"] * 3 + ["neutral"], "neutral", "loss,win"),
        (["correct", "wrong", "too slow"] * 3, "too slow", "wrong,correct"),
    ],
)
def test_words_are_weighed_by_what_they_mean(words, odd, codes, tmp_path, capsys):
    """What stands for no response is odd, however often; a win counts as 1."""
    said = both(tmp_path, capsys, rows_of(words))
    missing, _, turned = pasted(said)
    assert missing == ["--missing", f"response={odd}", "--codes", f"response={codes}"]
    assert turned[1] == "response=" + ",".join(reversed(codes.split(",")))
    series, _ = follow(tmp_path, capsys, rows_of(words), *missing)
    assert series.num_missing["response"] == words.count(odd)


def test_minus_one_among_0_and_1_stands_for_no_value(tmp_path, capsys):
    """Prevents a sign from being taken for a slip of the pen."""
    text = rows_of(["0", "1", "1", "-1", "0", "0"])
    said = both(tmp_path, capsys, text)
    assert "differ only in case" not in said
    missing = pasted(said)[0]
    series, _ = follow(tmp_path, capsys, text, *missing)
    assert series.num_missing["response"] == 1
