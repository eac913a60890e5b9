"""Words in place of code names, and how conditions, options and chains are told apart."""

import re

from pcmodel.report.style import COLOURS

MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
HUES = tuple(COLOURS[n] for n in ("blue", "orange", "green", "purple", "amber", "sky"))
EFFECT = re.compile(r"(?P<site>\w+)\[(?P<column>.*)\]")
LABEL = re.compile(r"(?P<name>[\w.]+)\[(?:T\.|S\.)?(?P<label>[^\]]+)\]")


def style_of(number: int) -> dict:
    """Colour, marker and line of the condition, option or chain of this number."""
    return {
        "color": HUES[number % len(HUES)],
        "marker": MARKERS[number % len(MARKERS)],
        "ls": DASHES[number % len(DASHES)],
    }


def effect_in_words(name: str) -> str:
    """`omega2[group[patient]]` as "omega2: group patient"; spreads are told as SD between people.

    >>> effect_in_words("log_beta_sd[Intercept]")
    'log beta: SD between people'
    """
    found = EFFECT.fullmatch(name)
    if not found:
        return name
    site, column = found["site"], found["column"]
    is_spread = site.endswith("_sd") and not site.startswith("log_")
    is_spread = is_spread or (site.endswith("_sd") and column == "Intercept")
    parameter = (site.removesuffix("_sd") if is_spread else site).replace("_", " ")
    what = LABEL.sub(lambda m: f"{m['name']} {m['label']}", column)
    what = " x ".join(what.split(":"))
    if column == "Intercept":
        return f"{parameter}: {'SD between people' if is_spread else 'average'}"
    return f"{parameter}: {what}" + (", SD between people" if is_spread else "")


def with_unit(name: str, unit: str) -> str:
    """A name, and on a line of its own its unit in brackets, if it has one."""
    return f"{name}\n({unit})" if unit else name
