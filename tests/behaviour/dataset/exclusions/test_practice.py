"""Practice, exclusions and rows of nothing are asked about, whatever they are called."""

import pytest

from pcmodel.behaviour.dataset import Reading, find_task, load_series
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    complaint,
    follow,
    load,
    table,
)


def rows_of(names, cells):
    """Rows of one person with these cells beside the outcome and the response."""
    rows = [f"a,{cell},{i % 2},{i // 2 % 2}" for i, cell in enumerate(cells)]
    return table(f"subject,{names},outcome,response", *rows)


@pytest.mark.parametrize(
    ("column", "first", "later"),
    [
        ("practice_trial", ("1", "1"), "0"),
        ("Is-Practice Trial", ("yes", "yes"), "no"),
        ("Procedure[Trial]", ("PracProc", "PracProc"), "TrialProc"),
        ("Running", ("prac", "prac"), "main"),
        ("Running[Block]", ("BlockPracticeTrials",) * 2, "Block1"),
        ("Anything", ("PracticeTrials",) * 2, "Trials"),
        ("test_part", ("instr", "instr"), "test"),
        ("display", ("Practice 1", "Practice 2"), "Trial"),
        ("practice_trials.thisN", ("0", "1"), ""),
        ("PracList.Sample", ("1", "2"), "NULL"),
        ("practice_response", ("f", "j"), ""),
        ("exclude_trial", ("TRUE", "TRUE"), "FALSE"),
        ("exclusion", ("too fast", "too slow"), ""),
        ("rt_outlier", ("1", "1"), "0"),
        ("valid_trial", ("0", "0"), "1"),
        ("include", ("no", "no"), "yes"),
        ("main_trial", ("0", "0"), "1"),
        ("session", ("practice", "practice"), "1"),
        ("PracticeMode", ("On", "On"), "Off"),
        ("state", ("excluded", "excluded"), "kept"),
        ("section", ("attention_check",) * 2, "task"),
        ("Phase", ("Übung", "Übung"), "Test"),
        ("Anything", ("Uebungsdurchgang",) * 2, "Experiment"),
        ("block_name", ("Vorübung", "Probedurchgang"), "Block 1"),
        ("phase", ("entraînement",) * 2, "test"),
        ("bloc", ("Essai d’entraînement",) * 2, "Essai"),
        ("fase", ("práctica", "Práctica 2"), "prueba"),
        ("bloque", ("bloque de practica",) * 2, "bloque 1"),
        ("fase", ("oefening", "oefentrial"), "taak"),
        ("tipo", ("prova", "prova"), "sperimentale"),
        ("tipo", ("prova di pratica",) * 2, "test"),
        ("fase", ("treino", "Treinamento"), "teste"),
        ("fas", ("övning", "övning"), "test"),
        ("阶段", ("练习", "练习"), "正式"),
        ("단계", ("연습", "연습"), "본시행"),
        ("Übung", ("1", "1"), "0"),
        ("oefening", ("ja", "ja"), "nee"),
        ("essai_entrainement", ("vrai", "vrai"), "faux"),
        ("ausgeschlossen", ("1", "1"), "0"),
        ("is_bot", ("1", "1"), "0"),
        ("participant._is_bot", ("True", "True"), "False"),
        ("status", ("aborted", "timed-out"), "complete"),
        ("trial_status", ("abgebrochen",) * 2, ""),
        ("timeout", ("1", "1"), "0"),
        ("timed_out", ("TRUE", "TRUE"), "FALSE"),
        ("TrialTimedOut", ("yes", "yes"), "no"),
        ("too_slow", ("1", "1"), "0"),
        ("Finished", ("0", "0"), "1"),
        ("ended_on", ("timeout", "timeout"), "response"),
        ("keep", ("FALSE", "FALSE"), "TRUE"),
        ("use", ("0", "0"), "1"),
        ("Ausschluss", ("ja", "ja"), "nein"),
        ("Ausgeschlossen", ("ja", "ja"), "nein"),
        ("excluded", ("oui", "oui"), "non"),
        ("Ausschlussgrund", ("Abbruch", "krank"), ""),
        ("eingeschlossen", ("nein", "nein"), "ja"),
        ("is_pilot", ("1", "1"), "0"),
        ("session.is_demo", ("1", "1"), "0"),
        ("test_run", ("yes", "yes"), "no"),
        ("Status", ("Survey Preview",) * 2, "IP Address"),
        ("DistributionChannel", ("preview",) * 2, "anonymous"),
        ("mode", ("debug", "debug"), "live"),
        ("Participant Status", ("live", "live"), "complete"),
        ("consent", ("0", "0"), "1"),
        ("attention_check", ("fail", "fail"), "pass"),
        ("isTest", ("0", "0"), "1"),
        ("experimental", ("0", "0"), "1"),
        ("mode", ("train", "train"), "test"),
        ("block_type", ("Probe", "Probe"), "Experiment"),
        ("trial_kind", ("example", "example"), "real"),
        ("block", ("P", "P"), "T1"),
        ("block", ("0", "0"), "1"),
    ],
)
def test_practice_and_exclusions_of_other_names_are_asked_about(
    column, first, later, tmp_path
):
    text = rows_of(column, (*first, *[later] * 6))
    said = complaint(tmp_path, text)
    assert f"column {column!r}, row 2 {first[0]!r}" in said and "row 4" not in said
    without = [where for where in advised(said) if " or " not in where]
    every = next(where for where in advised(said) if " or " in where)
    series = load(tmp_path, text, reading=Reading(where=" and ".join(without)))
    assert series.present.sum() == 6
    assert load(tmp_path, text, reading=Reading(where=every)).present.sum() == 8


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("group", ["training"] * 8),
        ("lesson", ["after practice", "no training"] * 4),
        ("training_hours", ["3"] * 8),
        ("training_group", ["1"] * 8),
        ("phase", ["nonpractice", "post-training"] * 4),
        ("bad_outcome", ["1", "0"] * 4),
        ("practical", ["practical", "other"] * 4),
        ("excluded", ["", "0"] * 4),
        ("good", ["0", "1"] * 4),
        ("reject", ["accept", "reject"] * 4),
        ("drop", ["140", "0"] * 4),
        ("essai", ["prova 1", "prova 2"] * 4),
        ("fase", ["sans entraînement", "nach Übung"] * 4),
        ("practica_hours", ["3"] * 8),
        ("status", ["married", "single"] * 4),
        ("state", ["early", "late"] * 4),
        ("timeout", ["1", "2"] * 4),
        ("timeout", ["2.5"] * 8),
        ("robots", ["2", "3"] * 4),
        ("is_bot", ["0"] * 8),
        ("opponent_is_bot", ["1", "0"] * 4),
        ("feedback", ["too late", "won"] * 4),
        ("probe", ["1", "0"] * 4),
        ("kind", ["ProbeTrial", "probe block"] * 4),
        ("status", ["failed", "succeeded"] * 4),
        ("cue", ["Übungsplatz 1"] * 8),
        ("valid", ["1", "1", "1", "0"] * 2),
        ("block", ["0"] * 4 + ["1"] * 4),
        ("kind", ["probe", "experimental"] * 4),
        ("word", ["train", "house"] * 4),
        ("mode", ["train", "bus"] * 4),
        ("used_hint", ["0", "1"] * 4),
        ("occupation", ["pilot"] * 8),
        ("participant_status", ["complete"] * 8),
    ],
)
def test_trials_beside_practice_stay_trials(column, cells, tmp_path):
    rows = "".join(f"b,x,{i % 2},{i // 2 % 2}\n" for i in range(2))
    text = rows_of(column, cells) + (rows if column == "group" else "")
    assert load(tmp_path, text).present.sum() == 8 + 2 * (column == "group")


