"""The timeline of a protocol, against a second reading of its plain content day by day."""

import math
import random

import jax
import numpy as np
import pytest
import yaml

from pcmodel.errors import UserError
from pcmodel.sessions.protocol.arms import BUILT_IN
from pcmodel.sessions.protocol.events import PHASES, STREAMS
from pcmodel.sessions.protocol.read import parse_protocol, read_protocol
from pcmodel.sessions.protocol.shipped import shipped_protocols
from pcmodel.sessions.timeline import doses_of, timeline

PLAIN_ARMS = {  # written down a second time, from the table in the documentation
    "drug_and_therapy": {},
    "therapy_alone": {"dose": "none"},
    "drug_alone": {"without": list(PHASES)},
    "untreated": {"dose": "none", "without": list(PHASES)},
    "active_placebo": {"dose": "none", "felt": 0.5},
    "directive": {"stance": "directive"},
    "non_directive": {"stance": "non_directive"},
    "harmful_setting": {"harmful": True},
    "no_integration": {"without": ["integration"]},
    "comparator": {"dose": "none", "valence_shift": {"size": 0.3, "days": 14.0}},
}


def plain_arm(content, name):
    """An arm's overrides as a plain dictionary, with all it inherits."""
    own = dict(content["arms"].get(name) or {})
    if name in PLAIN_ARMS:
        base = PLAIN_ARMS[name]
    else:
        base = plain_arm(content, own.pop("like", "drug_and_therapy"))
    both = {**base, **own}
    both["without"] = [*base.get("without", []), *own.get("without", [])]
    for key in ("evidence", "daily_evidence"):
        both[key] = {**base.get(key, {}), **own.get(key, {})}
    return both


def moments_of(content):
    """Every event as (day, phase, session or None, number among the session's, of how many)."""
    found, last = [], 0.0
    for block in content["phases"]:
        for session in block["sessions"]:
            number = max(
                [1, *(e.get("items", 1) for e in session.get("evidence", {}).values())]
            )
            for day in session.get("days", [session.get("day")]):
                begin = day + session.get("hour", 0) / 24
                last = max(last, begin + session.get("hours", 1) / 24)
                for i in range(number):
                    at = begin + session.get("hours", 1) / 24 * (2 * i + 1) / (
                        2 * number
                    )
                    found.append((at, block["phase"], session, i, number))
    first = content.get("start", math.floor(min(f[0] for f in found)))
    life = content["daily_life"]
    if life.get("evidence") or life.get("rumination") or content.get("adverse_event"):
        for day in range(first, content["length"]):
            found.append((day + life.get("hour", 12) / 24, None, None, 0, 1))
    return sorted(found, key=lambda f: f[0]), first, last


def expected(content, name, moment):
    """{stream: (mean, sd, precision)} of one arm at one moment."""
    at, phase, session, i, number = moment
    arm, found = plain_arm(content, name), {}
    if session is None:
        life = content["daily_life"]
        for stream, own in life.get("evidence", {}).items():
            own = {"sd": 0.0, **own, **arm["daily_evidence"].get(stream, {})}
            shift = arm.get("valence_shift")
            if stream == "everyday" and shift and at > 0:
                own["mean"] += shift["size"] * (1 - math.exp(-at / shift["days"]))
            found[stream] = own
        bad, day = content.get("adverse_event"), math.floor(at)
        if (
            bad
            and not arm.get("spared")
            and bad["day"] <= day < bad["day"] + bad.get("days", 1)
        ):
            found["everyday"] = {"sd": 0.0, **bad}
        if life.get("rumination"):
            found["memory"] = {"mean": 0.0, "sd": 0.0, "precision": life["rumination"]}
    elif phase not in arm["without"]:
        for stream, own in session.get("evidence", {}).items():
            items = own.get("items", 1)
            # item k of n stands in the moment that holds the end of the k-th of n equal parts
            places = {math.ceil((k + 1) * number / items) - 1 for k in range(items)}
            if stream in arm["without"] or i not in places:
                continue
            change = dict(arm["evidence"].get(stream, {}))
            phases = change.pop("phases", None) or PHASES
            own = {"sd": 0.0, **own, **(change if phase in phases else {})}
            if arm.get("harmful") and phase == "dosing":
                own["mean"] = -abs(own["mean"])
            stance = arm.get("stance", session.get("stance", "non_directive"))
            if stream == "therapist" and stance == "directive":
                own["precision"] = own["precision"] * content.get("directive_factor", 4)
            found[stream] = own
    return {s: (o["mean"], o["sd"], o["precision"]) for s, o in found.items()}


