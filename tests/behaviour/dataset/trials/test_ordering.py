"""Trials follow each other as they were done, or the user is asked for their order."""

from shlex import quote

import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    complaint,
    follow,
    load,
    options,
    table,
)

SHUFFLED = (3, 8, 1, 6, 2, 9, 5, 10, 4, 7)
OUTCOMES = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
IN_ORDER = tuple(range(1, 11))


def trials(rows=IN_ORDER, **columns):
    """Rows of one person: the trial done first has the first of each column's cells."""
    lines = []
    for row in rows:
        more = [str(cells[row - 1]) for cells in columns.values()]
        lines.append(",".join(("a", *more, str(OUTCOMES[row - 1]), str(row % 2))))
    return table(",".join(("subject", *columns, "outcome", "response")), *lines)


def moments(pattern):
    return [pattern.format(i) for i in IN_ORDER]


ISO, GERMAN = moments("2021-03-04T10:{:02d}:30Z"), moments("04.03.2021 10:{:02d}")
SECONDS = [2.5 * i for i in IN_ORDER]


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"trial_id": SHUFFLED, "onset": SECONDS}, "onset"),
        ({"trial_number": SHUFFLED, "Stim.OnsetTime": SECONDS}, "Stim.OnsetTime"),
        ({"trial": SHUFFLED, "trial_index": IN_ORDER}, "trial_index"),
        ({"trial": SHUFFLED, "sent": ISO}, "sent"),
        ({"trial": SHUFFLED, "time": SECONDS}, "time"),
        ({"trial": SHUFFLED, "unix": [1.6e9 + 3 * i for i in IN_ORDER]}, "unix"),
        ({"trial_id": SHUFFLED}, "trial_id"),
        ({"TrialID": SHUFFLED}, "TrialID"),
    ],
)
def test_numbers_of_items_do_not_order_the_trials(columns, named, tmp_path):
    """Rows stand as they were done; the item's number would put them elsewhere."""
    text, trial = trials(**columns), next(iter(columns))
    said = complaint(tmp_path, text)
    assert f"data.csv, column {named!r}, row" in said
    assert f"--columns {quote(f'trial={trial}')}" in said
    series = load(tmp_path, text, columns={"trial": trial})
    wanted = [OUTCOMES[SHUFFLED.index(i)] for i in IN_ORDER]
    assert series.values["outcome"].tolist() == [wanted]


def test_items_mixed_within_each_person_are_no_trials(tmp_path):
    text = trials(trial=SHUFFLED)
    both = text + text.replace("a,", "b,").split("\n", 1)[1]
    said = complaint(tmp_path, both)
    assert "column 'trial', row 4: may number the items" in said
    assert load(tmp_path, both, columns={"trial": "trial"}).present.sum() == 20
    lines = both.strip().split("\n")
    mixed = table(lines[0], *(lines[1 + 7 * i % 20] for i in range(20)))
    assert load(tmp_path, mixed).present.sum() == 20  # as people are, so are trials
    backwards = table(
        lines[0], *sorted(lines[1:11], key=lambda x: -int(x.split(",")[1]))
    )
    backwards += "\n".join(
        line.replace("a,", "b,") for line in backwards.split("\n")[1:]
    )
    assert load(tmp_path, backwards).present.sum() == 20


