"""A data set arrives as it was meant, or every fault in it is named with its place."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import options, table
from tests.behaviour.shared_data import shared_file

GOOD = """subject,session,drug,age,trial,outcome,choice
P7,1,placebo,31,1,0,1
P7,1,placebo,31,2,1,n/a
P7,2,drug,31,1,,0
P7,2,drug,31,2,1,1
P2,1,placebo,44,2,1,1
P2,1,placebo,44,1,0,NaN
"""


def load(folder, text, task="binary", name="data.csv", **options):
    path = folder / name
    path.write_text(text, "utf-8")
    return load_series(path, find_task(task), **options)


def complaint(folder, text, task="binary", **options):
    with pytest.raises(UserError) as caught:
        load(folder, text, task, **options)
    return str(caught.value)


def test_trials_are_sorted_padded_and_masked(tmp_path):
    series = load(tmp_path, GOOD, covariates=("drug", "age"))
    nan = np.nan
    assert series.participant.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(series.values["outcome"], [[0, 1], [nan, 1], [0, 1]])
    np.testing.assert_array_equal(
        series.values["response"], [[1, nan], [0, 1], [nan, 1]]
    )
    assert series.present.all()
    assert series.num_missing == {"outcome": 1, "response": 2}
    assert series.covariates["drug"].tolist() == ["placebo", "drug", "placebo"]
    assert series.covariates["age"].tolist() == [31.0, 31.0, 44.0]


def test_no_identifier_is_kept(tmp_path):
    series = load(tmp_path, GOOD, covariates=("drug",))
    assert "P7" not in repr(series) and "P2" not in repr(series)


def test_shorter_series_are_padded(tmp_path):
    series = load(tmp_path, GOOD.replace("P2,1,placebo,44,1,0,NaN\n", ""))
    assert series.present.tolist() == [[True, True], [True, True], [True, False]]
    assert np.isnan(series.values["outcome"][2, 1])


def test_tabs_semantics_and_byte_order_marks(tmp_path):
    text = "\ufeff" + GOOD.replace(",", "\t")
    series = load(tmp_path, text, name="data.tsv")
    assert series.present.sum() == 6


@pytest.mark.parametrize("cell", ["", " ", "n/a", "N/A", "NaN", "nan", "NA", "null"])
def test_every_way_to_write_missing_is_the_same(cell, tmp_path):
    """mne-bids lets some of them through as data; a silent corruption."""
    assert is_missing(cell)
    text = GOOD.replace("2,1,n/a", f"2,1,{cell}")
    assert load(tmp_path, text).num_missing["response"] == 2


def test_two_other_values_count_as_zero_and_one(tmp_path):
    text = "participant,trial,outcome,response\n" + "".join(
        f"a,{t},{u},{y}\n" for t, u, y in ((1, -1, 0), (2, 1, 1), (3, -1, 1))
    )
    series = load(tmp_path, text)
    assert series.values["outcome"][0].tolist() == [0.0, 1.0, 0.0]


def test_all_violations_are_named_at_once(tmp_path):
    text = GOOD.replace("31,1,0,1", "31,1,0,often").replace("44,2,1,1", "44,1,7,1")
    text += "P9,1,placebo,x,1,1,n/a\nP9,1,placebo,x,two,1,\n"
    said = complaint(tmp_path, text, covariates=("drug", "age"))
    for part in (
        "data.csv, column 'choice', row 2 'often': is not a number",
        "column 'outcome'",
        "holds 3 values: 1 (4), 0 (2), 7 (1); a binary column holds two",
        "column 'trial', row 7 '1, as in row 6': the same trial",
        "column 'trial', row 9 'two': must be a number",
        "row 9: the last row of a participant who has not one usable response",
    ):
        assert part in said, part
    assert "column 'age', row 8 'x', row 9 'x': is a word among numbers" in said
    assert said.startswith("7 things to correct")


def test_values_outside_the_scale_are_refused(tmp_path):
    text = "subject,trial,outcome,rating\na,1,0,3\na,2,1,11\na,3,1,-2\n"
    said = complaint(tmp_path, text, "rating", scale=(0, 10))
    assert "row 3 '11', row 4 '-2': lies outside the scale, 0 to 10" in said


def test_many_rows_of_one_fault_make_one_line(tmp_path):
    rows = "".join(f"a,{t},0,50\n" for t in range(1, 101))
    text = "subject,trial,outcome,rating\n" + rows
    said = complaint(tmp_path, text, "rating", scale=(0, 10))
    assert "rows 2-101 ('50'): lies outside" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "options", "part"),
    [
        (("choice", "chosen"), {}, "no column 'response' or 'choice' or 'y'"),
        (("drug", "drug"), {"covariates": ("drugs",)}, "did you mean 'drug'"),
        (("P2,", ","), {}, "column 'subject', row 6, row 7: is missing"),
        (("2,drug", "2,placebo"), {"covariates": ("drug",)}, "has one value only"),
        (("drug,31,2", "placebo,31,2"), {"covariates": ("drug",)}, "changes within"),
        (("trial", "age"), {}, "column 'age', row 1: the name stands twice"),
        (("31,2,1,n/a", "31,2,1"), {}, "row 3 '6 cells': has another number"),
    ],
)
def test_each_fault_is_said_with_its_place(tmp_path, change, options, part):
    said = complaint(tmp_path, GOOD.replace(*change), **options)
    assert part in said


@pytest.mark.parametrize(
    ("change", "options", "part"),
    [
        (("1,0,1\n", "1,0,1_0\n"), {}, "row 2 '1_0': is not a number"),
        (("1,0,1\n", '1,0,"1,0"\n'), {}, "row 2 '1,0': has a comma; write a point"),
        (("", ""), {"covariates": ("subject",)}, "column 'subject': names people"),
        (
            ("", ""),
            {"columns": {"response": "outcome"}},
            "column 'outcome': cannot be both the outcome and the response",
        ),
    ],
)
def test_columns_that_are_not_what_they_are_taken_for(tmp_path, change, options, part):
    assert part in complaint(tmp_path, GOOD.replace(*change), **options)


def test_an_open_quotation_mark_is_no_failure_of_ours(tmp_path):
    text = GOOD + '"P9,' + "x" * 200_000
    assert "cannot be read as a table" in complaint(tmp_path, text)


def test_outcomes_must_have_been_seen(tmp_path):
    rows = "".join(f"a,{t},n/a,1\n" for t in (1, 2))
    said = complaint(tmp_path, "subject,trial,outcome,response\n" + rows)
    assert "column 'outcome': has no value at all" in said


def test_a_code_for_missing_is_not_an_option(tmp_path):
    """99 would silently make a bandit of 99 arms."""
    rows = "".join(f"a,{t},{c},1\n" for t, c in enumerate((1, 2, 3, 99)))
    said = complaint(tmp_path, "subject,trial,choice,outcome\n" + rows, "bandit")
    assert "goes up to 99, with 4 different values" in said


def test_ratings_between_the_steps_are_refused(tmp_path):
    """On 0 to 1 with steps of 1 every rating would silently become an end."""
    text = "subject,trial,outcome,rating\na,1,0,0.25\na,2,1,1\n"
    said = complaint(tmp_path, text, "rating", scale=(0, 1, 1))
    assert "row 2 '0.25': lies between steps of 1; give the step of the scale" in said
    assert options(said) == [("--scale", "0,1,0.01"), ("--scale", "0,1,0")]
    for _, scale in options(said):
        given = tuple(map(float, scale.split(",")))
        series = load(tmp_path, text, "rating", scale=given)
        assert series.values["rating"].tolist() == [[0.25, 1.0]]


@pytest.mark.parametrize(
    ("cells", "scale", "advice"),
    [
        ("0 250 500", (0, 100, 1), "0,500,1"),
        ("-5 250 505", (0, 500, 1), "-5,505,1"),
        ("0.5 250 500.25", (0, 500, 1), "0,500.25,0.01"),
        ("0.123456 250 501", (0, 500, 1), "0,501,0"),
    ],
)
def test_scales_in_pixels_are_said_as_they_were_shown(cells, scale, advice, tmp_path):
    """The advice, followed, reads every rating as it stands."""
    rows = [f"a,{i},{i % 2},{cell}" for i, cell in enumerate(cells.split())]
    text = table("subject,trial,outcome,rating", *rows)
    said = complaint(tmp_path, text, task="rating", scale=scale)
    assert f"lies outside the scale, 0 to {scale[1]}" in said
    wider = [value for name, value in options(said) if name == "--scale"]
    assert advice in wider
    given = tuple(map(float, advice.split(",")))
    series = load(tmp_path, text, task="rating", scale=given)
    assert series.values["rating"][0].tolist() == list(map(float, cells.split()))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_line_ends_are_read(tmp_path, separator):
    path = tmp_path / "data.csv"
    text = "\ufeff" + GOOD.replace(",", separator).replace("\n", "\r\n")
    path.write_bytes(text.encode("utf-8"))
    series = load_series(path, find_task("binary"), covariates=("age",))
    assert series.present.sum() == 6 and series.num_missing["response"] == 2


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("iti", [f"{1 + 7 * i % 12 / 5}" for i in range(12)]),
        ("stim_onset", [f"{7 * i % 12 / 10}" for i in range(12)]),
        ("item_index", [str(7 * i % 12) for i in range(12)]),
        ("trials_since_reversal", [str(i % 5) for i in range(12)]),
        ("phase", ["pre"] * 6 + ["post"] * 6),
        ("volatility", ["low"] * 6 + ["high"] * 6),
        ("weekday", ["Monday"] * 12),
        ("keep", ["0", "1"] * 6),
        ("valid", ["0", "1"] * 6),
        ("run", ["1"] * 6 + ["2"] * 6),
        ("session_time", [f"{3.1 * i}" for i in range(12)]),
        ("treatment", ["drug"] * 12),
        ("cue", ["day", "night"] * 6),
        ("trial_type", ["gain", "gain", "loss"] * 4),
    ],
)
def test_columns_of_other_things_change_nothing(name, cells, tmp_path):
    rows = [f"a,{i},{cell},{i % 2},{i // 3 % 2}\n" for i, cell in enumerate(cells)]
    text = f"subject,trial,{name},outcome,response\n" + "".join(rows)
    found = load(tmp_path, text).values["response"].tolist()
    assert found == [[i // 3 % 2 for i in range(12)]]


def test_conditions_may_restart_the_belief(tmp_path):
    text = "subject,trustee,trial,outcome,response\n" + "".join(
        f"a,{who},{t},{t - 1},0\n" for t in (1, 2) for who in ("good", "bad")
    )
    assert "stands twice" in complaint(tmp_path, text)
    series = load(tmp_path, text, series_by=("trustee",), covariates=("trustee",))
    assert series.participant.tolist() == [0, 0]
    assert series.covariates["trustee"].tolist() == ["good", "bad"]


def bids(folder):
    for who, ses, drug in (("01", "a", "x"), ("01", "b", "y"), ("02", "a", "x")):
        place = folder / f"sub-{who}" / f"ses-{ses}" / "beh"
        place.mkdir(parents=True)
        stem = f"sub-{who}_ses-{ses}_task-coin_beh"
        (place / f"{stem}.tsv").write_text(
            f"trial\toutcome\tresponse\tdrug\n1\t0\t1\t{drug}\n2\t1\tn/a\t{drug}\n"
            f"3\t1\t0\t{drug}\n"
        )
    (folder / "task-coin_beh.json").write_text(
        '{"drug": {"Levels": {"x": "placebo", "y": "drug"}}}'
    )
    (folder / "participants.tsv").write_text(
        "participant_id\tage\nsub-01\t30\nsub-02\t50\n"
    )


def test_a_bids_folder_is_one_table(tmp_path):
    bids(tmp_path)
    series = load_series(tmp_path, find_task("binary"), covariates=("drug", "age"))
    assert series.participant.tolist() == [0, 0, 1]
    assert series.covariates["drug"].tolist() == ["x", "y", "x"]
    assert series.covariates["age"].tolist() == [30.0, 30.0, 50.0]


def test_runs_follow_each_other_by_number(tmp_path):
    """Without a trial column the files' order is the trials': run 10 is not before 2."""
    for run, response in ((1, 0), (2, 1), (10, 0)):
        path = tmp_path / f"sub-01_task-coin_run-{run}_beh.tsv"
        path.write_text(f"outcome\tresponse\n{response}\t{response}\n")
    (tmp_path / "task-coin_beh.json").write_text('{"response": {"Levels": null}}')
    series = load_series(tmp_path, find_task("binary"))
    assert series.values["response"].tolist() == [[0.0, 1.0, 0.0]]


def test_bids_faults_name_the_file(tmp_path):
    bids(tmp_path)
    path = tmp_path / "sub-02" / "ses-a" / "beh" / "sub-02_ses-a_task-coin_beh.tsv"
    path.write_text(path.read_text().replace("\tx", "\tz"))
    with pytest.raises(UserError) as caught:
        load_series(tmp_path, find_task("binary"), covariates=("drug",))
    said = str(caught.value)
    assert path.name in said and "none of the side-car's x, y" in said
    with pytest.raises(UserError, match="its tasks are coin"):
        load_series(tmp_path, find_task("binary"), bids_task="dice")


def test_parquet_is_read_or_said_to_need_a_package(tmp_path):
    path = tmp_path / "data.parquet"
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        path.write_bytes(b"PAR1")
        with pytest.raises(UserError, match="pip install pyarrow"):
            load_series(path, find_task("binary"))
        return
    table = {"subject": ["a", "a"], "outcome": [0, 1], "response": [1.0, None]}
    parquet.write_table(pyarrow.table(table), path)
    series = load_series(path, find_task("binary"))
    np.testing.assert_array_equal(series.values["response"], [[1.0, np.nan]])


@pytest.mark.parametrize(
    ("folder", "task", "options", "shape", "people"),
    [
        (
            "suthaharan2021_prl_paranoia",
            "bandit",
            {"series_by": ("block",)},
            (1876, 80),
            938,
        ),
        (
            "mikus2023_trustgame_sulpiride",
            "rating",
            {
                "columns": {"outcome": "backtransfer", "rating": "investment"},
                "series_by": ("trustee",),
                "covariates": ("drug", "taq1a", "trustee"),
                "scale": (0, 10),
            },
            (150, 25),
            75,
        ),
        (
            "barnby2024_attribution_haloperidol",
            "rating",
            {
                "columns": {"outcome": "partner_return", "rating": "harmful_intent"},
                "covariates": ("drug",),
                "scale": (0, 100),
            },
            (84, 18),
            28,
        ),
    ],
)
def test_published_data_sets_are_read(folder, task, options, shape, people):
    path = shared_file(folder, "trials.csv")
    series = load_series(path, find_task(task), **options)
    assert series.present.shape == shape and series.present.all()
    assert series.num_participants == people


def test_a_table_of_one_person_is_told_to_name_them(tmp_path):
    said = complaint(tmp_path, "u,y\n0,1\n1,0\n1,1\n")
    assert "if all rows are of one person, add a column with a name for them" in said
    series = load(tmp_path, "subject,u,y\na,0,1\na,1,0\na,1,1\n")
    assert series.values["outcome"].tolist() == [[0, 1, 1]]
