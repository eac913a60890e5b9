"""Names of responses and times in software for experiments: `Slide1.RESP`, `key_resp.rt`.

Each object on the screen has columns of its own. Where only one object has a response, it is
the one meant; of several the user names one.
"""

from collections.abc import Collection

from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.readers import RawTable

RESPONSES = ("RESP", "keys", "response")  # E-Prime, PsychoPy
TIMES = ("RT", "rt")


def of_player(columns: Collection[str]) -> dict[str, str]:
    """oTree's columns of one app by their name without the prefix `player.`."""
    prefix = "player."
    return {n.removeprefix(prefix): n for n in columns if n.startswith(prefix)}


def of_objects(raw: RawTable, columns: Collection[str], *, is_time: bool) -> list[str]:
    """The columns of objects with responses, or with their times, that are not empty."""
    endings = TIMES if is_time else RESPONSES
    return [
        name
        for name in columns
        if "." in name
        and name.rpartition(".")[2] in endings
        and not all(map(is_missing, raw.columns[name]))
    ]