def test_shuffled_rows_follow_neither_the_item_nor_the_clock(tmp_path):
    text = trials(SHUFFLED, trial=SHUFFLED[::-1], onset=SECONDS)
    assert "column 'onset', row" in complaint(tmp_path, text)
    series = load(tmp_path, text, columns={"trial": "onset"})
    assert series.values["outcome"].tolist() == [OUTCOMES]


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (SHUFFLED, {"trial": IN_ORDER, "onset": SECONDS, "sent": ISO}),
        (SHUFFLED, {"trial": IN_ORDER, "index": [SHUFFLED.index(i) for i in IN_ORDER]}),
        (IN_ORDER, {"trial": IN_ORDER, "cue_onset": SHUFFLED, "time": SHUFFLED}),
        (IN_ORDER, {"cue_onset_delay": SHUFFLED, "item_number": SHUFFLED}),
        (IN_ORDER, {"trials.thisIndex": SHUFFLED, "trial_rt": SHUFFLED}),
        (
            IN_ORDER,
            {
                "clock": [
                    f"{(54 + i) // 60 + 23:02d}".replace("24", "00")
                    + f":{(54 + i) % 60:02d}:13"
                    for i in IN_ORDER
                ]
            },
        ),
    ],
)
def test_numbers_that_order_nothing_do_no_harm(rows, columns, tmp_path):
    series = load(tmp_path, trials(rows, **columns))
    assert series.values["outcome"].tolist() == [OUTCOMES]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        *(
            (name, IN_ORDER)
            for name in ("round", "round_number", "onset_ms", "time_ms")
        ),
        *((name, SECONDS) for name in ("time_elapsed", "trial_onset", "UTC Timestamp")),
        ("subsession.round_number", IN_ORDER),
        ("trials.thisN", IN_ORDER),
        ("roundnumber", IN_ORDER),
        ("timeelapsed", SECONDS),
        ("start_ms", IN_ORDER),
        ("sent", ISO),
        ("Local Date", GERMAN),
        ("at", moments("10:{:02d}:30")),
    ],
)
def test_rows_out_of_the_order_of_a_clock_are_refused(name, cells, tmp_path):
    said = complaint(tmp_path, trials(SHUFFLED, **{name: cells}))
    assert f"column {name!r}, row 4" in said
    assert "seems to order the trials, but the rows are not in its order" in said
    assert "--columns session" not in said
    assert (f"--columns {quote(f'trial={name}')}" in said) == (
        cells in (IN_ORDER, SECONDS)
    )
    if cells in (IN_ORDER, SECONDS):
        series = load(
            tmp_path,
            trials(SHUFFLED, **{name: cells}),
            columns={"trial": name},
        )
        assert series.values["outcome"].tolist() == [OUTCOMES]


@pytest.mark.parametrize("name", ["this_trial_is", "trials.thisN", "round", "index"])
def test_trials_that_are_counted_anew_are_asked_about(name, tmp_path):
    """Two sessions of a person, the one below the other."""
    rows = [f"a,{i % 12},{i // 12},{i // 3 % 2},{i // 2 % 2}" for i in range(24)]
    said = complaint(tmp_path, table(f"subject,{name},game,outcome,response", *rows))
    assert f"column {name!r}, row 14: counts trials from the first again" in said
    for option in ({"columns": {"session": "game"}}, {"columns": {"block": "game"}}):
        text = table(f"subject,{name},game,outcome,response", *rows)
        assert load(tmp_path, text, **option).present.sum() == 24


@pytest.mark.parametrize("name", ["trial_in_block", "position"])
def test_counts_within_a_block_are_no_sessions(name, tmp_path):
    long = 12 if name == "trial_in_block" else 4
    rows = [f"a,{i % long},{i // 4 % 2},{i // 2 % 2}" for i in range(24)]
    text = table(f"subject,{name},outcome,response", *rows)
    assert load(tmp_path, text).present.shape == (1, 24)


def test_blocks_below_zero_come_first(tmp_path):
    rows = [f"a,{b},{t},{int(b < 0)},{t % 2}" for b in (1, -1, 2) for t in range(3)]
    text = table("subject,block,trial,outcome,response", *rows)
    series = load(tmp_path, text, columns={"block": "block"})
    assert series.values["outcome"].tolist() == [[1] * 3 + [0] * 6]


