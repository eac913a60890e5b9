"""Hierarchical fits by NUTS: vectorised chains, in resumable chunks, over several devices.

Chains move in coordinates in which the posterior is nearly standard normal
(`coordinates`), so that a trajectory takes a few steps where the original coordinates, in
which a participant's values and the group's are correlated, take hundreds.
"""

import warnings
from collections.abc import Callable, Generator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.posterior.diagnostics import STRICT, Limits, diagnose
from pcmodel.behaviour.posterior.fitted_posterior import (
    Posterior,
    moving_coordinates,
    people_coordinates,
)
from pcmodel.behaviour.sampling.adaptation import whiten_further, window_ending
from pcmodel.behaviour.sampling.chains import (
    FIRST_STEP,
    DrawBatch,
    Kernel,
    Provenance,
    Request,
    States,
    adapt_steps,
    build_kernel,
    num_chunks,
    run_chunk,
    run_chunks,
    states_after,
)
from pcmodel.behaviour.sampling.coordinates import (
    Coordinates,
    Frame,
    Whitening,
    constrained,
    energies,
    make_white,
    potential,
    unwhiten,
)
from pcmodel.behaviour.sampling.initialisation import Finder, begin, build_finder
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, InnerShare


@checked_options()
@dataclass(frozen=True)
class Nuts:
    """Options of `fit_nuts`."""

    num_warmup: Count = 400
    num_samples: Count = 500
    num_chains: Count = 4
    target_accept: InnerShare = 0.9
    max_tree_depth: Count = 8
    chunk: Count = 20
    num_devices: Count = 1  # that share the chains
    limits: Limits = STRICT  # of diagnostics, for draws to be trusted

    def __post_init__(self) -> None:
        if self.num_chains % self.num_devices:
            raise UserError(
                f"{self.num_chains} chains cannot be spread over {self.num_devices} "
                "devices",
                where="num_devices",
                expected="a divisor of the number of chains",
            )


NUTS_DEFAULTS = Nuts()
# In standard-normal coordinates; wider, some of hundreds would start in skewed tails.
START_SD = 0.3


class Sampler(NamedTuple):
    """Compiled functions for one design; the data are arguments."""

    kernel: Kernel
    finder: Finder
    constrain: Callable  # (white draws, frame, data) -> sites
    move: Callable  # (white places, old whitening, new whitening) -> white places


def build_sampler(hierarchy: Hierarchy, options: Nuts = NUTS_DEFAULTS) -> Sampler:
    """The sampler of one design, compiled once for any data of that design."""

    def whole(group: Array, people: Array, arguments: tuple) -> Array:
        return potential(hierarchy, Coordinates(group, people), *arguments)

    def parts(group: Array, people: Array, arguments: tuple) -> Array:
        return energies(hierarchy, Coordinates(group, people), *arguments)

    def constrain(white: Coordinates, frame: Frame, data: Any) -> dict[str, Array]:
        return constrained(hierarchy, white, frame, data)

    def move(white: Coordinates, old: Whitening, new: Whitening) -> Coordinates:
        return make_white(new, unwhiten(old, white))

    over_draws = jax.vmap(jax.vmap(constrain, (0, None, None)), (0, None, None))
    return Sampler(
        build_kernel(
            whole,
            parts,
            max_tree_depth=options.max_tree_depth,
            num_devices=options.num_devices,
        ),
        build_finder(hierarchy),
        jax.jit(over_draws),
        jax.jit(jax.vmap(move, (0, None, None))),
    )


def num_advances(options: Nuts) -> int:
    """How often `fit_nuts` calls `advance`: once for each chunk of warm-up and of draws."""
    warmup = num_chunks(options.num_warmup, options.chunk)
    return warmup + num_chunks(options.num_samples, options.chunk)


