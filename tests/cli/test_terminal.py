"""Marks of a report are left out in a terminal, and names stay as they are."""

from pcmodel.cli import terminal


def test_names_of_columns_are_printed_as_they_are(capsys):
    rows = [("omega2 ~ I(age ** 2)", "I(age ** 2), centred on 900; np.log(`a b`)[x]")]
    terminal.print_understood(rows)
    printed = " ".join(capsys.readouterr().out.split())
    assert "omega2 ~ I(age ** 2)" in printed
    assert "np.log(`a b`)[x]" in printed.replace("` a", "`a")


def test_only_marks_are_left_out():
    """Prevents a power from being lost with them."""
    text = "**Yes**: omega2[I(age ** 2)] and omega2[I(dose ** 2)] by `pcmodel fit`"
    expected = "Yes: omega2[I(age ** 2)] and omega2[I(dose ** 2)] by pcmodel fit"
    assert terminal._plain(text).replace("\\[", "[") == expected
