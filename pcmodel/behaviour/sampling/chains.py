"""Chains that update a group by NUTS and its participants by Hamiltonian trajectories of their own.

Given the group, participants are independent: each has its own step size and acceptance,
so that one with a steep likelihood does not slow the others, and the cost does not
grow faster than the number of participants. Given the participants, in coordinates that
are nearly independent of it, the group is updated by NumPyro's NUTS. All chains run together,
in chunks; every chunk stores the chains' states after it, in the coordinates they were drawn in,
so that an interrupted run gives the same numbers as an uninterrupted one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key
from numpyro.infer.hmc import hmc

from pcmodel.inference.hmc import log_step_change

STEP_GAIN = 2.0
FIRST_STEP = 0.4
PERSON_STEPS = 6  # leapfrog steps of a participant's trajectory
# A participant's step size is drawn for every trajectory, as a share of the adapted
# one: long steps for flat regions, short ones where a likelihood is steep.
SHORTEST, LONGEST = 0.3, 1.3
# At least: each trajectory is rejected alone, so a high acceptance costs little.
PEOPLE_ACCEPT = 0.9
TOO_FAR = 1000.0  # error of the energy that counts as divergence, as in Stan


class States(NamedTuple):
    """States of all chains.

    group: NumPyro's state, with a leading axis of chains.
    people: the participants' coordinates.
    key: of each chain.
    """

    group: Any
    people: Float[Array, "chains participants varying"]
    key: Key[Array, " chains"]


class Provenance(NamedTuple):
    """Identifies the fit that draws belong to; without its frame they cannot be interpreted.

    given: words of the key, and the options.
    frame: the initial frame, which every process computes itself.
    """

    given: Float[np.ndarray, " numbers"]
    frame: Float[np.ndarray, " coordinates"]


class DrawBatch(NamedTuple):
    """Draws of every chain in one chunk, and the states of the chains after it."""

    group: Float[np.ndarray, "chains draws group"]
    people: Float[np.ndarray, "chains draws participants varying"]
    diverging: Bool[np.ndarray, "chains draws"]  # the group's trajectory
    num_steps: Int[np.ndarray, "chains draws"]  # leapfrog steps of the group
    accept_prob: Float[np.ndarray, "chains draws"]  # of the group
    people_lost: Bool[np.ndarray, "chains draws participants"]  # diverged
    people_accept_prob: Float[np.ndarray, "chains participants"]  # mean over draws
    group_key: np.ndarray  # words of the random key
    people_key: np.ndarray  # likewise
    step_size: Float[np.ndarray, " chains"]
    people_step_size: Float[np.ndarray, " participants"]
    given: Float[np.ndarray, " numbers"]  # this and the next: the fit's `Provenance`
    frame: Float[np.ndarray, " coordinates"]


class Request(NamedTuple):
    """The chunk of transitions that a fit needs next.

    states: where it starts.
    step: step size of each participant.
    arguments: of the potential, besides the coordinates.
    provenance: of the fit.
    """

    states: States
    step: Float[Array, " participants"]
    arguments: tuple
    provenance: Provenance


class Kernel(NamedTuple):
    """Compiled functions; `arguments` are those of the potential besides the vectors."""

    slope: Callable  # (group, people, arguments) -> potential, gradients of both
    start: Callable  # (keys, groups, people) -> states
    advance: (
        Callable  # (states, people's step sizes, arguments, steps) -> states, draws
    )
    advance_all: Callable  # the same for several data sets, on a leading axis


def build_kernel(
    potential: Callable,
    energies: Callable,
    *,
    max_tree_depth: int,
    num_devices: int = 1,
) -> Kernel:
    """Compile the kernel; chains are divided among devices.

    potential: (group, people, arguments) to minus the log density.
    energies: of the same arguments, each participant's part of it.
    """

    def potential_of(*args: Any) -> Callable:
        return (lambda group: potential(group, *args)) if args else jnp.sum

    start_kernel, step_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")
    slope = jax.value_and_grad(potential, argnums=(0, 1))

    def start(key: Key[Array, ""], group: Array, people: Array) -> States:
        group_key, people_key = jax.random.split(key)
        # Without arguments a constant takes the potential's place, since every transition
        # evaluates it again.
        state = start_kernel(
            group,
            num_warmup=0,
            step_size=FIRST_STEP,
            adapt_step_size=False,
            adapt_mass_matrix=False,
            max_tree_depth=max_tree_depth,
            model_args=(),
            rng_key=group_key,
        )
        return States(state, people, people_key)

    def one(state: States, step: Array, arguments: tuple) -> tuple[States, tuple]:
        given = (state.people, arguments)
        value, gradient = jax.value_and_grad(potential)(state.group.z, *given)
        group = state.group._replace(potential_energy=value, z_grad=gradient)
        group = step_kernel(group, given, {})
        key, own_key = jax.random.split(state.key)

        def own(people: Array) -> Array:
            return energies(group.z, people, arguments)

        people, accept_prob, broken = move_people(own_key, own, state.people, step)
        found = (
            group.z,
            people,
            group.diverging,
            group.num_steps,
            group.accept_prob,
            broken,
            accept_prob,
        )
        return States(group, people, key), found

    def advance(
        states: States, step: Array, arguments: tuple, steps: Array
    ) -> tuple[States, tuple]:
        together = jax.vmap(one, (0, None, None))
        states, found = jax.lax.scan(
            lambda s, _: together(s, step, arguments), states, steps
        )
        return states, jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), found)

    return Kernel(
        jax.jit(slope),
        jax.jit(jax.vmap(start)),
        jax.jit(_over_devices(advance, num_devices)),
        jax.jit(jax.vmap(advance, (0, 0, 0, None))),
    )


def move_people(
    key: Key[Array, ""],
    energies: Callable,
    people: Float[Array, "participants varying"],
    step: Float[Array, " participants"],
) -> tuple[Array, Array, Bool[Array, " participants"]]:
    """One trajectory of each participant, accepted or rejected on its own.

    energies: `energies(people)`, where each participant's energy depends only on their own coordinates.
    Returns the new coordinates, the acceptance probabilities, and which trajectories diverged.
    One loop evaluates energies and gradients at both ends and between, so that they are compiled once.
    """
    if not people.size:
        return people, jnp.ones(len(people)), jnp.zeros(len(people), bool)
    speed_key, share_key, take_key = jax.random.split(key, 3)
    share = jax.random.uniform(share_key, step.shape, minval=SHORTEST, maxval=LONGEST)
    width = (step * share)[:, None]

    def value_and_slope(place: Array) -> tuple[Array, Array]:
        values, back = jax.vjp(energies, place)
        return values, back(jnp.ones_like(values))[0]

    def leap(carry: tuple, i: Array) -> tuple[tuple, None]:
        place, speed, first, _ = carry
        values, slope = value_and_slope(place)
        is_first, is_last = i == 0, i == PERSON_STEPS
        kick = jnp.where(is_first | is_last, 0.5, 1.0) * width * slope
        speed = speed - kick
        place = jnp.where(is_last, place, place + width * speed)
        return (place, speed, jnp.where(is_first, values, first), values), None

    speed = jax.random.normal(speed_key, people.shape)
    nothing = jnp.zeros(len(people), people.dtype)
    start = (people, speed, nothing, nothing)
    (place, last, before, after), _ = jax.lax.scan(
        leap, start, jnp.arange(PERSON_STEPS + 1)
    )
    lost = after - before + 0.5 * jnp.sum(last**2 - speed**2, axis=1)
    lost = jnp.where(jnp.isfinite(lost), lost, jnp.inf)
    accept_prob = jnp.exp(-jnp.maximum(lost, 0.0))
    taken = jax.random.uniform(take_key, lost.shape) < accept_prob
    return jnp.where(taken[:, None], place, people), accept_prob, lost > TOO_FAR


def _over_devices(advance: Callable, num_devices: int) -> Callable:
    """Divide the chains among devices, so that those of one do not wait for those of another."""
    if num_devices == 1:
        return advance
    automatic = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((num_devices,), ("chains",), axis_types=automatic)
    spread, same = jax.P("chains"), jax.P()
    return jax.shard_map(
        advance,
        mesh=mesh,
        in_specs=(spread, same, same, same),
        out_specs=spread,
        check_vma=False,
    )


def run_chunk(kernel: Kernel, request: Request, size: int) -> tuple[States, DrawBatch]:
    """`size` transitions of every chain of a fit."""
    states, step, arguments, provenance = request
    states, found = kernel.advance(states, step, arguments, jnp.zeros(size))
    return states, _chunk(_fetch(states, step, found), provenance)


def run_chunks(
    kernel: Kernel, requests: Sequence[Request], size: int
) -> list[tuple[States, DrawBatch]]:
    """`run_chunk` for several fits of one design together."""
    states, step, arguments = (
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *column)
        for column in zip(*(request[:3] for request in requests), strict=True)
    )
    states, found = kernel.advance_all(states, step, arguments, jnp.zeros(size))
    fetched = _fetch(states, step, found)
    answers = []
    for i, request in enumerate(requests):
        chunk = _chunk([leaf[i] for leaf in fetched], request.provenance)
        answers.append((states_after(request.states, chunk), chunk))
    return answers


def _fetch(states: States, step: Array, found: tuple) -> list[np.ndarray]:
    """The fields of a chunk without its provenance, on the host."""
    *draws, accept_prob = found
    where = (
        accept_prob.mean(axis=-2),
        jax.random.key_data(states.group.rng_key),
        jax.random.key_data(states.key),
        states.group.adapt_state.step_size,
        step,
    )
    return jax.device_get([*draws, *where])


def _chunk(fields: Sequence[np.ndarray], provenance: Provenance) -> DrawBatch:
    return DrawBatch(*fields, **provenance._asdict())


def states_after(states: States, chunk: DrawBatch) -> States:
    """The states after a chunk; `states` gives their structure."""
    step = jnp.asarray(chunk.step_size)
    group = states.group._replace(
        z=jnp.asarray(chunk.group[:, -1]),
        rng_key=jax.random.wrap_key_data(jnp.asarray(chunk.group_key)),
        adapt_state=states.group.adapt_state._replace(step_size=step),
    )
    key = jax.random.wrap_key_data(jnp.asarray(chunk.people_key))
    return States(group, jnp.asarray(chunk.people[:, -1]), key)


def adapt_steps(
    states: States, chunk: DrawBatch, *, target: float, count: int
) -> tuple[States, Float[Array, " participants"]]:
    """The states and the participants' step sizes after one adaptation (`log_step_change`).

    target: acceptance probability.
    count: of adaptations so far.
    Step sizes are shared over chains and never reset, so that they converge within a few chunks, where
    dual averaging per chain in windows needs hundreds of draws.
    """
    change = partial(
        log_step_change, number=np.float64(count), first=STEP_GAIN, settling=1.0
    )
    factor = float(np.exp(change(chunk.accept_prob.mean(), target)))
    adapted = states.group.adapt_state
    adapted = adapted._replace(step_size=adapted.step_size * factor)
    wanted = max(PEOPLE_ACCEPT, target)
    own = change(chunk.people_accept_prob.mean(axis=0), wanted)
    step = jnp.asarray(chunk.people_step_size * np.exp(own))
    return states._replace(group=states.group._replace(adapt_state=adapted)), step


def num_chunks(total: int, chunk: int) -> int:
    """Chunks needed for `total` transitions."""
    return -(-total // chunk)
