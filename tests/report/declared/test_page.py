"""A page written as text: read strictly, checked before a run, filled in after it."""

from typing import NamedTuple

import pytest

from pcmodel.errors import UserError
from pcmodel.report import Section, Table
from pcmodel.report.declared.page import parse_page
from pcmodel.report.declared.writing import check_page, write_report

PAGE = """# A coin

It fell heads in {summary.share:.0%}
of {config.flips} throws.

![Heads, in words.](heads)
Bars: **heads**.
Of {config.flips}.

## Throws

First {told}.

{texts}

{tables.throws}

{sensitivity}

## Assumptions

- The coin
  is thick.
- {texts}

## References

- Bernoulli 1713.
"""
OVERTURNED = Section("What overturns each verdict")


class Config(NamedTuple):
    flips: int = 20


class Summary(NamedTuple):
    share: float = 0.5


def check(text, **changes):
    names = {
        "figures": ["heads", "tails"],
        "tables": ["throws"],
        "words": ["told", "texts"],
        "fields": {"config": Config._fields, "summary": Summary._fields},
    }
    page = parse_page(text, where="page.md")
    check_page(page, where="page.md", **(names | changes))
    return page


def write(text):
    return write_report(
        parse_page(text, where="page.md"),
        where="page.md",
        question="Does it?",
        verdicts=(),
        values={
            "config": Config(),
            "summary": Summary(),
            "told": "words",
            "texts": ("one", "two"),
        },
        tables={"throws": Table(["n"], [[1]])},
        overturned=OVERTURNED,
    )


def test_a_page_becomes_a_report():
    check(PAGE)
    report = write(PAGE)
    assert (report.title, report.question) == ("A coin", "Does it?")
    assert report.answer == "It fell heads in 50% of 20 throws."
    assert report.key_panel.figure == "heads"
    assert report.key_panel.alt == "Heads, in words."
    assert report.key_panel.caption == "Bars: **heads**. Of 20."
    throws, overturned = report.sections
    assert throws.title == "Throws" and throws.tables[0].columns == ["n"]
    assert overturned is OVERTURNED
    assert list(throws.paragraphs) == ["First words.", "one", "two"]
    assert list(report.assumptions) == ["The coin is thick.", "one", "two"]
    assert list(report.references) == ["Bernoulli 1713."]
    assert not report.limitations


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (PAGE, "", "page.md, line 1: has no title; expected a first line '# Title'"),
        ("# A coin\n", "A coin\n", "line 1: has no title"),
        ("# A coin\n", "\n## Start\n", "line 2: has no title"),
        ("## Throws", "# Throws", "line 10: a second title '# Throws'"),
        ("## Throws", "### Throws", "line 10: '### Throws'; expected"),
        ("It fell", "It fell.\n\nIt fell", "line 1: below the title are 2 paragraphs"),
        ("Bars: **heads**.\nOf {config.flips}.", "", "line 6: is no figure with a cap"),
        ("](heads)", "] (heads)", "line 6: is no figure with a caption"),
        ("{tables.throws}\n", "{tables.throws}\n\nMore.\n", "line 18: comes too late"),
        ("{tables.throws}\n", "{tables.throws}\nMore.\n", "line 16: {tables.throws} does"),
        ("{sensitivity}\n", "{sensitivity}\n\nMore.\n", "line 20: text that belongs"),
        ("First", "- First", "line 12: a list inside a section"),
        ("- The coin", "The coin", "line 22: is no item of a list; expected '- item'"),
        ("- Bernoulli 1713.\n", "", "line 26: a list without items"),
        ("## References", "## Assumptions", "line 26: a second list 'Assumptions'"),
        ("## References", "## More", "line 26: '## More' comes after the lists"),
    ],
)  # fmt: skip
def test_what_is_no_page_names_its_line(old, new, words):
    assert old in PAGE
    with pytest.raises(UserError) as raised:
        parse_page(PAGE.replace(old, new), where="page.md")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("](heads)", "](heds)", "line 6: no figure is called 'heds', did you mean 'he"),
        ("{tables.throws}", "{tables.throw}", "line 16: no table is called 'throw'"),
        ("{told}", "{tld}", "line 12: no value is called 'tld', did you mean 'told'"),
        ("{config.flips} throws", "{config.flip}", "line 4: no field of config is call"),
        ("{summary.share:.0%}", "{summary.chare}", "line 3: no field of summary is ca"),
        ("{told}", "{told", "line 12: expected '}' before end of string"),
        ("{told}", "{}", "line 12: no value is called ''"),
        ("First {told}", "First {told} {tables.throws}", "line 12: a table stands betw"),
        ("First {told}.", "First.", "page.md: 'told' is declared and not on the page"),
        ("{tables.throws}\n", "", "page.md: 'throws' is declared and not on the page"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_found_before_the_run(old, new, words):
    assert old in PAGE
    with pytest.raises(UserError) as raised:
        check(PAGE.replace(old, new))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{config.flips} throws", "{config.flips.deep}", "page.md, line 4: there is no"),
        ("{summary.share:.0%}", "{summary.share:d}", "line 3: a float cannot be writ"),
        ("First {told}", "First {told[many]}", "line 12: there is no {told[many]}"),
        ("Of {config.flips}.", "Of {config.flips[0]}.", "line 8: there is no"),
    ],
)  # fmt: skip
def test_a_placeholder_that_cannot_be_filled_in_names_its_line(old, new, words):
    assert old in PAGE
    with pytest.raises(UserError) as raised:
        write(PAGE.replace(old, new))
    assert words in str(raised.value)


def test_lines_are_counted_as_editors_count_them():
    page = PAGE.replace("of {config", "\f\u2028of {config").replace("\n", "\r\n")
    check(page)
    with pytest.raises(UserError, match="line 12: no value is called"):
        check(page.replace("{told}", "{tld}"))


@pytest.mark.parametrize("text", ["texts", "{{texts}}"])
def test_only_a_placeholder_becomes_several_paragraphs(text):
    page = write(PAGE.replace("First {told}.", text))
    assert page.sections[0].paragraphs[0] == text.replace("{{", "{").replace("}}", "}")


def test_braces_are_written_twice():
    page = PAGE.replace("First {told}.", "A {{set}}, {told}.")
    check(page)
    assert write(page).sections[0].paragraphs[0] == "A {set}, words."


def test_several_texts_among_other_words_are_written_in_a_line():
    """Prevents a page from showing a Python list."""
    found = write(PAGE.replace("First {told}.", "First {texts}.")).sections[0]
    assert found.paragraphs[0] == "First one two."
