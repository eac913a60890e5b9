"""Rows that were pasted a second time are found; rows that are alike by chance are not."""

import random

import pytest

from tests.behaviour.dataset.small_tables import complaint, load, table


def run(seed, count=80, *, who="a", first=1, times=True, unit=1000):
    """Cells of one person's trials: subject, trial, outcome, response, reaction time."""
    rng = random.Random(seed)
    found = []
    for trial in range(first, first + count):
        time = round(rng.uniform(0.3, 1.2) * unit)
        cells = (rng.randint(0, 1), rng.randint(0, 1), time if times else 500)
        found.append((who, trial, *cells))
    return found


def text(rows, *, counted):
    lines = [",".join(map(str, row if counted else row[:1] + row[2:])) for row in rows]
    return table(f"subject,{'trial,' * counted}outcome,response,rt", *lines)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("who", "first"), [("a", 1), ("a", 81), ("b", 1)])
def test_a_run_pasted_twice_is_found_by_its_times(who, first, counted, tmp_path):
    rows = run(0) + run(0, who=who, first=first)
    said = complaint(tmp_path, text(rows, counted=counted))
    assert (
        "data.csv, row 82: from here to row 161 the rows repeat those from row 2"
        in said
    )
    assert "stands twice" not in said
    sound = run(0) + run(1, who=who, first=first)
    if first == 81 or who == "b" or not counted:
        assert load(tmp_path, text(sound, counted=counted)).present.sum() == 160


def test_part_of_a_run_is_enough(tmp_path):
    rows = run(0) + run(2, 10) + run(0)[20:40] + run(3, 10)
    said = complaint(tmp_path, text(rows, counted=False))
    assert "row 92: from here to row 111 the rows repeat those from row 22" in said


def test_without_times_a_long_block_tells(tmp_path):
    rows = run(0, times=False) + run(0, times=False)
    said = complaint(tmp_path, text(rows, counted=False))
    assert "row 82: from here to row 161 the rows repeat" in said
    numbered = run(0, times=False) + run(0, first=81, times=False)
    assert load(tmp_path, text(numbered, counted=True)).present.sum() == 160


def test_alike_by_chance_or_by_design_is_no_repeat(tmp_path):
    for seed in range(20):
        rows = run(seed, 200, times=False) + run(seed + 99, 200, unit=10)
        assert load(tmp_path, text(rows, counted=False)).present.sum() == 400
    # The same reversals again, and nobody errs.
    rows = [("a", 0, i // 20 % 2, i // 20 % 2, 500) for i in range(200)]
    assert load(tmp_path, text(rows, counted=False)).present.sum() == 200
    rows = [("a", 0, i // 2 % 2, 1 - i % 2, 500) for i in range(200)]
    assert load(tmp_path, text(rows, counted=False)).present.sum() == 200


def test_responses_too_late_are_no_repeat(tmp_path):
    """Two people miss the same trials of one design, and get the longest time."""
    late = [(trial, i // 3 % 2, "n/a", 1500) for i, trial in enumerate(range(81, 101))]
    slow = [(trial, i // 3 % 2, 1, 1500) for i, trial in enumerate(range(101, 121))]
    rows = []
    for seed, who in enumerate("ab"):
        rows += run(seed, who=who) + [(who, *cells) for cells in (*late, *slow)]
    assert load(tmp_path, text(rows, counted=True)).present.sum() == 240