@pytest.mark.parametrize(
    ("column", "out", "kept"),
    [
        ("valid", "0", "1"),
        ("gültig", "nein", "ja"),
        ("Ausschluss", "ja", "nein"),
        ("Status", "Survey Preview", "IP Address"),
        ("pilot", "yes", "no"),
    ],
)
def test_people_to_be_left_out_are_asked_about(column, out, kept, tmp_path, capsys):
    rows = [
        f"{who},{out if who == 'c' else kept},{i % 2},{i // 2 % 2}"
        for who in "abc"
        for i in range(6 + ord(who) % 3)
    ]
    text = table(f"subject,{column},outcome,response", *rows)
    said = both(tmp_path, capsys, text)
    assert f"column {column!r}, rows " in said and repr(out) in said
    series, _ = follow(tmp_path, capsys, text, "--where", advised(said)[0])
    assert len(series.participant) == 2
    series, _ = follow(tmp_path, capsys, text, "--where", advised(said)[1])
    assert len(series.participant) == 3


def test_loops_of_which_one_may_be_practice_are_asked_about(tmp_path):
    cells = [*(f"{i},,0" for i in range(2)), *(f",{i},{i // 3}" for i in range(6))]
    text = rows_of("loop1.thisN,trials.thisN,k", cells)
    said = complaint(tmp_path, text)
    assert "column 'loop1.thisN', row 2: counts the trials of another loop" in said
    assert "than 'trials.thisN'" in said
    for where, count in zip(advised(said), (6, 8), strict=True):
        assert load(tmp_path, text, reading=Reading(where=where)).present.sum() == count
    other = text.replace("a,0,,0", "b,0,,0").replace("a,1,,0", "b,1,,0")
    assert load(tmp_path, other).present.sum() == 8  # of other people


