"""A page written as text, `page.md`: blocks between empty lines, read strictly.

    # Title

    The answer, one paragraph.

    ![what the key figure shows, in words](figure)
    Its caption.

    ## A section

    Paragraphs, then figures, then tables:

    {tables.name}

    {sensitivity}

    ## Assumptions

    - Items of a list; likewise Limitations and References, which end the page.

Text may hold placeholders in Python's format syntax, filled in by `pcmodel.report.declared.writing`.  What does
not fit raises a UserError that names the line.
"""

import re
from typing import NamedTuple, NoReturn

from pcmodel.errors import UserError

LISTS = ("Assumptions", "Limitations", "References")
SENSITIVITY = "{sensitivity}"
FIGURE = re.compile(r"!\[(?P<alt>.*)\]\((?P<name>[^()]+)\)")
TABLE = re.compile(r"\{tables\.(?P<name>\w+)\}")


class Text(NamedTuple):
    """Lines of text.

    number: of the first line on the page, from 1.
    lines: without line breaks.
    """

    number: int
    lines: tuple[str, ...]


class Figure(NamedTuple):
    """A figure of the page.

    number: of its line.
    name: in the declaration.
    alt: text for readers who cannot see it.
    caption: text below it.
    """

    number: int
    name: str
    alt: Text
    caption: Text


class TableName(NamedTuple):
    """A table of the page.

    number: of its line.
    name: in the declaration.
    """

    number: int
    name: str


class PageSection(NamedTuple):
    """A section of the page, or the part below its title.

    title: its heading.
    paragraphs: text.
    figures: in their order.
    tables: in their order.
    is_sensitivity: it is the section on the verdicts' sensitivity to parameters.
    """

    title: Text
    paragraphs: tuple[Text, ...]
    figures: tuple[Figure, ...]
    tables: tuple[TableName, ...]
    is_sensitivity: bool = False


class Page(NamedTuple):
    """A page as written.

    head: the title, the answer and at most one figure.
    sections: in their order.
    lists: items by the names in `LISTS`.
    """

    head: PageSection
    sections: tuple[PageSection, ...]
    lists: dict[str, tuple[Text, ...]]

    @property
    def figures(self) -> list[Figure]:
        """All figures, in order."""
        return [each for part in (self.head, *self.sections) for each in part.figures]

    @property
    def tables(self) -> list[TableName]:
        """All tables, in order."""
        return [each for section in self.sections for each in section.tables]

    @property
    def texts(self) -> list[Text]:
        """All texts that may hold placeholders."""
        parts = [each for each in self.sections if not each.is_sensitivity]
        found = [
            t for each in (self.head, *parts) for t in (each.title, *each.paragraphs)
        ]
        found += [text for each in self.figures for text in (each.alt, each.caption)]
        return found + [item for items in self.lists.values() for item in items]


def parse_page(text: str, *, where: str) -> Page:
    """The content of a page.

    where: the page's name in errors.
    Raises UserError, naming the line, for text that is not in the format above.
    """
    head, *others = _split(_blocks(text), where)
    sections, lists = [], {}
    for heading, number, body in others:
        name = heading.removeprefix("## ")
        if name in lists:
            _refuse(number, where, f"a second list {name!r}")
        if name in LISTS:
            lists[name] = _items(body, number, where)
        elif lists:
            _refuse(number, where, f"{heading!r} comes after the lists that end it")
        else:
            sections.append(_section(heading, number, body, where))
    return Page(_head(*head, where), tuple(sections), lists)


def _refuse(
    number: int, where: str, what: str, expected: str | None = None
) -> NoReturn:
    raise UserError(what, where=f"{where}, line {number}", expected=expected)


def _blocks(text: str) -> list[Text]:
    """Sequences of lines that are not empty; a heading is a block of its own."""
    blocks: list[Text] = []
    is_open = False
    # Not by `splitlines`, which counts form feeds and the separators of Unicode too.
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        line = line.strip()
        is_heading = line.startswith("#") or line == SENSITIVITY
        if line and is_open and not is_heading:
            blocks[-1] = Text(blocks[-1].number, (*blocks[-1].lines, line))
        elif line:
            blocks.append(Text(number, (line,)))
        is_open = bool(line) and not is_heading
    return blocks


