"""The page's mathematics against the package: random draws, and the ends of every slider."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explorer_models import chain_network, digits_network, route_of
from explorer_people import as_study
from explorer_twin import (
    assert_agrees,
    log_uniform,
    needs_node,
    run_twin,
    tables,
)
from scipy.special import ndtr

import pcmodel
from pcmodel.explorer.tables import DATA, KETANSERIN, SHOWN
from pcmodel.explorer.therapy import COURSES, setting_name, study_of, treatments
from pcmodel.neuromodulation import (
    ACCOUNTS,
    CORTEX,
    Dose,
    Effects,
    anatomy,
    load_compounds,
    simulate,
    typical,
)
from pcmodel.paradigms import believe
from pcmodel.sessions.cohort import follow

pytestmark = needs_node
RNG = np.random.default_rng(2)
ENDS = (0.01, 1.0, 100.0)


def chain_cases():
    """Draws within the sliders, and every precision at both ends."""
    drawn = [
        (log_uniform(RNG, 0.01, 100, 4), RNG.uniform(-4, 4), RNG.uniform(-4, 4))
        for _ in range(6)
    ]
    at_ends = [
        (np.where(np.arange(4) == level, end, 1.0), -4.0, 4.0)
        for level, end in product(range(4), ENDS)
    ]
    return [*drawn, *at_ends]


def test_the_chain_is_exact(tmp_path):
    """Means, variances, covariances and evidence of the page against `pcmodel.posterior`."""
    cases = chain_cases()
    found = run_twin(
        [
            {
                "kind": "chain",
                "precisions": list(map(float, precisions)),
                "priorMean": prior,
                "observed": seen,
            }
            for precisions, prior, seen in cases
        ],
        tmp_path,
    )
    for (precisions, prior, seen), own in zip(cases, found, strict=True):
        told = pcmodel.posterior(chain_network(precisions, prior), np.array([seen]))
        assert_agrees(
            own["mean"][1:], [float(m[0]) for m in told.mean[1:]], what="mean"
        )
        expected = [float(v[0]) for v in told.variances[1:]]
        assert_agrees(own["variance"][1:], expected, what="variance")
        assert_agrees(own["logEvidence"], float(told.log_evidence), what="evidence")
        by_hand = 1 / np.sum(1 / precisions[:3])
        assert_agrees(own["weight"], by_hand / (by_hand + precisions[3]), what="weight")
        precision = np.diag(precisions[1:]).astype(float)
        precision += np.diag(precisions[:3]) - np.diag(precisions[1:3], 1)
        precision -= np.diag(precisions[1:3], -1)
        assert_agrees(own["covariance"], np.linalg.inv(precision), what="covariance")


def test_without_evidence_nothing_moves(tmp_path):
    """Relaxing a belief that meets no evidence leaves it where it was, and has no weight."""
    case = {"kind": "chain", "precisions": [1, 4, 4, 0.01], "priorMean": -2.0}
    (own,) = run_twin([{**case, "observed": None}], tmp_path)
    assert own["mean"][1:] == [-2.0] * 3 and own["weight"] == 0
    assert_agrees(own["variance"][3], 100.0)


def dose_cases():
    """Every compound at usual, smallest and largest dose, alone and after ketanserin."""
    for name, (_, usual, most, step, _, hours) in SHOWN.items():
        for mg in (0.0, step, usual, most):
            yield name, mg, False, hours
        yield name, usual, True, hours


def test_dose_and_time_are_the_packages(tmp_path):
    """Plasma, effect site, occupancies, serotonin, response, effect and block over time."""
    cases, asked = list(dose_cases()), []
    for name, mg, blocked, hours in cases:
        start = -KETANSERIN["hours_before"]
        times = np.linspace(start - 1e-3, hours, 121)
        given = [{"compound": name, "mg": mg, "hours": 0.0}]
        given[0]["route"] = tables()["dose"]["shown"][name]["route"]
        if blocked:
            before = {"compound": "ketanserin", "mg": KETANSERIN["mg"], "hours": start}
            given.insert(0, {**before, "route": "oral"})
        asked.append({"kind": "dose", "doses": given, "times": times.tolist()})
    library = load_compounds()
    for case, request, own in zip(cases, asked, run_twin(asked, tmp_path), strict=True):
        name, mg, blocked, _ = case
        before = KETANSERIN["hours_before"]  # the package's clock begins there
        doses = [Dose(name, mg, before, route_of(name))]
        if blocked:
            doses.insert(0, Dose("ketanserin", KETANSERIN["mg"], 0.0))
        times = np.array(request["times"]) + before
        course = simulate(tuple(doses), times, typical(library, *own["names"]))
        for field in ("plasma", "effect_site", "occupancy_2a", "occupancy_1a"):
            key = {"effect_site": "site"}.get(field, field.replace("_2a", "2a"))
            key = key.replace("_1a", "1a")
            assert_agrees(own[key], getattr(course, field), what=f"{case}: {field}")
        for field, key in (
            ("serotonin", "serotonin"),
            ("store", "store"),
            ("response_2a", "response2a"),
            ("response_1a", "response1a"),
            ("effect_2a", "effect2a"),
            ("nmda_block", "nmdaBlock"),
        ):
            assert_agrees(own[key], getattr(course, field), what=f"{case}: {field}")


def account_cases(name):
    """Moments of effects, and an account's strengths at both ends of the slider and between."""
    shares = np.array([0.0, 0.3, 1.0, *RNG.uniform(0, 1, 3)])
    effects = Effects(*(jnp.asarray(part * shares) for part in (1.0, 0.6, 0.8)))
    return effects, (0.0, 0.7, 1.0) if name == "nmda_block" else (0.0, 2.0, 4.0)


