"""Who lacks a row or a file in a BIDS folder is left out by the advice."""

import gzip
import json

import pytest

from pcmodel.behaviour.dataset import Reading, find_task, load_series
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import advised, check, options

BINARY = find_task("binary")
BEH = "trial\toutcome\tresponse\n" + "".join(f"{t}\t{t % 2}\t0\n" for t in range(4))


@pytest.fixture
def study(tmp_path):
    """Three people, two sessions each."""
    for who in ("01", "02", "03"):
        for ses in "12":
            folder = tmp_path / f"sub-{who}" / f"ses-{ses}" / "beh"
            folder.mkdir(parents=True)
            (folder / f"sub-{who}_ses-{ses}_task-coin_beh.tsv").write_text(BEH)
        file = tmp_path / f"sub-{who}" / f"sub-{who}_sessions.tsv"
        file.write_text("session_id\tdrug\nses-1\tnone\nses-2\tLSD\n")
    people(tmp_path, "31", "24", "55")
    return tmp_path


def people(folder, *ages, group="abc"):
    rows = [
        f"sub-0{i + 1}\t{x}\t{g}\n"
        for i, (x, g) in enumerate(zip(ages, group, strict=False))
    ]
    (folder / "participants.tsv").write_text(
        "participant_id\tage\tgroup\n" + "".join(rows)
    )


def load(folder, *covariates, **reading):
    return load_series(
        folder, BINARY, covariates=covariates, reading=Reading(**reading)
    )


def complaint(folder, *covariates, **reading):
    with pytest.raises(UserError) as caught:
        load(folder, *covariates, **reading)
    return str(caught.value)


def test_a_person_without_a_row_is_left_out_by_the_advice(study):
    people(study, "31", "24")
    said = complaint(study, "age")
    assert "sub-03 has data but no row here; add one, or leave the person out" in said
    (where,) = advised(said)
    series = load(study, "age", where=where)
    assert series.covariates["age"].tolist() == [31.0, 31.0, 24.0, 24.0]


def test_a_person_without_a_file_of_sessions_is_left_out_by_the_advice(study):
    (study / "sub-02" / "sub-02_sessions.tsv").unlink()
    said = complaint(study, "drug")
    assert "sub-02_sessions.tsv, column 'drug': there is no such file" in said
    (where,) = advised(said)
    assert load(study, "drug", where=where).num_participants == 2


@pytest.mark.parametrize("cell", ["n/a", "999", ""])
def test_a_person_without_a_value_is_left_out_by_the_advice(study, cell):
    people(study, "31", cell, "55")
    missing = ("age=999",) if cell == "999" else ()
    said = complaint(study, "age", missing=missing)
    assert (
        "participants.tsv, column 'age', row 3: is missing, and must be known" in said
    )
    (where,) = advised(said)
    series = load(study, "age", missing=missing, where=where)
    assert series.covariates["age"].tolist() == [31.0, 31.0, 55.0, 55.0]


def test_a_label_that_a_side_car_does_not_list_is_left_out_or_listed(study):
    levels = {"group": {"Levels": {"a": "one", "b": "other"}}}
    (study / "participants.json").write_text(json.dumps(levels))
    said = complaint(study, "group")
    assert "row 4 'c': is none of the side-car's a, b; correct it" in said
    (_, where), (_, codes) = options(said)
    assert load(study, "group", where=where).num_participants == 2
    listed = {"group": tuple(codes.removeprefix("group=").split(","))}
    found = load(study, "group", codes=listed).covariates["group"]
    assert found.tolist() == ["a", "a", "b", "b", "c", "c"]


def test_a_session_without_a_row_is_left_out_by_the_advice(study):
    file = study / "sub-02" / "sub-02_sessions.tsv"
    file.write_text("session_id\tdrug\nses-1\tnone\n")
    said = complaint(study, "drug")
    assert "sub-02_sessions.tsv" in said and "ses-2 has data but no row here" in said
    (where,) = advised(said)
    series = load(study, "drug", where=where)
    assert series.covariates["drug"].tolist() == ["none", "LSD", "none", "none", "LSD"]


def put_away(study, ending):
    """One run under another ending."""
    own = study / "sub-02" / "ses-2" / "beh" / "sub-02_ses-2_task-coin_beh.tsv"
    other = own.with_suffix(ending)
    if ending == ".tsv.gz":
        other.write_bytes(gzip.compress(own.read_bytes()))
    else:
        other.write_bytes(own.read_bytes())
    own.unlink()
    return own, other


@pytest.mark.parametrize("ending", [".tsv.gz", ".csv", ".TSV", ".xlsx", ".txt"])
def test_a_run_of_another_ending_is_not_passed_over(ending, study, capsys):
    """Its person would silently have one session less."""
    own, other = put_away(study, ending)
    said = complaint(study)
    assert other.name in said and "of a BIDS folder only .tsv is read" in said
    assert ("gunzip" in said) == (ending == ".tsv.gz")
    assert (f"expected {own.name} in its place" in said) == (ending != ".tsv.gz")
    code, _, printed = check(capsys, study, "--series", "session")
    assert code == 2 and "".join(said.split()) in "".join(printed.split())
    # Left out by what its name says, beside another, or unpacked, it is no trouble.
    assert len(load(study, where="participant_id != 02 or session != 2").present) == 5
    own.write_text(BEH)
    assert len(load(study).present) == 6
    other.unlink()
    assert len(load(study).present) == 6


def test_a_folder_of_packed_runs_alone_says_so(study):
    for file in study.rglob("*_beh.tsv"):
        file.with_suffix(".tsv.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert "(gunzip sub-01_ses-1_task-coin_beh.tsv.gz)" in complaint(study)


def test_files_beside_the_tables_are_none(study):
    folder = study / "sub-02" / "ses-2" / "beh"
    for ending in (".json", ".log", ".png"):
        (folder / f"sub-02_ses-2_task-coin_run-9_beh{ending}").write_text("{}")
    (folder / "sub-02_ses-2_task-coin_physio.tsv.gz").write_bytes(b"")
    assert len(load(study).present) == 6
