"""The published filters, number for number."""

import json

import jax
import numpy as np
import pytest

from pcmodel.behaviour.perception import make_inputs, perceive
from tests.behaviour.perception.golden import EMBEDDED, RULES, as_model, states_of
from tests.behaviour.shared_data import shared_file

run_model = jax.jit(perceive, static_argnums=0)
TOLERANCE = 1e-8  # the files hold ten digits

FILES = [
    f"{name}_{rule}"
    for name, rules in {
        "binary_3level_om2_m2.5": RULES,
        "binary_3level_om2_m3": RULES,
        "continuous_2level": ("standard", "ehgf_tapas", "ehgf_pyhgf"),
        "continuous_3level": ("standard", "ehgf_tapas", "ehgf_pyhgf"),
    }.items()
    for rule in rules
] + ["binary_2level_om2_m2.5", "binary_2level_om2_m3"]


def run(file):
    model, parameters, levels = as_model(file)
    trace = run_model(model, parameters, make_inputs(file["u"]))
    return trace, states_of(trace, levels)


def close(value, expected):
    error = np.abs(np.asarray(value) - expected) / (1.0 + np.abs(expected))
    return error.max() < TOLERANCE


@pytest.mark.parametrize("file", EMBEDDED, ids=lambda f: f["rule"])
def test_embedded_trials(file):
    _, states = run(file)
    rows = np.asarray(file["trials"]) - 1
    assert set(file["states"]) == set(states)
    for name, expected in file["states"].items():
        assert close(states[name][rows], np.asarray(expected)), name


@pytest.mark.parametrize("name", FILES)
def test_every_golden_trajectory(name):
    file = json.loads(shared_file("hgf_reference", f"{name}.json").read_text())
    rule = next((r for r in RULES if name.endswith(r)), "standard")
    trace, states = run({**file, "rule": rule})
    full = file["trajectories"]["full"]
    assert set(full) == set(states)
    for state, expected in full.items():
        assert close(states[state], np.asarray(expected)), state
    total = file.get("total_binary_surprise")
    if total is None:
        total = file["total_gaussian_surprise_with_input_noise"]
    assert float(-trace.log_evidence.sum()) == pytest.approx(total, abs=1e-8)
    assert bool(trace.belief.valid.all())


def test_likelihoods_at_the_toolbox_fits():
    """The MAP fits are printed to four decimals; the likelihood there is exact."""
    file = json.loads(shared_file("hgf_reference", "tapas_map_fits.json").read_text())
    fit = file["bayes_optimal_hgf_binary"]
    params = {
        "mu2_0": 0.0,
        "pi2_0": 10.0,
        "mu3_0": 1.0,
        "pi3_0": 1.0,
        "kappa2": 1.0,
        "omega2": fit["omega2"],
        "omega3": fit["omega3"],
    }
    trace, _ = run({"rule": "standard", "params": params, "u": file["u"]})
    surprise = float(-trace.log_evidence.sum())
    assert surprise == pytest.approx(fit["negLl_recomputed_by_us"], abs=1e-8)
