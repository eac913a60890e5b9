"""End-stopping against a dense solve, with its two controls."""

import jax
import numpy as np
import pytest

import pcmodel
from pcmodel.errors import UserError
from pcmodel.paradigms.perception import Strip, bar_responses, rows

KEY = jax.random.key(0)


def by_hand(strip, upper, bar, precisions):
    """Features and causes of one row, from the joint precision matrix."""
    lower, (pixels, features, causes) = strip.local(), precisions
    hessian = np.block(
        [
            [
                pixels * lower.T @ lower + features * np.eye(lower.shape[1]),
                -features * upper,
            ],
            [
                -features * upper.T,
                features * upper.T @ upper + causes * np.eye(upper.shape[1]),
            ],
        ]
    )
    drive = np.concatenate([pixels * lower.T @ bar, np.zeros(upper.shape[1])])
    found = np.linalg.solve(hessian, drive)
    return np.split(found, [lower.shape[1]])


@pytest.mark.parametrize(
    "precisions", [(4.0, 4.0, 1.0), (1e-4, 1e4, 1.0), (1e4, 1.0, 1e-4)]
)
def test_responses_are_those_of_a_dense_solve(precisions):
    strip = Strip(pixels=4, features=2, precisions=precisions)
    upper = np.random.default_rng(0).normal(size=(6, 2))
    network = pcmodel.linear_gaussian([strip.local(), upper], list(precisions))
    found = bar_responses(strip, network)
    for length, error in zip(found.lengths, found.error, strict=True):
        bar = np.zeros(12)
        start = int(np.ceil(6 - length / 2))
        bar[start : start + int(length)] = 1.0
        features, causes = by_hand(strip, upper, bar, precisions)
        expected = precisions[1] * np.linalg.norm((features - upper @ causes)[2:4])
        assert error == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "strip", [Strip(), Strip(pixels=1, features=1), Strip(pixels=5, features=5)]
)
def test_with_feedback_cut_nothing_beyond_the_field_is_heard(strip):
    found = bar_responses(strip, strip.without_feedback())
    beyond = found.error[strip.pixels - 1 :]
    np.testing.assert_allclose(beyond, beyond[0], rtol=1e-9)
    assert found.index == pytest.approx(0.0, abs=1e-9)
    share = strip.precisions[0] / sum(strip.precisions[:2])
    assert found.feature[-1] == pytest.approx(share * np.sqrt(strip.pixels), rel=1e-9)


def test_a_top_that_knows_that_bars_go_on_stops_the_ends():
    """The map by hand: one cause, the mean brightness of all fields."""
    strip = Strip(causes=1, precisions=(4.0, 4.0, 0.01))
    upper = np.zeros((9, 1))
    upper[::3] = 1.0
    network = pcmodel.linear_gaussian([strip.local(), upper], list(strip.precisions))
    found = bar_responses(strip, network)
    assert found.index > 0.9
    assert found.index == pytest.approx(1 - found.error[-1] / found.error[7])


def test_fields_of_apart_rows_are_as_they_were_and_know_nothing_of_each_other():
    strip = Strip()
    whole, apart = (
        np.asarray(rows(strip, KEY, number=4000, apart=apart))
        for apart in (False, True)
    )
    np.testing.assert_allclose(whole.std(0), apart.std(0), rtol=0.15)
    assert np.corrcoef(whole[:, 4], whole[:, 20])[0, 1] > 0.25
    assert abs(np.corrcoef(apart[:, 4], apart[:, 20])[0, 1]) < 0.06


@pytest.mark.slow
def test_what_is_learned_stops_the_ends_and_of_apart_rows_less():
    strip = Strip()
    for apart, least, most in ((False, 0.5, 1.0), (True, -2.0, 0.5)):
        seen = rows(strip, KEY, number=1000, apart=apart)
        trained = pcmodel.linear_em(
            strip.network(KEY),
            seen,
            fixed_layers="pixels",
            fixed_precisions=("pixels", "features", "causes"),
        )
        assert least <= bar_responses(strip, trained.network).index <= most


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Strip(features=9), "9 features of 8 pixels"),
        (lambda: Strip(precisions=(1.0, 1.0)), "2 precisions"),
        (lambda: Strip(bar_length=0.0), "above 0"),
        (
            lambda: bar_responses(Strip(), Strip(pixels=4).without_feedback()),
            "24 pixels",
        ),
        (lambda: rows(Strip(), KEY, number=0), "number"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
