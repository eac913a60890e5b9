"""The batteries run in processes of their own: importing them makes networks, and type checks forbid lists."""

from pathlib import Path

collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("*.py")
    if not path.name.startswith(("test_", "conftest"))
]