def test_a_row_is_named_once_for_being_empty(tmp_path):
    rows = ["fix,a1,n/a,n/a", "go,a2,1,0", "fix,a1,n/a,n/a", "go,a2,0,1"]
    lines = [f"s,{row}" for row in rows]
    text = table("subject,type,screen,outcome,response", *lines)
    said = complaint(tmp_path, text)
    assert said.count("has neither outcome nor response") == 1


@pytest.mark.parametrize(
    ("column", "late", "other"),
    [
        ("timeout", "1", "0"),
        ("status", "aborted", "ok"),
        ("timed_out", "TRUE", "FALSE"),
    ],
)
def test_trials_without_a_response_are_not_asked_about(column, late, other, tmp_path):
    """A response that was missed is read as missing, whatever a column calls it."""
    rows = [f"a,{other},{i % 2},{i // 2 % 2}" for i in range(6)] + [
        f"a,{late},1,n/a"
    ] * 2
    text = table(f"subject,{column},outcome,response", *rows)
    series = load(tmp_path, text)
    assert series.num_missing["response"] == 2 and series.present.sum() == 8


def test_practice_in_other_languages_at_the_command_line(tmp_path, capsys):
    text = rows_of("Phase", ["Übung"] * 2 + ["Test"] * 6)
    said = both(tmp_path, capsys, text)
    assert "column 'Phase', row 2 'Übung', row 3 'Übung': is no trial" in said
    series, _ = follow(tmp_path, capsys, text, "--where", 'Phase != "Übung"')
    assert series.present.sum() == 6


def fixations(name, cells, missed=0):
    """A row of fixation before each trial, and trials that nobody responded to."""
    rows = []
    for t in range(8):
        rows.append(f"a,{2 * t},{cells[0]},n/a,n/a")
        rows.append(f"a,{2 * t + 1},{cells[1]},{t % 2},{t // 2 % 2}")
    rows += [f"a,{16 + t},{cells[1]},n/a,n/a" for t in range(missed)]
    return table(f"subject,trial,{name},outcome,response", *rows)


@pytest.mark.parametrize(
    ("name", "cells", "by"),
    [
        ("task", ("fixation", "choice"), "task"),
        ("kind", ("plus sign", "letters"), "kind"),
        ("kind", ("x", "x"), "outcome"),
    ],
)
def test_rows_without_outcome_and_response_are_asked_about(
    name, cells, by, tmp_path, capsys
):
    text = fixations(name, cells)
    said = both(tmp_path, capsys, text)
    assert (
        f"column {by!r}, rows 2, 4" in said and "neither outcome nor response" in said
    )
    without, every = advised(said)
    series, _ = follow(tmp_path, capsys, text, "--where", without)
    assert series.values["outcome"].tolist() == [[t % 2 for t in range(8)]]
    series, _ = follow(tmp_path, capsys, text, "--where", every)
    assert series.present.sum() == 16


def test_trials_that_were_missed_now_and_then_are_trials(tmp_path, capsys):
    text = fixations("task", ("fixation", "choice"), missed=2)
    only = ("--where", "task == choice")
    series, _ = follow(tmp_path, capsys, text, *only)
    assert series.present.sum() == 10
    rows = [line for line in text.splitlines() if "fixation" not in line]
    series, _ = follow(tmp_path, capsys, "\n".join(rows))
    assert series.present.sum() == 10
    # Words that cannot be read yet are something.
    words = text.replace(",0\n", ",f\n").replace(",1\n", ",j\n")
    said = both(tmp_path, capsys, words, *only)
    assert "neither outcome" not in said and "--codes response=f,j" in said


@pytest.mark.parametrize(
    ("column", "cells"),
    [("Ausschluss", ("nein", "ja")), ("valid", ("1", "0")), ("is_pilot", ("0", "1"))],
)
def test_people_to_be_left_out_of_a_folder_are_asked_about(column, cells, tmp_path):
    """The list of participants tells it, in a file of its own."""
    people = [f"sub-{i + 1:02d}\t{cells[i == 2]}" for i in range(3)]
    listed = table(f"participant_id\t{column}", *people)
    (tmp_path / "participants.tsv").write_text(listed)
    for i in range(3):
        folder = tmp_path / f"sub-{i + 1:02d}" / "beh"
        folder.mkdir(parents=True)
        rows = [f"{t}\t{(t + i) % 2}\t{t // 3 % 2}" for t in range(6 + i)]
        (folder / f"sub-{i + 1:02d}_task-a_beh.tsv").write_text(
            table("trial\toutcome\tresponse", *rows)
        )
    with pytest.raises(UserError) as caught:
        load_series(tmp_path, find_task("binary"))
    said = str(caught.value)
    assert f"column {column!r}" in said and "is to be left out" in said
    series = load_series(
        tmp_path, find_task("binary"), reading=Reading(where=advised(said)[0])
    )
    assert series.num_participants == 2
