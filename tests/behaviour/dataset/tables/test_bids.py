"""Of a BIDS folder the files of one task are read, each run once, and nothing else."""

import json
import os

import numpy as np
import pytest

from pcmodel.behaviour.dataset import (
    Reading,
    find_task,
    load_series,
    understood,
    with_judgements,
)
from pcmodel.behaviour.studies.fit import digest
from pcmodel.errors import UserError

TASK = with_judgements(find_task("binary"), ("reaction_time",))
HEADER = "trial\toutcome\tresponse\tresponse_time\n"
BODY = "1\t0\t0\t500\n2\t1\t1\t700\n3\t1\tn/a\tn/a\n"


def put(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding)
    return path


@pytest.fixture
def study(tmp_path):
    """Two people, two sessions each."""
    folder = tmp_path / "study"
    for who in ("01", "02"):
        for ses in ("1", "2"):
            stem = f"sub-{who}_ses-{ses}_task-coin_beh"
            put(folder, f"sub-{who}/ses-{ses}/beh/{stem}.tsv", HEADER + BODY)
        put(
            folder,
            f"sub-{who}/sub-{who}_sessions.tsv",
            "session_id\tdrug\nses-2\tLSD\nses-1\tplacebo\n",
        )
    text = "participant_id\tage\nsub-02\t50\nsub-01\t30\n"
    put(folder, "participants.tsv", text)
    return folder


def load(folder, **options):
    return load_series(folder, TASK, covariates=("drug", "age"), **options)


def complaint(folder, **options):
    with pytest.raises(UserError) as caught:
        load(folder, **options)
    return str(caught.value)


FIRST = "sub-01/ses-1/beh/sub-01_ses-1_task-coin_beh.tsv"


def test_sessions_and_people_are_joined_by_name(study):
    series = load(study)
    assert series.participant.tolist() == [0, 0, 1, 1]
    assert series.covariates["drug"].tolist() == ["placebo", "LSD"] * 2
    assert series.covariates["age"].tolist() == [30, 30, 50, 50]
    assert series.present.sum() == 12
    np.testing.assert_allclose(series.values["reaction_time"][0], [0.5, 0.7, np.nan])


@pytest.mark.parametrize(
    "place",
    ["derivatives/clean/", "sourcedata/", "code/", ".git/annex/", ".old/", "backup/"],
)
def test_copies_elsewhere_are_not_read(place, study):
    before = digest(study)
    put(study, place + FIRST, HEADER + BODY)
    put(study, "sub-01/ses-1/beh/notes.txt", "nothing")
    assert load(study).present.sum() == 12
    assert digest(study) == before


def test_the_digest_is_of_what_is_read(study):
    found = {digest(study)}
    changes = (
        lambda: put(study, FIRST, HEADER + BODY.replace("500", "501")),
        lambda: put(study, "task-coin_beh.json", "{}"),
        lambda: put(study, "participants.tsv", "participant_id\tage\n01\t3\n02\t5\n"),
        lambda: put(study, "sub-01/sub-01_sessions.tsv", "session_id\n1\n2\n"),
        lambda: (study / "sub-02").rename(study / "sub-03"),
    )
    for i, change in enumerate(changes[:4], 2):
        change()
        found.add(digest(study))
        assert len(found) == i
    put(study, "runs/report.html", "a page")
    assert digest(study) in found


def test_one_run_in_two_files_is_refused_or_chosen(study):
    events = FIRST.replace("_beh.tsv", "_events.tsv")
    put(study, events, HEADER + BODY.replace("1\t1\t700", "1\t0\t900"))
    said = complaint(study)
    assert "is of the same run as sub-01_ses-1_task-coin_beh.tsv" in said
    assert "--bids-suffix" in said
    assert load(study, reading=Reading(bids_suffix="beh")).present.sum() == 12
    put(study, FIRST.replace("_beh", "_acq-b_beh"), HEADER + BODY)
    assert "move the other" in complaint(study, reading=Reading(bids_suffix="beh"))


@pytest.mark.parametrize("lost", ["response", "response_time", "trial", "outcome"])
def test_a_column_that_one_file_lacks_is_not_missing(lost, study):
    put(study, FIRST, HEADER.replace(lost, "other", 1) + BODY)
    if lost == "response":
        put(study, FIRST, HEADER.replace("response\t", "other\t") + BODY)
    said = complaint(study)
    assert (
        f"sub-01_ses-1_task-coin_beh.tsv, column {lost!r}, row 1: has no such" in said
    )


