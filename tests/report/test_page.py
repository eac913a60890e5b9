"""The report page stands alone, escapes everything, and says outcomes in words."""

import re
from html.parser import HTMLParser

import matplotlib
import pytest
from matplotlib import pyplot

from pcmodel.errors import UserError
from pcmodel.report import Panel, Report, Section, Table, Verdict, render_html
from pcmodel.report.content import tally
from pcmodel.report.style import figure_style, level_colours, new_figure, to_png


def verdict(outcome="holds", kind="predicted", **changes):
    words = {"name": "claim", "prediction": "more", "observed": "0.4"} | changes
    return Verdict(outcome=outcome, kind=kind, **words)


def report(**changes):
    parts = {"title": "Title", "question": "Does it?", "answer": "It does."}
    return Report(**(parts | changes))


@pytest.fixture(scope="module")
def png():
    figure, axes = new_figure()
    axes.plot([0, 1], [1, 0])
    return to_png(figure, dpi=40)


class Balance(HTMLParser):
    """Collects tags that are closed in the wrong order or not at all."""

    VOID = frozenset({"meta", "img"})

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def full_report():
    panel = Panel("curve", "A **curve**.", 'alt "quoted"')
    table = Table(["level", "rho"], [["top", 0.25], ["data", -1.5]], "Revision")
    return report(
        verdicts=[verdict(), verdict("fails", "theorem"), verdict("inconclusive")],
        key_panel=panel,
        sections=[Section("More", ["Text with `code`."], [panel], [table])],
        assumptions=["one"],
        limitations=["two"],
        references=["three"],
        reproduce="pcmodel run x --seed 0",
        provenance={"Seed": "0"},
    )


def test_page_is_well_formed_and_needs_nothing_else(png):
    page = render_html(full_report(), {"curve": png})
    parser = Balance()
    parser.feed(page)
    assert not parser.wrong and not parser.open
    assert "://" not in page and "<script" not in page and "<link" not in page
    sources = re.findall(r'src="(.{22})', page)
    assert sources == ["data:image/png;base64,"] * 2


def test_page_says_everything_that_was_put_in(png):
    page = render_html(full_report(), {"curve": png})
    for text in ("Title", "Does it?", "It does.", "<strong>curve</strong>", "Figure 2"):
        assert text in page
    for text in ("inconclusive", "<code>code</code>", "−1.5", "one", "two", "three"):
        assert text in page
    assert "pcmodel run x --seed 0" in page and "not clinical advice" in page


def test_every_text_is_escaped():
    nasty = '<script>alert("x")</script>'
    page = render_html(
        report(
            title=nasty,
            question=nasty,
            answer=f"`{nasty}`",
            verdicts=[verdict(name=nasty, observed=nasty)],
            sections=[Section(nasty, [nasty], tables=[Table([nasty], [[nasty]])])],
            references=[nasty],
            reproduce=nasty,
            provenance={nasty: nasty},
        ),
        {},
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_outcome_is_a_word_and_not_only_a_colour():
    page = render_html(report(verdicts=[verdict("fails", "theorem")]), {})
    assert re.search(r'<tr class="fails">.*✗.*fails', page)


def test_predictions_are_counted_apart_from_checks():
    verdicts = [verdict(), verdict("fails"), verdict(kind="theorem")]
    assert tally(verdicts) == "1 of 2 predictions hold, 1 of 1 checks hold"


def test_columns_of_numbers_are_aligned_right_and_columns_of_words_are_not():
    rows = [["top", 1.23456, "0.5 ± 0.1"], ["data", -2e-8, "[0.1, 0.2]"]]
    table = Table(["level", "value", "interval"], rows)
    page = render_html(report(sections=[Section("s", tables=[table])]), {})
    assert page.count('<td class="number">') == 4
    assert "<td>top</td>" in page and "1.23<" in page and "−2e−08<" in page


def test_missing_numbers_are_a_dash():
    table = Table(["a"], [[None], [1.0]])
    page = render_html(report(sections=[Section("s", tables=[table])]), {})
    assert '<td class="number">–</td>' in page


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: verdict("holdz"), "did you mean 'holds'"),
        (lambda: verdict(kind="guess"), "theorem, calibrated, predicted"),
        (lambda: Table(["a", "b"], [[1]], "T"), "row 0 has 1 cells"),
        (
            lambda: render_html(
                report(key_panel=Panel("curv", "c", "a")), {"curve": b""}
            ),
            "did you mean 'curve'",
        ),
    ],
)
def test_mistakes_of_an_author_are_named(make, words):
    with pytest.raises(UserError, match=re.escape(words)):
        make()


def test_drawing_leaves_matplotlib_as_it_was():
    before = dict(matplotlib.rcParams)
    with figure_style():
        figure, axes = new_figure(1, 2)
        axes[0].plot([0, 1])
        to_png(figure, dpi=20)
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_equal_figures_are_equal_bytes():
    def draw():
        figure, axes = new_figure(height=1)
        axes.plot([0, 1], label="a")
        return to_png(figure, dpi=20)

    assert draw() == draw()


def test_level_colours_darken_from_data_to_top():
    def lightness(colour):
        red, green, blue = matplotlib.colors.to_rgb(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    shades = [lightness(colour) for colour in level_colours(5)]
    assert shades == sorted(shades, reverse=True)
    assert len(set(level_colours(5))) == 5
    assert len(level_colours(1)) == 1