def check(text, arms=None):
    """Every number of the timeline against the second reading."""
    content = yaml.safe_load(text)
    names = list(content["arms"]) if arms is None else arms
    protocol = parse_protocol(text, where="own.yaml").protocol
    line = jax.tree.map(np.asarray, timeline(protocol, arms=names)._replace(doses=()))
    moments, first, last = moments_of(content)
    exact = line.day.dtype == np.float64
    close = {"rtol": 1e-12 if exact else 2e-6, "atol": 1e-12 if exact else 1e-5}
    np.testing.assert_allclose(line.day, [m[0] for m in moments], **close)
    ends = [m[0] for m in moments[1:]] + [content["length"]]
    gaps = [b - a for a, b in zip((m[0] for m in moments), ends, strict=True)]
    np.testing.assert_allclose(line.until_next, gaps, **close)
    assert (np.diff(line.day) >= 0).all() and (line.until_next >= -1e-12).all()
    assert line.day[0] >= first - 1e-9
    shape = (len(names), len(moments), len(STREAMS))
    wanted = np.zeros((3, *shape))
    for a, name in enumerate(names):
        for e, moment in enumerate(moments):
            for stream, numbers in expected(content, name, moment).items():
                wanted[:, a, e, STREAMS.index(stream)] = numbers
    for field, want in zip(("mean", "sd", "precision"), wanted, strict=True):
        np.testing.assert_allclose(
            getattr(line, field), want, rtol=close["rtol"], err_msg=field
        )
    daily = np.array([m[2] is None for m in moments])
    np.testing.assert_array_equal(line.is_session, ~daily)
    rumination = bool(content["daily_life"].get("rumination"))
    np.testing.assert_array_equal(
        line.replays_belief, np.tile(daily & rumination, (len(names), 1))
    )
    bad = content.get("adverse_event", {"day": 1e9})
    adverse = [
        bad["day"] <= math.floor(m[0]) < bad["day"] + bad.get("days", 1)
        for m in moments
    ]
    avoids = content["daily_life"].get("avoidance", False)
    np.testing.assert_array_equal(line.chosen, daily & avoids & ~np.array(adverse))
    for e, (at, phase, _, _, _) in enumerate(moments):
        if phase is not None:
            assert PHASES[line.phase[e]] == phase
        elif at > last:
            assert PHASES[line.phase[e]] == "follow_up"
    check_alliance(content, names, line, moments)
    return protocol, line


def check_alliance(content, names, line, moments):
    """One share after the other makes up what each session adds of what was missing."""
    for a, name in enumerate(names):
        missing, without = 1.0, plain_arm(content, name)["without"]
        for block in content["phases"]:
            for session in block["sessions"]:
                if block["phase"] not in without:
                    days = len(session.get("days", [0]))
                    missing *= (1 - session.get("alliance", 0.0)) ** days
        built = np.prod(1.0 - line.alliance_building[a].astype(float))
        tolerance = 1e-9 if line.day.dtype == np.float64 else 1e-5
        assert built == pytest.approx(missing, rel=tolerance, abs=tolerance)
        assert not line.alliance_building[a][[m[2] is None for m in moments]].any()


@pytest.mark.parametrize("name", shipped_protocols())
def test_shipped_timelines_hold_every_number_of_their_files(name):
    text = shipped_protocols()[name].read_text("utf-8")
    check(text)
    check(text, arms=list(BUILT_IN))


