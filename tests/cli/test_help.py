"""Every command's --help ends with the page that explains it, and the page shows the command."""

from pathlib import Path

import pytest

from pcmodel.cli import main
from pcmodel.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_a_page_that_shows_the_command(name, capsys):
    try:
        assert main([name, "--help"]) == 0
    except SystemExit as left:  # argparse's own --help
        assert left.code == 0
    page = capsys.readouterr().out.split("Documentation: ")[1].split()[0]
    assert f"pcmodel {name}" in (ROOT / page).read_text("utf-8")


def test_help_of_all_commands_names_the_first_page(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    page = capsys.readouterr().out.split("Documentation: ")[1].split()[0]
    assert (ROOT / page).exists()
