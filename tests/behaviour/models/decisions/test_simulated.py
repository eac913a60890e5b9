"""What is simulated is what the likelihood scores: the mean slope of the log likelihood over simulated people is zero.

$E[\\partial_\\theta \\log p(y\\,|\\,\\theta)] = 0$ for data drawn at $\\theta$, of every parameter, whatever the model.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.models.catalogue import MODELS, find_model, setting_of
from pcmodel.behaviour.models.decisions.designs import DESIGNS
from pcmodel.behaviour.studies.simulate import make_up

PEOPLE = 1000
QUICK = {
    ("two_step", "hybrid"),
    ("selection", "two_rates"),
    ("go_no_go", "pavlovian_two_sizes"),
}
CASES = [
    pytest.param(t, n, marks=() if (t, n) in QUICK else pytest.mark.slow)
    for t in DESIGNS
    for n in MODELS[t]
]


@pytest.mark.parametrize(("task", "name"), CASES)
def test_slopes_vanish_on_average_where_people_were_simulated(task, name):
    series = make_up(task, num_participants=PEOPLE // 2, num_trials=24, num_arms=3)
    model = find_model(task, name, setting_of(series))
    data = model.prepare(series)
    # Away from the priors' means, where several parameters would cancel; fixed ones, too.
    values = {
        p.name: jnp.asarray(p.mean + 0.3 * p.sd * (-1) ** i)
        for i, p in enumerate(model.parameters)
    }

    @jax.jit
    @jax.vmap
    def slopes(key, own):
        drawn = model.simulate(key, values, own)
        return jax.grad(lambda v: model.log_likelihood(v, drawn).sum())(values)

    found = slopes(jax.random.split(jax.random.key(5), PEOPLE), data)
    for parameter, each in found.items():
        each = np.asarray(each)
        error = each.std() / np.sqrt(PEOPLE)
        assert error > 0.0, parameter
        assert abs(each.mean()) < 4.0 * error, (parameter, each.mean() / error)
