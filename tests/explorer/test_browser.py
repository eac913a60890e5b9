"""The page in headless Chromium: every slider moved, its numbers against the package, and no error."""

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from explorer_models import chain_network, digits_network, route_of
from explorer_people import as_study
from explorer_twin import ROOT, assert_agrees, tables

import pcmodel
from pcmodel.explorer import make_page
from pcmodel.explorer.tables import DATA, KETANSERIN
from pcmodel.explorer.therapy import COURSES, setting_name
from pcmodel.neuromodulation import (
    ACCOUNTS,
    Dose,
    Effects,
    load_compounds,
    simulate,
    typical,
)
from pcmodel.paradigms import believe
from pcmodel.sessions.cohort import follow
from pcmodel.sessions.readouts import improvement, responded

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is absent: the page cannot be opened"
    ),
]


@pytest.fixture(
    scope="module", params=[(1280, 900), (500, 844)], ids=["wide", "narrow"]
)
def found(request, tmp_path_factory):
    """What the page said while its controls were moved."""
    folder = tmp_path_factory.mktemp("page")
    scripts = ROOT / "tests" / "explorer"
    before = (scripts / "before_page.js").read_text("utf-8")
    script = (scripts / "in_browser.mjs").read_text("utf-8")
    page = make_page(tables()).replace("<style>", f"<script>{before}</script><style>")
    end = f'<script type="module">\n{script}</script></body>'
    tested = page.replace("</body>", end)
    file = Path(folder) / "page.html"
    file.write_text(tested, "utf-8")
    width, height = request.param
    command = [
        *(
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder}/own",
        ),
        *(f"--window-size={width},{height}", "--dump-dom", file.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800)
    told = re.search(r'id="found">(.*?)</script>', done.stdout, re.DOTALL)
    assert told, done.stderr[-2000:]
    return json.loads(told[1])


def moves(found, scene, *, kinds=("range", "checkbox", "select-one")):
    return [
        each
        for each in found["moves"]
        if each["scene"] == scene and each["kind"] in kinds
    ]


def value(settings, name):
    """What a slider said."""
    return float(settings[name])


def test_nothing_goes_wrong(found):
    """No error, no unnamed control, no scrolling sideways, and every figure changes in its place."""
    assert found["problems"] == [] and found["ready"] == "true"
    assert found["unnamed"] == [] and found["silent"] == 0 and found["wide"] <= 0
    assert {each["scene"] for each in found["moves"]} == {
        "scene-chain",
        "scene-digit",
        "scene-dose",
        "scene-course",
    }
    for each in found["moves"]:
        assert each["figures"] == 0, each["id"]
        numbers = [n for n in each["numbers"].values() if n != "none"]
        assert all(math.isfinite(float(number)) for number in numbers), each
    sliders = {each["id"] for each in found["moves"] if each["kind"] == "range"}
    still = {
        name
        for name in sliders
        if not any(m["moved"] for m in found["moves"] if m["id"] == name)
    }
    assert still == set(), "sliders that move nothing"


def test_the_chain_shows_the_packages_numbers(found):
    for each in moves(found, "scene-chain"):
        own, told = each["settings"], each["numbers"]
        precisions = [value(own, f"chain-precision{level}") for level in range(4)]
        prior, seen = value(own, "chain-prior"), value(own, "chain-observed")
        network = chain_network(precisions, prior)
        observation = np.array([seen]) if own["chain-present"] else None
        belief = pcmodel.posterior(network, observation)
        for level in (1, 2, 3):
            what = f"{each['id']} at {each['place']}, level {level}"
            assert_agrees(
                float(told[f"chain-mean{level}"]),
                float(belief.mean[level][0]),
                what=what,
            )
            deviation = float(np.sqrt(belief.variances[level][0]))
            assert_agrees(float(told[f"chain-sd{level}"]), deviation, what=what)
        if own["chain-present"]:
            assert_agrees(float(told["chain-logEvidence"]), float(belief.log_evidence))


def digit_gains(drug, factor):
    return {
        "top": [1, 1, 1, 1 / factor],
        "senses": [factor, 1, 1, 1],
        "middle": [1, 1 / factor, 1 / factor, 1],
        "all": [1 / factor] * 4,
    }[drug]


