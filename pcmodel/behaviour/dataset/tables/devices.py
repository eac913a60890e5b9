"""What software for experiments calls responses and times: `Slide1.RESP`, `key_resp.rt`.

Each object on the screen has columns of its own. Where one object only has a response, that
is the one meant; of several the user says which.
"""

from collections.abc import Collection

from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.readers import RawTable

RESPONSES = ("RESP", "keys", "response")  # E-Prime, PsychoPy
TIMES = ("RT", "rt")


def of_player(columns: Collection[str]) -> dict[str, str]:
    """oTree's columns of one app by what follows their prefix: `choice` of `player.choice`."""
    prefix = "player."
    return {n.removeprefix(prefix): n for n in columns if n.startswith(prefix)}


def of_objects(raw: RawTable, columns: Collection[str], *, is_time: bool) -> list[str]:
    """Columns of objects with a response, or with its time; none that is empty."""
    endings = TIMES if is_time else RESPONSES
    return [
        name
        for name in columns
        if "." in name
        and name.rpartition(".")[2] in endings
        and not all(map(is_missing, raw.columns[name]))
    ]