def test_a_point_between_block_and_trial_is_no_decimal_point(tmp_path):
    cells = [f"{block}.{t}" for block in (1, 2) for t in range(1, 11)]
    rows = [f"a,{cell},{i % 2},{i // 2 % 2}" for i, cell in enumerate(cells)]
    rows = [row for row in rows if "1.1," not in row and "2.1," not in row]
    text = table("subject,trial,outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert "column 'trial', row 10 '1.10'" in said and "in whole numbers" in said
    text = table("subject,block,trial,outcome,response", *rows).replace("a,", "a,1,")
    assert "in whole numbers" in complaint(tmp_path, text)
    rows = [f"a,{2.25 * i},{i % 2},{i // 2 % 2}" for i in range(5)]
    text = table("subject,trial,outcome,response", *rows)
    assert load(tmp_path, text).present.sum() == 5


@pytest.mark.parametrize("clock", ["onset", "time", "trial_index"])
def test_blocks_are_not_numbered_by_their_condition(clock, tmp_path):
    cells = [f"{2 - i // 5},{i % 5},{3 * i}" for i in range(10)]
    rows = [f"a,{cell},{i // 5},{i % 2}" for i, cell in enumerate(cells)]
    text = table(f"subject,block,trial,{clock},outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert f"column {clock!r}, row 2" in said and "another order" in said
    series = load(tmp_path, text, columns={"trial": clock})
    assert series.values["outcome"].tolist() == [[0] * 5 + [1] * 5]


def test_a_clock_that_begins_anew_is_a_run_after_a_run(tmp_path):
    """Prevents advice that would interleave the two runs."""
    rows = [
        f"a,{1.5 * trial + 0.1 * run},{trial % 2},{trial % 3 // 2}"
        for run in range(2)
        for trial in range(15)
    ]
    text = table("subject,onset,outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert "column 'onset', row 17: begins anew; say what begins there" in said
    (every,) = advised(said)
    series = load(tmp_path, text, reading=Reading(where=every))
    assert series.values["outcome"].tolist() == [[trial % 2 for trial in range(15)] * 2]


def test_trials_that_were_left_out_make_no_code_of_a_number(tmp_path):
    rows = [f"a,{t},{t % 2},{t // 2 % 2}" for t in (1, 2, 3, 4, 7, 9)]
    text = table("subject,trial,outcome,response", *rows)
    assert load(tmp_path, text).present.sum() == 6
    said = complaint(tmp_path, text.replace("a,9,", "a,99,"))
    assert "row 7 '99': looks like a code" in said


@pytest.mark.parametrize("name", ["list", "x, y"])
def test_what_begins_with_a_clock_is_the_column_that_changes_there(name, tmp_path):
    rows = [
        f"{who},{100 * t + 7 * (t % 3) + i},{part},{t % 2},{t // 2 % 2}"
        for who in "ab"
        for i, part in enumerate(("B", "A"))
        for t in range(15)
    ]
    quoted = f'"{name}"' if "," in name else name
    text = table(f"subject,onset,{quoted},outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert "column 'onset', row 17: begins anew" in said
    mark = f"`{name}`" if "," in name else name
    assert options(said)[:2] == [("--series", mark), ("--columns", f"block={mark}")]
    outcomes = [t % 2 for t in range(15)]
    series = load(tmp_path, text, series_by=(name,))
    assert series.values["outcome"].tolist() == [outcomes] * 4
    series = load(tmp_path, text, columns={"block": name})
    assert series.values["outcome"].tolist() == [outcomes * 2] * 2
    # No column changes there.
    text = text.replace(",B,", ",A,")
    assert "--columns session=COLUMN" in complaint(tmp_path, text)


ROW_NAMES = ("", "X", "X1", "...1", "Unnamed: 0", "rownames", "obs")
COUNTERS = (
    "Durchgang",
    "essai",
    "ensayo",
    "Zeit",
    "timestamp",
    "trials.thisN",
    "round",
)


def sorted_by(name, key, *, first=False):
    """Two people, whose rows are sorted by the outcome, and the number of each trial."""
    rows = [
        (who, 12 * (who == "b") * (name in ROW_NAMES) + t + 1, OUTCOMES[t % 10], t % 2)
        for who in "ab"
        for t in range(12)
    ]
    rows.sort(key=lambda row: (row[0], key(row)))
    lines = [f"{who},{n},{u},{y}" for who, n, u, y in rows]
    text = table(f"subject,{name},outcome,response", *lines)
    if not first:
        return text
    cells = [line.split(",") for line in text.splitlines()]
    return "\n".join(",".join((c[1], c[0], *c[2:])) for c in cells) + "\n"


@pytest.mark.parametrize("name", (*ROW_NAMES, *COUNTERS))
@pytest.mark.parametrize(
    "key", [lambda row: row[2], lambda row: SHUFFLED[row[1] % 10]], ids=["u", "mixed"]
)
def test_numbers_that_give_another_order_than_the_rows_are_asked_about(
    name, key, tmp_path, capsys
):
    text = sorted_by(name, key, first=name in ROW_NAMES)
    said = both(tmp_path, capsys, text)
    shown = name or "Unnamed: 0"
    assert f"column {shown!r}, row" in said and "begins anew" not in said
    assert f"(--columns {quote(f'trial={shown}')})" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", f"trial={shown}")
    wanted = [OUTCOMES[t % 10] for t in range(12)]
    assert series.values["outcome"].tolist() == [wanted] * 2
    keep = ("--where", advised(said)[0])
    series, _ = follow(tmp_path, capsys, text, *keep)
    assert series.values["outcome"].tolist() != [wanted] * 2


@pytest.mark.parametrize("name", ROW_NAMES)
def test_row_names_in_the_order_of_the_rows_are_not_asked_about(name, tmp_path):
    text = sorted_by(name, lambda row: row[1], first=True)
    assert load(tmp_path, text).present.shape == (2, 12)


def test_a_coordinate_numbers_no_rows(tmp_path):
    rows = [
        f"a,{cell},{i % 2},{i // 2 % 2}" for i, cell in enumerate((7, 2, 90, 41, 3))
    ]
    text = table("subject,X,outcome,response", *rows)
    assert load(tmp_path, text).present.sum() == 5
