"""Options of a bandit may be words or any numbers; what each counts as is printed."""

import json

import pytest

from tests.behaviour.dataset.small_tables import both, check, follow, pasted, table

TASK = {"task": "bandit"}


def rows_of(cells, people=1):
    rows = [
        f"p{i * people // len(cells)},{i},{cell},{i % 2}"
        for i, cell in enumerate(cells)
    ]
    return table("subject,trial,choice,reward", *rows)


@pytest.mark.parametrize(
    ("words", "numbers", "code"),
    [
        (["right", "left", "", "right"], [2, 1, 1, 2], "'left' is 1, 'right' is 2"),
        (["B", "A", "C", "A"], [2, 1, 3, 1], "'A' is 1, 'B' is 2, 'C' is 3"),
        (
            ["arm10", "arm2", "arm1", "arm2"],
            [3, 2, 1, 2],
            "'arm1' is 1, 'arm2' is 2, 'arm10' is 3",
        ),
        (["orange", "blue", "n/a", "blue"], [2, 1, 1, 1], "'blue' is 1, 'orange' is 2"),
    ],
)
def test_options_that_are_words_are_numbered(words, numbers, code, tmp_path, capsys):
    series, rows = follow(tmp_path, capsys, rows_of(words * 3), **TASK)
    found = series.values["choice"][0, :4]
    missing = [word in ("", "n/a") for word in words]
    assert [x for x, gone in zip(found, missing, strict=True) if not gone] == [
        y for y, gone in zip(numbers, missing, strict=True) if not gone
    ]
    assert rows["choice, code"] == code
    assert series.num_missing["choice"] == 3 * sum(missing)


@pytest.mark.parametrize(
    ("cells", "codes", "numbers"),
    [
        (["right", "left", "left"], "right,left", [1, 2, 2]),
        (["0", "1", "2"], "0,1,2", [1, 2, 3]),
        (["101", "205", "101"], "101,205", [1, 2, 1]),
        (["left", "left", "left"], "left,right", [1, 1, 1]),
        (["1", "2", "1"], "2,1", [2, 1, 2]),
    ],
)
def test_options_are_numbered_as_they_are_listed(
    cells, codes, numbers, tmp_path, capsys
):
    option = ("--codes", f"choice={codes}")
    series, rows = follow(tmp_path, capsys, rows_of(cells * 2), *option, **TASK)
    assert series.values["choice"][0].tolist() == numbers * 2
    assert "'" + cells[0] + f"' is {numbers[0]}" in rows["choice, code"]


def test_numbers_from_one_stay_as_they_are(tmp_path, capsys):
    series, rows = follow(tmp_path, capsys, rows_of([2, 1, 3, 1]), **TASK)
    assert series.values["choice"][0].tolist() == [2, 1, 3, 1]
    assert "choice, code" not in rows


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["0", "1", "1", "0"], "--codes choice=0,1"),
        (["101", "205", "101", "205"], "--codes choice=101,205"),
        (["left"] * 4, "--codes choice=A,B,..."),
        (["left", "Left", "right", "left"], "differs only in case"),
        (["left", "2", "right", "left"], "is not a number"),
        ([f"s{i}" for i in range(13)], "holds 13 words"),
    ],
)
def test_options_that_are_not_clear_are_asked_about(cells, said, tmp_path, capsys):
    assert said in both(tmp_path, capsys, rows_of(cells), **TASK)


@pytest.mark.parametrize("word", ["miss", "timeout", "too slow", "-", "no response"])
def test_a_word_for_no_choice_is_no_option(word, tmp_path, capsys):
    text = rows_of(["left", "right", word, "left", "right", word])
    said = both(tmp_path, capsys, text, **TASK)
    assert f"row 4 {word!r}, row 7 {word!r}: is no option, it seems" in said
    missing, where, codes = pasted(said)
    series, _ = follow(tmp_path, capsys, text, *missing, **TASK)
    assert series.num_missing["choice"] == 2
    series, _ = follow(tmp_path, capsys, text, *where, **TASK)
    assert series.values["choice"][0].tolist() == [1, 2, 1, 2]
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.present.sum() == 6 and series.num_missing["choice"] == 0


def test_a_slip_is_no_third_option(tmp_path, capsys):
    cells = ["left", "right"] * 30
    text = rows_of([*cells, "lefft"])
    said = both(tmp_path, capsys, text, **TASK)
    assert "row 62 'lefft': is no option" in said


@pytest.mark.parametrize(
    "cells", [["A", "B"] * 5 + ["C", "D"] * 5, [1, 2] * 5 + [3, 4] * 5]
)
def test_other_options_in_another_person_are_asked_about(cells, tmp_path, capsys):
    text = rows_of(cells, people=2)
    said = both(tmp_path, capsys, text, **TASK)
    a, b, c, d = sorted(set(cells))
    assert (
        f"row 12: has the options {c} and {d} in one series or block and {a} and {b}"
        in said
    )
    (codes,) = pasted(said)
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.values["choice"][1].tolist() == [3, 4] * 5
    follow(tmp_path, capsys, rows_of([1] * 5 + [2] * 5, people=2), **TASK)


