"""People who came back under a second id are one person each, if that is what was meant."""

import numpy as np
import pytest

from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    follow,
    load,
    options,
    table,
)


def sittings(own, person, *, more="", cells=("", ""), names=("Qa", "Qb")):
    """Two people, each of whom came twice, under a new id each time."""
    rows = [
        f"r{who}{'xy'[time]},{names[who]},{cells[time]}{t},{(t + time) % 2},{(t + who) // 3}"
        for who in range(2)
        for time in range(2)
        for t in range(5)
    ]
    return table(f"{own},{person},{more}trial,outcome,response", *rows)


@pytest.mark.parametrize(
    ("own", "person"),
    [
        ("subject", "pid"),
        ("Participant Private ID", "Participant Public ID"),
        ("participant.code", "participant.label"),
        ("participant", "worker_id"),
        ("participant", "MTurkID"),
        ("subject", "email"),
        ("participant", "VPcode"),
        ("participant", "initials"),
        ("participant_id", "patient_id"),
    ],
)
def test_two_ids_of_one_person_are_asked_about(own, person, tmp_path, capsys):
    text = sittings(own, person)
    said = both(tmp_path, capsys, text)
    assert f"column {person!r}: names 2 people, and {own!r} 4" in said
    meant = next(pair for pair in options(said) if pair[0] == "--columns")
    series, rows = follow(tmp_path, capsys, text, *meant)
    assert rows["people"] == "2" and series.participant.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(series.values["outcome"][1], [1, 0, 1, 0, 1])
    series, rows = follow(tmp_path, capsys, text, "--where", advised(said)[0])
    assert rows["people"] == "4"


def test_a_session_column_that_parts_the_sittings_is_kept(tmp_path, capsys):
    text = sittings("subject", "email", more="session,", cells=("1,", "2,"))
    said = both(tmp_path, capsys, text)
    assert "(--columns participant=email)" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", "participant=email")
    assert series.participant.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("person", "names"),
    [
        ("email", ("a", "a")),  # one address of the laboratory, in all rows
        ("email", ("", "")),
        ("study_id", ("Qa", "Qb")),
        ("version", ("Qa", "Qb")),
    ],
)
def test_columns_that_name_no_one_are_not_asked_about(person, names, tmp_path):
    text = sittings("subject", person, names=names)
    assert load(tmp_path, text).num_participants == 4
