"""Two sessions never run together unasked, whatever the column is called."""

from shlex import quote

import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    complaint,
    follow,
    load,
    table,
)

TRIALS = range(1, 6)


def trials(names, cells):
    """Rows of one person with these cells."""
    rows = [f"a,{cell},{i % 2},{i // 2 % 2}" for i, cell in enumerate(cells)]
    return table(f"subject,{names},outcome,response", *rows)


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("week", (1, 2)),
        ("wavenumber", (1, 2)),
        ("Assessment Date", ("03/04/2021", "10/04/2021")),
        ("occasion", ("a", "b")),
        ("pre_post", (0, 1)),
        ("time", ("pre", "post")),
        ("drug", ("placebo", "LSD")),
        ("done", ("04.03.2021", "11.03.2021")),
        ("when", ("Baseline", "Follow-up 1")),
        ("recorded", ("2021-03-04_10h05.22", "2021-03-11_09h12.01")),
    ],
)
@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("session", [True, False])
def test_columns_that_split_the_rows_are_asked_about(
    name, levels, restart, session, tmp_path
):
    cells = [
        f"{'1,' * session}{level},{t + (0 if restart else 5 * i)}"
        for i, level in enumerate(levels)
        for t in TRIALS
    ]
    text = trials(f"{'session,' * session}{name},trial", cells)
    said = complaint(tmp_path, text)
    assert f"column {name!r}: seems to name sessions" in said
    assert "stands twice" not in said
    option = {"series_by": (name,)} if session else {"columns": {"session": name}}
    told = f"--series {quote(name)}"
    assert (told if session else f"--columns {quote(f'session={name}')}") in said
    assert load(tmp_path, text, **option).present.shape == (2, 5)
    carried = {"columns": {"block": name}}
    if not restart or name in ("week", "wavenumber"):
        assert load(tmp_path, text, **carried).present.shape == (1, 10)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("date", [f"2021-03-04 10:00:{t:02d}" for t in range(10)]),
        ("week", [1, 2] * 5),
        ("target", ["t1", "t2"] * 5),
        ("phase", ["pre"] * 5 + ["post"] * 5),
        ("subsession.round_number", list(range(10))),
        ("session.code", ["x"] * 10),
    ],
)
def test_what_changes_from_trial_to_trial_names_no_session(name, cells, tmp_path):
    assert load(tmp_path, trials(name, cells)).present.shape == (1, 10)


def test_a_session_of_one_trial_each_is_none(tmp_path):
    text = trials("day", range(10))
    assert "column 'day': changes with every trial" in complaint(tmp_path, text)
    assert load(tmp_path, text, columns={"trial": "day"}).present.shape == (1, 10)


def test_ids_that_are_used_twice_are_asked_about(tmp_path):
    """Prevents two people of two groups with one id from becoming one person."""
    rows = [
        f"{who},{group},{trial % 2},{trial // 2}"
        for group in "ab"
        for who in (1, 2)
        for trial in range(4)
    ]
    text = table("subject,group,outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert (
        "column 'group', row 2: differs within one participant: if two people" in said
    )
    (every,) = advised(said)
    assert load(tmp_path, text, reading=Reading(where=every)).num_participants == 2


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("Sitzung", (1, 2)),
        ("Sitzungsnummer", (1, 2)),
        ("Termin", ("T1", "T2")),
        ("séance", (1, 2)),
        ("sesión", (1, 2)),
        ("sesion", (1, 2)),
        ("Erhebung", (1, 2)),
        ("Messzeitpunkt", (1, 2)),
        ("sessie", (1, 2)),
        ("seduta", ("a", "b")),
        ("Substanz", ("pla", "psi")),
        ("arm", ("pla", "psi")),
        ("phase", (1, 2)),
        ("t", (1, 2)),
    ],
)
@pytest.mark.parametrize("numbered", [True, False])
def test_sessions_in_other_languages_are_asked_about(
    name, levels, numbered, tmp_path, capsys
):
    """Trials are counted on over the sessions, or not counted."""
    cells = [
        f"{level}{f',{t + 5 * i}' * numbered}"
        for i, level in enumerate(levels)
        for t in TRIALS
    ]
    text = trials(f"{name}{',trial' * numbered}", cells)
    said = both(tmp_path, capsys, text)
    assert f"column {name!r}: seems to name sessions" in said
    series, _ = follow(tmp_path, capsys, text, "--columns", f"session={name}")
    assert series.present.shape == (2, 5)
    series, _ = follow(tmp_path, capsys, text, "--columns", f"block={name}")
    assert series.present.shape == (1, 10)


@pytest.mark.parametrize(
    ("name", "levels"), [("arm", (1, 2)), ("t", (1, 2)), ("phase", ("a", "b"))]
)
def test_what_comes_back_names_no_session(name, levels, tmp_path):
    """The arm of a bandit changes from trial to trial, and words may tell a reversal."""
    cells = list(levels) * 5 if name != "phase" else sorted([*levels] * 5)
    assert load(tmp_path, trials(name, cells)).present.shape == (1, 10)
