"""Groups and contrasts: rows, runs, and statistics of every entry by scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brain_series import smooth_series
from scipy import stats

from pcmodel import UserError
from pcmodel.brain.measures import MEASURES, MeasureOptions, contrast, measure_group

KEY = jax.random.key(0)
FEW = MeasureOptions(num_surrogates=1, num_starts=1)
LABELS = ["a", "a", "a", "b", "b", "c"]
PEOPLE, CONDITIONS = "wxyz", ("off", "on")


def recordings():
    """People in two conditions, of which one lowers what regions share."""
    return [
        smooth_series(6, 40, seed=10 * p + c, share=(1.5, 0.3)[c])
        for p in range(4)
        for c in range(2)
    ]


def measured(series, people, conditions, networks=LABELS):
    return measure_group(
        series,
        people=people,
        conditions=conditions,
        networks=networks,
        key=KEY,
        options=FEW,
    )


@pytest.fixture(scope="module")
def group():
    return measured(recordings(), [p for p in PEOPLE for _ in "ab"], CONDITIONS * 4)


def test_rows_are_people_and_conditions_in_order(group):
    assert group.people == tuple(p for p in PEOPLE for _ in "ab")
    assert group.conditions == CONDITIONS * 4 and group.network_names == ("a", "b", "c")
    assert group.values.shape == (8, 2, len(MEASURES))
    for row, series in enumerate(recordings()):
        np.testing.assert_allclose(
            group.correlation[row, 0], np.corrcoef(series), atol=1e-12
        )
    assert np.array_equal(np.isnan(group.values), group.undefined != "")
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    series = recordings()
    moved = measured(
        [series[i] for i in order],
        [group.people[i] for i in order],
        [group.conditions[i] for i in order],
    )
    np.testing.assert_array_equal(moved.values, group.values)


def test_a_contrast_is_the_paired_test_of_every_number_and_entry(group):
    found = contrast(group, "off", "on", key=KEY, num_bootstraps=100)
    assert found.people == tuple(PEOPLE) and found.without == ()
    off, on = group.values[0::2], group.values[1::2]
    for kind in (0, 1):
        for place, name in enumerate(MEASURES):
            one = found.measures[kind][place]
            a, b = off[:, kind, place], on[:, kind, place]
            if np.isnan(a).any() or np.isnan(b).any():
                assert one.dropped > 0, name
                continue
            expected = stats.ttest_rel(b, a)
            assert one.t == pytest.approx(expected.statistic, rel=1e-8), name
            assert one.difference == pytest.approx((b - a).mean(), rel=1e-8), name
    assert found.measures[0][MEASURES.index("within")].dz < 0
    change = group.by_network[1::2] - group.by_network[0::2]
    dz = change.mean(axis=0) / change.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.by_network, dz, rtol=1e-8)
    expected = stats.ttest_1samp(change, 0, axis=0).pvalue
    np.testing.assert_allclose(found.by_network_p, expected, rtol=1e-8)
    assert np.isnan(found.by_network[:, 2, 2]).all()  # a network of one region
    back = contrast(group, "on", "off", key=KEY, num_bootstraps=100)
    np.testing.assert_allclose(back.by_network, -found.by_network)


def test_runs_are_averaged(group):
    series = recordings()[:3]
    found = measured(series, ["w", "w", "w"], ["off", "off", "on"])
    assert found.num_runs.tolist() == [2, 1]
    place = MEASURES.index("within")
    both = measured(series[:2], ["w", "v"], ["off", "off"])
    assert found.values[0, 0, place] == pytest.approx(both.values[:, 0, place].mean())
    np.testing.assert_allclose(found.correlation[0], both.correlation.mean(axis=0))


def test_people_with_one_condition_are_named(group):
    part = measured(
        recordings()[:5], ["w", "w", "x", "x", "y"], [*CONDITIONS * 2, "off"], None
    )
    found = contrast(part, "off", "on", key=KEY, num_bootstraps=50)
    assert found.people == ("w", "x") and found.without == ("y",)
    assert found.by_network.shape == (2, 0, 0)


def test_what_cannot_be_compared_is_refused(group):
    for first, second, said in (
        ("off", "nn", "no condition is called 'nn'"),
        ("on", "on", "compares 'on' with itself"),
    ):
        with pytest.raises(UserError, match=said):
            contrast(group, first, second, key=KEY)
    several, few = jax.random.split(KEY), recordings()[:1]
    with pytest.raises(UserError, match="expected one random key"):
        contrast(group, "off", "on", key=several)
    with pytest.raises(UserError, match="expected one random key"):
        measure_group(
            few, people=["w"], conditions=["off"], networks=LABELS, key=several
        )
    part = measured(recordings()[:3], ["w", "w", "x"], ["off", "on", "on"])
    with pytest.raises(UserError, match="1 people have both 'off' and 'on'"):
        contrast(part, "off", "on", key=KEY)
    with pytest.raises(UserError, match="there are 2 series, 1 people"):
        measured(recordings()[:2], ["w"], ["off", "on"])
    with pytest.raises(UserError, match="there are 0 series"):
        measured([], [], [])
    broken = recordings()[:2]
    broken[1][0] = 1.0
    with pytest.raises(UserError, match=r"w on: series: region 0 is constant"):
        measured(broken, ["w", "w"], ["off", "on"])
    with pytest.raises(UserError, match="have 5 and 6 regions"):
        measured([recordings()[0], recordings()[1][:5]], ["w", "w"], CONDITIONS, None)


@pytest.mark.parametrize("key", [jnp.ones(2), jnp.zeros(3, "uint32")], ids=str)
def test_a_contrast_says_which_key_it_wants(group, key):
    """Prevents a wrong key from ending in JAX's own error."""
    with pytest.raises(UserError, match="key"):
        contrast(group, "off", "on", key=key)
