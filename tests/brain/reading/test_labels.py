"""Labels of regions: by name or by order, and every mismatch in a sentence."""

import pytest

from pcmodel import UserError
from pcmodel.brain.reading import read_labels

REGIONS = ("a", "b", "c")


@pytest.fixture
def table(tmp_path):
    def write(text, name="labels.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def read(path, regions=REGIONS, number=3, match=None):
    return read_labels(path, regions=regions, number=number, match=match)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("region,network\nc,DMN\na,Vis\nb,Vis\n", "labels.csv"),
        ("c,DMN\na,Vis\nb,Vis\n", "labels.csv"),
        ("c;DMN\na;Vis\nb;Vis\n", "labels.csv"),
        ("index\tname\tnetwork_label\n1\tc\tDMN\n2\ta\tVis\n3\tb\tVis\n", "labels.tsv"),
        ("Network,Label\nDMN,c\nVis,a\nVis,b\n", "labels.csv"),
    ],
)
def test_names_match_in_any_order(table, text, name):
    found = read(table(text, name))
    assert found.networks == ("Vis", "Vis", "DMN") and found.matched == "name"


def test_order_where_one_of_them_has_no_names(table):
    path = table("network\nVis\nVis\nDMN\n")
    assert read(path) == (("Vis", "Vis", "DMN"), "order")
    path = table("x,Vis\ny,Vis\nz,DMN\n")
    assert read(path, regions=None).matched == "order"
    assert read(path, match="order").networks == ("Vis", "Vis", "DMN")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a,Vis\nb,Vis\n",
            "has 2 regions and the series 3; there is no label for 'c'; expected",
        ),
        (
            "a,Vis\nb,Vis\nd,DMN\ne,DMN\n",
            "has 4 regions and the series 3; there is no label for 'c', and a label for "
            "'d', which is not in the series",
        ),
        ("a,Vis\nb,Vis\nc,DMN\na,DMN\n", "'a' stands twice, at 0 and 3"),
        ("a,Vis\nb,Vis\nc,Vis\n", "names one network only, 'Vis'"),
        ("a,Vis\nb,\nc,DMN\n", "line 2 has no network"),
        ("region,network\n", "has no rows"),
        ("", "is empty"),
        ("x,y,z\na,b,c\n", "none called network"),
    ],
)
def test_mismatches_are_refused(table, text, said):
    with pytest.raises(UserError, match=said):
        read(table(text))


def test_by_order_the_first_that_differ_are_named(table):
    path = table("a,Vis\nB,DMN\n")
    said = r"has 2 labels for 3 regions \(the first that differ: 'B' in the labels, 'b' in the series\)"
    with pytest.raises(UserError, match=said):
        read(path, match="order")
    with pytest.raises(UserError, match="has 2 labels for 3 regions;"):
        read(table("Vis\nDMN\n"))
    with pytest.raises(UserError, match="the labels name no regions"):
        read(table("network\nVis\nVis\nDMN\n"), match="name")
    with pytest.raises(UserError, match="no such file"):
        read(path.with_name("other.csv"))
