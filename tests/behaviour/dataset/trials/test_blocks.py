"""Blocks follow each other as they were done, or it is asked which came first."""

import random

import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from tests.behaviour.dataset.small_tables import both, check, follow, table

HEADER = "subject,block,trial,outcome,response"
FIRST, SECOND = [0, 0, 1, 0], [1, 1, 0, 1]  # outcomes in the blocks called 1 and 2


def rows_of(names=("1", "2"), people="abcd", clock=False, header=HEADER):
    """Half of the people did the second block first; the rows stand as they were done."""
    rows = []
    for place, who in enumerate(people):
        blocks = list(zip(names, (FIRST, SECOND), strict=True))
        done = 0
        for block, outcomes in reversed(blocks) if place % 2 else blocks:
            for trial, outcome in enumerate(outcomes):
                done += 1
                onset = f",{10 * done}" if clock else ""
                rows.append(f"{who},{block},{trial},{outcome},{trial % 2}{onset}")
    return header + (",onset" if clock else ""), rows


@pytest.mark.parametrize("names", [("1", "2"), ("block-1", "block-2"), ("A1", "A2")])
def test_blocks_numbered_by_condition_are_asked_about(names, tmp_path, capsys):
    text = table(*[(found := rows_of(names))[0], *found[1]])
    said = both(tmp_path, capsys, text)
    assert f"column 'block', row 14 {names[0]!r}: the rows stand in another" in said
    assert "so in 2 of 4 series" in said
    for option in ("trial=row", "block=block"):
        assert f"(--columns {option})" in said
    as_done, by_number = FIRST + SECOND, SECOND + FIRST
    series, rows = follow(tmp_path, capsys, text, "--columns", "trial=row")
    assert series.values["outcome"].tolist() == [as_done, by_number] * 2
    assert rows["order"] == "as the rows stand" and "trial" not in rows
    series, rows = follow(tmp_path, capsys, text, "--columns", "block=block")
    assert series.values["outcome"].tolist() == [as_done] * 4
    series, _ = follow(tmp_path, capsys, text, "--series", "block")
    assert series.present.shape == (8, 4)


def test_a_clock_over_the_blocks_settles_their_order(tmp_path, capsys):
    header, rows = rows_of(clock=True)
    said = both(tmp_path, capsys, table(header, *rows))
    assert "column 'onset'" in said and "another order" in said
    assert "column 'block'" not in said
    series, _ = follow(
        tmp_path, capsys, table(header, *rows), "--columns", "trial=onset"
    )
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2
    # Rows sorted by condition, which a clock puts by number.
    lines = [f"a,{b},{t},{y},{t % 2},{10 * b + t}" for b, t, y in _backwards()]
    series, _ = follow(tmp_path, capsys, table(header, *lines))
    assert series.values["outcome"].tolist() == [FIRST + SECOND]


def _backwards():
    return [(b, t, y) for b, ys in ((2, SECOND), (1, FIRST)) for t, y in enumerate(ys)]


def test_rows_in_no_order_or_sorted_as_words_are_sorted_by_number(tmp_path, capsys):
    header, rows = rows_of()
    random.Random(3).shuffle(rows)
    people = list(dict.fromkeys(row[0] for row in rows))
    series, _ = follow(tmp_path, capsys, table(header, *rows))
    assert series.values["outcome"].tolist() == [FIRST + SECOND] * len(people)
    names = sorted(str(b) for b in range(1, 12))
    lines = [f"a,{b},{t},{int(b) % 2},{t}" for b in names for t in range(2)]
    series, _ = follow(tmp_path, capsys, table(header, *lines))
    assert series.values["outcome"][0].tolist() == [
        b % 2 for b in range(1, 12) for _ in "ab"
    ]


@pytest.mark.parametrize("names", [("A", "B"), ("A1", "B1"), ("easy", "hard")])
def test_blocks_of_letters_follow_each_other_as_they_stand(names, tmp_path, capsys):
    header, rows = rows_of(names)
    series, said = follow(tmp_path, capsys, table(header, *rows))
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2
    assert said["order"].endswith("; 'block' is no number and goes as its rows stand")
    # Under another name it is said which column they are.
    header = header.replace("block", "list")
    option = ("--columns", "block=list")
    series, _ = follow(tmp_path, capsys, table(header, *rows), *option)
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2


@pytest.mark.parametrize("option", [(), ("--columns", "block=block")])
def test_blocks_of_letters_that_do_not_stand_together(option, tmp_path, capsys):
    """The advice does not lead back to itself."""
    header, rows = rows_of(("A", "B"))
    rows.sort(key=lambda row: (row[0], row.split(",")[2]))
    said = both(tmp_path, capsys, table(header, *rows), *option)
    assert "number the blocks of 'block' in every row" in said
    assert "block=COLUMN" not in said
    series, _ = follow(tmp_path, capsys, table(header, *rows), "--series", "block")
    assert series.present.shape == (8, 4)
    numbered = [row.replace(",A,", ",1,").replace(",B,", ",2,") for row in rows]
    option = ("--columns", "trial=trial")
    series, _ = follow(tmp_path, capsys, table(header, *numbered), *option)
    assert series.values["outcome"].tolist() == [FIRST + SECOND] * 4


