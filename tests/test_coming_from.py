"""The examples of other libraries, as scripts: each asserts its own numbers; in small here, in their settings where slow.

Each in an interpreter of its own, as its reader would run it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT.parent / "shared" / "data" / "images"
FOLDER = ROOT / "notebooks" / "coming_from"
SCRIPTS = sorted(FOLDER.rglob("*.py"))
QUICK = {
    "jpc/discriminative",
    "jpc/from_scratch",
    "jpc/mupc",
    "pcx/zil",
    "fabricpc/attention",
}
"""One idea of each kind; the others take as long again, and run with the slow tests."""
WITHOUT_MNIST = {
    "pcx/schedules",
    "pcx/gradient_analysis",
    "fabricpc/characters",
    "fabricpc/resnet18",
}
"""Whose long setting has other data, or none of the images."""
START = "from pcmodel.runtime.flags import compile_quickly; compile_quickly(); "


def label(script):
    return script.relative_to(FOLDER).with_suffix("").as_posix()


def run(script, *arguments, quickly):
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
    environment.pop("JAX_ENABLE_X64", None)
    environment["PCMODEL_DATA"] = str(IMAGES)
    call = ["-c", f"{START}import runpy; runpy.run_path({str(script)!r})"]
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            *(call if quickly else [str(script)]),
            *arguments,
        ],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(script, marks=() if label(script) in QUICK else pytest.mark.slow)
        for script in SCRIPTS
    ],
    ids=label,
)
def test_scripts_hold_what_they_say(script):
    run(script, quickly=True)


LONG = [
    script
    for script in SCRIPTS
    if "--long" in script.read_text("utf-8") and label(script) not in WITHOUT_MNIST
]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("script", LONG, ids=label)
def test_long_settings_reach_the_published_numbers(script):
    """Prevents a network that learns the small data and not those of the library it is compared with."""
    if not (IMAGES / "mnist").exists():
        pytest.skip("needs MNIST, beside the repository in shared/data/images")
    run(script, "--long", quickly=False)


def test_every_library_has_its_scripts():
    """Prevents the scripts from being looked for where they are not."""
    found = {script.parent.name for script in SCRIPTS}
    assert found == {"jpc", "pcx", "fabricpc", "ngclearn"}
    assert {label(script) for script in SCRIPTS} >= QUICK | WITHOUT_MNIST