def drawn_protocol(rng):
    """A random protocol as text; numbers over sixteen orders of magnitude."""
    number = lambda: rng.choice([0.0, 1e-8, 1e-3, 0.7, 1.0, 40.0, 1e4, 1e8])  # noqa: E731
    mean = lambda: rng.choice([-1e4, -2.5, -1e-8, 0.0, 0.3, 1e4])  # noqa: E731

    def evidence(streams, items=True):
        found = {}
        for stream in streams:
            found[stream] = {"mean": mean(), "precision": number()}
            if rng.random() < 0.5:
                found[stream]["sd"] = rng.choice([0.0, 1e-8, 1.0, 1e4])
            if items and rng.random() < 0.7:
                found[stream]["items"] = rng.choice([1, 2, 3, 7, 12])
        return found

    def session(day, **more):
        own = {
            "day": day,
            "hour": rng.choice([0, 0.25, 9]),
            "hours": rng.choice([0.5, 6, 14.5]),
        }
        own["alliance"] = rng.choice([0.0, 0.1, 0.999, 1.0])
        own["stance"] = rng.choice(["directive", "non_directive"])
        own["evidence"] = evidence(rng.sample(STREAMS, rng.randint(0, 5)))
        return {**own, **more}

    day, phases = 0, []
    if rng.random() < 0.6:
        phases.append({"phase": "preparation", "sessions": [session(-9), session(-2)]})
    for _ in range(rng.randint(1, 3)):
        phases.append({"phase": "dosing", "sessions": [session(day)]})
        phases.append(
            {"phase": "integration", "sessions": [session(day + 2), session(day + 3)]}
        )
        phases[-1]["sessions"][0].pop("day")
        phases[-1]["sessions"][0]["days"] = [day + 1, day + 2]
        day += 5
    daily = rng.sample(STREAMS, rng.randint(0, 4))
    life = {"hour": rng.choice([0, 12, 23.9]), "avoidance": rng.random() < 0.5}
    if rng.random() < 0.5:
        daily = [each for each in daily if each != "memory"]
        life["rumination"] = rng.choice([1e-8, 0.5, 1e8])
    life["evidence"] = evidence(daily, items=False)
    own = {"like": "harmful_setting", "told": rng.random(), "masked": True}
    if daily:
        own["daily_evidence"] = {daily[0]: {"mean": 1.25}}
    present = [s for p in phases for each in p["sessions"] for s in each["evidence"]]
    if present:
        own["evidence"] = {present[0]: {"precision": 3.5}}
    content = {
        "name": "drawn",
        "about": "drawn",
        "condition": "healthy",
        "drug": {"compound": "psilocybin", "dose": "0.3 mg/kg"},
        "phases": phases,
        "daily_life": life,
        "directive_factor": rng.choice([1.0, 4.0, 1e4]),
        "arms": {
            "directive": None,
            "own": own,
            "own_too": {"like": "own", "without": ["dosing"]},
        },
        "length": day + rng.choice([0, 1, 30]),
    }
    if rng.random() < 0.5:
        content["start"] = -12
    if rng.random() < 0.5:
        bad = {"day": rng.randint(0, 4), "days": 1, "mean": mean(), "precision": 2.0}
        content["adverse_event"] = bad
    return yaml.safe_dump(content, sort_keys=False)


@pytest.mark.parametrize("seed", range(12))
def test_drawn_timelines_hold_every_number(seed):
    check(drawn_protocol(random.Random(seed)))


@pytest.mark.parametrize("seed", range(3))
def test_single_precision_is_close(seed):
    with jax.enable_x64(False):
        check(drawn_protocol(random.Random(100 + seed)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 400))
def test_many_drawn_timelines_hold_every_number(seed):
    check(drawn_protocol(random.Random(seed)), arms=[*BUILT_IN, "own", "own_too"])


def test_events_are_the_same_in_whatever_arms_are_asked_for():
    """Common random numbers need the same events: an arm alone has those of the whole trial."""
    protocol = read_protocol("mdma_trauma").protocol
    whole, alone = timeline(protocol), timeline(protocol, arms=["drug_alone"])
    np.testing.assert_array_equal(whole.day, alone.day)
    np.testing.assert_array_equal(whole.precision[2], alone.precision[0])


def test_doses_are_on_the_clock_of_the_events():
    protocol = read_protocol("mdma_trauma").protocol
    doses = doses_of(protocol, "drug_and_therapy")
    assert [dose.mg for dose in doses] == [80.0, 40.0, 120.0, 60.0, 120.0, 60.0]
    hours = [24 * day + extra for day in (0, 28, 56) for extra in (0, 2)]
    assert [dose.hours for dose in doses] == hours
    assert doses_of(protocol, "therapy_alone") == ()
    low = timeline(read_protocol("psilocybin_escitalopram").protocol).doses[1]
    assert [(dose.mg, dose.hours) for dose in low] == [(1.0, 0.0), (1.0, 504.0)]


def test_doses_per_kilogram_take_each_persons_weight():
    protocol = read_protocol("ketamine_reactivation").protocol
    assert doses_of(protocol, "drug_alone")[0].mg == pytest.approx(40.0)
    weights = np.array([50.0, 80.0, 120.0])
    mg = jax.vmap(lambda w: doses_of(protocol, "drug_alone", weight=w)[0].mg)(weights)
    np.testing.assert_allclose(mg, 0.5 * weights)


def test_what_people_are_told_and_feel():
    line = timeline(read_protocol("microdosing").protocol)
    np.testing.assert_allclose(line.told, [0.5, 0.5, 1.0, 0.0, 0.5])
    np.testing.assert_array_equal(line.masked, [False] * 4 + [True])
    line = timeline(read_protocol("ketamine_reactivation").protocol)
    np.testing.assert_allclose(line.felt, [0.0, 0.4, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("arms", [[], ["directive", "directive"], ["direktive"]])
def test_wrong_arms_are_refused(arms):
    with pytest.raises(UserError, match="arm"):
        timeline(read_protocol("mdma_trauma").protocol, arms=arms)