def test_files_that_name_a_column_differently_are_refused(study):
    put(study, FIRST, HEADER.replace("response_time", "RT") + BODY)
    said = complaint(study)
    assert "sub-02_ses-2_task-coin_beh.tsv, column 'RT', row 1: has no such" in said


def test_a_missing_cell_is_blamed_on_its_own_file(study):
    put(study, "participants.tsv", "participant_id\tage\nsub-02\tn/a\nsub-01\t30\n")
    assert "participants.tsv, column 'age', row 2" in complaint(study)
    put(study, "participants.tsv", "participant_id\tage\nsub-02\t5\nsub-01\t30\n")
    put(study, "sub-02/sub-02_sessions.tsv", "session_id\tdrug\n1\tn/a\n2\tLSD\n")
    assert "sub-02_sessions.tsv, column 'drug', row 2" in complaint(study)
    put(study, "sub-02/sub-02_sessions.tsv", "session_id\tdrug\n01\tplacebo\n2\tLSD\n")
    assert "ses-1 has data but no row here (there is ses-01" in complaint(study)
    put(study, "sub-02/sub-02_sessions.tsv", "session_id\tdrug\n1\tplacebo\n2\tLSD\n")
    put(study, "participants.tsv", "participant_id\tage\nsub-2\t5\nsub-01\t30\n")
    assert "sub-02 has data but no row here" in complaint(study)


def test_people_and_sessions_without_a_row_are_named(study):
    """With no label like them in the file either."""
    put(study, "participants.tsv", "participant_id\tage\nsub-01\t30\n")
    assert "sub-02 has data but no row here" in complaint(study)
    put(study, "participants.tsv", "participant_id\tage\nsub-02\t5\nsub-01\t30\n")
    put(study, "sub-02/sub-02_sessions.tsv", "session_id\tdrug\nses-2\tLSD\n")
    assert "ses-1 has data but no row here" in complaint(study)


def test_a_column_in_two_files_says_the_same_in_both(study):
    """Whichever file were believed, the other would be passed over without a word."""
    for who, age in (("01", "30"), ("02", "50.0")):
        for ses in ("1", "2"):
            name = f"sub-{who}/ses-{ses}/beh/sub-{who}_ses-{ses}_task-coin_beh.tsv"
            rows = [f"{line}\t{age}" for line in BODY.strip().split("\n")]
            put(study, name, HEADER.strip() + "\tage\n" + "\n".join(rows) + "\n")
    assert load(study).covariates["age"].tolist() == [30, 30, 50, 50]
    people = "participant_id\tage\tsex\nsub-02\t51\tf\nsub-01\t30\tm\n"
    put(study, "participants.tsv", people)
    said = complaint(study)
    assert "is '51' in participants.tsv" in said and "sub-02" in said
    assert "sub-01" not in said
    # Nothing is made of a column that is not used.
    load_series(study, TASK, covariates=("drug",))


def test_a_session_s_column_among_the_trials_says_the_same(study):
    rows = [f"{line}\tketamine" for line in BODY.strip().split("\n")]
    for who in ("01", "02"):
        for ses in ("1", "2"):
            name = f"sub-{who}/ses-{ses}/beh/sub-{who}_ses-{ses}_task-coin_beh.tsv"
            put(study, name, HEADER.strip() + "\tdrug\n" + "\n".join(rows) + "\n")
    assert "is 'LSD' in sub-*_sessions.tsv" in complaint(study)


@pytest.mark.parametrize("name", [FIRST, "participants.tsv", "task-coin_beh.json"])
def test_links_to_nothing_folders_and_pipes_are_said(name, study):
    path = study / name
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere.tsv")
    said = complaint(study)
    assert path.name in said and "link to a file that is not there" in said
    path.unlink()
    path.mkdir()
    assert f"{path.name}: is a folder" in complaint(study)
    path.rmdir()
    os.mkfifo(path)
    assert "neither a file nor a folder" in complaint(study)


def test_sidecars_say_levels_and_units(study):
    about = {
        "response": {"Levels": {"win": "a coin was won", "loss": "nothing"}},
        "response_time": {"Units": "ms"},
    }
    sidecar = put(study, "task-coin_beh.json", json.dumps(about), "utf-8-sig")
    for path in study.rglob("*_beh.tsv"):
        text = BODY.replace("0\t0\t500", "0\tloss\t500").replace("\t1\t7", "\twin\t7")
        path.write_text(HEADER + text)
    series = load(study)
    np.testing.assert_array_equal(series.values["response"][0], [0, 1, np.nan])
    sidecar.write_text(sidecar.read_text("utf-8-sig").replace('"ms"', '"s"'))
    assert "has a median of 600 s" in complaint(study)
    sidecar.write_text('{"a": 1, "a": 2}')
    assert "task-coin_beh.json: has the key 'a' twice" in complaint(study)
    sidecar.write_text("[" * 100_000)
    assert "task-coin_beh.json: is not JSON" in complaint(study)


