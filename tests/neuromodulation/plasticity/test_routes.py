"""Routes are switches that blockade, and MDMA, tell apart."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    Dose,
    Infusion,
    TrkbDirect,
    Via2A,
    ViaNmda,
    ViaSerotonin,
    load_plasticity,
    plasticity_window,
)
from pcmodel.neuromodulation.plasticity.routes import ROUTES, saturated

DAYS = np.asarray([0.5, 1.0, 2.0, 7.0, 14.0])
PSILOCYBIN, LSD = Dose("psilocybin", 25.0), Dose("LSD", 0.1)
KETANSERIN = Dose("ketanserin", 40.0)
KETAMINE = Dose("ketamine", 35.0, 0.0, Infusion(2 / 3))


def rise(given, routes=ROUTES):
    return np.asarray(plasticity_window(given, DAYS, routes=routes).gain) - 1


@pytest.mark.parametrize("dose", [PSILOCYBIN, LSD])
def test_ketanserin_closes_the_window_that_needs_the_receptor_and_no_other(after, dose):
    alone, blocked = after(dose), after(KETANSERIN, dose)
    for routes, kept in ((Via2A(), 0.0), (TrkbDirect(), 1.0)):
        share = rise(blocked, routes) / rise(alone, routes)
        np.testing.assert_allclose(share, kept, atol=0.02)


def test_mdma_opens_a_window_through_serotonin_alone(after):
    """It has no affinity of its own, and no binding to TrkB is known."""
    given = after(Dose("MDMA", 125.0))
    assert rise(given, ViaSerotonin()).max() > 0.9
    for route in (Via2A(), TrkbDirect(), ViaNmda()):
        assert np.all(rise(given, route) == 0)
    blocked = after(KETANSERIN, Dose("MDMA", 125.0))
    assert rise(blocked)[1] < 0.05 * rise(given)[1]


def test_ketamine_needs_no_serotonin_receptor(after):
    given = after(KETAMINE)
    np.testing.assert_array_equal(rise(given), rise(given, ViaNmda()))
    assert np.all(rise(given, (Via2A(), TrkbDirect())) == 0)
    blocked = after(KETANSERIN, KETAMINE)
    np.testing.assert_allclose(rise(blocked), rise(given), rtol=1e-12)


def test_binding_to_trkb_releases_no_bdnf(after):
    window = plasticity_window(after(LSD), np.asarray([0.0, 0.05]), routes=TrkbDirect())
    assert np.all(np.asarray(window.bdnf) == 0)
    assert float(window.trkb[0]) > 0.5 > float(window.mtor[0])


def test_routes_add_by_their_weights(after):
    given = after(LSD)
    both = rise(given, [Via2A(0.5), TrkbDirect(2.0)])
    parts = 0.5 * rise(given, Via2A()) + 2 * rise(given, TrkbDirect())
    np.testing.assert_allclose(both, parts, rtol=1e-12)
    assert np.all(rise(given, Via2A(0.0)) == 0)


def test_two_compounds_share_the_saturation(after):
    """Their hours are added before, and each part closes at its own pace."""
    hours = jnp.asarray([1.0, 3.0])
    scale = jnp.asarray([2.0, 4.0])
    whole = 4.0 / (4.0 + 4.0) / (2.0 / (2.0 + 4.0))
    np.testing.assert_allclose(
        saturated(hours, scale=scale), np.asarray([0.25, 0.75]) * whole, rtol=1e-12
    )
    both = plasticity_window(after(PSILOCYBIN, KETAMINE), DAYS)
    one = plasticity_window(after(PSILOCYBIN), DAYS)
    np.testing.assert_allclose(both.gain[-1] - 1, one.gain[-1] - 1, rtol=2e-3)
    assert float(both.gain[0]) > float(one.gain[0]) + 0.5


@dataclass(frozen=True)
class Blocked:
    """A route of a user's own, with a reference in a user's own file."""

    weight: float = 1.0
    subject = "my_route"
    entry = "trkb"

    def hours(self, drive):
        return drive.nmda_block


def test_users_bring_routes_and_their_numbers_by_file(after, tmp_path):
    given, file = after(KETAMINE), tmp_path / "mine.csv"
    with pytest.raises(UserError, match="'my_route'"):
        plasticity_window(given, DAYS, routes=Blocked())
    file.write_text(
        "subject,quantity,value,unit,mark,source\n"
        "my_route,reference,3.7238,h,assumed,mine\nmy_route,half,3.7238,h,assumed,mine\n"
    )
    table = load_plasticity(file)
    window = plasticity_window(given, DAYS, routes=Blocked(), table=table)
    assert np.all(np.asarray(window.bdnf) == 0) and float(window.gain[0]) > 1.8
