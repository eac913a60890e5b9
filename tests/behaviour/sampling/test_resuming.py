"""Fits that are cut short go on to the same numbers; chains spread over devices agree."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.sampling.chains import DrawBatch, move_people
from pcmodel.behaviour.sampling.nuts import (
    Nuts,
    build_sampler,
    fit_nuts,
    provenance_of,
    same_fit,
)
from pcmodel.errors import UserError
from pcmodel.record.replications import StoredReplications
from tests.behaviour.gaussian import GaussianModel, make_series

SMALL = Nuts(num_warmup=50, num_samples=30, num_chains=2, chunk=10)
OVER_DEVICES = """
import jax, numpy as np, warnings
jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore", UserWarning)
from dataclasses import replace
from tests.behaviour.sampling.test_resuming import SMALL, people
from pcmodel.behaviour.sampling.nuts import fit_nuts
found = [
    fit_nuts(jax.random.key(0), people(), replace(SMALL, num_devices=n)).sites
    for n in (1, 2)
]
assert len(jax.devices()) == 2
for name in found[0]:
    np.testing.assert_allclose(found[0][name], found[1][name], rtol=1e-6, atol=1e-8)
print("the same")
"""


def people():
    """Three people with a level each."""
    rng = np.random.default_rng(3)
    return build_hierarchy(GaussianModel(), make_series(rng.normal(size=(3, 8))))


class CutShortError(Exception):
    """Stands for a kill."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_a_fit_cut_short_ends_in_the_very_numbers_of_one_that_was_not(tmp_path):
    """In warm-up, where coordinates and step sizes still change, and among the draws."""
    hierarchy, key = people(), jax.random.key(0)
    sampler = build_sampler(hierarchy, SMALL)
    whole = fit_nuts(key, hierarchy, SMALL, sampler=sampler)
    stored = StoredReplications(tmp_path, DrawBatch)
    for stop in (2, 4, 6):

        def advance(stop=stop):
            if len(stored) == stop:
                raise CutShortError

        with pytest.raises(CutShortError):
            fit_nuts(
                key, hierarchy, SMALL, sampler=sampler, stored=stored, advance=advance
            )
    again = fit_nuts(key, hierarchy, SMALL, sampler=sampler, stored=stored)
    assert len(stored) == 8
    for name, values in whole.sites.items():
        np.testing.assert_array_equal(again.sites[name], values)
    for name, values in whole.sample_stats.items():
        np.testing.assert_array_equal(again.sample_stats[name], values)


def test_seeds_next_to_each_other_are_two_fits_and_rounding_is_none():
    """A large seed differs from the next by less than rounding would be forgiven."""
    frame = (jnp.linspace(-1.0, 1.0, 5),)
    provenance = provenance_of(jax.random.key(1_000_000), frame, SMALL)
    assert same_fit(provenance, provenance_of(jax.random.key(1_000_000), frame, SMALL))
    assert not same_fit(
        provenance, provenance_of(jax.random.key(1_000_001), frame, SMALL)
    )
    assert same_fit(
        provenance, provenance._replace(frame=provenance.frame * (1.0 + 1e-6))
    )
    assert not same_fit(provenance, provenance._replace(frame=provenance.frame + 0.01))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_chunks_of_another_fit_are_not_taken():
    """Another key, or other data of the same shape: their draws lie in other coordinates."""
    hierarchy = people()
    sampler = build_sampler(hierarchy, SMALL)
    whole = fit_nuts(jax.random.key(1), hierarchy, SMALL, sampler=sampler)
    stored = {}
    fit_nuts(jax.random.key(0), hierarchy, SMALL, sampler=sampler, stored=stored)
    again = fit_nuts(
        jax.random.key(1), hierarchy, SMALL, sampler=sampler, stored=stored
    )
    for name, values in whole.sites.items():
        np.testing.assert_array_equal(again.sites[name], values)
    moved = hierarchy._replace(
        data=jax.tree.map(lambda leaf: leaf + (leaf > 0), hierarchy.data)
    )
    other = fit_nuts(
        jax.random.key(1), moved, SMALL, sampler=sampler, stored=dict(stored)
    )
    name = next(iter(whole.sites))
    assert not np.array_equal(other.sites[name], whole.sites[name])


@pytest.mark.slow
def test_chains_over_two_devices_are_those_of_one():
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", OVER_DEVICES],
        env=os.environ
        | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": "."},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "the same", done.stderr[-2000:]


def test_chains_that_cannot_be_spread_evenly_are_refused():
    with pytest.raises(UserError, match="3 chains cannot be spread over 2 devices"):
        Nuts(num_chains=3, num_devices=2)


def test_each_participant_reaches_a_normal_of_their_own_scale():
    """Mean and variance, within the error that the number of draws allows."""
    scale, centre = jnp.asarray([1.0, 0.01, 30.0]), jnp.asarray([0.0, 2.0, -5.0])

    def energies(at):
        return 0.5 * jnp.sum(((at - centre[:, None]) / scale[:, None]) ** 2, axis=1)

    def one(place, key):
        place, *_ = move_people(key, energies, place, 0.9 * scale)
        return place, place

    keys = jax.random.split(jax.random.key(1), 4000)
    _, draws = jax.jit(lambda: jax.lax.scan(one, jnp.tile(centre[:, None], 2), keys))()
    z = (np.asarray(draws) - np.asarray(centre)[:, None]) / np.asarray(scale)[:, None]
    assert np.abs(z.mean(axis=0)).max() < 0.1
    np.testing.assert_allclose(z.var(axis=0), 1.0, atol=0.12)


def test_a_participant_whose_trajectory_leaves_the_support_stays():
    def energies(at):
        return jnp.where(jnp.asarray([True, False]), jnp.nan, 0.5 * at[:, 0] ** 2)

    start = jnp.ones((2, 1))
    place, taken, lost = move_people(
        jax.random.key(0), energies, start, jnp.full(2, 0.3)
    )
    assert float(place[0, 0]) == 1.0 and float(place[1, 0]) != 1.0
    assert float(taken[0]) == 0.0 and lost.tolist() == [True, False]
