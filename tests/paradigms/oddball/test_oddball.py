"""The oddball paradigm against an ODE solver, closed forms, exact EM and the package's own inference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import pcmodel
from pcmodel.errors import UserError
from pcmodel.neuromodulation import Effects, anatomy
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    NmdaBlock,
    Noise,
    Oneirogen,
    Rebus,
    Sensory,
    Together,
    Uniform,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms.oddball import (
    Oddball,
    mismatch,
    oddball_sequence,
    respond,
    roving_sequence,
)

EVEN = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
SEQUENCE = (0, 0, 0, 1, 0, 1)
QUICK = dict(trial_ms=400.0, step_ms=10.0)


def felt(x=0.0, y=0.0, block=0.0):
    return Effects(*(jnp.asarray([each]) for each in (x, y, block)))


def by_hand(oddball, sequence, *, gains, slopes, passed, share, plasticity):
    """The same by stepping the differential equation, one tone and one unit at a time."""
    precisions = gains * np.asarray(oddball.precisions)
    clock = (oddball.times() - oddball.onset_ms) / oddball.ms_per_unit
    memory, adaptation = np.zeros(oddball.tones), np.zeros(oddball.tones)
    sizes = []
    for tone in sequence:
        seen = np.eye(oddball.tones)[tone] - adaptation
        errors, ends = [], []
        for unit in range(oddball.tones):
            y, m = seen[unit], memory[unit]

            def error(x, y=y, m=m):
                above = np.append(x[1:], m)
                factor = np.append(slopes[2:], 1.0)
                return np.concatenate([[y - slopes[1] * x[0]], x - factor * above])

            def flow(_, x, error=error):
                pushed = precisions * error(x)
                return -pushed[1:] + passed[:-1] * slopes[1:] * pushed[:-1]

            start = np.append(m * np.cumprod(slopes[2:][::-1])[::-1], m)
            found = solve_ivp(
                flow, (0, clock[-1] + 1e-9), start, t_eval=clock, rtol=1e-10, atol=1e-12,
                method="LSODA",
            )  # fmt: skip
            path = found.y.T
            active = path.copy()
            for level in range(path.shape[1] - 1, -1, -1):
                last = level == path.shape[1] - 1
                above = m if last else slopes[level + 2] * active[:, level + 1]
                active[:, level] = (1 - share) * path[:, level] + share * above
            errors.append([precisions * error(x) for x in active])
            ends.append((active[-1, -1], error(active[-1])[0]))
        sizes.append(np.linalg.norm(np.array(errors), axis=0).T)
        top, lowest = np.transpose(ends)
        memory = memory + oddball.memory_rate * plasticity * (top - memory)
        adaptation = (1 - oddball.adaptation_recovery) * adaptation + (
            oddball.adaptation_rate * lowest
        )
    return np.array(sizes), memory


CASES = {
    "none": (Rebus(), felt(), {}),
    "relaxed": (Rebus(), felt(x=0.6), dict(gains=np.exp([0, -1.2, -1.2]))),
    "dimmed": (Dimmer(), felt(y=0.5), dict(slopes=np.exp([0, -0.5, -0.5]))),
    "blocked": (NmdaBlock(), felt(block=0.6), dict(passed=[1, 0.4, 1], plasticity=0.4)),
    "generated": (Oneirogen(), felt(x=0.5), dict(share=1 - np.exp(-0.5))),
    "together": (
        Together((Rebus(), Dimmer(), NmdaBlock(lowest=0, plasticity=0.5))),
        felt(x=0.3, y=0.2, block=0.5),
        dict(
            gains=np.exp([0, -0.6, -0.6]),
            slopes=np.exp([0, -0.2, -0.2]),
            passed=[0.5, 0.5, 1],
            plasticity=0.75,
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_responses_are_those_of_the_differential_equation(case):
    account, effects, acting = CASES[case]
    oddball = Oddball(precisions=(3.0, 5.0, 2.0), **QUICK)
    with jax.enable_x64(True):
        effects = jax.tree.map(lambda each: jnp.asarray(each, jnp.float64), effects)
        found = respond(oddball, SEQUENCE, effects, account=account, anatomy=EVEN)
    plain = dict(gains=np.ones(3), slopes=np.ones(3), passed=np.ones(3), share=0.0, plasticity=1.0)  # fmt: skip
    made = {**plain, **{name: np.asarray(value) for name, value in acting.items()}}
    sizes, _ = by_hand(oddball, SEQUENCE, **made)
    np.testing.assert_allclose(found.levels[0], sizes, rtol=1e-5, atol=1e-6)


def settled(**options):
    """A trial so long that inference ends in it."""
    return Oddball(**{"ms_per_unit": 5.0, "adaptation_rate": 0.0, **options})


def test_settled_weighted_errors_are_equal_and_in_series():
    oddball = settled(precisions=(2.0, 5.0, 0.7, 3.0))
    found = respond(
        oddball, [0], felt(), account=Uniform(), anatomy=anatomy("sensory", "visual", "control", "default")
    )  # fmt: skip
    expected = 1 / np.sum(1 / np.asarray(oddball.precisions))
    np.testing.assert_allclose(
        found.levels[0, 0, :, -1], np.full(4, expected), rtol=1e-4
    )


def test_the_memory_after_n_tones_is_the_closed_form():
    oddball = settled(precisions=(2.0, 5.0, 0.7))
    found = respond(oddball, np.zeros(12, int), felt(), account=Uniform())
    share = (1 / 0.7) / (1 / 2 + 1 / 5 + 1 / 0.7)
    expected = 1 - (1 - 0.3 * share) ** np.arange(12)
    np.testing.assert_allclose(found.memory[0, :, 0], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.memory[0, :, 1], 0, atol=1e-6)


def test_responses_scale_with_precision_at_a_fixed_residual():
    """The theorem: all precisions times c, settled and at the onset, with the memory held still."""
    oddball = settled(memory_rate=0.0)
    plain = respond(oddball, [0, 1], felt(0.0), account=Uniform())
    scaled = respond(oddball, [0, 1], felt(0.5), account=Uniform())
    for at in (0, -1):
        np.testing.assert_allclose(
            scaled.levels[..., at],
            np.exp(-1.0) * plain.levels[..., at],
            rtol=1e-4,
            atol=1e-9,
        )


def test_settled_levels_are_those_of_inference():
    oddball = settled(precisions=(2.0, 5.0, 0.7))
    found = respond(oddball, [0], felt(), account=Uniform())
    mode = pcmodel.infer(
        pcmodel.linear_gaussian([np.eye(2)] * 2, [2.0, 5.0, 0.7]), np.array([1.0, 0.0])
    )
    expected = 5.0 * np.linalg.norm(mode.latents[1] - mode.latents[2])
    assert found.levels[0, 0, 1, -1] == pytest.approx(expected, rel=1e-4)


def test_a_full_memory_step_is_the_exact_m_step():
    """With rate 1 the memory is the posterior mean of the top: the M-step of a prior mean from one example."""
    oddball = settled(precisions=(2.0, 5.0, 0.7), memory_rate=1.0)
    found = respond(oddball, [0, 0], felt(), account=Uniform())
    mode = pcmodel.infer(
        pcmodel.linear_gaussian([np.eye(2)] * 2, [2.0, 5.0, 0.7]), np.array([1.0, 0.0])
    )
    np.testing.assert_allclose(
        found.memory[0, 1], mode.latents[2], rtol=1e-4, atol=1e-6
    )


def test_noise_and_no_drug_leave_every_response_bit_for_bit():
    oddball = Oddball(**QUICK)
    plain = respond(oddball, SEQUENCE, felt(), account=Rebus())
    for account, effects in (
        (Noise(), felt(0.7)),
        (NmdaBlock(), felt(0.7)),
        (Sensory(), felt()),
    ):
        found = respond(oddball, SEQUENCE, effects, account=account)
        np.testing.assert_array_equal(found.levels, plain.levels)


def test_mismatch_grows_with_standards_and_not_without_memory():
    """The control: nothing is learned, nothing grows."""
    grown = mismatch(Oddball(), felt(), account=Rebus())
    assert np.all(np.diff(grown.mismatch[0]) > 0) and grown.adaptation[0] > 0.5
    still = mismatch(
        Oddball(memory_rate=0.0, adaptation_rate=0.0), felt(), account=Rebus()
    )
    np.testing.assert_allclose(still.mismatch[0], 0, atol=1e-5)
    np.testing.assert_allclose(still.adaptation, 0, atol=1e-6)


def test_ketamine_slows_the_memory_by_either_route():
    growth = [
        float(mismatch(Oddball(), felt(block=0.6), account=account).growth[0])
        for account in (
            NmdaBlock(0.0, 0.0),
            NmdaBlock(1.0, 0.0),
            NmdaBlock(0.0, 1.0),
            NmdaBlock(),
        )
    ]
    assert growth[0] > max(growth[1:3]) and min(growth[1:3]) > growth[3]


def test_adaptation_is_spared_unless_it_is_called_plastic():
    """With the memory off, adaptation alone is left."""
    kinds = [
        float(
            respond(
                Oddball(memory_rate=0.0, is_adaptation_plastic=plastic, **QUICK),
                [0, 0, 0],
                felt(block=0.6),
                account=NmdaBlock(transmission=0.0),
            ).adaptation[0, -1, 0]
        )
        for plastic in (False, True)
    ]
    assert kinds[1] == pytest.approx(0.4 * kinds[0], rel=0.2)
    assert kinds[0] > 1.5 * kinds[1]


@pytest.mark.parametrize(
    ("wide", "size"),
    [(False, 1e-3), (False, 1e3), (True, 1e-8), (True, 1e-3), (True, 1e3), (True, 1e8)],
)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_extreme_precisions_keep_the_series_law(wide, size, level):
    """In a trial so long that inference ends in it."""
    precisions = [1.0, 1.0, 1.0]
    precisions[level] = size
    oddball = Oddball(precisions=tuple(precisions), ms_per_unit=1e-12, memory_rate=0.0)
    with jax.enable_x64(wide):
        found = respond(oddball, [0], felt(), account=Uniform())
    expected = np.full(3, 1 / np.sum(1 / np.asarray(precisions)))
    np.testing.assert_allclose(found.levels[0, 0, :, -1], expected, rtol=2e-3)


def test_ratios_that_rounding_would_hide_are_refused():
    with jax.enable_x64(False), pytest.raises(UserError, match="jax_enable_x64"):
        respond(Oddball(precisions=(1.0, 1e8, 1.0)), [0], felt(), account=Uniform())


def test_one_tone_one_trial_and_two_levels():
    found = respond(
        Oddball(tones=1, precisions=(1.0, 3.0)), [0], felt(), account=Rebus(), anatomy=anatomy("sensory", "default")
    )  # fmt: skip
    assert found.levels.shape == (1, 1, 2, len(found.times))


def test_the_kernel_keeps_the_sum():
    found = respond(Oddball(trial_ms=5000.0), [0], felt(), account=Rebus())
    total = float(found.levels[0, 0, :, -1].sum())
    assert float(found.evoked[0, 0, -1]) == pytest.approx(total, rel=1e-3)


def test_sequences_are_what_they_say():
    key = jax.random.key(0)
    drawn = oddball_sequence(key, trials=5000, deviant_share=0.1)
    assert drawn[0] == 0 and set(drawn) == {0, 1} and abs(drawn.mean() - 0.1) < 0.02
    roving = roving_sequence(key, trains=200, tones=5, shortest=2, longest=4)
    changes = np.flatnonzero(np.diff(roving)) + 1
    lengths = np.diff(np.concatenate([[0], changes, [len(roving)]]))
    assert (
        len(lengths) == 200
        and set(lengths) == {2, 3, 4}
        and set(roving) == set(range(5))
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Oddball(precisions=(1.0,)), "1 precisions"),
        (lambda: Oddball(precisions=(1.0, -1.0)), "above 0"),
        (lambda: Oddball(memory_rate=1.5), "0 to 1"),
        (lambda: Oddball(trial_ms=50.0), "ms between the first error"),
        (lambda: Oddball(step_ms=1e-6), "1 to 100000 steps"),
        (lambda: respond(Oddball(), [], felt(), account=Rebus()), "whole numbers from 0 to 1"),
        (lambda: respond(Oddball(), [2], felt(), account=Rebus()), "whole numbers from 0 to 1"),
        (lambda: respond(Oddball(), [-1], felt(), account=Rebus()), "whole numbers from 0 to 1"),
        (lambda: respond(Oddball(), np.array([[0, 1]]), felt(), account=Rebus()), "tones"),
        (lambda: respond(Oddball(precisions=(1.0, 1.0)), [0], felt(), account=Rebus()), "anatomy"),
        (lambda: mismatch(Oddball(), felt(), account=Rebus(), lengths=(3, 2)), "ascending"),
        (lambda: mismatch(Oddball(trial_ms=200.0), felt(), account=Rebus()), "samples"),
        (lambda: mismatch(Oddball(tones=1), felt(), account=Rebus()), "a standard and a deviant"),
        (lambda: roving_sequence(jax.random.key(0), tones=1), "2 or more"),
        (lambda: roving_sequence(jax.random.key(0), shortest=3, longest=2), "longest is 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, said):
    with pytest.raises(UserError, match=said):
        make()
