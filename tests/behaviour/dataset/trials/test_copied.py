"""A file that stands under two names is no second person."""

import random
import shutil

import pytest

from pcmodel.behaviour.dataset import Reading, find_task, load_series
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import advised, complaint, load, table


def rows_of(who, seed, trials, cells=("0", "1")):
    rng, shown = random.Random(seed), random.Random(0)
    return [
        f"{who},{t},{shown.randrange(2)},{rng.choice(cells)}" for t in range(trials)
    ]


HEADER = "subject,trial,outcome,response"


@pytest.mark.parametrize("header", [HEADER, "subject,number,outcome,response"])
def test_two_people_of_the_same_responses_are_asked_about(header, tmp_path):
    rows = [*rows_of("a", 1, 50), *rows_of("b", 2, 50), *rows_of("c", 1, 50)]
    text = table(header, *rows)
    said = complaint(tmp_path, text)
    assert "column 'subject', row 102 'c': all 50 outcomes and responses" in said
    assert "those from row 2 of data.csv on" in said
    without, both = advised(said)
    assert load(tmp_path, text, reading=Reading(where=without)).num_participants == 2
    assert load(tmp_path, text, reading=Reading(where=both)).num_participants == 3


def test_a_session_that_is_another_again(tmp_path):
    rows = [f"{row},1" for row in rows_of("a", 1, 60)]
    rows += [f"{row},2" for row in rows_of("a", 1, 60)]
    rows += [f"{row},{s}" for s in (1, 2) for row in rows_of("b", 2 + s, 60)]
    text = table(f"{HEADER},session", *rows)
    without, both = advised(complaint(tmp_path, text))
    series = load(tmp_path, text, reading=Reading(where=without))
    assert series.present.shape == (3, 60)
    assert load(tmp_path, text, reading=Reading(where=both)).present.shape == (4, 60)


@pytest.mark.parametrize(
    ("trials", "cells"), [(12, ("0", "1")), (100, ("1",) * 50 + ("0",))]
)
def test_people_who_agree_by_chance_are_two(trials, cells, tmp_path):
    """Few trials, or many in which next to everybody chose the same."""
    people = [rows_of(who, who == "c", trials, cells) for who in "abc"]
    text = table(HEADER, *(row for own in people for row in own))
    assert load(tmp_path, text).num_participants == 3


def test_a_file_of_a_bids_folder_that_was_copied(tmp_path):
    for who, seed in (("01", 1), ("02", 2)):
        lines = [row.split(",", 1)[1] for row in rows_of(who, seed, 60)]
        lines = ["trial,outcome,response", *lines]
        text = "\n".join(lines).replace(",", "\t")
        (tmp_path / f"sub-{who}_task-two_beh.tsv").write_text(text)
    own = tmp_path / "sub-01_task-two_beh.tsv"
    assert load_series(tmp_path, find_task("binary")).num_participants == 2
    shutil.copy(own, tmp_path / "sub-03_task-two_beh.tsv")
    with pytest.raises(UserError, match="one file under two names") as caught:
        load_series(tmp_path, find_task("binary"))
    without, _ = advised(str(caught.value))
    reading = Reading(where=without)
    kept = load_series(tmp_path, find_task("binary"), reading=reading)
    assert kept.num_participants == 2
