"""What compiles, and how often.

A study runs the same inference for many networks, doses and trials; were each to
compile anew, minutes would become hours without any number changing.
"""

import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Belief, Modulation
from pcmodel.api.batching import compiled


def network(seed, precisions=(2.0, 1.0, 3.0)):
    return pcmodel.dense((3, 4, 2), precisions=precisions, rngs=nnx.Rngs(seed))


@pytest.fixture(autouse=True, scope="module")
def warm():
    """Everything compiled once."""
    pcmodel.posterior(network(0), np.zeros((5, 3))).log_evidence.block_until_ready()


CALLS = {
    "other data": lambda: pcmodel.posterior(network(0), np.ones((5, 3))),
    "another network": lambda: pcmodel.posterior(network(1), np.zeros((5, 3))),
    "other precisions": lambda: pcmodel.posterior(
        network(0, (0.1, 5.0, 1.0)), np.zeros((5, 3))
    ),
    "a modulation": lambda: pcmodel.posterior(
        network(0), np.zeros((5, 3)), modulation=Modulation({"top": 0.2, "data": 3.0})
    ),
    "neutral modulation": lambda: pcmodel.posterior(
        network(0), np.zeros((5, 3)), modulation=Modulation()
    ),
    "an equal solver": lambda: pcmodel.posterior(
        network(0), np.zeros((5, 3)), solver=pcmodel.GaussNewton()
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_new_numbers_do_not_recompile(name):
    """Prevents a dose, a trial or a retrained network from costing a compilation."""
    before = compiled._cache_size()
    CALLS[name]().log_evidence.block_until_ready()
    assert compiled._cache_size() == before


def test_new_beliefs_do_not_recompile():
    """Prevents trial-by-trial updating from compiling every trial."""
    one = network(0)
    belief = pcmodel.posterior(
        one, np.zeros(3), prior=Belief.of(np.zeros(2), np.eye(2))
    )
    belief = belief.belief().propagate(noise_covariance=0.1)
    before = compiled._cache_size()
    for trial in range(4):
        found = pcmodel.posterior(one, np.full(3, float(trial)), prior=belief)
        belief = found.belief().propagate(noise_covariance=0.1)
    assert compiled._cache_size() == before


def test_another_question_does_compile():
    """Prevents the counts above from being blind."""
    before = compiled._cache_size()
    pcmodel.infer(network(0), np.zeros((7, 3)))
    assert compiled._cache_size() == before + 1
