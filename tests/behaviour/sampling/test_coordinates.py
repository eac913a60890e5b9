"""The sampler's coordinates: a change of variables that is exact, whatever the stand-in."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.util import potential_energy

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    build_hierarchy,
    hierarchical_model,
    series_log_likelihood,
    series_totals,
)
from pcmodel.behaviour.hierarchy.layout import (
    effects_of,
    group_places,
    lay_out,
    spreads_of,
)
from pcmodel.behaviour.sampling.adaptation import shrunken_moments, window_ending
from pcmodel.behaviour.sampling.coordinates import (
    Coordinates,
    Frame,
    Whitening,
    change_stand_in,
    energies,
    make_white,
    num_group,
    num_varying,
    places_of,
    potential,
    sites_of,
    unwhiten,
)
from pcmodel.behaviour.sampling.laplace_sites import log_evidence, sum_series
from pcmodel.runtime.threads import run_together
from tests.behaviour.gaussian import GaussianModel, make_series

FORMULA = "level ~ drug + (drug | participant)"


@pytest.fixture(scope="module")
def hierarchy():
    """Four people twice; one missing response."""
    rng = np.random.default_rng(2)
    responses = rng.normal(size=(8, 5))
    responses[0, 2] = np.nan
    series = make_series(
        responses,
        people=np.repeat(np.arange(4), 2),
        drug=np.tile(["placebo", "drug"], 4),
    )
    return build_hierarchy(GaussianModel(), series, formulas=[FORMULA])


def exact_stand_in(hierarchy):
    """A normal likelihood is its own stand-in: precision the count, shift the sum."""
    data = hierarchy.data
    count = data.scored.sum(axis=1).astype(float)
    total = jnp.where(data.scored, data.response - 0.25, 0.0).sum(axis=1)
    return sum_series(lay_out(hierarchy), count[:, None, None], total[:, None])


def somewhere(hierarchy, seed=0):
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(hierarchy.num_participants, num_varying(hierarchy)))
    return Coordinates(
        jnp.asarray(0.5 * rng.normal(size=num_group(hierarchy))), jnp.asarray(people)
    )


def some_whitening(hierarchy):
    rng = np.random.default_rng(7)
    group, (people, varying) = (
        num_group(hierarchy),
        somewhere(hierarchy).people.shape,
    )
    return Whitening(
        jnp.asarray(rng.normal(size=group)),
        jnp.asarray(np.eye(group) + 0.2 * np.tril(rng.normal(size=(group, group)))),
        jnp.asarray(rng.normal(size=(people, varying))),
        jnp.asarray(
            np.eye(varying) + 0.2 * np.tril(rng.normal(size=(people, varying, varying)))
        ),
    )


def flat_places(hierarchy, stand_in, vector):
    cut = num_group(hierarchy)
    people = vector[cut:].reshape(hierarchy.num_participants, -1)
    places, volume = places_of(hierarchy, stand_in, Coordinates(vector[:cut], people))
    return jnp.concatenate([places[name].ravel() for name in sorted(places)]), volume


def test_models_are_traced_by_one_thread_at_a_time(hierarchy):
    """Prevents fits side by side from finding each other's sites: NumPyro has one list of handlers."""

    class Slow(GaussianModel):
        def log_likelihood(self, values, data):
            time.sleep(0.05)
            return super().log_likelihood(values, data)

    frame = Frame(exact_stand_in(hierarchy), some_whitening(hierarchy))
    slow = hierarchy._replace(model=Slow())

    def trace(step):
        for _ in range(5):
            jax.eval_shape(
                lambda white: potential(slow, white, frame, slow.data),
                somewhere(hierarchy),
            )

    run_together([trace, trace, trace], num_workers=3)


@pytest.mark.slow
def test_the_counted_volume_is_the_determinant_of_the_change(hierarchy):
    """A wrong volume samples another posterior and looks well doing it."""
    stand_in = exact_stand_in(hierarchy)
    vector = somewhere(hierarchy).flat()
    jacobian = jax.jacfwd(lambda v: flat_places(hierarchy, stand_in, v)[0])(vector)
    _, expected = np.linalg.slogdet(np.asarray(jacobian))
    assert float(flat_places(hierarchy, stand_in, vector)[1]) == pytest.approx(expected)


@pytest.mark.slow
def test_an_exact_stand_in_makes_participants_standard_normal_given_the_group(
    hierarchy,
):
    """Centre, scale and independence at once: the potential is half the square of z."""
    frame = Frame(exact_stand_in(hierarchy), identity(hierarchy))
    at = somewhere(hierarchy)
    none = at._replace(people=jnp.zeros_like(at.people))
    rise = [potential(hierarchy, c, frame, hierarchy.data) for c in (at, none)]
    assert float(rise[0] - rise[1]) == pytest.approx(0.5 * float((at.people**2).sum()))


def identity(hierarchy):
    people, varying = somewhere(hierarchy).people.shape
    return Whitening(
        jnp.zeros(num_group(hierarchy)),
        jnp.eye(num_group(hierarchy)),
        jnp.zeros((people, varying)),
        jnp.tile(jnp.eye(varying), (people, 1, 1)),
    )


