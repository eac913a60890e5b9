"""What a rejected trajectory leaves behind: the point, and the momentum turned round."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.inference.hmc import hmc_step, init_hmc


def gamma_potential(z):
    """Of the logarithm of a Gamma(3) variable."""
    return jnp.sum(jnp.exp(z) - 3 * z)


def test_a_rejected_momentum_is_reversed_and_an_accepted_one_is_not():
    """Prevents persistent momentum from carrying a chain through what was refused.

    The momentum of the step is the kept share of the last and a fresh part that completes its variance to 1.
    """
    kept, start = jnp.asarray([0.4, -1.3]), jnp.asarray([0.5, 1.2])
    state = init_hmc(gamma_potential, start)._replace(momentum=kept)
    key, persistence = jax.random.key(5), 0.6
    fresh = jax.random.normal(jax.random.split(key, 3)[0], (2,))
    momentum = persistence * kept + 0.8 * fresh
    options = dict(num_leapfrog=1, persistence=persistence)
    step = jax.jit(partial(hmc_step, gamma_potential, **options))
    refused, info = step(key, state, step_size=1e3)
    assert info.acceptance == 0
    np.testing.assert_allclose(refused.momentum, -momentum, rtol=1e-12)
    for before, after in zip(state[:3], refused[:3], strict=True):
        np.testing.assert_array_equal(after, before)
    size = 1e-6
    taken, info = step(key, state, step_size=size)
    np.testing.assert_allclose(taken.momentum, momentum, atol=1e-5)
    np.testing.assert_allclose(taken.whitened, start + size * momentum, atol=1e-10)
    assert info.acceptance > 0.999


def test_persistent_momentum_leaves_the_posterior_where_it_is():
    """Prevents a kernel that is not invariant: 10,000 chains begun in the target stay in it.

    Long steps, of which a third is refused, under momentum that is nearly all kept: a momentum that is not reversed moves
    the mean by nineteen standard errors.  log of a Gamma(3): mean digamma(3), variance trigamma(3).
    """
    begin_key, momentum_key, run_key = jax.random.split(jax.random.key(0), 3)
    number = 10_000
    begin = jnp.log(jax.random.gamma(begin_key, 3.0, (number, 1)))
    momentum = jax.random.normal(momentum_key, (number, 1))

    @jax.jit
    def run(begin, momentum, keys):
        def chain(z, p, key):
            state = init_hmc(gamma_potential, z)._replace(momentum=p)

            def step(state, key):
                following, info = hmc_step(
                    gamma_potential,
                    key,
                    state,
                    step_size=0.9,
                    num_leapfrog=1,
                    persistence=0.95,
                )
                return following, info.acceptance

            end, acceptance = jax.lax.scan(step, state, jax.random.split(key, 12))
            return end.whitened[0], end.momentum[0], acceptance.mean()

        return jax.vmap(chain)(begin, momentum, keys)

    ends, momenta, acceptance = map(
        np.asarray, run(begin, momentum, jax.random.split(run_key, number))
    )
    assert 0.5 < acceptance.mean() < 0.8
    centred = ends - 0.9227843351
    for values, exact in (
        (centred, 0.0),
        (centred**2, 0.3949340668),
        (centred**3, -0.1541138063),
        (momenta, 0.0),
        (momenta**2, 1.0),
        (momenta * centred, 0.0),
    ):
        error = values.std(ddof=1) / np.sqrt(number)
        assert abs(values.mean() - exact) < 4 * error


def test_jitter_draws_step_sizes_evenly_within_its_share():
    """Prevents trajectories of other lengths than asked for: free motion shows the step it was made with."""
    start, momentum = jnp.zeros(1), jnp.asarray([2.0])
    flat = lambda z: 0.0 * jnp.sum(z)  # noqa: E731
    state = init_hmc(flat, start)._replace(momentum=momentum)

    @jax.jit
    @jax.vmap
    def sizes(key):
        options = dict(step_size=0.5, num_leapfrog=4, jitter=0.3, persistence=1.0)
        following, _ = hmc_step(flat, key, state, **options)
        return following.whitened[0] / (4 * momentum[0])

    found = np.asarray(sizes(jax.random.split(jax.random.key(0), 4000))) / 0.5
    assert 0.7 <= found.min() < 0.71 and 1.29 < found.max() <= 1.3
    np.testing.assert_allclose(found.mean(), 1.0, atol=4 * 0.3 / np.sqrt(3 * 4000))
    np.testing.assert_allclose(found.var(), 0.3**2 / 3, rtol=0.06)
