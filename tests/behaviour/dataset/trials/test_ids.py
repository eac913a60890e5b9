"""Two people of one id are one person only where that is what was meant."""

import pytest

from pcmodel.behaviour.dataset import Reading
from pcmodel.behaviour.dataset.reading import pairs_of
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import (
    advised,
    complaint,
    load,
    options,
    table,
)

NAMES = ("condition", "version", "Phase", "list", "experiment (no)", "a, b", "x=y")


def parts(name, levels, *, trial=True, on=False, people=2):
    """One table below the other, of the same ids; `on`: trials are counted on."""
    head = "id,trial," if trial else "id,"
    rows = [
        f"s{who},"
        + (f"{t + 6 * on * i}," if trial else "")
        + f"{t % 2},{t // 3},{level}"
        for i, level in enumerate(levels)
        for who in range(people)
        for t in range(6)
    ]
    quoted = f'"{name}"' if "," in name else name
    return table(f"{head}outcome,response,{quoted}", *rows)


def followed(folder, text, option, value):
    """The series that one piece of advice leads to."""
    name, _, said = value.partition("=")
    if option == "--where":
        return load(folder, text, reading=Reading(where=value))
    if option == "--series":
        return load(folder, text, series_by=(value.strip("`"),))
    return load(folder, text, columns={name: said.strip("`")})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("trial", [True, False])
def test_ids_of_a_table_in_parts_are_asked_about(name, trial, tmp_path):
    """Prevents two people of two files from being one person with twice the trials."""
    text = parts(name, ("A", "B"), trial=trial)
    said = complaint(tmp_path, text)
    assert repr(name) in said and "people" in said
    found = options(said)
    shapes = {}
    for option, value in found:
        if option == "--where" and trial:
            assert "stands twice" in complaint(
                tmp_path, text, reading=Reading(where=value)
            )
            continue
        series = followed(tmp_path, text, option, value)
        shapes[option] = (series.num_participants, *series.present.shape)
    assert shapes["--columns"] == (4, 4, 6)
    assert shapes.get("--series", (2, 4, 6)) == (2, 4, 6)
    assert shapes.get("--where", (2, 2, 12)) == (2, 2, 12)


@pytest.mark.parametrize(
    "text",
    [
        parts("condition", ("A", "B"), on=True),  # trials are counted on
        parts("condition", ("A", "B"), trial=False, people=1),  # one person's blocks
        parts("condition", ("A",)),
        table(  # nobody stands in two parts
            "id,outcome,response,condition",
            *(
                f"{c}{w},{t % 2},{t // 3},{c}"
                for c in "AB"
                for w in "12"
                for t in range(6)
            ),
        ),
        table(  # each person's own blocks
            "id,outcome,response,condition",
            *(
                f"{w},{t % 2},{t // 3},{c}"
                for w in "12"
                for c in "AB"
                for t in range(6)
            ),
        ),
        table(  # trial by trial, a row for each person
            "id,outcome,response,item",
            *(f"{w},{t % 2},{t // 3},i{t}" for t in range(6) for w in "12"),
        ),
    ],
)
def test_a_table_that_is_in_no_parts_is_read(text, tmp_path):
    assert load(tmp_path, text).present.any()


def test_an_id_that_was_given_is_made_distinct_by_the_advice_added(tmp_path):
    text = parts("lab", ("a", "b")).replace("id,", "who,")
    given = {"columns": pairs_of(("participant=who",), where="columns")}
    advice = dict(options(complaint(tmp_path, text, **given)))["--columns"]
    both = pairs_of(("participant=who", advice), where="columns")
    assert both == {"participant": "who+lab"}
    assert load(tmp_path, text, columns=both).num_participants == 4
    with pytest.raises(UserError, match="name 'participant' twice"):
        pairs_of(("participant=who", "participant=lab+who"), where="columns")


def test_parts_of_one_id_are_read_from_every_column(tmp_path):
    text = parts("lab", ("a", "b"))
    text = (
        text.replace("lab", "lab,extra")
        .replace(",a\n", ",a,1\n")
        .replace(",b\n", ",b,1\n")
    )
    series = load(tmp_path, text, columns={"participant": "id+lab"})
    assert series.num_participants == 4
    assert "participant: column 'id+lab'" in series.notes
    assert "not used: extra" in series.notes
    gaps = text.replace("s1,5,1,1,b", "s1,5,1,1,n/a")
    said = complaint(tmp_path, gaps, columns={"participant": "id+lab"})
    assert "column 'lab', row 25: is missing" in said
    ((_, where),) = options(said)
    kept = {"columns": {"participant": "id+lab"}, "reading": Reading(where=where)}
    assert load(tmp_path, gaps, **kept).num_participants == 4
    assert "no column 'id+nothing'" in complaint(
        tmp_path, text, columns={"participant": "id+nothing"}
    )


