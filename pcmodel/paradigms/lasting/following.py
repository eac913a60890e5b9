"""`follow`: a network over days, of which each brings what a session teaches and takes what time forgets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Bool, Float

from pcmodel.errors import UserError
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.random_keys import check_key
from pcmodel.model.generative import learned
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model, with_arrays
from pcmodel.paradigms.lasting.learning import (
    LinearLearning,
    TopLearning,
    Training,
)
from pcmodel.paradigms.lasting.probing import (
    Probe,
    check_hypothesis_of,
    last_top,
    prior_belief,
    probes_by_name,
    problem_for,
    read_probe,
)
from pcmodel.paradigms.lasting.retention import Retention, Trace, after_days, begin
from pcmodel.paradigms.lasting.sessions import Session
from pcmodel.runtime.tracing import refuse_tracing

Days = ArrayLike | Sequence[float]
"""One number for each of some days."""


class Followed(NamedTuple):
    """A belief over days: what the trained network holds on each, before any evidence of that day's probes.

    days: that were read, (days,).
    mean: prior mean of the last top, (days, top).
    log_precision: log of its precision, (days, top).
    labile: share of the change from the first day that is not consolidated, by its size over all parameters; 0 without any
        change, (days,).
    distance: root mean square change of the weights from the first day, relative to that of the weights, (days,); prior
        means and precisions are not counted.
    belief: probability of the hypothesis under the prior, (days,); NaN without a hypothesis.
    revision: of the last top by each probe, by name, (days,); 0: the belief stays, 1: that of the evidence.
    probe_mean: of the last top after each probe, by name, (days, top).
    probe_belief: probability of the hypothesis after each probe, by name, (days,); NaN without a hypothesis.
    converged: whether inference of every probe converged, (days,).
    network: at the end of the last day.
    """

    days: Float[np.ndarray, " days"]
    mean: Float[np.ndarray, "days top"]
    log_precision: Float[np.ndarray, "days top"]
    labile: Float[np.ndarray, " days"]
    distance: Float[np.ndarray, " days"]
    belief: Float[np.ndarray, " days"]
    revision: dict[str, Float[np.ndarray, " days"]]
    probe_mean: dict[str, Float[np.ndarray, "days top"]]
    probe_belief: dict[str, Float[np.ndarray, " days"]]
    converged: Bool[np.ndarray, " days"]
    network: Network


@checked_arguments
def follow(
    network: Network,
    sessions: Sequence[Session],
    *,
    days: Days,
    learning: TopLearning | LinearLearning | Training | None = None,
    retention: Retention | None = None,
    baseline: Network | None = None,
    window: Callable[[float], Any] | Days | None = None,
    probes: Probe | Sequence[Probe] | Mapping[str, Probe] = (),
    hypothesis: Callable[[Array], Any] | None = None,
    solver: Solver | None = None,
    key: Array,
) -> Followed:
    """Follow a trained network over days: sessions move its parameters, and time keeps a part of what they moved.

    network: as it is on the first day, all of it consolidated.
    sessions: what is met; those of one day in their order, before that day is read.
    days: on which the belief is read, ascending; sessions before the first of them are met, too, those after the last are
        refused.
    learning: how a session with evidence teaches; None: `TopLearning()`. A session without evidence teaches nothing.
    retention: what time keeps; None: all of it.
    baseline: network whose parameters the slow trace is forgotten towards; None: the network itself.
    window: factor on learning rates, 0 or more: a function of the day, or one number for each of `days`, between which
        it is interpolated; None: 1.
    probes: evidence by which the belief is read on every day; nothing is learned from it.
    hypothesis: a function from the activity of the last top, (top,), to true or false, whose probability is read.
    solver: of the probes' inference.
    key: for gradients' draws and for those of the hypothesis, which are the same on all days.

    Raises UserError for days that do not ascend, sessions after the last day, a window that is negative or not finite, a
    baseline of another architecture, a session after which a parameter is not finite, and as `pcmodel.infer` does.
    """
    refuse_tracing(
        "follow", jax.tree.leaves(network), (days, key), why="it runs in Python"
    )
    key = check_key(key)
    learning, solver = learning or TopLearning(), solver or GaussNewton()
    read = read_days(days)
    factor = window_of(window, read)
    ordered = in_order(sessions, read)
    asked = probes_by_name(probes)
    check_hypothesis_of(hypothesis, network)
    pure = as_model(network)
    start = learned(pure.weights), pure.log_precisions
    trace = begin(start, baseline_of(baseline, network))
    learn_key, draw_key = jax.random.split(key)
    now = min([read[0], *(session.day for session in ordered)])
    waiting = list(enumerate(ordered))
    rows = []
    for day in read:
        while waiting and waiting[0][1].day <= day:
            number, session = waiting.pop(0)
            trace, now = passed(trace, session.day - now, retention), session.day
            if session.has_evidence:
                before = with_parameters(network, pure, trace.current)
                after = learning.learn(
                    before,
                    session,
                    factor(session.day),
                    jax.random.fold_in(learn_key, number),
                )
                learned_now = parameters_of(after)
                check_finite(learned_now, session)
                trace = trace._replace(current=learned_now)
        trace, now = passed(trace, day - now, retention), day
        present = pure_with(pure, trace.current)
        readings = {
            name: read_probe(problem_for(one, present), draw_key, hypothesis, solver)
            for name, one in asked.items()
        }
        belief = prior_belief(present, hypothesis, draw_key)
        rows.append((*last_top(present), *sizes(trace, start), belief, readings))
    means, logs, labile, distance, beliefs, readings = zip(*rows, strict=True)

    def of_probes(field: str) -> dict[str, np.ndarray]:
        return {
            name: np.stack([np.asarray(getattr(day[name], field)) for day in readings])
            for name in asked
        }

    converged = [all(bool(one.converged) for one in day.values()) for day in readings]
    return Followed(
        np.asarray(read),
        np.stack([np.asarray(each) for each in means]),
        np.stack([np.asarray(each) for each in logs]),
        np.asarray(labile),
        np.asarray(distance),
        np.asarray([float(each) for each in beliefs]),
        of_probes("revision"),
        of_probes("mean"),
        of_probes("belief"),
        np.asarray(converged),
        with_parameters(network, pure, trace.current),
    )


def parameters_of(network: Network) -> Any:
    """The arrays that are learned, weights and log-precisions."""
    pure = as_model(network)
    return learned(pure.weights), pure.log_precisions


def check_finite(parameters: Any, session: Session) -> None:
    """Raise a UserError for parameters that grew without bound."""
    if all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(parameters)):
        return
    raise UserError(
        f"the session of day {session.day:g} leaves parameters that are no finite numbers",
        where="follow",
        expected="a rate below 1, or evidence that a level does not fit exactly",
    )


def pure_with(pure: PureNetwork, parameters: Any) -> PureNetwork:
    """The split network with these arrays."""
    weights, log_precisions = parameters
    return pure._replace(
        weights={**pure.weights, **weights}, log_precisions=log_precisions
    )


def with_parameters(network: Network, pure: PureNetwork, parameters: Any) -> Network:
    """A copy of the network with these arrays; pure: the network, split."""
    return with_arrays(network, *pure_with(pure, parameters)[1:])


def passed(trace: Trace, days: float, retention: Retention | None) -> Trace:
    """The trace after some days; unchanged after none."""
    if retention is None or days == 0:
        return trace
    return _after_days(
        trace,
        days,
        labile_days=retention.labile_days,
        consolidation=retention.consolidation,
        forgetting_per_day=retention.forgetting_per_day,
    )


_after_days = jax.jit(after_days)


def sizes(trace: Trace, start: Any) -> tuple[float, float]:
    """Share of the change that is labile, and the distance of the weights from the start (see `Followed`)."""

    def norm(tree: Any) -> float:
        squares = [float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(tree)]
        return float(np.sqrt(sum(squares)))

    def apart(one: Any, other: Any) -> float:
        return norm(jax.tree.map(jnp.subtract, one, other))

    labile = apart(trace.current, trace.slow)
    total = labile + apart(trace.slow, start)
    layers, own = trace.current[0]["layers"], start[0]["layers"]
    scale = norm(own)
    return labile / total if total else 0.0, apart(
        layers, own
    ) / scale if scale else 0.0


def baseline_of(baseline: Network | None, network: Network) -> Any:
    """The parameters of the baseline; raises UserError for those of another architecture."""
    if baseline is None:
        return None
    found = parameters_of(baseline)

    def form(tree: Any) -> Any:
        leaves, kind = jax.tree.flatten(tree)
        return kind, [leaf.shape for leaf in leaves]

    if form(found) != form(parameters_of(network)):
        raise UserError(
            "is of another architecture than the network",
            where="follow: baseline",
            expected="a network that differs in the values of its arrays alone",
        )
    return found


def read_days(days: Days) -> list[float]:
    """The days as numbers; raises UserError unless they are finite and ascend."""
    found = np.atleast_1d(np.asarray(read_numbers(days, where="follow: days"), float))
    if found.ndim != 1 or not found.size or np.any(np.diff(found) <= 0):
        raise UserError(
            "do not ascend", where="follow: days", expected="days such as range(28)"
        )
    return [float(day) for day in found]


def in_order(sessions: Sequence[Session], days: Sequence[float]) -> list[Session]:
    """The sessions by day, those of one day in their given order; raises UserError for one after the last day."""
    found = sorted(sessions, key=lambda session: session.day)
    if found and found[-1].day > days[-1]:
        raise UserError(
            f"the session of day {found[-1].day:g} is after the last day read ({days[-1]:g})",
            where="follow",
            expected="days that reach the last session",
        )
    return found


def window_of(
    window: Callable[[float], Any] | Days | None, days: Sequence[float]
) -> Callable[[float], float]:
    """The window as a function of the day that gives a checked number."""
    if window is None:
        return lambda day: 1.0
    if not callable(window):
        given = np.asarray(read_numbers(window, where="follow: window"), float)
        if given.shape != (len(days),):
            raise UserError(
                f"has shape {given.shape} for {len(days)} days",
                where="follow: window",
                expected="a function of the day, or one number for each of days",
            )

    def at(day: float) -> float:
        try:
            value = window(day) if callable(window) else np.interp(day, days, given)
            number = np.asarray(value, float)
        except Exception as error:  # whatever a user's function may raise
            raise UserError(
                f"fails on day {day:g} ({type(error).__name__}: {error})",
                where="follow: window",
                expected="a function of the day that gives one number",
            ) from error
        if number.shape or not np.isfinite(number) or number < 0:
            raise UserError(
                f"is {value} on day {day:g}",
                where="follow: window",
                expected="one finite number, 0 or more (1: as without a drug)",
            )
        return float(number)

    return at