def test_runs_of_lettered_blocks(tmp_path, capsys):
    """A and B in each of two runs: the run comes first."""
    rows = [
        f"a,{run},{block},{t},{y},{t % 2}"
        for run in (1, 2)
        for block, ys in (("B", SECOND), ("A", FIRST))
        for t, y in enumerate(ys)
    ]
    text = table("subject,run,block,trial,outcome,response", *rows)
    series, _ = follow(tmp_path, capsys, text)
    assert series.values["outcome"].tolist() == [(SECOND + FIRST) * 2]


def numbered_on(people="abcd", sort=False):
    """Trials 1 to 6 of one condition and 7 to 12 of the other, which half did first."""
    rows = []
    for place, who in enumerate(people):
        done = [*range(7, 13), *range(1, 7)] if place % 2 else range(1, 13)
        done = sorted(done, key=lambda t: t % 2) if sort else done
        rows += [f"{who},{t},{int(t > 6)},{t % 2}" for t in done]
    return table("subject,trial,outcome,response", *rows)


def test_trials_numbered_on_by_condition_are_asked_about(tmp_path, capsys):
    said = both(tmp_path, capsys, numbered_on())
    assert "column 'trial', row 20 '1': the rows stand in another order" in said
    assert "so in 2 of 4 series" in said
    one, two = [0] * 6 + [1] * 6, [1] * 6 + [0] * 6
    series, _ = follow(tmp_path, capsys, numbered_on(), "--columns", "trial=row")
    assert series.values["outcome"].tolist() == [one, two] * 2
    series, _ = follow(tmp_path, capsys, numbered_on(), "--columns", "trial=trial")
    assert series.values["outcome"].tolist() == [one] * 4


def test_rows_sorted_by_something_else_are_sorted_back(tmp_path, capsys):
    """Even trials before odd ones, and numbers sorted as words."""
    series, _ = follow(tmp_path, capsys, numbered_on(sort=True))
    assert series.values["outcome"].tolist() == [[0] * 6 + [1] * 6] * 4
    words = sorted(map(str, range(1, 121)))
    rows = [f"a,{t},{int(t) % 2},{int(t) % 3 % 2}" for t in words]
    series, _ = follow(tmp_path, capsys, table("subject,trial,outcome,response", *rows))
    assert series.values["outcome"].tolist() == [[t % 2 for t in range(1, 121)]]


def test_blocks_in_the_files_of_a_bids_folder(tmp_path, capsys):
    folder = tmp_path / "study"
    folder.mkdir()
    for who, done in (("01", (1, 2)), ("02", (2, 1))):
        lines = ["block\ttrial\toutcome\tresponse"]
        lines += [
            f"{block}\t{t}\t{y}\t{t % 2}"
            for block in done
            for t, y in enumerate((FIRST, SECOND)[block - 1])
        ]
        (folder / f"sub-{who}_task-two_beh.tsv").write_text("\n".join(lines))
    code, _, said = check(capsys, folder)
    assert code == 2 and "so in 1 of 2 series" in said
    series = load_series(folder, find_task("binary"), columns={"trial": "row"})
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST]
    code, rows, said = check(capsys, folder, "--columns", "trial=row")
    assert code == 0 and rows["order"] == "as the rows stand", said


@pytest.mark.parametrize("name", ["block_order", "run position", "conditionOrder"])
def test_a_column_of_the_order_of_blocks_is_asked_about(name, tmp_path, capsys):
    """The rows were sorted by condition; another column tells which was done first."""
    header, rows = rows_of()
    rows = sorted(rows)
    place = {"a1": 1, "a2": 2, "b1": 2, "b2": 1, "c1": 1, "c2": 2, "d1": 2, "d2": 1}
    rows = [f"{row},{place[row[0] + row[2]]}" for row in rows]
    text = table(f"{header},{name}", *rows)
    said = both(tmp_path, capsys, text)
    assert f"column {name!r}, row 14: seems to be the order of the blocks" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", f"block={name}")
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2
    series, _ = follow(tmp_path, capsys, text, "--columns", "block=block")
    assert series.values["outcome"].tolist() == [FIRST + SECOND] * 4
    # One and the same in all rows of a person, it names the group of an order.
    rows = [row[:-1] + str(1 + "abcd".index(row[0]) % 2) for row in rows]
    follow(tmp_path, capsys, table(f"{header},{name}", *rows))


