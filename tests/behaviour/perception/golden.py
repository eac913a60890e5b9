"""Golden values embedded: the first ten trials of three of the published trajectories.

Inputs from TAPAS's example files; values by pyhgf 0.2.12 and TAPAS, float64, ten digits
(names and conventions as there: levels count from the outcome, $x_1$).
"""

import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.perception import (
    BinaryHgf,
    ContinuousHgf,
    HgfParameters,
    enhanced_pyhgf,
    enhanced_tapas,
    standard,
    unbounded_pyhgf,
)

RULES = {
    "standard": standard,
    "ehgf_tapas": enhanced_tapas,
    "ehgf_pyhgf": enhanced_pyhgf,
    "unbounded_pyhgf": unbounded_pyhgf,
}


def as_model(file):
    """The model, parameters and latent levels (numbered as in the file) of a file."""
    params, binary = file["params"], "mu1_0" not in file["params"]
    levels = [i for i in range(1, 4) if f"mu{i}_0" in params]
    rule = RULES[file["rule"]]

    def row(values):
        return jnp.asarray(list(values), float)

    parameters = HgfParameters(
        initial_mean=row(params[f"mu{i}_0"] for i in levels),
        initial_log_precision=row(np.log(params[f"pi{i}_0"]) for i in levels),
        omega=row(params[f"omega{i}"] for i in levels),
        kappa=row(params[f"kappa{i}"] for i in levels[:-1]),
        drift=jnp.zeros(len(levels)),
        sensory_log_precision=row([0.0 if binary else params["input_precision"]])[0],
    )
    if binary:
        clip = 1e-3 if rule is enhanced_tapas else 0.0
        return BinaryHgf(rule, clip), parameters, levels
    noise = jnp.log(parameters.sensory_log_precision)
    return ContinuousHgf(rule), parameters._replace(sensory_log_precision=noise), levels


def states_of(trace, levels):
    """The trace under the file's names."""
    found = {}
    for j, i in enumerate(levels):
        found[f"mu{i}"] = trace.belief.mean[j]
        found[f"pi{i}"] = trace.belief.precision[j]
        found[f"muhat{i}"] = trace.prediction.mean[j]
        found[f"pihat{i}"] = trace.prediction.precision[j]
    if levels[0] == 2:
        found["muhat1"] = trace.prediction.outcome
    return {name: np.asarray(values) for name, values in found.items()}


EMBEDDED = (
    {
        "rule": "standard",
        "params": {
            "mu2_0": 0.0,
            "pi2_0": 1.0,
            "mu3_0": 1.0,
            "pi3_0": 1.0,
            "omega2": -2.5,
            "omega3": -6.0,
            "kappa2": 1.0,
        },
        "u": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
        "trials": [2, 3, 10],
        "states": {
            "muhat1": [0.6149934806, 0.6939021416, 0.830926329],
            "mu2": [0.8184260949, 1.097182812, 1.765261242],
            "pi2": [1.099783916, 1.098082449, 0.9769958417],
            "muhat2": [0.4683513995, 0.8184260949, 1.592206595],
            "pihat2": [0.8630074167, 0.8856804899, 0.8365080769],
            "mu3": [0.9849892132, 0.9735821033, 0.9423584759],
            "pi3": [1.039616011, 1.063300184, 1.187560644],
            "muhat3": [0.9950833253, 0.9849892132, 0.9512459977],
            "pihat3": [1.014784868, 1.036943858, 1.164957858],
        },
    },
    {
        "rule": "ehgf_tapas",
        "params": {
            "mu2_0": 0.0,
            "pi2_0": 1.0,
            "mu3_0": 1.0,
            "pi3_0": 1.0,
            "omega2": -2.5,
            "omega3": -6.0,
            "kappa2": 1.0,
        },
        "u": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
        "trials": [2, 3, 10],
        "states": {
            "muhat1": [0.6149934806, 0.6939010496, 0.8308883767],
            "mu2": [0.8184209537, 1.097160773, 1.764903613],
            "pi2": [1.099800068, 1.098152932, 0.9777095379],
            "muhat2": [0.4683513995, 0.8184209537, 1.591936472],
            "pihat2": [0.8630235682, 0.8857505494, 0.8371966557],
            "mu3": [0.9846436114, 0.9729435475, 0.94036005],
            "pi3": [1.038993357, 1.062172106, 1.18649423],
            "muhat3": [0.9949856524, 0.9846436114, 0.9494105215],
            "pihat3": [1.014594409, 1.0363244, 1.164267414],
        },
    },
    {
        "rule": "standard",
        "params": {
            "mu1_0": 1.04,
            "pi1_0": 10000.0,
            "mu2_0": 1.0,
            "pi2_0": 10.0,
            "omega1": -13.0,
            "omega2": -2.0,
            "kappa1": 1.0,
            "input_precision": 10000.0,
            "mu3_0": 1.0,
            "pi3_0": 10.0,
            "omega3": -2.0,
            "kappa2": 1.0,
        },
        "u": [
            1.0357,
            1.0319,
            1.0359,
            1.0343,
            1.0303,
            1.0328,
            1.0311,
            1.0326,
            1.0247,
            1.0245,
        ],
        "trials": [2, 3, 10],
        "states": {
            "mu1": [1.035634818, 1.035714008, 1.029954181],
            "pi1": [27362.36094, 33486.92232, 49211.80926],
            "muhat1": [1.037785918, 1.035634818, 1.031345135],
            "pihat1": [17362.36094, 23486.92232, 39211.80926],
            "mu2": [0.9812914201, 0.9569118126, 0.7098888868],
            "pi2": [1.218604149, 0.8670040025, 0.3666950466],
            "muhat2": [0.9936930821, 0.9812914201, 0.7422148797],
            "pihat2": [1.201076772, 0.8418241948, 0.3419239622],
            "mu3": [0.9983840793, 0.9963227859, 0.9657527768],
            "pi3": [2.916524621, 2.140618379, 0.7617635522],
            "muhat3": [0.9994590239, 0.9983840793, 0.9711427813],
            "pihat3": [2.818647726, 2.09113534, 0.7511937028],
        },
    },
)
