"""Covariates: what is missing, changes or never differs is said with advice that works."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading, find_task, understood
from tests.behaviour.dataset.small_tables import (
    both,
    complaint,
    follow,
    load,
    options,
    table,
)


def people(*values, names="age", trials=6):
    """A table with the values of one person after the other, in a row for each trial."""
    rows = [
        f"p{i},{t},{t % 2},{t // 2 % 2},{value}"
        for i, value in enumerate(values)
        for t in range(trials)
    ]
    return table(f"subject,trial,outcome,response,{names}", *rows)


@pytest.mark.parametrize("code", ["999", "age=999"])
@pytest.mark.parametrize("where", ["age != n/a", "age != 999", "age > 0", "age >= -5"])
def test_a_coded_missing_value_can_be_left_out(code, where, tmp_path):
    text = people("31", "999", "24", "55")
    missing = Reading(missing=(code,))
    said = complaint(tmp_path, text, covariates=("age",), reading=missing)
    assert "column 'age', rows 8-13: is missing, and must be known" in said
    assert options(said) == [("--where", "age != n/a")]
    reading = Reading(missing=(code,), where=where)
    series = load(tmp_path, text, covariates=("age",), reading=reading)
    assert series.covariates["age"].tolist() == [31.0, 24.0, 55.0]
    only = Reading(missing=(code,), where="age == n/a or age == 31")
    said = complaint(tmp_path, text, covariates=("age",), reading=only)
    assert "rows 8-13: is missing" in said


@pytest.mark.parametrize("name", ["age (years)", "BDI-II", "in", 'a"b', "x|y"])
def test_the_advice_to_leave_out_names_the_column_as_it_is_called(name, tmp_path):
    quoted = '"' + name.replace('"', '""') + '"'
    text = people("31", "n/a", "24", names=quoted)
    said = complaint(tmp_path, text, covariates=(name,))
    ((option, where),) = options(said)
    series = load(tmp_path, text, covariates=(name,), reading=Reading(where=where))
    assert option == "--where" and series.covariates[name].tolist() == [31.0, 24.0]


def test_a_value_known_in_other_rows_is_no_reason_to_leave_trials_out(tmp_path):
    """Prevents half of a person's trials from being left out for a cell that is known."""
    text = people("31", "", "24").replace("p2,2,0,1,24", "p2,2,0,1,")
    said = complaint(tmp_path, text, covariates=("age",))
    known, unknown = said.splitlines()[1:]
    assert "rows 8-13: is missing, and must be known" in unknown + known
    assert "row 16: is missing here and known in other rows of the series" in said
    assert "one value" not in said and "changes" not in said


def test_one_value_is_said_of_no_column_that_has_two(tmp_path):
    """The first cell of each series is not all that stands in a column."""
    rows = [
        f"p{i},{t},{t % 2},{t // 2 % 2},{'ab'[t > 1]}" for i in "12" for t in range(4)
    ]
    text = table("subject,trial,outcome,response,drug", *rows)
    said = complaint(tmp_path, text, covariates=("drug",))
    assert "changes within a series" in said and "one value" not in said
    missing = complaint(tmp_path, people("", "n/a"), covariates=("age",))
    assert "column 'age': has no value at all; fill it in, or leave it out" in missing
    assert "one value" not in missing and "--where" not in missing


def test_one_value_among_the_rows_that_are_kept_is_said_so(tmp_path):
    text = people("31", "24", "31")
    kept = Reading(where="age == 31")
    said = complaint(tmp_path, text, covariates=("age",), reading=kept)
    assert "has one value only (31), so that nothing can be said of its effect" in said
    assert (
        "leave it out of the formula, or change --where, which keeps rows of one"
        in said
    )
    said = complaint(tmp_path, people("31", "31.0"), covariates=("age",))
    assert said.endswith("leave it out of the formula")


def shared(*columns, cells):
    """Two people of one id, one after the other, who differ in the cells of some columns."""
    rows = [
        f"p{who},{t},{t % 2},{(t + who) // 2 % 2},{own}"
        for own in cells
        for who in (1, 2)
        for t in range(4)
    ]
    return table(f"subject,trial,outcome,response,{','.join(columns)}", *rows)


def test_a_shared_id_is_made_two_by_the_advice(tmp_path):
    text = shared("age", "sex", cells=("31,f", "24,m"))
    said = complaint(tmp_path, text, covariates=("age", "sex"))
    assert "column 'sex', rows 10-17 ('m'): changes within a series" in said
    assert "it does where 'age' does, of which is said what to do" in said
    advice = dict(options(said)[-2:])
    assert advice == {"--series": "age", "--columns": "participant=subject+age"}
    two = load(
        tmp_path,
        text,
        covariates=("age", "sex"),
        columns={"participant": "subject+age"},
    )
    assert two.num_participants == 4 and two.present.shape == (4, 4)
    assert two.covariates["age"].tolist() == [31.0, 31.0, 24.0, 24.0]
    assert not any("subject" in note for note in two.notes if "not used" in note)
    one = load(tmp_path, text, covariates=("age", "sex"), series_by=("age",))
    assert one.num_participants == 2 and one.present.shape == (4, 4)


