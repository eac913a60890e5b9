"""Words in place of code names."""

import re

from pcmodel.behaviour.hierarchy.design import INTERCEPT

LABEL = re.compile(r"(?P<name>[\w.]+)\[(?:T\.|S\.)?(?P<label>[^\]]+)\]")


def effect_in_words(parameter: str, column: str, *, is_spread: bool) -> str:
    """A number of the group: `omega2[group[patient]]` as "omega2: group patient".

    >>> effect_in_words("log_beta", "Intercept", is_spread=True)
    'log beta: SD between people'
    """
    name = parameter.replace("_", " ")
    if column == INTERCEPT:
        return f"{name}: {'SD between people' if is_spread else 'average'}"
    labels = LABEL.sub(lambda found: f"{found['name']} {found['label']}", column)
    what = " x ".join(labels.split(":"))
    return f"{name}: {what}" + (", SD between people" if is_spread else "")


def scale_in_words(name: str) -> str:
    """A natural scale: `step_variance2` as "step variance, level 2"."""
    words = re.sub(r"\bsd\b", "SD", name.replace("_", " "))
    return re.sub(r"(?<=[a-z])(\d)$", r", level \1", words)
