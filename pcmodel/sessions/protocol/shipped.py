"""The protocols that come with the package."""

from pathlib import Path

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import check_file

FOLDER = Path(__file__).resolve().parents[1] / "protocols"


def shipped_protocols() -> dict[str, Path]:
    """The files of the package's protocols, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def locate_protocol(name_or_path: str) -> Path:
    """The file of a shipped protocol, given its name, or of the user's own, given its path."""
    path = Path(name_or_path).expanduser()
    if path.suffix in (".yaml", ".yml") or "/" in name_or_path:
        try:
            return check_file(path)
        except UserError as error:
            raise UserError(f"protocol {error}") from None
    known = shipped_protocols()
    if name_or_path not in known:
        raise unknown_name("protocol", name_or_path, known)
    return known[name_or_path]