def fit_nuts(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    options: Nuts = NUTS_DEFAULTS,
    *,
    advance: Callable[[], None] = lambda: None,
    sampler: Sampler | None = None,
    stored: MutableMapping[int, DrawBatch] | None = None,
) -> Posterior:
    """Sample the posterior; warns, with advice, where it cannot be trusted.

    advance: called after each chunk (`num_advances` of them).
    sampler: from `build_sampler` with the same options; avoids compiling again for other data of the
        same design.
    stored: chunks by number. Those of the same fit (`same_fit`) are used, and new ones are added as
        soon as they are done, so that an interrupted fit continues from them with the same numbers.
    Needs double precision: gradients at the start are differences of 1e-4.
    """
    sampler = sampler or build_sampler(hierarchy, options)
    stored = {} if stored is None else stored
    course = _course(key, sampler, hierarchy, options, advance, stored)
    step = _send(course, None)
    while isinstance(step, Request):
        step = _send(course, run_chunk(sampler.kernel, step, options.chunk))
    return _posterior(sampler, hierarchy, step, options)


def fit_side_by_side(
    keys: Sequence[Key[Array, ""]],
    hierarchies: Sequence[Hierarchy],
    options: Nuts = NUTS_DEFAULTS,
    *,
    sampler: Sampler | None = None,
) -> list[Posterior]:
    """Fits of several data sets of one design in one program, each like `fit_nuts`.

    A small study uses only part of a machine; several in one program cost little more than one, but every
    transition waits for the longest trajectory among them. Numbers are those of `fit_nuts` up to rounding, which
    chains amplify. Runs on one device; warns as `fit_nuts` does, for each study.
    """
    sampler = sampler or build_sampler(hierarchies[0], options)
    courses = [
        _course(key, sampler, hierarchy, options, lambda: None, {})
        for key, hierarchy in zip(keys, hierarchies, strict=True)
    ]
    steps = [_send(course, None) for course in courses]
    while requests := [step for step in steps if isinstance(step, Request)]:
        answers = run_chunks(sampler.kernel, requests, options.chunk)
        steps = [_send(*pair) for pair in zip(courses, answers, strict=True)]
    return [
        _posterior(sampler, hierarchy, step, options)
        for hierarchy, step in zip(hierarchies, steps, strict=True)
        if not isinstance(step, Request)
    ]


Ending = tuple[Frame, list[DrawBatch]]  # the final frame, and the draws in it
Course = Generator[Request, tuple[States, DrawBatch], Ending]


def _send(course: Course, answer: Any) -> Request | Ending:
    """The fit's next request, or its result."""
    try:
        return course.send(answer)
    except StopIteration as end:
        return end.value


def _course(
    key: Array,
    sampler: Sampler,
    hierarchy: Hierarchy,
    options: Nuts,
    advance: Callable[[], None],
    stored: MutableMapping[int, DrawBatch],
) -> Course:
    """A fit that yields requests for chunks; returns the final frame and the chunks drawn in it.

    It does not run the chunks itself, so that several fits can share a program.
    """
    frame, states = _start(key, sampler, hierarchy, options)
    provenance = provenance_of(key, frame, options)
    # With a dtype: a weakly typed array would compile the chains twice.
    step = jnp.full(hierarchy.num_participants, FIRST_STEP, dtype=float)
    chunks: list[DrawBatch] = []
    num_warmup = num_chunks(options.num_warmup, options.chunk)
    for i in range(num_advances(options)):
        kept = stored.get(i)
        if kept is not None and same_fit(kept, provenance):
            chunks.append(kept)
            states = states_after(states, chunks[i])
        else:
            arguments = (frame, hierarchy.data)
            states, chunk = yield Request(states, step, arguments, provenance)
            chunks.append(chunk)
            stored[i] = chunk
        if i < num_warmup:
            states, step = adapt_steps(
                states, chunks[i], target=options.target_accept, count=i
            )
            window = window_ending(i, num_warmup)
            if window:
                new = _learn(frame, chunks[slice(*window)])
                states = _moved(sampler, states, frame, new)
                frame = new
        advance()
    return frame, chunks[num_warmup:]


