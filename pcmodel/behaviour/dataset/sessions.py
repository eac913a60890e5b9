"""Sessions that are not named as such must not run together."""

from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import plain
from pcmodel.behaviour.dataset.readers import RawTable
from pcmodel.behaviour.dataset.violations import Violations


def check_sessions(
    raw: RawTable,
    places: Mapping[str, str],
    who: Sequence[str],
    used: set[str],
    problems: Violations,
) -> None:
    """Sessions under a name that is not known must not run together."""
    if "session" in places:
        return
    for name, cells in raw.columns.items():
        word = plain(name)
        if name in used or not ("session" in word or "visit" in word):
            continue
        if len(set(zip(who, cells, strict=True))) > len(set(who)):
            problems.add(
                "seems to name sessions, and a person has several; say whether it does "
                f"(--columns session={name}), or leave the column out",
                file=raw.at(0, name)["file"],
                column=name,
            )