def _split(blocks: list[Text], where: str) -> list[tuple[str, int, list[Text]]]:
    """Each heading, its line, and the blocks below it; the title first."""
    parts: list[tuple[str, int, list[Text]]] = []
    for block in blocks or [Text(1, ("",))]:
        number, (first, *_) = block
        is_heading = re.match(r"#{1,2} \S", first) or first == SENSITIVITY
        if first.startswith("#") and not is_heading:
            _refuse(number, where, f"{first!r}", "'# Title' or '## Section'")
        if not parts and not first.startswith("# "):
            _refuse(number, where, "has no title", "a first line '# Title'")
        if parts and first.startswith("# "):
            _refuse(number, where, f"a second title {first!r}")
        if is_heading:
            parts.append((first, number, []))
        else:
            parts[-1][2].append(block)
    return parts


def _head(title: str, number: int, body: list[Text], where: str) -> PageSection:
    head = _section(title, number, body, where)
    counts = [len(each) for each in (head.paragraphs, head.figures, head.tables)]
    if counts not in ([1, 0, 0], [1, 1, 0]):
        what = "below the title are {} paragraphs, {} figures and {} tables"
        expected = "the answer in one paragraph, then at most one figure"
        _refuse(number, where, what.format(*counts), expected)
    return head


def _section(heading: str, number: int, body: list[Text], where: str) -> PageSection:
    if heading == SENSITIVITY and body:
        _refuse(body[0].number, where, "text that belongs to no section", "'## Title'")
    title = Text(number, (heading.partition(" ")[2],))
    return PageSection(title, *_sorted(body, where), heading == SENSITIVITY)


def _sorted(
    blocks: list[Text], where: str
) -> tuple[tuple[Text, ...], tuple[Figure, ...], tuple[TableName, ...]]:
    """Paragraphs, figures and tables, which must come in this order, as on the page."""
    found: tuple[list, list, list] = ([], [], [])
    last = 0
    for block in blocks:
        item = _read(block, where)
        kind = (Text, Figure, TableName).index(type(item))
        if kind < last:
            expected = "paragraphs, then figures, then tables"
            _refuse(block.number, where, "comes too late in its section", expected)
        found[kind].append(item)
        last = kind
    return tuple(found[0]), tuple(found[1]), tuple(found[2])


def _read(block: Text, where: str) -> Text | Figure | TableName:
    number, (first, *rest) = block
    if table := TABLE.fullmatch(first):
        if rest:
            _refuse(number, where, f"{first} does not stand alone", "an empty line")
        return TableName(number, table["name"])
    if first.startswith("!["):
        figure = FIGURE.fullmatch(first)
        if figure is None or not rest:
            expected = "![what is seen](name), and its caption on the next lines"
            _refuse(number, where, "is no figure with a caption", expected)
        alt, caption = Text(number, (figure["alt"],)), Text(number + 1, tuple(rest))
        return Figure(number, figure["name"], alt, caption)
    if first.startswith("- "):
        expected = f"items only below {', '.join(LISTS)}"
        _refuse(number, where, "a list inside a section", expected)
    return block


def _items(blocks: list[Text], number: int, where: str) -> tuple[Text, ...]:
    """Items, each of which begins with "- "."""
    items: list[Text] = []
    for block in blocks:
        for offset, line in enumerate(block.lines):
            if line.startswith("- "):
                items.append(Text(block.number + offset, (line[2:],)))
            elif not items or offset == 0:
                _refuse(block.number, where, "is no item of a list", "'- item'")
            else:
                items[-1] = Text(items[-1].number, (*items[-1].lines, line))
    if not items:
        _refuse(number, where, "a list without items")
    return tuple(items)
