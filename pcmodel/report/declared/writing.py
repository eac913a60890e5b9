"""A page's placeholders: checked before a run, filled in after it."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pcmodel.errors import UserError, unknown_name
from pcmodel.report.content import Panel, Report, Section, Table, Verdict
from pcmodel.report.declared.page import Figure, Page, PageSection, Text
from pcmodel.report.declared.placeholders import fill, placeholders

ALONE = re.compile(r"\{(?P<name>\w+)\}")
"""A paragraph or an item that is one placeholder."""


def check_page(
    page: Page,
    *,
    where: str,
    figures: Collection[str],
    tables: Collection[str],
    words: Collection[str],
    fields: Mapping[str, Collection[str] | None],
) -> None:
    """Raise UserError, naming the line, for a name on the page that is not declared.

    figures: names of the declared figures.
    tables: names of the declared tables.
    words: names of the declared words.
    fields: names of the other values that placeholders may read, with their fields (None: not known).
    Tables and words that the page does not use are refused as well.
    """
    for kind, named, known in (
        ("figure", page.figures, figures),
        ("table", page.tables, tables),
    ):
        for each in named:
            if each.name not in known:
                at = f"{where}, line {each.number}"
                raise unknown_name(kind, each.name, known, where=at)
    used = {each.name for each in page.tables}
    for text in page.texts:
        used |= _check_text(text, where, {**fields, **dict.fromkeys(words)})
    for name in (*tables, *words):
        if name not in used:
            raise UserError(f"{name!r} is declared and not on the page", where=where)


def _check_text(
    text: Text, where: str, known: Mapping[str, Collection[str] | None]
) -> set[str]:
    """The names that a text uses."""
    used = set()
    for number, line in enumerate(text.lines, start=text.number):
        at = f"{where}, line {number}"
        for name, *attribute in placeholders(line, where=at):
            if name == "tables":
                raise UserError("a table stands between empty lines", where=at)
            if name not in known:
                raise unknown_name("value", name, known, where=at)
            fields = known[name]
            if attribute and fields is not None and attribute[0] not in fields:
                raise unknown_name(f"field of {name}", attribute[0], fields, where=at)
            used.add(name)
    return used


def write_report(
    page: Page,
    *,
    where: str,
    question: str,
    verdicts: tuple[Verdict, ...],
    values: dict[str, Any],
    tables: Mapping[str, Table],
    overturned: Section,
) -> Report:
    """The report of a page.

    values: of placeholders, by name; a text replaces its placeholder, and a sequence of texts whose
        placeholder is alone in its paragraph or item becomes several of them.
    overturned: the section in the place of "{sensitivity}".
    """
    writer = _Writer(where, values)

    def section(written: PageSection) -> Section:
        if written.is_sensitivity:
            return overturned
        return Section(
            writer.one(written.title),
            writer.several(written.paragraphs),
            [writer.panel(each) for each in written.figures],
            [tables[each.name] for each in written.tables],
        )

    lists = {name: writer.several(items) for name, items in page.lists.items()}
    return Report(
        title=writer.one(page.head.title),
        question=question,
        answer=writer.one(page.head.paragraphs[0]),
        verdicts=verdicts,
        key_panel=next(map(writer.panel, page.head.figures), None),
        sections=[section(each) for each in page.sections],
        assumptions=lists.get("Assumptions", ()),
        limitations=lists.get("Limitations", ()),
        references=lists.get("References", ()),
    )


class _Writer:
    """Fills in placeholders line by line, so that an error can name the line."""

    def __init__(self, where: str, values: dict[str, Any]):
        self.where, self.values = where, values
        self.inline = {name: _in_a_line(value) for name, value in values.items()}

    def one(self, text: Text) -> str:
        """The text as one line."""
        lines = enumerate(text.lines, start=text.number)
        return " ".join(
            fill(line, self.inline, where=f"{self.where}, line {number}")
            for number, line in lines
        )

    def several(self, texts: Collection[Text]) -> list[str]:
        """Each text as one line, or as several where it is one placeholder of a sequence of texts."""
        found: list[str] = []
        for text in texts:
            alone = ALONE.fullmatch(" ".join(text.lines))
            value = self.values.get(alone["name"]) if alone else None
            if isinstance(value, tuple | list):
                found += value
            else:
                found.append(self.one(text))
        return found

    def panel(self, figure: Figure) -> Panel:
        """A figure with its caption and alternative text."""
        return Panel(figure.name, self.one(figure.caption), self.one(figure.alt))


def _in_a_line(value: Any) -> Any:
    """A sequence of texts as one text, for a placeholder among other words."""
    is_texts = type(value) in (list, tuple) and all(isinstance(v, str) for v in value)
    return " ".join(value) if is_texts else value
