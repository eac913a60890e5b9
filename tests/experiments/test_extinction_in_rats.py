"""The rats' procedure, what is left out and exchanged, and verdicts that fall either way."""

import csv

import numpy as np
import pytest
from jax import enable_x64

from experiments.extinction_in_rats import claims, figures, words
from experiments.extinction_in_rats.predicting import predict_rats
from experiments.extinction_in_rats.protocol import (
    GROUPS,
    ROWS,
    SHOCKS,
    TESTS,
    as_series,
    change,
    exchanged,
    halves,
    only,
    protocol,
    read_rats,
    rows_of,
    unseen,
)
from experiments.extinction_in_rats.simulate import (
    CAUSES,
    MODELS,
    NAIVE,
    ONE,
    RW,
    Config,
    Prediction,
    Results,
    mean_and_error,
)
from pcmodel.behaviour.posterior.left_out import predict_people
from pcmodel.errors import UserError
from tests.behaviour.shared_data import FOLDER

PLACES = [("extinction", c) for c in ("pre", 1, 2, 3, 4, 21, 22, 23, 24)]
PLACES += [(test, c) for test in TESTS for c in ("pre", 1, 2, 3, 4)]


def table(tmp_path, **changes):
    """A table of two rats a group whose freezing falls cue by cue; `changes`: cells of the first row."""
    path = tmp_path / "experiment1.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("animal", "group", "phase", "cue", "freezing"))
        writer.writeheader()
        for number in range(6):
            for place, (phase, cue) in enumerate(PLACES):
                row = {
                    "animal": f"rat{number}",
                    "group": GROUPS[number % 3],
                    "phase": phase,
                    "cue": cue,
                    "freezing": round(0.9 - 0.04 * place, 3),
                }
                first = number == 0 and place == 0
                writer.writerow(row | changes if first else row)
    return path


def test_the_procedure_is_the_published_one():
    for group in GROUPS:
        rows = protocol(group)
        times = [row.time for row in rows]
        assert times == sorted(times) and len(set(times)) == len(times) == 38
        shocked = [r.cue for r in rows if r.shock == 1 and r.phase == "extinction"]
        assert tuple(shocked) == SHOCKS[group]
        assert sum(r.shock == 1 for r in rows) == 3 + len(SHOCKS[group])
        assert [r.cue for r in rows if np.isnan(r.shock)] == [0, 0, 0]
    first = {
        p: next(r.time for r in ROWS if r.phase == p and r.cue == 1) for p in TESTS
    }
    assert first[TESTS[1]] - first[TESTS[0]] == 30 * 24.0
    assert rows_of("extinction").sum() == 24
    assert rows_of("extinction", cues=False).sum() == 1