def test_what_changes_to_and_fro_is_no_condition_of_a_series(tmp_path):
    rows = [f"p{i},{t},{t % 2},{t // 2 % 2},{t % 2}" for i in "12" for t in range(6)]
    text = table("subject,trial,outcome,response,cue", *rows)
    said = complaint(tmp_path, text, covariates=("cue",))
    assert "if it changes from trial to trial, leave it out of the formula" in said
    assert not options(said)


def test_a_mean_of_rounding_is_shown_as_zero(tmp_path):
    rows = [f"a,{i},{i % 2},{value}" for i, value in enumerate((-0.3, 0.1, 0.2))]
    text = table("subject,trial,outcome,rating", *rows)
    series = load(tmp_path, text, task="rating", scale=(-1, 1, 0))
    assert abs(np.mean([-0.3, 0.1, 0.2])) > 0.0
    rows = dict(understood(series, find_task("rating")))
    assert rows["rating, values"] == "-0.3 to 0.2, mean 0; 0 missing"


def test_people_who_never_responded_are_left_out_by_the_advice(tmp_path):
    rows = [
        f"{who},{t},{t % 2},{'' if who in ('x y', 'z') else t // 2 % 2}"
        for who in ("a", "x y", "b", "z")
        for t in range(4)
    ]
    text = table("subject,trial,outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert "row 9, row 17: the last row of a participant who has not one usable" in said
    ((_, where),) = options(said)
    assert load(tmp_path, text, reading=Reading(where=where)).num_participants == 2
    nobody = "\n".join(row.rsplit(",", 1)[0] + "," for row in text.splitlines()[1:])
    said = complaint(tmp_path, text.splitlines()[0] + "\n" + nobody)
    assert "column 'response': holds no usable response of anybody" in said
    assert not options(said)


def test_a_missing_value_that_every_trial_needs_is_left_out_by_the_advice(tmp_path):
    rows = [f"a,{t},{10 * t},{20 * t},{'' if t == 2 else 5}" for t in range(6)]
    text = table("subject,trial,outcome,report,sigma", *rows)
    said = complaint(tmp_path, text, task="helicopter")
    assert "column 'sigma', row 4 '': is missing, and must be known; fill it in" in said
    ((_, where),) = options(said)
    series = load(tmp_path, text, task="helicopter", reading=Reading(where=where))
    assert series.values["noise_sd"].tolist() == [[5.0] * 5]


REGION = "participant,trial,outcome,response,region\n" + "".join(
    f"p{i},{t},{t % 2},{(t + i) % 2},{region}\n"
    for i, region in enumerate(("EU", "NA", "EU", "NA", "Asia"))
    for t in range(4)
)
BY_REGION = ("--formula", "omega2 ~ region")


def test_na_is_a_label_where_it_is_listed(tmp_path, capsys):
    """North America; else its people would have to be left out."""
    said = both(tmp_path, capsys, REGION, *BY_REGION, covariates=("region",))
    assert "is missing, and must be known" in said
    assert "if NA is a label, list all of them (--codes region=Asia,EU,NA)" in said
    codes = next(option for option in options(said) if option[0] == "--codes")
    asked = {"covariates": ("region",)}
    series, rows = follow(tmp_path, capsys, REGION, *codes, *BY_REGION, **asked)
    assert series.covariates["region"].tolist() == ["EU", "NA", "EU", "NA", "Asia"]
    assert rows["region, labels"].startswith("Asia (1), EU (2), NA (2)")
    # To --where it is the label that it is, and no missing value.
    text = REGION.replace("Asia", "")
    for where, kept in (
        ("region != n/a", ["EU", "NA", "EU", "NA"]),
        ("region != n/a and region == NA or region == EU", ["EU", "NA", "EU", "NA"]),
        ("region in (NA, EU) and participant != p0", ["NA", "EU", "NA"]),
    ):
        chosen = ("--where", where, "--codes", "region=EU,NA")
        series, _ = follow(tmp_path, capsys, text, *chosen, *BY_REGION, **asked)
        assert series.covariates["region"].tolist() == kept


def test_series_by_a_label_that_is_written_na(tmp_path, capsys):
    codes = ("--codes", "region=Asia,EU,NA", "--series", "region")
    series, _ = follow(
        tmp_path, capsys, REGION, *codes, *BY_REGION, covariates=("region",)
    )
    assert series.covariates["region"].tolist() == ["EU", "NA", "EU", "NA", "Asia"]


def test_na_among_numbers_is_no_label(tmp_path):
    text = REGION.replace("EU", "21").replace("Asia", "35").replace("region", "age")
    said = complaint(tmp_path, text, covariates=("age",))
    assert "is missing, and must be known" in said and "--codes" not in said


def test_no_advice_ends_in_an_option_without_its_value(tmp_path):
    """An empty --where says nothing of what to write."""
    header = "subject,trial,outcome,response"
    rows = ("a,2,1,0", "a,1,0,1", "a,1,1,0", "a,2,0,1")
    said = complaint(tmp_path, table(header, *rows))
    assert "stands twice" in said and "(--where 'COLUMN == VALUE')" in said
