"""Configuration files and the lines of what stands in them."""

import pytest

from pcmodel.errors import UserError
from pcmodel.inputs.configurations import read_configuration, read_with_lines

TEXT = """\
# a comment
first: 1_0
second:
  - a: 1
  - b: {c: 2,
        d: 3}
third: no
"""


def test_every_entry_has_the_line_on_which_it_stands(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text(TEXT)
    content, lines = read_with_lines(path)
    assert content == read_configuration(path)
    assert content == {
        "first": "1_0",
        "second": [{"a": 1}, {"b": {"c": 2, "d": 3}}],
        "third": "no",
    }
    assert lines[("first",)] == 2 and lines[("third",)] == 7
    assert lines[("second", 0)] == 4 and lines[("second", 1, "b", "d")] == 6


def test_an_empty_file_has_no_lines(tmp_path):
    path = tmp_path / "none.yaml"
    path.write_text("")
    assert read_with_lines(path) == (None, {})


def test_ambiguous_files_are_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("a: 1\na: 2\n")
    with pytest.raises(UserError, match="twice"):
        read_with_lines(path)
    path.write_text("a: &x [1]\nb: " + str(["*x"] * 30).replace("'", "") + "\n")
    with pytest.raises(UserError, match="aliases"):
        read_with_lines(path)
