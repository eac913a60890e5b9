"""The typical person is what the tables say, and what a compound lacks does nothing."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import anatomy, draw_participants, typical
from pcmodel.neuromodulation.accounts.maps import receptor_map
from pcmodel.neuromodulation.compounds import Compound
from pcmodel.neuromodulation.participant import (
    Variation,
    check_variation,
    stack_ligands,
    typical_physiology,
    typical_variation,
)
from pcmodel.neuromodulation.table import builtin


def rows_of(name):
    """A table of the package by (subject, quantity), read without the package."""
    lines = builtin(name).read_text("utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    return {
        (row["subject"], row["quantity"]): float(row["value"])
        for row in csv.DictReader(kept)
    }


def test_a_person_has_the_numbers_of_the_table():
    table = rows_of("physiology.csv")
    body = typical_physiology()._asdict()
    signs = ("systolic", "diastolic", "heart_rate")
    resting = [table["body", sign] for sign in signs]
    np.testing.assert_array_equal(body.pop("resting"), resting)
    paces = [table["body", f"{p}habituation"] for p in ("", "", "heart_")]
    np.testing.assert_array_equal(body.pop("habituation"), paces)
    own = {q: v for (s, q), v in table.items() if s not in ("body", "variation")}
    assert {name: float(value) for name, value in body.items()} == own
    spread = typical_variation()
    for name in ("clearance", "volume", "absorption", "affinity", "onset"):
        assert getattr(spread, name) == table["variation", name]
    assert spread.rise == table["body", "rise_cv"]
    sds = [table["body", f"{sign}_sd"] for sign in signs]
    np.testing.assert_array_equal(spread.resting, sds)


def test_ligands_have_the_numbers_of_the_table_and_what_is_missing_does_nothing(
    library,
):
    """Constants infinite, efficacies, lags and rises zero, and routes that are not possible no number."""
    table = rows_of("compounds.csv")
    names = tuple(dict.fromkeys(name for name, _ in table))
    found = typical(library, *names).ligands
    signs = ("systolic_rise", "diastolic_rise", "heart_rate_rise")
    for index, name in enumerate(names):
        own = {quantity: v for (n, quantity), v in table.items() if n == name}
        oral = "absorption_rate" in own
        kinetics = (
            own.get("lag", 0.0),
            own.get("absorption_rate", np.nan),
            np.log(2) / own["half_life"],
            own["volume"],
            own.get("effect_site_rate", np.inf),
            own.get("bioavailability", np.nan if oral else 1.0),
        )
        got = [part[index] for part in found.kinetics]
        np.testing.assert_allclose(got, kinetics, rtol=1e-15, err_msg=name)
        constants = "k_2a k_1a release_ec50 nmda_ic50".split()
        got = [getattr(found, each)[index] for each in constants]
        wanted = [own.get(each, np.inf) for each in constants]
        np.testing.assert_array_equal(got, wanted, err_msg=name)
        assert found.off_2a[index] == own.get("off_rate_2a", np.inf)
        for each in ("efficacy_2a", "efficacy_1a"):
            assert getattr(found, each)[index] == own.get(each, 0.0), (name, each)
        rises = [own.get(sign, 0.0) for sign in signs]
        np.testing.assert_array_equal(found.rises[index], rises, err_msg=name)
    placebo = names.index("placebo")
    assert not np.any(found.rises[placebo]) and np.any(found.rises[0])
    bare = stack_ligands([Compound("x", {})])
    assert bare.kinetics.lag[0] == 0 and bare.kinetics.elimination[0] == 0
    assert np.isinf(bare.kinetics.volume[0]) and bare.kinetics.bioavailability[0] == 1


def test_a_compound_named_twice_is_one_and_a_releaser_is_known(library):
    person = typical(library, "MDMA", "LSD", "MDMA")
    assert person.compounds == ("MDMA", "LSD") and person.has_releaser
    assert person.ligands.k_2a.shape == (2,)
    assert not typical(library, "LSD", "ketamine").has_releaser


def test_a_variation_of_nothing_leaves_everyone_typical(library):
    """Zero is a variation, not none; what is traced is taken as it is."""
    person, key = typical(library, "psilocybin"), jax.random.key(0)
    none = Variation(*[0.0] * 6, resting=jnp.zeros(3))
    drawn = jax.jit(lambda v: draw_participants(person, key, 2, v))(none)
    for got, own in zip(jax.tree.leaves(drawn), jax.tree.leaves(person), strict=True):
        np.testing.assert_allclose(got, np.stack([own, own]), rtol=1e-12)
    for wrong in (-0.1, np.inf, np.nan):
        with pytest.raises(UserError, match="variation of volume"):
            check_variation(none._replace(volume=wrong))
    with pytest.raises(UserError, match="variation of resting"):
        check_variation(none._replace(resting=jnp.asarray([1.0, -2.0, 1.0])))
    for wrong in (True, 0):
        with pytest.raises(
            UserError, match=r"number (of participants must be|is True)"
        ):
            draw_participants(person, key, wrong)


def test_levels_have_the_receptors_of_their_networks_over_their_mean():
    table = rows_of("maps.csv")
    networks = ("visual", "limbic", "default")
    found = anatomy(*networks)
    assert found.networks == networks and found.num_levels == 3
    for kind in ("density_2a", "density_1a"):
        raw = np.asarray([table[network, kind] for network in networks])
        np.testing.assert_allclose(getattr(found, kind), raw / raw.mean(), rtol=1e-12)
    assert len(receptor_map()) == len(table) / 2
    with pytest.raises(UserError, match="two levels or more"):
        anatomy("visual")
    assert anatomy("visual", "visual").density_2a == (1.0, 1.0)