def moments_of(effects):
    """The effects of every moment, () each."""
    return [Effects(*parts) for parts in zip(*effects, strict=True)]


def asked_of(name, strength, effects):
    """A case for every moment."""
    table = tables()["chain"]
    return [
        {
            "kind": "account",
            "account": name,
            "strength": strength,
            "effect2a": float(now.effect_2a),
            "response1a": float(now.response_1a),
            "nmdaBlock": float(now.nmda_block),
            "chain": {
                "precisions": table["precisions"],
                "priorMean": table["prior_mean"],
                "observed": table["observed"],
            },
        }
        for now in moments_of(effects)
    ]


def account_of(name, strength):
    """The account of this strength; of blocked channels it is the share of transmission."""
    option = "transmission" if name == "nmda_block" else "strength"
    return ACCOUNTS[name](**{option: strength})


@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_rival_accounts_modulate_as_the_packages(name, tmp_path):
    """Gains, slopes, top-down share and temperature; errors not passed on as the gains that stand for them."""
    effects, strengths = account_cases(name)
    asked = [
        case for strength in strengths for case in asked_of(name, strength, effects)
    ]
    found = iter(run_twin(asked, tmp_path))
    for strength in strengths:
        for now in moments_of(effects):
            own = next(found)
            told = account_of(name, strength).modulate(now, anatomy(*CORTEX))
            gains = [float(told.gains.get(level, 1.0)) for level in range(4)]
            for level, passed in sorted(told.error_transmission.items()):
                gains[level + 1] = gains[level] / float(passed)
            assert_agrees(own["gains"], gains, what=f"{name}, {strength}")
            slopes = [float(told.slopes.get(level, 1.0)) for level in range(4)]
            assert_agrees(own["slopes"], slopes, what=f"{name}, {strength}")
            assert_agrees(own["topDown"], float(told.top_down))
            assert_agrees(own["temperature"], float(told.temperature))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_beliefs_under_rival_accounts_are_the_packages(name, tmp_path):
    """Mean and deviation of activity of every level, and the weight of the evidence, as `believe` has them."""
    effects, strengths = account_cases(name)
    asked = [
        case for strength in strengths for case in asked_of(name, strength, effects)
    ]
    found = iter(run_twin(asked, tmp_path))
    table = tables()["chain"]
    network = chain_network(table["precisions"], table["prior_mean"])
    seen = np.array([table["observed"]])
    for strength in strengths:
        told = believe(network, seen, effects, account=account_of(name, strength))
        for i in range(len(effects.effect_2a)):
            own, what = next(found), f"{name}, strength {strength}, moment {i}"
            assert_agrees(own["mean"], [m[i, 0] for m in told.mean[1:]], what=what)
            deviations = [s[i, 0] for s in told.sd[1:]]
            assert_agrees(np.sqrt(own["variance"]), deviations, what=what)
            if not own["topDown"]:
                assert_agrees(own["weight"], told.revision[i], what=what)