def test_a_file_in_the_wrong_folder_is_refused(study):
    put(study, FIRST.replace("sub-01_", "sub-03_"), HEADER + BODY)
    assert "lies in the folder sub-01" in complaint(study)


def test_a_column_that_denies_the_name_of_its_file_is_refused(study):
    body = "".join(f"sub-0{i}\t{row}\n" for i, row in enumerate(BODY.split("\n")[:3]))
    put(study, FIRST, "Subject\t" + HEADER + body)
    said = complaint(study)
    assert "column 'Subject', row 2 'sub-00', row 4 'sub-02': is not the sub-01" in said
    put(
        study,
        FIRST,
        "Subject\t" + HEADER + body.replace("00\t", "1\t").replace("02\t", "01\t"),
    )
    assert load(study).participant.tolist() == [0, 0, 1, 1]


def say(folder, name, **columns):
    return put(folder, name, json.dumps(columns))


def test_the_order_of_levels_decides_nothing(study):
    """Listed first, a win would count as 0: every effect of reward with the wrong sign."""
    for path in study.rglob("*_beh.tsv"):
        path.write_text(path.read_text().replace("\t0\t0", "\t0\tA"))
        path.write_text(path.read_text().replace("\t1\t1", "\t1\tB"))
    response = {"A": "win", "B": "loss"}
    for levels in (response, dict(reversed(response.items()))):
        say(study, "task-coin_beh.json", response={"Levels": levels})
        np.testing.assert_array_equal(load(study).values["response"][0], [1, 0, np.nan])
    for levels in (["A", "B"], {"A": "left", "B": "right"}, {"A": "", "B": ""}):
        say(study, "task-coin_beh.json", response={"Levels": levels})
        said = complaint(study)
        assert "column 'response'" in said and "--codes response=A,B" in said
        codes = Reading(codes={"response": ("B", "A")})
        found = load(study, reading=codes).values["response"][0]
        np.testing.assert_array_equal(found, [1, 0, np.nan])


def test_numbers_whose_meaning_contradicts_their_size_are_asked_about(study):
    say(study, "task-coin_beh.json", outcome={"Levels": {"1": "loss", "0": "win"}})
    said = complaint(study)
    assert "'1' counts as 1 and '0' as 0, but by the side-car they are 'loss'" in said
    assert "--codes outcome=1,0 or --codes outcome=0,1" in said
    codes = Reading(codes={"outcome": ("1", "0")})
    assert load(study, reading=codes).values["outcome"][0].tolist() == [1, 0, 0]
    say(study, "task-coin_beh.json", outcome={"Levels": {"1": "win", "0": "loss"}})
    assert load(study).values["outcome"][0].tolist() == [0, 1, 1]


def test_side_cars_that_contradict_each_other_are_refused(study):
    """The last file's would be taken for all: wins for losses."""
    one, other = {"0": "a", "1": "b"}, {"0": "b", "1": "a"}
    say(study, "sub-01_task-coin_beh.json", outcome={"Levels": one})
    say(study, "sub-02_task-coin_beh.json", outcome={"Levels": other})
    said = complaint(study)
    assert "column 'outcome': has other Levels in sub-01_task-coin_beh.json" in said
    assert "than in sub-02_task-coin_beh.json" in said
    settled = Reading(codes={"outcome": ("0", "1")})
    assert load(study, reading=settled).values["outcome"][0].tolist() == [0, 1, 1]
    # Of a column that is not used nothing is asked, and the same twice is no contradiction.
    unused = {"outcome": {"Levels": one}, "remark": {"Levels": one}}
    say(study, "sub-01_task-coin_beh.json", **unused)
    say(study, "sub-02_task-coin_beh.json", **unused | {"remark": {"Levels": other}})
    load(study)


def test_advice_on_contradictions_names_only_options_that_exist(study):
    for who, unit in (("01", "percent"), ("02", "1")):
        told = {"outcome": {"Units": unit}}
        say(study, f"sub-{who}_task-coin_beh.json", **told)
    said = complaint(study)
    assert "column 'outcome': has other Units" in said and "--units" not in said
    say(study, "sub-01_task-coin_beh.json", drug={"Levels": ["LSD"]})
    say(study, "sub-02_task-coin_beh.json", drug={"Levels": ["placebo", "LSD"]})
    assert "(--codes drug=LSD,placebo)" in complaint(study)


