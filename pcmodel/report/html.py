"""A report as one self-contained HTML page without network access or scripts.

It is readable on a phone, on paper, and in dark mode; every outcome is shown in words as well as
in colour; all text is escaped.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from numbers import Real

from pcmodel.errors import unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.report.content import (
    KIND_MEANING,
    NO_CLINICAL_ADVICE,
    OUTCOME_MARK,
    Panel,
    Report,
    Section,
    Table,
    Verdict,
    tally,
)


@checked_arguments
def render_html(report: Report, figures: Mapping[str, bytes]) -> str:
    """The HTML of a report.

    figures: PNG bytes by the names of the report's figures.
    """
    for panel in report.panels:
        if panel.figure not in figures:
            raise unknown_name("figure", panel.figure, figures, where="report")
    pages = _Figures(figures)
    body = [
        _header(report),
        _section(report.opening, pages) if report.opening else "",
        _answer(report),
        pages.render(report.key_panel) if report.key_panel else "",
        _verdicts(report.verdicts),
        *(_section(section, pages) for section in report.sections),
        _list("What is assumed", report.assumptions),
        _list("What this does not show", report.limitations),
        _list("References", report.references, tag="ol"),
        _reproduce(report),
        f"<footer><p>{NO_CLINICAL_ADVICE}</p></footer>",
    ]
    return _PAGE.format(
        title=escape(": ".join(filter(None, (report.stamp, report.title)))),
        style=files("pcmodel.report").joinpath("report.css").read_text("utf-8"),
        body="\n".join(part for part in body if part),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _header(report: Report) -> str:
    stamp = f'<p class="stamp">{_inline(report.stamp)}</p>' if report.stamp else ""
    return (
        f'{stamp}<header><p class="kicker">pcmodel report</p><h1>{_inline(report.title)}</h1>'
        f'<p class="question">{_inline(report.question)}</p></header>'
    )


def _answer(report: Report) -> str:
    return (
        f'<section class="answer"><h2>In short</h2>{_paragraphs([report.answer])}'
        "</section>"
    )


class _Figures:
    """Numbers the figures as they appear on the page."""

    def __init__(self, figures: Mapping[str, bytes]):
        self._figures = figures
        self._count = 0

    def render(self, panel: Panel) -> str:
        self._count += 1
        png = self._figures[panel.figure]
        width, height = _png_size(png)
        # On a phone a wide figure scrolls sideways instead of becoming illegibly small.
        shape = "wide" if width > 1.8 * height else ""
        return (
            f'<figure class="{shape}"><div class="scroll">'
            f'<img alt="{escape(panel.alt)}" width="{width}" height="{height}"'
            f' src="data:image/png;base64,{base64.b64encode(png).decode()}"></div>'
            f"<figcaption><b>Figure {self._count}.</b> {_inline(panel.caption)}"
            "</figcaption></figure>"
        )


def _png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header every PNG begins with."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    rows = "\n".join(_verdict_row(verdict) for verdict in verdicts)
    kinds = [k for k in KIND_MEANING if any(v.kind == k for v in verdicts)]
    legend = "".join(f"<dt>{k}</dt><dd>{KIND_MEANING[k]}</dd>" for k in kinds)
    return f"""<section class="verdicts">
<h2>Verdicts</h2><p class="tally">{tally(verdicts)}.</p>
<table>
<thead><tr><th>Verdict</th><th>Claim</th><th>Predicted beforehand</th>
<th>Observed</th><th>Kind</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<dl class="legend">{legend}</dl>
</section>"""


def _verdict_row(verdict: Verdict) -> str:
    mark = OUTCOME_MARK[verdict.outcome]
    return (
        f'<tr class="{verdict.outcome}">'
        f'<td><span class="outcome"><span aria-hidden="true">{mark}</span> '
        f"{verdict.outcome}</span></td>"
        f'<td class="claim">{_inline(verdict.name)}</td>'
        f'<td data-label="Predicted">{_inline(verdict.prediction)}</td>'
        f'<td data-label="Observed">{_inline(verdict.observed)}</td>'
        f'<td class="kind" data-label="Kind">{verdict.kind}</td></tr>'
    )


def _section(section: Section, figures: _Figures) -> str:
    parts = [
        f"<h2>{_inline(section.title)}</h2>",
        _paragraphs(section.paragraphs),
        *(figures.render(panel) for panel in section.panels),
        *(_table(table) for table in section.tables),
    ]
    return f"<section>{''.join(parts)}</section>"


def _table(table: Table) -> str:
    cells = [[_cell(value, table.digits) for value in row] for row in table.rows]
    numeric = [
        _is_numeric([row[i] for row in cells]) for i in range(len(table.columns))
    ]
    marks = [' class="number"' if number else "" for number in numeric]
    head = "".join(
        f'<th scope="col"{mark}>{_inline(name)}</th>'
        for name, mark in zip(table.columns, marks, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{mark}>{_inline(text)}</td>"
            for text, mark in zip(row, marks, strict=True)
        )
        + "</tr>"
        for row in cells
    )
    caption = f"<caption>{_inline(table.caption)}</caption>" if table.caption else ""
    return (
        f'<div class="scroll"><table class="data">{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: object, digits: int) -> str:
    """Numbers to `digits` significant digits, with a true minus sign."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if isinstance(value, int):
        return str(value).replace("-", "−")
    return f"{float(value):.{digits}g}".replace("-", "−")


_NUMERIC = re.compile(r"[−+±\d.,:;%×e–\[\]() ]+|nan|inf|−inf")


def _is_numeric(texts: Sequence[str]) -> bool:
    return any(re.search(r"\d", text) for text in texts) and all(
        _NUMERIC.fullmatch(text) for text in texts
    )


def _list(title: str, items: Sequence[str], tag: str = "ul") -> str:
    if not items:
        return ""
    entries = "".join(f"<li>{_inline(item)}</li>" for item in items)
    return f"<section><h2>{title}</h2><{tag}>{entries}</{tag}></section>"


def _reproduce(report: Report) -> str:
    command = report.reproduce and f"<pre><code>{escape(report.reproduce)}</code></pre>"
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in report.provenance.items()
    )
    facts = facts and f'<dl class="facts">{facts}</dl>'
    if not (command or facts):
        return ""
    return f"<section><h2>How to reproduce</h2>{command}{facts}</section>"


def _paragraphs(paragraphs: Sequence[str]) -> str:
    return "".join(f"<p>{_inline(text)}</p>" for text in paragraphs)


def _inline(text: str) -> str:
    """Escape, then turn `code` and **strong** into elements."""
    pieces = re.split(r"`([^`]+)`", text)
    return "".join(
        f"<code>{escape(piece)}</code>" if index % 2 else _strong(escape(piece))
        for index, piece in enumerate(pieces)
    )


def _strong(text: str) -> str:
    return re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"<strong>\1</strong>", text)