def test_a_side_car_lists_the_options(tmp_path, capsys):
    """Of a BIDS folder, in the order of the side-car; a code of no choice is none."""
    folder = tmp_path / "study"
    folder.mkdir()
    name = folder / "sub-01_task-two_beh"
    lines = ["trial\tchoice\treward", "1\tr\t1", "2\tl\t0", "3\tr\t0", "4\tl\t1"]
    name.with_suffix(".tsv").write_text("\n".join(lines))
    told = {"choice": {"Levels": {"r": "right", "l": "left", "n": "no response"}}}
    name.with_suffix(".json").write_text(json.dumps(told))
    code, rows, said = check(capsys, folder, **TASK)
    assert code == 0, said
    assert rows["choice, code"] == "'r' is 1, 'l' is 2"
    lines[3] = "3\tn\t0"
    name.with_suffix(".tsv").write_text("\n".join(lines))
    code, _, said = check(capsys, folder, **TASK)
    assert code == 2 and "row 4 'n': is none of the options r, l" in said
    code, rows, said = check(capsys, folder, "--missing=choice=n", **TASK)
    assert code == 0 and rows["choice, values"].endswith("1 missing")


def test_codes_of_options_are_each_listed_once(tmp_path, capsys):
    text = rows_of(["A", "B", "A"])
    said = both(tmp_path, capsys, text, "--codes", "choice=A,A", **TASK)
    assert "codes: of choice are" in said and "each once" in said
    said = both(tmp_path, capsys, text, "--codes", "choice=A", **TASK)
    assert "row 3 'B': is none of the options A" in said
    # Of all options the table may hold one.
    text = rows_of(["0", "0", "0"])
    codes, _ = pasted(both(tmp_path, capsys, text, **TASK))
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.values["choice"].tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    "cells", [["0", "1", "2", "1", "2"], ["1", "0", "0", "1", "0"]]
)
def test_nought_is_an_option_or_none(cells, tmp_path, capsys):
    text = rows_of(cells)
    said = both(tmp_path, capsys, text, **TASK)
    assert f"row {2 + cells.index('0')} '0'" in said
    codes, missing = pasted(said)
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.values["choice"][0].tolist() == [int(c) + 1 for c in cells]
    series, _ = follow(tmp_path, capsys, text, *missing, **TASK)
    assert series.num_missing["choice"] == cells.count("0")


def test_a_word_among_numbers_of_options_is_asked_about(tmp_path, capsys):
    text = rows_of(["1", "2", "space", "2", "1"])
    said = both(tmp_path, capsys, text, **TASK)
    assert "row 4 'space': is not a number, as other options are" in said
    missing, where, codes = pasted(said)
    series, _ = follow(tmp_path, capsys, text, *missing, **TASK)
    assert series.num_missing["choice"] == 1
    series, _ = follow(tmp_path, capsys, text, *where, **TASK)
    assert series.values["choice"][0].tolist() == [1, 2, 2, 1]
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.values["choice"][0].tolist() == [1, 2, 3, 2, 1]


def test_sides_on_which_options_change_are_asked_about(tmp_path, capsys):
    """Whoever chose the left learnt of the picture that stood there."""
    rows = [
        f"a,{t},{('left', 'right')[t % 2]},{'AB'[t // 2 % 2]},{'AB'[t % 3 % 2]},{t % 2}"
        for t in range(8)
    ]
    text = table("subject,trial,choice,left_stimulus,chosen,reward", *rows)
    said = both(tmp_path, capsys, text, **TASK)
    assert "column 'choice': holds sides, and 'left_stimulus' tells what stood" in said
    option = ("--columns", "choice=chosen")
    series, _ = follow(tmp_path, capsys, text, *option, **TASK)
    assert series.values["choice"][0].tolist() == [1 + t % 3 % 2 for t in range(8)]
    codes = ("--codes", "choice=left,right")
    series, _ = follow(tmp_path, capsys, text, *codes, **TASK)
    assert series.values["choice"][0].tolist() == [1 + t % 2 for t in range(8)]
    same = text.replace(",B,", ",A,").replace("chosen", "seen")
    follow(tmp_path, capsys, same, **TASK)


def test_numbers_of_print_among_options_are_told_what_to_write(tmp_path, capsys):
    text = rows_of(["1", "2", '"2,0"', "2", "1"])
    said = both(tmp_path, capsys, text, **TASK)
    assert "row 4 '2,0': has a comma; write a point" in said and "--codes" not in said
    follow(tmp_path, capsys, text.replace('"2,0"', "2.0"), **TASK)
