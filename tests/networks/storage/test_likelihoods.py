"""Likelihoods on disk come back by their class, or a sentence says why not."""

import dataclasses
import json

import numpy as np
import pytest
from flax import nnx
from network_files import (
    rewritten,
)

import pcmodel


@dataclasses.dataclass(frozen=True)
class Tempered(pcmodel.Bernoulli):
    """A likelihood of a user's own, with an option; it keeps the name of the one it is made of."""

    temperature: float = 1.0


@dataclasses.dataclass(frozen=True)
class Weighted(pcmodel.Bernoulli):
    """A likelihood that a file cannot describe."""

    weights: tuple = ()


def with_likelihood(likelihood):
    return pcmodel.dense(
        (3, 2), precisions=(None, 1.0), likelihood=likelihood, rngs=nnx.Rngs(0)
    )


def test_a_likelihood_of_ones_own_comes_back_by_its_class(tmp_path, monkeypatch):
    """Prevents it from coming back as the one whose name it has, or with other options, or not at all."""
    path = tmp_path / "own.npz"
    pcmodel.save(with_likelihood(Tempered(2.0)), path)
    assert pcmodel.load(path).likelihood == Tempered(2.0)
    into = with_likelihood(Tempered(2.0))
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(path, into=with_likelihood(Tempered(3.0)))
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(path, into=with_likelihood(pcmodel.Bernoulli()))
    monkeypatch.delitem(globals(), "Tempered")
    with pytest.raises(pcmodel.UserError, match=r"not defined here.*into=network"):
        pcmodel.load(path)
    assert pcmodel.load(path, into=into).likelihood == into.likelihood


def test_a_likelihood_that_a_file_cannot_hold_is_refused_when_saved(tmp_path):
    """Prevents the loss from being found out when the network is needed."""
    network = with_likelihood(Weighted((np.ones(3),)))
    with pytest.raises(pcmodel.UserError, match="'weights'"):
        pcmodel.save(network, tmp_path / "own.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_can_ask_for_no_class_but_a_likelihood(saved):
    """Prevents a file from making an object of any class that happens to be loaded."""

    def foreign(arrays):
        metadata = json.loads(str(arrays["metadata"]))
        metadata["likelihood"] = {
            "class": "subprocess.Popen",
            "options": {"args": "true"},
        }
        arrays["metadata"] = np.array(json.dumps(metadata))

    rewritten(saved, foreign)
    with pytest.raises(pcmodel.UserError, match="not defined here"):
        pcmodel.load(saved)