def test_participants_are_integrated_out_as_the_joint_normal_of_all_responses_says(
    hierarchy,
):
    """log N(y; X beta, Z L L' Z' + 1), written without the stand-in."""
    layout, stand_in = lay_out(hierarchy), exact_stand_in(hierarchy)
    scored = np.asarray(hierarchy.data.scored)
    y = np.asarray(hierarchy.data.response)[scored] - 0.25
    who = np.repeat(np.arange(8), scored.sum(axis=1))
    person = hierarchy.participant[who]

    def directly(places):
        beta, root = effects_of(hierarchy, places), spreads_of(hierarchy, places)
        own = layout.varying[who, 0] @ np.asarray(root)
        covariance = own @ own.T * (person[:, None] == person) + np.eye(len(y))
        off = y - layout.common[who, 0] @ np.asarray(beta)
        _, size = np.linalg.slogdet(covariance)
        return -0.5 * (off @ np.linalg.solve(covariance, off) + size)

    gaps = []
    for seed in range(3):
        places = group_places(hierarchy, somewhere(hierarchy, seed).group)
        beta, root = effects_of(hierarchy, places), spreads_of(hierarchy, places)
        gaps.append(float(log_evidence(stand_in, beta, root)) - directly(places))
    assert np.ptp(gaps) < 1e-9


@pytest.mark.slow
def test_white_coordinates_reach_the_density_of_numpyros_model(hierarchy):
    frame = Frame(exact_stand_in(hierarchy), some_whitening(hierarchy))
    values = []
    for seed in range(2):
        white = somewhere(hierarchy, seed)
        places, volume = sites_of(hierarchy, white, frame)
        direct = potential_energy(
            hierarchical_model, (hierarchy, hierarchy.data), {}, places
        )
        own = potential(hierarchy, white, frame, hierarchy.data)
        values.append(float(own - direct + volume))
    np.testing.assert_allclose(values, 0.0, atol=1e-9)


def test_the_participants_energies_are_their_part_of_the_potential(hierarchy):
    """Moving one person alone changes their energy as much as the whole, others' not."""
    frame = Frame(exact_stand_in(hierarchy), some_whitening(hierarchy))
    at = somewhere(hierarchy)
    moved = at._replace(people=at.people.at[2].add(0.7))
    whole = [potential(hierarchy, c, frame, hierarchy.data) for c in (at, moved)]
    parts = [energies(hierarchy, c, frame, hierarchy.data) for c in (at, moved)]
    change = np.asarray(parts[1] - parts[0])
    assert float(whole[1] - whole[0]) == pytest.approx(change[2])
    np.testing.assert_allclose(np.delete(change, 2), 0.0, atol=1e-12)


def test_changes_of_coordinates_go_back_to_where_they_came_from(hierarchy):
    whitening, at = some_whitening(hierarchy), somewhere(hierarchy)
    back = make_white(whitening, unwhiten(whitening, at))
    np.testing.assert_allclose(back.flat(), at.flat(), rtol=1e-9)
    old = exact_stand_in(hierarchy)
    new = old._replace(precision=2.0 * old.precision)
    there = change_stand_in(hierarchy, old, new, at)
    assert float(jnp.abs(there.people - at.people).max()) > 1e-3
    again = change_stand_in(hierarchy, new, old, there)
    np.testing.assert_allclose(again.flat(), at.flat(), rtol=1e-9)


class Looping(GaussianModel):
    """The same likelihood through a loop whose length the data say, which reverse mode cannot pass."""

    def log_likelihood(self, values, data):
        rounds = 1 + data.scored[0].astype(int)
        level = jax.lax.fori_loop(
            0, rounds, lambda _, x: x + values["level"] / rounds, jnp.zeros(())
        )
        return super().log_likelihood({**values, "level": level}, data)


@pytest.mark.parametrize("model", [GaussianModel(), Looping()])
def test_the_slope_of_the_totals_is_that_of_the_likelihood(hierarchy, model):
    """By hand, the sum of errors, whatever loops the model has; also with chains on an axis before."""
    own = hierarchy._replace(model=model)
    data = hierarchy.data
    level = np.linspace(-1.0, 1.0, 8)
    error = np.asarray(data.response) - level[:, None] - 0.25
    expected = np.arange(8.0) * np.where(data.scored, error, 0.0).sum(axis=1)

    def weighted(level):
        totals = series_totals(own, {"level": level}, data)
        return (jnp.arange(8.0) * totals).sum()

    found = jax.vmap(jax.grad(weighted))(jnp.stack([jnp.asarray(level)] * 2))
    np.testing.assert_allclose(found, np.stack([expected] * 2), rtol=1e-10, atol=1e-12)
    pointwise = series_log_likelihood(hierarchy, {"level": jnp.asarray(level)}, data)
    total = (np.arange(8.0) * np.asarray(pointwise).sum(axis=1)).sum()
    assert float(weighted(jnp.asarray(level))) == pytest.approx(total, rel=1e-10)


def test_moments_of_many_draws_are_theirs_and_of_few_the_old_ones():
    rng = np.random.default_rng(0)
    root = np.asarray([[2.0, 0.0], [0.6, 0.5]])
    draws = rng.normal(size=(100_000, 2)) @ root.T + np.asarray([1.0, -1.0])
    many, few = shrunken_moments(draws), shrunken_moments(draws[:2])
    np.testing.assert_allclose(many.root, root, atol=0.02)
    np.testing.assert_allclose(many.mean, (1.0, -1.0), atol=0.02)
    np.testing.assert_allclose(few.root @ few.root.T, np.eye(2), atol=0.3)


def test_windows_follow_one_another_and_leave_a_rest():
    windows = [w for i in range(20) if (w := window_ending(i, 20))]
    assert windows == [(2, 6), (6, 11), (11, 17)]
