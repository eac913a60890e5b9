"""Options that cannot work are refused where they are made, in one sentence."""

import jax
import numpy as np
import pytest

import pcmodel
from pcmodel import Dual, GaussNewton, StateDescent
from pcmodel.inference import TruncatedNewton

NETWORK = pcmodel.linear_gaussian([np.eye(2)], [1.0, 1.0])
DEEP = pcmodel.linear_gaussian([np.eye(2), np.eye(2)], [1.0, 1.0, 1.0])
DATA = np.ones((8, 2))


def train(floor):
    learning = pcmodel.Learning(variance_floor=floor)
    return pcmodel.train(
        NETWORK,
        DATA,
        key=jax.random.key(0),
        learning=learning,
        num_epochs=1,
        batch_size=4,
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: GaussNewton(tolerance=-1.0), "tolerance is -1.0"),
        (lambda: GaussNewton(tolerance=float("nan")), "tolerance is nan"),
        (lambda: GaussNewton(max_iterations=-3), "max_iterations"),
        (lambda: GaussNewton(Dual), "GaussNewton: linear_solver is the class Dual"),
        (lambda: TruncatedNewton(0), "num_products"),
        (lambda: StateDescent(max_steps=-1), "max_steps"),
        (lambda: train(-1.0), "variance_floor is -1.0"),
        (lambda: train(float("nan")), "variance_floor is nan"),
        (
            lambda: pcmodel.infer(
                DEEP,
                DATA,
                modulation=pcmodel.Modulation(
                    error_transmission={0: 1e-200, 1: 1e-200}
                ),
            ),
            "error transmission",
        ),
    ],
)
def test_it_is_refused_in_a_sentence(call, said):
    with pytest.raises(pcmodel.UserError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
