"""A user's own task: a YAML file that says what is predicted and how columns are called."""

from pathlib import Path

import pytest

from pcmodel.behaviour.dataset import find_task, kind_of
from pcmodel.behaviour.models import find_model, reference
from pcmodel.behaviour.models.catalogue import check_names, find_parameters
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import load

OWN = """like: rating
about: how likely rain is said to be
scale: [0, 100, 5]
columns:
  outcome:
    names: [rained, wet]
    about: whether it rained
  rating: [chance of rain]
"""


@pytest.fixture
def written(tmp_path):
    """A function that writes a changed task and returns its path."""

    def write(old="", new="", text=OWN):
        assert old in text
        path = tmp_path / "own.yaml"
        path.write_text(text.replace(old, new, 1) if old else text)
        return str(path)

    return write


def test_a_task_has_the_models_of_what_it_is_like_and_columns_of_its_own(written):
    task = find_task(written())
    assert (task.name, task.kind, task.response) == ("own", "rating", "rating")
    assert task.scale == (0.0, 100.0, 5.0)
    assert task.column("outcome").names[:2] == ("rained", "wet")
    assert task.column("outcome").about == "whether it rained"
    assert task.column("rating").names[0] == "chance of rain"
    shipped = find_task("rating")
    assert task.column("rating").kind == shipped.column("rating").kind
    assert find_parameters(written(), "hgf2") == find_parameters("rating", "hgf2")
    assert reference.model_rows(written()) == reference.model_rows("rating")
    assert reference.example_table(task)[0][-2:] == ("rained", "chance of rain")


def test_its_table_is_read_by_its_names(written, tmp_path):
    text = "subject,Chance of Rain,RAINED\n" + "".join(
        f"p{i % 2},{5 * i},{i % 3 % 2}\n" for i in range(12)
    )
    series = load(tmp_path, text, task=written(), scale=(0.0, 100.0, 5.0))
    assert series.values["rating"].max() == 55.0
    assert set(series.values["outcome"].ravel()) == {0.0, 1.0}


def test_a_name_that_another_column_has_by_usage_goes_to_the_one_that_is_named(written):
    """`response` is usual for the choice of a bandit; here it is the outcome."""
    task = find_task(written(text="like: bandit\ncolumns: {outcome: [response]}\n"))
    assert "response" not in task.column("choice").names
    assert "response" in task.column("outcome").names


def test_numbers_get_ends_of_their_scale(written, tmp_path):
    path = written(
        text="like: discounting\ncolumns: {amount_later: {low: 0, high: 50}}\n"
    )
    header = "subject,choice,amount_later,delay_later,amount_sooner\n"
    rows = "".join(f"p{i % 2},{i // 2 % 2},{20 + i},{i + 1},10\n" for i in range(8))
    assert load(tmp_path, header + rows, task=path).values["amount_later"].max() == 27
    with pytest.raises(UserError, match="lies outside the scale, 0 to 50"):
        load(tmp_path, header + rows + "p1,1,60,3,10\n", task=path)


WRONG = {
    "like": ("like: rating", "like: ratings", "no task is called 'ratings'"),
    "no like": ("like: rating\n", "", "does not say what it is like"),
    "entry": ("about: how", "abuot: how", "no entry of the file is called 'abuot', did you mean 'about'"),
    "column": ("outcome:", "outcomes:", "no column of the rating task is called 'outcomes'"),
    "column entry": ("names: [rained", "name: [rained", "no entry of the column is called 'name'"),
    "both": ("[rained, wet]", "[chance of rain]", "both the outcome and the rating"),
    "scale order": ("[0, 100, 5]", "[100, 0]", "low below high"),
    "scale words": ("[0, 100, 5]", "[low, high]", "an end is 'low'; expected a number"),
    "scale size": ("[0, 100, 5]", "[0]", "LOW, HIGH"),
    "scale step": ("[0, 100, 5]", "[0, 100, 0]", "a positive step"),
    "infinite": ("[0, 100, 5]", "[0, .inf]", "expected"),
    "no scale here": ("like: rating", "like: binary", "responses of the binary task have none|no column of the binary task"),
    "about": ("about: whether it rained", "about: 3", "about is 3; expected a text"),
    "yaml": ("scale: [0, 100, 5]", "scale: [0, 100", "line 4 is not YAML"),
    "twice": ("like: rating", "like: rating\nlike: binary", "like"),
    "list": (OWN, "- like\n", "the file holds no names with values"),
    "empty": (OWN, "", "the file holds no names with values"),
    "names": ("[rained, wet]", "[[rained]]", "expected a list of texts"),
    "optional": ("    about: whether it rained", "    optional: true", "cannot be left out"),
    "ends": ("    about: whether it rained", "    low: 0", "holds binary values"),
    "examples": ("    about: whether it rained", "    examples: [1, 0]", "has 2 examples; expected six"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_task_is_said_in_one_sentence(what, written):
    old, new, said = WRONG[what]
    with pytest.raises(UserError, match=said) as caught:
        find_task(written(old, new))
    assert "own.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_not_there_are_said_before_a_table_is_read(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        kind_of(str(tmp_path / "none.yaml"))
    with pytest.raises(UserError, match="no such file"):
        check_names(str(tmp_path / "none.yml"), ("hgf2",))
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    with pytest.raises(UserError, match="is a folder"):
        find_task(str(folder))
    Path(tmp_path / "bytes.yaml").write_bytes(b"like: \xff\n")
    with pytest.raises(UserError, match="is not UTF-8"):
        find_task(str(tmp_path / "bytes.yaml"))


def test_a_rating_of_an_own_task_still_needs_its_model_s_scale(written):
    with pytest.raises(UserError, match="needs its scale"):
        find_model(written(), "hgf2")
