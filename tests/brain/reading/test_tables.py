"""Tables of series: every usual dress gives the same numbers; what is doubtful is refused by line and region."""

import numpy as np
import pytest
from brain_files import write_series
from brain_series import smooth_series

from pcmodel import UserError
from pcmodel.brain.reading.tables import read_table

SERIES = smooth_series(3, 12)
NAMES = ("Vis_1", "Vis_2", "DMN_1")


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_numbers_are_read_to_the_last_digit(tmp_path, ending, scale):
    path = write_series(tmp_path / f"a.{ending}", SERIES * scale, NAMES)
    found = read_table(path)
    assert found.regions == NAMES
    np.testing.assert_array_equal(found.values.T, SERIES * scale)


@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_separators_and_no_header(tmp_path, mark):
    path = write_series(tmp_path / "a.csv", SERIES, separator=mark)
    found = read_table(path)
    assert found.regions is None
    np.testing.assert_array_equal(found.values.T, SERIES)


def test_byte_order_mark_quotes_line_ends_and_empty_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'\xef\xbb\xbf"a, left","b"\r\n1.5,2\r\n\r\n+3,-4e-3\r\n.5,1E2\r\n'
    )
    found = read_table(path)
    assert found.regions == ("a, left", "b")
    np.testing.assert_array_equal(found.values, [[1.5, 2], [3, -4e-3], [0.5, 100]])


def test_an_index_of_rows_is_no_region(tmp_path):
    """As pandas writes a frame: an index without a name, and columns that count."""
    path = tmp_path / "a.csv"
    path.write_text(",0,1\n0,1.5,2.5\n1,3.5,1.0\n2,2.0,4.0\n")
    found = read_table(path)
    assert found.regions == ("0", "1")
    np.testing.assert_array_equal(found.values, [[1.5, 2.5], [3.5, 1.0], [2.0, 4.0]])
    path.write_text(",a,b\n7,1.5,2.5\n9,3.5,1.0\n")
    with pytest.raises(UserError, match="column 1 has no name"):
        read_table(path)


def test_regions_as_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,1,2,3,5\nb,4,5,7,6\n")
    found = read_table(path, regions_first=True)
    assert found.regions == ("a", "b")
    np.testing.assert_array_equal(found.values, [[1, 4], [2, 5], [3, 7], [5, 6]])


def test_missing_cells_are_nan_for_the_checks_to_name(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("a\tb\nn/a\t1\n2\t-inf\n3\tNaN\n")
    found = read_table(path).values
    assert np.isnan(found[0, 0]) and found[1, 1] == -np.inf and np.isnan(found[2, 1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "has no rows of numbers"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells; expected 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells"),
        ("a,b\n1,2\n3,x\n", r"line 3, b: 'x' is no number"),
        ("a,b\n1,2\n1_0,3\n", r"line 3, a: '1_0' is no number"),
        ("a;b\n1,5;2,5\n", r"line 2, a: '1,5' is no number; expected numbers with a"),
        ("a,b\n1,\uff11\n", "is no number"),
        ("a,,c\n1,2,3\n4,6,6\n", "column 2 has no name"),
        ('a,"b\n1,2\n', "quotation mark|cells"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, text, said):
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError, match=said) as caught:
        read_table(path)
    assert str(caught.value).count("\n") == 0 and "a.csv" in str(caught.value)


def test_binary_content_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError, match="not UTF-8"):
        read_table(path)