@pytest.mark.parametrize("which", ["trained", "untrained"])
def test_a_digit_settles_where_the_package_does(which, tmp_path):
    """The same equilibrium: top, hidden level, energies by level, deviations, and a residual that says so."""
    images = np.load(DATA / "digits.npz")["images"].astype(float)
    held = np.eye(10)
    cases = [
        (8, 3, 400.0, [1.0, 1.0, 1.0, 1.0]),
        (8, 3, 400.0, [1.0, 1.0, 1.0, 0.01]),
        (8, 3, 400.0, [20.0, 1.0, 1.0, 1.0]),
        (1, 7, 1.0, [1.0, 0.1, 0.1, 1.0]),
        (5, 0, 1000.0, [0.01, 0.01, 0.01, 0.01]),
    ]
    asked = [
        {
            "kind": "digit",
            "network": which,
            "image": images[shown].tolist(),
            "belief": {"mean": held[believed].tolist(), "precision": precision},
            "gains": gains,
        }
        for shown, believed, precision, gains in cases
    ]
    network = digits_network(which)
    for case, own in zip(cases, run_twin(asked, tmp_path), strict=True):
        shown, believed, precision, gains = case
        prior = pcmodel.Belief.of(held[believed], precision=precision, level="top")
        modulation = pcmodel.Modulation(dict(enumerate(gains)))
        told = pcmodel.infer(
            network,
            images[shown],
            prior=prior,
            modulation=modulation,
        )
        assert bool(told.converged) and own["residual"] < 1e-6, case
        assert_agrees(np.sum(own["energies"]), told.energy, what=f"{case}: energy")
        assert_agrees(own["top"], told.latents[-1], what=f"{case}: top")
        assert_agrees(own["shapes"], told.latents[-2], what=f"{case}: shapes")
        belief = pcmodel.posterior(
            network, images[shown], prior=prior, modulation=modulation
        )
        expected = np.sqrt(np.asarray(belief.variances[-1]))
        assert_agrees(own["deviations"], expected, what=f"{case}: deviations")


def test_the_normal_distribution_function(tmp_path):
    """Both of its formulas, and where they meet."""
    at = np.concatenate(
        [np.linspace(-12, 12, 97), np.sqrt(2) * 2.5 * np.array([1, -1])]
    )
    (own,) = run_twin([{"kind": "cdf", "at": at.tolist()}], tmp_path)
    np.testing.assert_allclose(own, ndtr(at), rtol=1e-10)


def therapy_cases():
    """Settings, doses, accounts and strengths of each course."""
    for course in COURSES:
        most = len(course.scales) - 1
        fates = (
            (False, True) if course.protocol == "psilocybin_depression" else (False,)
        )
        settings = [
            setting_name(*each)
            for each in product(("all", "none"), (False, True), fates)
        ]
        for number, arm in enumerate(settings):
            yield course, arm, (-1, most, 0, most // 2)[number % 4], "rebus", 2.0, 1.0
        for account in ("sensory", "sebus", "uniform", "noise", "oneirogen"):
            yield course, settings[0], most, account, 2.0, 1.0
        for strength, window in ((0.0, 0.0), (4.0, 2.0)):
            yield course, settings[0], most, "rebus", strength, window


@pytest.mark.slow
def test_a_course_of_therapy_is_the_packages(tmp_path):
    """Belief and log-precision of everybody on every day, as `follow` has them."""
    cases = list(therapy_cases())
    found = run_twin(
        [
            {
                "kind": "therapy",
                "course": course.protocol,
                "arm": arm,
                "scale": scale,
                "account": account,
                "strength": strength,
                "window": window,
            }
            for course, arm, scale, account, strength, window in cases
        ],
        tmp_path,
    )
    for case, own in zip(cases, found, strict=True):
        course, arm, scale, name, strength, window = case
        study = as_study(course, arm, scale, window)
        told = follow(study, account=ACCOUNTS[name](strength=strength))
        assert_agrees(own["beliefs"], told.belief[0], what=f"{case}: belief")
        assert_agrees(
            own["logPrecisions"], told.log_precision[0], what=f"{case}: precision"
        )


@pytest.mark.slow
@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.protocol)
def test_the_shipped_people_are_those_of_the_package(course):
    """Prevents a table of people and drug effects that the package no longer makes."""
    arrays = np.load(DATA / "therapy.npz")
    with jax.enable_x64(False):
        study = study_of(course)
        given = treatments(course, study)
        rise = np.asarray(given.plasticity) - 1
        effect = np.asarray(given.acute.effects.effect_2a)
        released = np.asarray(given.acute.released)
    shipped = {
        name: arrays[f"{course.protocol}.{name}"]
        for name in ("luck", "rise", "columns")
    }
    np.testing.assert_allclose(shipped["luck"], study.luck, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(shipped["rise"], rise, rtol=1e-3, atol=1e-5)
    columns = shipped["columns"]
    for name, whole in (("effect_2a", effect), ("released", released)):
        expected = np.zeros_like(whole)
        expected[..., columns] = arrays[f"{course.protocol}.{name}"]
        np.testing.assert_allclose(expected, whole, rtol=1e-3, atol=1e-5)
