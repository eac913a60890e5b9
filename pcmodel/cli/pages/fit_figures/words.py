"""Words in place of code names, and how conditions, options and chains are told apart."""

from pcmodel.report.style import COLOURS

MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
HUES = tuple(COLOURS[n] for n in ("blue", "orange", "green", "purple", "amber", "sky"))


def style_of(number: int) -> dict:
    """Colour, marker and line of the condition, option or chain of this number."""
    return {
        "color": HUES[number % len(HUES)],
        "marker": MARKERS[number % len(MARKERS)],
        "ls": DASHES[number % len(DASHES)],
    }


def with_unit(name: str, unit: str) -> str:
    """A name, and on a line of its own its unit in brackets, if it has one."""
    return f"{name}\n({unit})" if unit else name