@pytest.mark.parametrize("name", ["condition", "Phase", "list", "a, b", "x=y"])
@pytest.mark.parametrize("levels", [("A", "B"), ("1", "2")])
def test_what_trials_that_stand_twice_are_of_is_named(name, levels, tmp_path):
    """One person after the other, so that the table is in no parts."""
    lines = parts(name, levels).splitlines()
    rows = {line.split(",")[0]: [] for line in lines[1:]}
    for line in lines[1:]:
        rows[line.split(",")[0]].append(line)
    text = "\n".join([lines[0], *(line for own in rows.values() for line in own)])
    said = complaint(tmp_path, text)
    assert f"stands twice, in several values of {name!r}" in said
    shapes = set()
    for option, value in options(said):
        series = followed(tmp_path, text, option, value)
        shapes.add((series.num_participants, *series.present.shape))
    assert shapes == {(4, 4, 6), (2, 4, 6), (2, 2, 6), (2, 2, 12)}


def test_blocks_that_are_given_and_have_no_numbers_come_as_they_stand(tmp_path):
    rows = [
        f"{who},{t},{int(level == 'B')},{t % 2},{level}"
        for who, levels in (("x", "BA"), ("y", "AB"))
        for level in levels
        for t in (3, 1, 2)
    ]
    text = table("id,trial,outcome,response,list", *rows)
    series = load(tmp_path, text, columns={"block": "list"})
    assert series.values["outcome"].tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    assert series.values["response"].tolist() == [[1, 0, 1, 1, 0, 1]] * 2
    assert (
        "order: by 'list', then 'trial'; the belief is carried on over 'list'; 'list' is"
        in ("\n".join(series.notes))
    )
    mixed = table("id,trial,outcome,response,list", *sorted(rows, key=lambda r: r[2]))
    assert "stands twice" in complaint(tmp_path, mixed, columns={"block": "list"})


def test_of_several_rows_of_a_trial_one_is_kept_by_the_advice(tmp_path):
    rows = [
        f"s{who},{t},{t % 2},{t // 3},{kind}"
        for who in (1, 2)
        for t in range(6)
        for kind in ("asked", "told")
    ]
    text = table("id,trial,outcome,response,screen no", *rows)
    said = complaint(tmp_path, text)
    assert "stands twice" in said
    wheres = advised(said)
    assert wheres == ['`screen no` == "asked"', '`screen no` == "told"']
    for where in wheres:
        series = load(tmp_path, text, reading=Reading(where=where))
        assert series.present.shape == (2, 6)
    cues = [f"{r.rsplit(',', 2)[0]},,asked" if "asked" in r else r for r in rows]
    said = complaint(tmp_path, table("id,trial,outcome,response,screen no", *cues))
    assert '`screen no` == "told"' in advised(said)
    assert '`screen no` == "asked"' not in advised(said)


def test_a_block_that_was_asked_for_in_where_too_is_a_block(tmp_path):
    """Prevents two pieces of advice, both followed, from leading nowhere."""
    text = parts("list", ("1", "2"))
    every = Reading(where='list != "1" or list == "1"')
    carried = {"columns": {"block": "list"}, "reading": every}
    assert load(tmp_path, text, **carried).present.shape == (2, 12)


def test_trials_among_each_other_of_several_values_are_told_of_the_column(tmp_path):
    rows = [
        f"s{who},{t},{t % 2},{t // 3},{part}"
        for who in (1, 2)
        for t in range(6)
        for part in (2, 1)
    ]
    text = table("id,trial,outcome,response,list", *rows)
    said = complaint(tmp_path, text)
    assert "stands twice, in several values of 'list'" in said
    shapes = {"--series": (4, 6), "--where": (2, 6)}
    for option, value in options(said):
        if option != "--columns":
            own = followed(tmp_path, text, option, value)
            assert own.present.shape == shapes[option]
    assert {name for name, _ in options(said)} == {*shapes, "--columns"}
    # The rows stand trial by trial, of which it is asked next.
    given = {"block": "list"}
    assert ("--columns", "block=list") in options(said)
    (again,) = options(complaint(tmp_path, text, columns=given))
    assert again == ("--columns", "trial=trial")
    series = load(tmp_path, text, columns={**given, "trial": "trial"})
    assert series.values["outcome"].tolist() == [[0, 1] * 6] * 2
    # Words that come in turn cannot be ordered.
    said = complaint(tmp_path, text.replace(",2\n", ",B\n").replace(",1\n", ",A\n"))
    assert "number the blocks of 'list' in every row" in said
    assert {name for name, _ in options(said)} == {"--series", "--where"}
