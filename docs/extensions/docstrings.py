"""Docstrings as they are written here, for the reference.

They are plain text with code in backquotes, and name arguments and fields one a line. Sphinx reads reStructuredText,
in which the first would be something else and the second one paragraph.
"""

import re

from sphinx.application import Sphinx

FIELD = re.compile(r"^(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*): +(.*)$")
CODE_OR_STRONG = re.compile(r"(`[^`\n]+`|\*\*[^*\n]+\*\*)")


def escape(text: str) -> str:
    """A line with its code and strong words kept and all other marks taken literally."""
    parts = CODE_OR_STRONG.split(text)
    for i, part in enumerate(parts):
        if i % 2 and part.startswith("`"):
            parts[i] = f"\\ ``{part[1:-1].strip() or ' '}``\\ "
        elif i % 2:
            parts[i] = f"\\ {part}\\ "
        else:
            parts[i] = re.sub(r"([\\*|`_])", r"\\\1", part)
    return "".join(parts)


def paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines between empty ones."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [each for each in found if each]


def indent_of(line: str) -> int:
    """Spaces before a line."""
    return len(line) - len(line.lstrip())


def as_list(lines: list[str]) -> list[str]:
    """Fields or bullets, one an item, with whatever was indented below it."""
    found: list[str] = []
    for line in lines:
        field, bullet = FIELD.match(line), line.lstrip().startswith("- ")
        if field and not line[0].isspace():
            found += ["", f"- ``{field[1]}``: {escape(field[2])}"]
        elif bullet and indent_of(line) < 4:
            found += ["", f"- {escape(line.lstrip()[2:])}"]
        else:
            found.append(f"  {escape(line.strip())}")
    return found


def as_restructured(lines: list[str]) -> list[str]:
    """The docstring in reStructuredText."""
    found: list[str] = []
    for block in paragraphs(lines):
        if FIELD.match(block[0]) or block[0].startswith("- "):
            found += as_list(block)
        elif block[0].startswith(">>>"):
            found += ["::", "", *(f"    {line}" for line in block)]
        elif indent_of(block[0]) >= 2:
            found += ["::", "", *(f"    {line}" for line in block)]
        else:
            found += with_fields(block)
        found.append("")
    return found


def with_fields(block: list[str]) -> list[str]:
    """A paragraph in which fields, or an indented formula, may follow the first sentence."""
    first = next(
        (i for i, line in enumerate(block) if i and FIELD.match(line)), len(block)
    )
    text, rest = block[:first], block[first:]
    shown = next((i for i, line in enumerate(text) if indent_of(line)), len(text))
    found = [escape(line.strip()) for line in text[:shown]]
    if text[shown:]:
        found += ["", "::", "", *(f"    {line.strip()}" for line in text[shown:])]
    return [*found, *as_list(rest)]


def convert(app, what, name, thing, options, lines: list[str]) -> None:
    """Rewrite the lines in place, as Sphinx asks."""
    lines[:] = as_restructured(lines)


def setup(app: Sphinx) -> dict:
    """Register the conversion."""
    app.connect("autodoc-process-docstring", convert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
