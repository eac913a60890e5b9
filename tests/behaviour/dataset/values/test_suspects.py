"""Codes of missing values are asked about; gaps among counts that chance makes are not."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset.values.suspects import suspects
from tests.behaviour.dataset.small_tables import both, follow, pasted, table

TABLES = 400
SIZES = (12, 20, 40, 100)


def share(draw, codes=(7.0, 8.0, 9.0)):
    """Of random columns of four sizes, those in which a code is suspected."""
    rng = np.random.default_rng(7)
    hits = [
        bool(suspects(draw(rng, n).astype(float)) & set(codes))
        for n in SIZES
        for _ in range(TABLES // len(SIZES))
    ]
    return np.mean(hits)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.poisson(rng.uniform(0.5, 6.0), n),
        lambda rng, n: rng.geometric(rng.uniform(0.15, 0.6), n) - 1,
        lambda rng, n: rng.negative_binomial(rng.integers(1, 4), 0.4, n),
    ],
    ids=["poisson", "geometric", "negative binomial"],
)
def test_gaps_among_counts_are_seldom_asked_about(draw):
    """Of such columns one in ten was, when a gap alone was enough."""
    assert share(draw) < 0.075


@pytest.mark.parametrize(
    ("top", "code", "least"), [(5, 9, 0.95), (4, 9, 0.95), (7, 9, 0.6), (4, 8, 0.7)]
)
def test_codes_beside_a_scale_are_found(top, code, least):
    def draw(rng, n):
        answers = rng.choice(np.arange(1, top + 1), n, p=rng.dirichlet(np.full(top, 2)))
        answers[: max(1, n // 30)] = code
        return answers

    assert share(draw, (float(code),)) >= least


def test_large_codes_and_negative_ones_are_found_in_counts():
    for code in (99.0, 999.0, -9.0, -99.0):
        assert share(lambda rng, n: np.append(rng.poisson(2, n), code), (code,)) == 1.0  # noqa: B023


def test_levels_that_someone_chose_hold_no_code():
    """Doses with a gap below the greatest, each given to many."""
    assert suspects(np.repeat([0.0, 4.0, 9.0], 8)) == set()
    assert suspects(np.repeat([0.0, 1.0, 2.0, 9.0], 8)) == {9.0}


def of_people(episodes):
    rows = [
        f"p{who},{t},{t % 2},{t // 2 % 2},{number}"
        for who, number in enumerate(episodes)
        for t in range(6)
    ]
    return table("subject,trial,outcome,response,episodes", *rows)


def test_counts_are_of_people_and_not_of_trials(tmp_path, capsys):
    """The same number in each trial of a person is no evidence of more."""
    formula, read = ("--formula", "omega2 ~ episodes"), {"covariates": ("episodes",)}
    episodes = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5, 8]
    series, _ = follow(tmp_path, capsys, of_people(episodes), *formula, **read)
    assert series.covariates["episodes"].tolist() == episodes
    text = of_people([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 8])
    said = both(tmp_path, capsys, text, *formula, **read)
    assert "rows 68-73 ('8'): looks like a code for a missing value" in said
    missing, none = pasted(said)
    series, _ = follow(tmp_path, capsys, text, *formula, *none, **read)
    assert series.covariates["episodes"][-1] == 8.0
    assert missing == ["--missing", "episodes=8"]
