"""Of two columns that tell what was chosen, in other ways, the user says which is meant."""

import pytest

from tests.behaviour.dataset.small_tables import both, follow, load, options, table

STIMULI = "ABBABAABAB"
SIDES = ["left", "right"] * 5


def columns(names, *cells):
    """Rows of one person with these cells beside the outcome."""
    rows = [
        ",".join(("a", str(t), str(t // 3 % 2), *map(str, row)))
        for t, row in enumerate(zip(*cells, strict=True))
    ]
    return table(f"subject,trial,outcome,{names}", *rows)


@pytest.mark.parametrize(
    "name",
    [
        *("chosen_stim", "stim_chosen", "chosen", "selected_image", "stimulus_chosen"),
        *("picked", "chosen_option", "gewählt"),
    ],
)
@pytest.mark.parametrize("sides", [SIDES, [1, 2] * 5], ids=["words", "numbers"])
def test_what_was_chosen_beside_its_side_is_asked_about(name, sides, tmp_path, capsys):
    text = columns(f"choice,{name}", sides, STIMULI)
    said = both(tmp_path, capsys, text, task="bandit")
    assert f"column {name!r}: tells which of as many options was chosen" in said
    found = [["AB".index(stimulus) + 1 for stimulus in STIMULI]], [[1, 2] * 5]
    for option, wanted in zip(options(said)[:2], found, strict=False):
        series, _ = follow(tmp_path, capsys, text, *option, task="bandit")
        assert series.values["choice"].tolist() == wanted
    assert f"choice={name}" in said and "choice=choice" in said


@pytest.mark.parametrize(
    ("names", "one", "other"),
    [
        ("choice,chosen_stim", [1, 2] * 5, ["A", "B"] * 5),
        ("choice,chosen_side", list(STIMULI), SIDES),
        ("choice,chosen_value", [1, 2] * 5, STIMULI),
        ("choice,chosen_image", [1, 2] * 5, [f"{i}.png" for i in range(10)]),
    ],
)
def test_what_tells_the_same_or_something_else_is_not_asked_about(
    names, one, other, tmp_path
):
    text = columns(names, one, other)
    assert load(tmp_path, text, task="bandit").present.sum() == 10


@pytest.mark.parametrize("task", ["binary", "bandit"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2] * 5, [2, 2, 1, 1, 1, 2, 1, 2, 2, 1]),
        ([1, 2] * 5, [2, 1] * 5),
    ],
)
def test_a_choice_beside_a_response_is_asked_about(one, other, task, tmp_path, capsys):
    text = columns("response,choice", one, other)
    said = both(tmp_path, capsys, text, task=task)
    assert "'response' and" in said or "and 'response'" in said
    name = "response" if task == "binary" else "choice"
    for place, cells in (("response", one), ("choice", other)):
        option = ("--columns", f"{name}={place}")
        assert f"--columns {option[1]}" in said
        series, _ = follow(tmp_path, capsys, text, *option, task=task)
        wanted = [cell - (task == "binary") for cell in cells]
        assert series.values[name].tolist() == [wanted]


@pytest.mark.parametrize(
    ("names", "task"),
    [("response,choice", "binary"), ("rating,response", "rating")],
)
def test_a_choice_that_says_the_same_is_not_asked_about(names, task, tmp_path):
    other = [5, 8] * 5 if task == "binary" else [3, 1, 7, 5, 3, 1, 2, 4, 6, 8]
    text = columns(names, [0, 1] * 5, other)
    assert load(tmp_path, text, task=task).present.sum() == 10