def test_a_column_called_order_alone_that_numbers_the_blocks(tmp_path, capsys):
    header, rows = rows_of()
    place = {"a1": 1, "a2": 2, "b1": 2, "b2": 1, "c1": 1, "c2": 2, "d1": 2, "d2": 1}
    rows = [f"{row},{place[row[0] + row[2]]}" for row in sorted(rows)]
    text = table(f"{header},order", *rows)
    said = both(tmp_path, capsys, text)
    assert "column 'order', row 14: seems to be the order of the blocks" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", "block=order")
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2
    # An order that a person was assigned to, and a place on the screen, are none.
    for cells in ("12", "35"):
        other = [f"{row[:-1]}{cells['bd'.count(row[0])]}" for row in rows]
        follow(tmp_path, capsys, table(f"{header},order", *other))
        other = [f"{row[:-1]}{cells[i % 2]}" for i, row in enumerate(rows)]
        follow(tmp_path, capsys, table(f"{header},position", *other))


@pytest.mark.parametrize(
    "names", [("first", "second"), ("run one", "run two"), ("pre", "post")]
)
def test_blocks_of_words_that_number_them(names, tmp_path, capsys):
    """Sorted by the alphabet, or as they were done: it is asked."""
    one, two = names
    rows = [
        f"{who},{name},{t},{y},{t % 2}"
        for who in "abcd"
        for name, outcomes in sorted(((one, FIRST), (two, SECOND)), reverse=one < two)
        for t, y in enumerate(outcomes)
    ]
    said = both(tmp_path, capsys, table(HEADER, *rows))
    assert f"column 'block', row 6 {one!r}: the rows stand in another order" in said
    text = table(HEADER, *rows)
    series, _ = follow(tmp_path, capsys, text, "--columns", "block=block")
    assert series.values["outcome"].tolist() == [FIRST + SECOND] * 4
    series, _ = follow(tmp_path, capsys, text, "--columns", "trial=row")
    assert series.values["outcome"].tolist() == [SECOND + FIRST] * 4


def test_trials_counted_anew_without_a_column_of_blocks_go_as_they_stand(
    tmp_path, capsys
):
    header, rows = rows_of(("", ""))
    rows = [row.replace(",,", ",", 1) for row in rows]
    text = table(header.replace("block,", ""), *rows)
    said = both(tmp_path, capsys, text)
    assert "if their numbers begin anew and the rows stand as they were done" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", "trial=row")
    assert series.values["outcome"].tolist() == [FIRST + SECOND, SECOND + FIRST] * 2
    # Two rows of each trial are no second run.
    said = both(tmp_path, capsys, text.replace(",1\n", ",1\na,9,0,0\n"))
    assert "trial=row" not in said


@pytest.mark.parametrize("name", ["trial_overall", "Nth", "count (all)"])
def test_a_count_over_the_blocks_that_goes_another_way_is_asked_about(
    name, tmp_path, capsys
):
    """Rows in no order say nothing; another column does."""
    header, rows = rows_of()
    rows = [f"{row},{1 + i % 8}" for i, row in enumerate(rows)]
    random.Random(1).shuffle(rows)
    text = table(f"{header},{name}", *rows)
    said = both(tmp_path, capsys, text)
    assert f"column {name!r}" in said and "counts the trials over the blocks" in said
    people = list(dict.fromkeys(row[0] for row in rows))
    option = ("--columns", f"trial={name}")
    series, _ = follow(tmp_path, capsys, text, *option)
    assert series.values["outcome"].tolist() == [
        SECOND + FIRST if who in "bd" else FIRST + SECOND for who in people
    ]
    series, _ = follow(tmp_path, capsys, text, "--columns", "block=block")
    assert series.values["outcome"].tolist() == [FIRST + SECOND] * 4
    # A number of the row, in a table that was sorted by condition, says the same.
    rows = [f"{row[:-2]},{1 + i % 8}" for i, row in enumerate(sorted(rows))]
    random.Random(2).shuffle(rows)
    follow(tmp_path, capsys, table(f"{header},{name}", *rows))


@pytest.mark.parametrize("names", [("1", "2"), ("A", "B")])
def test_blocks_whose_rows_come_in_turn_are_asked_about(names, tmp_path, capsys):
    """A table sorted by trials, without their numbers."""
    _, rows = rows_of(names)
    rows = sorted(rows, key=lambda row: (row[0], row.split(",")[2]))
    cut = [",".join(row.split(",")[:2] + row.split(",")[3:]) for row in rows]
    text = table("subject,block,outcome,response", *cut)
    said = both(tmp_path, capsys, text)
    assert "column 'block', row 3" in said and "no block's rows stand together" in said
    series, _ = follow(tmp_path, capsys, text, "--series", "block")
    assert sorted(series.values["outcome"].tolist()) == sorted([FIRST, SECOND] * 4)
    series, _ = follow(tmp_path, capsys, text, "--columns", "trial=row")
    assert series.present.shape == (4, 8)
    # Blocks that come back are blocks.
    labels = [names[i] for i in (0, 1, 1, 0)]
    rows = [f"a,{b},{t % 2},{t // 2}" for b in labels for t in range(4)]
    follow(tmp_path, capsys, table("subject,block,outcome,response", *rows))