def provenance_of(key: Key[Array, ""], frame: Any, options: Nuts) -> Provenance:
    """The provenance of a fit with this initial frame; its draws are stored in those coordinates."""
    chosen = [options.num_warmup, options.num_chains, options.max_tree_depth]
    words = np.asarray(jax.random.key_data(key), float).ravel()
    leaves = [np.asarray(leaf, float).ravel() for leaf in jax.tree.leaves(frame)]
    return Provenance(
        np.asarray([*words, *chosen, options.chunk, options.target_accept]),
        np.concatenate(leaves),
    )


def same_fit(chunk: DrawBatch | Provenance, provenance: Provenance) -> bool:
    """Whether a chunk is of this fit; frames may differ by rounding from sums in another order."""
    return (
        np.array_equal(chunk.given, provenance.given)
        and chunk.frame.shape == provenance.frame.shape
        and np.allclose(chunk.frame, provenance.frame, rtol=1e-4, atol=1e-6)
    )


def _start(
    key: Array, sampler: Sampler, hierarchy: Hierarchy, options: Nuts
) -> tuple[Frame, States]:
    """Chains around the centre of the Laplace approximation."""
    group_key, people_key, key = jax.random.split(key, 3)

    def slope(at: Coordinates, frame: Frame) -> tuple[Array, tuple[Array, Array]]:
        return sampler.kernel.slope(at.group, at.people, (frame, hierarchy.data))

    beginning = begin(hierarchy, sampler.finder, slope)
    chains, mode = options.num_chains, beginning.mode
    groups = jax.random.normal(group_key, (chains, *mode.group.shape))
    people = jax.random.normal(people_key, (chains, *mode.people.shape))
    keys = jax.random.split(key, chains)
    states = sampler.kernel.start(keys, START_SD * groups, START_SD * people)
    return beginning.frame, states


def _learn(frame: Frame, chunks: list[DrawBatch]) -> Frame:
    """The frame whitened further by draws in it."""
    group = np.concatenate([chunk.group for chunk in chunks], axis=1)
    people = np.concatenate([chunk.people for chunk in chunks], axis=1)
    pooled = group.shape[0] * group.shape[1]
    new = whiten_further(
        frame.whitening,
        group.reshape(pooled, *group.shape[2:]),
        people.reshape(pooled, *people.shape[2:]),
    )
    return frame._replace(whitening=new)


def _moved(sampler: Sampler, states: States, old: Frame, new: Frame) -> States:
    """The chains' states in the coordinates of another frame."""
    white = Coordinates(states.group.z, states.people)
    white = sampler.move(white, old.whitening, new.whitening)
    return states._replace(
        group=states.group._replace(z=white.group), people=white.people
    )


def _posterior(
    sampler: Sampler,
    hierarchy: Hierarchy,
    ending: Ending,
    options: Nuts,
) -> Posterior:
    frame, chunks = ending
    sites = [
        jax.device_get(
            sampler.constrain(
                Coordinates(jnp.asarray(chunk.group), jnp.asarray(chunk.people)),
                frame,
                hierarchy.data,
            )
        )
        for chunk in chunks
    ]
    joined = {name: _join([s[name] for s in sites], options) for name in sites[0]}
    names = (
        "diverging",
        "num_steps",
        "accept_prob",
    )
    stats = {
        name: _join([getattr(chunk, name) for chunk in chunks], options)
        for name in names
    }
    lost = _join([chunk.people_lost for chunk in chunks], options)
    found = diagnose(
        moving_coordinates(hierarchy, joined),
        diverging=stats["diverging"],
        num_steps=stats["num_steps"],
        accept_prob=stats["accept_prob"],
        max_tree_depth=options.max_tree_depth,
        limits=options.limits,
        people=people_coordinates(hierarchy, joined),
        people_lost=lost,
    )
    stats["people_lost"] = lost.mean(axis=2) if lost.size else np.zeros(lost.shape[:2])
    if found.complaints:
        warnings.warn(
            "do not trust this fit: " + "; ".join(found.complaints), stacklevel=3
        )
    return Posterior(hierarchy, joined, stats, found, "NUTS")


def _join(parts: list[np.ndarray], options: Nuts) -> np.ndarray:
    """The draws of all chunks, without those beyond the requested number."""
    return np.concatenate(parts, axis=1)[:, : options.num_samples]
