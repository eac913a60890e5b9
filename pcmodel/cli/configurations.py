"""Configuration files: JSON, or YAML in which every text has one meaning."""

import json
from pathlib import Path
from typing import Any

from pcmodel.inputs.files import parsed, read_text, shown, without_doubles
from pcmodel.inputs.strict_yaml import load_yaml


def read_configuration(path: Path) -> Any:
    """The content of a configuration file; UserError naming the file if it is invalid."""
    text, where = read_text(path), shown(path)
    if path.suffix == ".json":
        return parsed(
            lambda: json.loads(text, object_pairs_hook=without_doubles), where=where
        )
    return parsed(lambda: load_yaml(text), where=where, kind="YAML")