def test_advice_on_words_with_spaces_can_be_pasted(study):
    levels = {"left key": "", "right key": ""}
    say(study, "task-coin_beh.json", response={"Levels": levels})
    assert "--codes 'response=right key,left key'" in complaint(study)


def test_the_nearest_side_car_replaces_what_those_above_say_of_a_column(study):
    say(study, "task-coin_beh.json", response_time={"Units": "s"}, trial={"Units": "1"})
    for who in ("01", "02"):
        say(study, f"sub-{who}/sub-{who}_beh.json", response_time={"Units": "ms"})
    np.testing.assert_allclose(
        load(study).values["reaction_time"][0], [0.5, 0.7, np.nan]
    )
    # Of another suffix, entity or person it says nothing.
    for name in ("task-coin_events.json", "task-dots_beh.json", "sub-03_beh.json"):
        say(study, name, response_time={"Units": "min"})
    load(study)
    say(study, "beh.json", response_time={"Units": "ms"})
    assert (
        "task-coin_beh.json: says another thing of 'response_time' than beh.json"
        in (complaint(study))
    )


@pytest.mark.parametrize(
    ("where", "series"),
    [
        ("participant_id != 01", 2),
        ("participant_id in (02)", 2),
        ("session != 1", 2),
        ("not_read == 1 and session == 2", None),
        ("session == 2 or participant_id == 02", 3),
        ("file != sub-01_ses-1_task-coin_beh.tsv and trial < 3", 3),
    ],
)
def test_a_condition_leaves_out_a_file_that_cannot_be_read(where, series, study):
    """By participant, session or file: nobody has to delete a file to leave it out."""
    before = digest(study, where=where)
    put(study, FIRST, HEADER + "1\t0\n")
    if series is None:
        assert "no column is called 'not_read'" in complaint(
            study, reading=Reading(where=where)
        )
        return
    assert "another number of cells" in complaint(study)
    task = find_task("binary")
    options = {"reading": Reading(where=where), "covariates": ()}
    assert len(load_series(study, task, **options).participant) == series
    assert digest(study, where=where) == before
    # A file of somebody else's in this folder, and one with a run twice, as well.
    (study / FIRST).unlink()
    (study / FIRST).symlink_to("nowhere.tsv")
    assert len(load_series(study, task, **options).participant) == series


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ("session == 2 or trial < 3", "another number of cells"),
        ("participant_id != 03", "with '03', but it holds '01', '02'"),
        ("participant_id == 01 and session == 3", "with '3', but it holds '1', '2'"),
        ("participant_id == 01 and participant_id == 02", "keeps no file"),
        ("file != sub-03.tsv", "but it holds 'sub-01_ses-1_task-coin_beh.tsv'"),
        ("participant_id !! 01", "cannot be read"),
    ],
)
def test_a_condition_that_may_keep_a_row_leaves_no_file_out(where, part, study):
    put(study, FIRST, HEADER + "1\t0\n")
    assert part in complaint(study, reading=Reading(where=where))


def test_people_who_are_left_out_need_no_row_elsewhere(study):
    (study / "sub-01" / "sub-01_sessions.tsv").unlink()
    put(study, "participants.tsv", "participant_id\tage\nsub-02\t50\n")
    assert "sub-01 has data but no row here" in complaint(study)
    put(study, "participants.tsv", "participant_id\tage\nsub-02\t5\nsub-01\t3\n")
    said = complaint(study)
    assert "sub-01_sessions.tsv, column 'drug': there is no such file" in said
    reading = Reading(where="participant_id != 01")
    put(study, "participants.tsv", "participant_id\tage\nsub-02\t50\n")
    series = load_series(study, TASK, covariates=("drug",), reading=reading)
    assert series.covariates["drug"].tolist() == ["placebo", "LSD"]


def test_numbers_that_a_side_car_lists_are_noted(study):
    """A site coded 1, 2, 3 would have a slope; the formula decides, and check tells."""
    say(study, "participants.json", age={"Levels": {"30": "young", "50": "old"}})
    rows = dict(understood(load(study), TASK))
    assert rows["age, numbers"] == "30 (2), 50 (2) (series)"
    assert "lists them (30: young, 50: old); C(age) in the" in rows["age, taken for"]
    say(study, "participants.json", age={"Units": "years"})
    assert "age, taken for" not in dict(understood(load(study), TASK))