def test_digits_settle_where_the_package_does(found):
    image = np.load(DATA / "digits.npz")["images"][8].astype(float)
    networks = {which: digits_network(which) for which in ("trained", "untrained")}
    for each in moves(found, "scene-digit", kinds=("range", "checkbox")):
        own, told = each["settings"], each["numbers"]
        held, which = (
            int(own["digit-held"]),
            "untrained" if own["digit-untrained"] else "trained",
        )
        precision = value(own, "digit-precision")
        gains = digit_gains(own["digit-drug"], value(own, "digit-factor"))
        mode = pcmodel.infer(
            networks[which],
            image,
            prior=pcmodel.Belief.of(np.eye(10)[held], precision=precision, level="top"),
            modulation=pcmodel.Modulation(dict(enumerate(gains))),
        )
        what = f"{each['id']} at {each['place']}"
        assert float(told["digit-residual"]) < 1e-6 and bool(mode.converged), what
        top = np.asarray(mode.latents[-1])
        assert int(told["digit-winner"]) == int(np.argmax(top)), what
        assert_agrees(float(told["digit-heldValue"]), top[held], what=what)
        assert_agrees(float(told["digit-energy"]), float(mode.energy), what=what)


def test_doses_have_the_packages_effects(found):
    library, chain = load_compounds(), tables()["chain"]
    network = chain_network(chain["precisions"], chain["prior_mean"])
    before = KETANSERIN["hours_before"]
    for each in moves(found, "scene-dose", kinds=("range", "checkbox")):
        own, told = each["settings"], each["numbers"]
        name, blocked = own["dose-compound"], own["dose-ketanserin"]
        doses = [Dose(name, value(own, "dose-mg"), before, route_of(name))]
        names = [name]
        if blocked:
            doses.insert(0, Dose("ketanserin", KETANSERIN["mg"], 0.0))
            names.insert(0, "ketanserin")
        times = np.array([-1e-3, before + value(own, "dose-hour") + 1e-9])
        course = simulate(tuple(doses), times, typical(library, *names))
        what, mine = f"{each['id']} at {each['place']}", names.index(name)
        assert_agrees(
            float(told["dose-plasma"]), float(course.plasma[mine, -1]), what=what
        )
        assert_agrees(
            float(told["dose-occupancy"]),
            float(course.occupancy_2a[mine, -1]),
            what=what,
        )
        assert_agrees(
            float(told["dose-effect"]), float(course.effect_2a[-1]), what=what
        )
        account = ACCOUNTS[own["dose-account"]](strength=value(own, "dose-strength"))
        felt = (course.effect_2a, course.response_1a, course.nmda_block)
        effects = Effects(*(jnp.asarray(curve)[-1:] for curve in felt))
        belief = believe(
            network, np.array([chain["observed"]]), effects, account=account
        )
        assert_agrees(float(told["dose-mean"]), float(belief.mean[3][0, 0]), what=what)
        assert_agrees(float(told["dose-sd"]), float(belief.sd[3][0, 0]), what=what)


def test_therapy_has_the_packages_outcomes(found):
    course = COURSES[0]
    for each in moves(found, "scene-course", kinds=("range", "checkbox")):
        own, told = each["settings"], each["numbers"]
        arm = setting_name(
            own["course-sessions"], own["course-harmful"], not own["course-struck"]
        )
        day, scale = value(own, "course-day"), int(value(own, "course-scale")) - 1
        account = ACCOUNTS[own["course-account"]](
            strength=value(own, "course-strength")
        )
        window = value(own, "course-window")
        for index, name in ((scale, "drug"), (-1, "plain")):
            cohort = follow(as_study(course, arm, index, window), account=account)
            lost = float(improvement(cohort, day=day)[0].mean())
            what = f"{each['id']} at {each['place']}, {name}"
            assert_agrees(float(told[f"course-{name}Points"]), lost, what=what)
            share = float(responded(cohort, day=day)[0].mean())
            assert_agrees(float(told[f"course-{name}Response"]), share, what=what)