def test_the_table_is_laid_over_it(tmp_path):
    rats = read_rats(table(tmp_path, freezing=1.04))
    response = rats.series.values["response"]
    assert response.shape == (6, 38) and rats.clipped == 1
    assert rats.series.covariates["group"].tolist() == [g for g in GROUPS for _ in "ab"]
    assert response[0, 3] == 1.0 and np.isfinite(response[0]).sum() == 19
    np.testing.assert_allclose(response[1, rows_of(TESTS[1])], [0.3, 0.26, 0.22, 0.18])
    np.testing.assert_allclose(change(response), -0.2)
    np.testing.assert_array_equal(rats.series.values["stimulus"][:, 3], 0.0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"group": "slow"}, "row 2: rat0 is of group 'slow'"),
        ({"cue": 25}, "row 2: phase 'extinction', cue '25'"),
        ({"phase": "renewal"}, "row 2: phase 'renewal'"),
        ({"freezing": "much"}, "row 2: .*freezing 'much'"),
        ({"freezing": 47}, "row 2: freezing is 47"),
        ({"freezing": -0.2}, "row 2: freezing is -0.2"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_row(tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        read_rats(table(tmp_path, **changes))


def test_missing_cells_stay_missing_and_groups_must_all_be_there(tmp_path):
    rats = read_rats(table(tmp_path, freezing=""))
    assert np.isnan(rats.series.values["response"][0, 3])
    path = tmp_path / "part.csv"
    lines = table(tmp_path).read_text("utf-8").splitlines()
    path.write_text("\n".join(r for r in lines if "reverse" not in r), "utf-8")
    with pytest.raises(UserError, match="lacks a group"):
        read_rats(path)
    path.write_text("animal,group\nrat0,standard\n", "utf-8")
    with pytest.raises(UserError, match="has no column cue, freezing, phase"):
        read_rats(path)


def test_halves_share_every_group_and_no_rat():
    series = as_series(np.full((11, 38), 0.5), [GROUPS[i % 3] for i in range(11)])
    half = halves(series, 3)
    for group in GROUPS:
        own = half[series.covariates["group"] == group]
        assert 0 <= (own == 0).sum() - (own == 1).sum() <= 1
    assert not np.array_equal(half, halves(series, 4))
    left = only(series, half == 1)
    assert len(left.participant) == (half == 1).sum() == left.present.shape[0]


def test_what_is_not_seen_is_gone_and_protocols_move_on():
    freezing = np.random.default_rng(0).random((3, 38))
    series = as_series(freezing, list(GROUPS))
    blind = unseen(series, rows_of(TESTS[0]))
    assert np.isnan(blind.values["response"][:, rows_of(TESTS[0])]).all()
    assert np.isfinite(blind.values["response"][:, ~rows_of(TESTS[0])]).all()
    other = exchanged(series)
    assert other.covariates["group"].tolist() == ["gradual", "reverse", "standard"]
    np.testing.assert_array_equal(other.values["response"], freezing)
    np.testing.assert_array_equal(
        other.values["outcome"][0], series.values["outcome"][1]
    )
    found = mean_and_error(np.asarray([[0.0, np.nan], [1.0, np.nan]]))
    np.testing.assert_allclose(found[:, 0], [0.5, 0.5])
    assert np.isnan(found[:, 1]).all()


def test_rats_of_one_protocol_share_what_they_expect():
    """The short cut gives the densities of the general function, missing freezing included."""
    rng = np.random.default_rng(0)
    freezing = np.clip(rng.normal(0.4, 0.5, (5, 38)), 0.0, 1.0)
    freezing[1, 20:] = np.nan
    left = as_series(freezing, [GROUPS[i % 3] for i in range(5)])
    model = MODELS[RW]
    people = {p.name: p.mean + 0.1 * rng.normal(size=30) for p in model.parameters}
    with enable_x64(True):
        found = predict_rats(model, people, left)
        wanted = predict_people(model, people, model.prepare(left))
    np.testing.assert_allclose(found.log_density, wanted.log_density, rtol=1e-9)
    np.testing.assert_allclose(found.effective_draws, wanted.effective_draws, rtol=1e-6)


def made_up(shift):
    """Results in which latent causes predict the change `shift` by group, and gain two nats a rat."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(3), 5)
    scored = np.isfinite(as_series(np.zeros((1, 38)), ["standard"]).values["response"])
    freezing = np.where(scored, rng.uniform(0.1, 0.9, (2, 3, 38)), np.nan)
    density = rng.normal(0.0, 0.5, 15)

    def prediction(shift, gain):
        curve = rng.uniform(0.0, 1.0, (200, 3, 38))
        told = np.asarray(shift) + 0.05 * rng.normal(size=(200, 3))
        noise = rng.normal(0.0, 0.1, 15)
        return Prediction(density + gain + noise, np.full(15, 90.0), curve, told)

    flat = np.zeros(3)
    held = {m: prediction(flat, 0.0) for m in MODELS}
    held[CAUSES] = prediction(shift, 2.0)
    tests = {m: held[m] for m in (CAUSES, ONE, RW)}
    seen = np.asarray([0.13, -0.19, -0.19])[group] + 0.02 * rng.normal(size=15)
    seen[0] = np.nan
    effects = {"initial_weight[group[gradual]]": rng.normal(size=100)}
    return Results(
        group,
        freezing,
        seen,
        held,
        density,
        tests,
        rng.uniform(1, 3, (50, 3)),
        np.full(15, 2.0),
        np.asarray(0.0),
        effects,
        {"latent causes, half 1": ("had not settled",), "one cause": ()},
        1,
        2,
    )


def test_directions_fall_either_way():
    unsettled = made_up([0.12, -0.2, -0.18])
    doubted = claims.changed(unsettled, "standard", CAUSES, "held_out")
    assert claims.follows(doubted) is None
    assert claims.in_words(doubted).endswith("had not settled")
    right = unsettled._replace(complaints={})
    for group, sign in claims.SIGNS.items():
        found = claims.changed(right, group, CAUSES, "held_out")
        assert claims.follows(found) is True and found.sign == sign
        assert claims.follows(claims.changed(right, group, ONE, "held_out")) is not True
    wrong = made_up([-0.1, 0.1, -0.9])._replace(complaints={})
    told = [
        claims.follows(claims.changed(wrong, g, CAUSES, "held_out")) for g in GROUPS
    ]
    assert told == [False, False, None]  # right sign, far from what was seen
    assert "3 of 3 groups" in words.directions(right)
    assert "1 of 3 groups" in words.directions(wrong)


def test_gains_fall_either_way():
    results = made_up([0.12, -0.2, -0.18])
    found = claims.gain(results, ONE, "held_out")
    assert claims.is_gain(found) is True
    assert found.total == pytest.approx(30.0, abs=3.0) and found.better == 1.0
    each = np.asarray([-1.0, -1.2, -0.8])
    assert claims.is_gain(claims.total_gain(each)) is False
    assert claims.is_gain(claims.total_gain(each, 3.0)) is None
    assert claims.is_gain(claims.total_gain(np.asarray([1.0, -1.2]))) is None
    _, low, high, *_ = claims.total_gain(each)
    assert (high - low) / 2 == pytest.approx(4.3027 * 0.2 * np.sqrt(3.0), rel=1e-4)
    assert claims.rests_on_it(claims.without_expectation(results)) is None
    settled = results._replace(complaints={})
    assert claims.rests_on_it(claims.without_expectation(settled)) is True
    assert claims.rests_on_it(claims.Both(0.1, 0.09, 0.1, True)) is False
    assert claims.rests_on_it(claims.Both(-0.1, -0.2, 0.1, True)) is None


def test_figures_and_tables_take_what_is_found():
    results = made_up([0.12, -0.2, -0.18])
    summary = claims.summarise(results)
    assert set(summary.held_out) == {NAIVE, ONE, RW} and set(summary.tests) == {ONE, RW}
    for draw in figures.FIGURES.values():
        assert draw(results).axes
    drawn = figures.draw_freezing(results).axes[0]
    assert len(drawn.collections) >= 3  # a band in every phase
    assert len(words.causes(results, summary).rows) == 3
    assert "had not settled" in words.distrust(results)[0]


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(UserError, match="rats: is 3; expected 0 for all, or 4 or more"):
        Config(rats=3)
    with pytest.raises(UserError, match="draws 50 or more"):
        Config(draws=10)


@pytest.mark.slow
def test_the_published_rats_are_those_of_the_data_set():
    """Means as its own description has them."""
    path = FOLDER.parent / "memory" / "gershman2013_gradual_extinction"
    if not path.exists():
        pytest.skip("needs the data set, beside the repository in shared/data/memory")
    rats = read_rats(path / "experiment1.csv")
    response, group = rats.series.values["response"], rats.series.covariates["group"]
    assert len(group) == 48 and rats.clipped == 7
    wanted = {
        "standard": (0.209, 0.342),
        "gradual": (0.441, 0.255),
        "reverse": (0.589, 0.403),
    }
    for name, means in wanted.items():
        found = [np.nanmean(response[group == name][:, rows_of(t)]) for t in TESTS]
        np.testing.assert_allclose(found, means, atol=2e-3)
