"""How many people and trials distinguish an effect from its rivals?

`run_design` is the computation of `pcmodel design`. Everybody has a session without and one with
the drug. The drug shifts one account's parameters by a given size; a rival account
shifts others. Each account's size, shared by all people, is profiled: at every size
on a grid each person's free parameters are fitted again, and the penalised log likelihoods
are summed over people. The account with the higher sum is attributed the effect.

A rival's own truth is the size at which it is most similar to the effect in question: the size that best
fits data from the effect. An account that reaches the same likelihood in every
person cannot be distinguished by any number of people: **ratio only**.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from pcmodel.behaviour.dataset import kind_of
from pcmodel.behaviour.hierarchy.priors.prior_model import with_priors
from pcmodel.behaviour.hierarchy.priors.written import parse_priors
from pcmodel.behaviour.models import ParticipantModel, find_model, judged
from pcmodel.behaviour.studies.attribution import (
    best_size,
    person_gaps,
    power_curve,
    success_curve,
    widened,
)
from pcmodel.behaviour.studies.possible import Pool, check_possible
from pcmodel.behaviour.studies.profile_likelihood import (
    Shift,
    draw_pool,
    profile_pool,
    scaled,
)
from pcmodel.behaviour.studies.simulate import facts_of, made_up_series, with_wins
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.numerals import to_finite
from pcmodel.inputs.ranges import Count, Range
from pcmodel.runtime.progress import Progress

SAME = 0.02  # nats a person, below which accounts are not distinguishable
ENOUGH = 0.9  # required probability of the right attribution
RIVALS = {
    "helicopter": (
        "prior_log_precision",
        "sensory_log_precision",
        "log_report_sd+log_report_slope",
    ),
    "binary": ("omega2", "learning_rate_logit", "log_zeta"),
    "bandit": ("omega2", "learning_rate_logit", "log_beta", "stickiness"),
    "rating": ("omega2", "learning_rate_logit", "rating_gain", "log_rating_noise"),
    "prediction": (
        *("omega1", "prior_log_precision", "learning_rate_logit"),
        "log_prediction_noise",
    ),
    "detection": (
        *("omega2", "learning_rate_logit"),
        *("log_prior_weight", "log_decision_precision"),
    ),
}


@checked_options()
@dataclass(frozen=True)
class DesignPlan:
    """A design: which effect, rivals and sizes; every field is recorded with the run."""

    task: str
    model: str
    effect: str  # "top_precision=-1": what the drug does, in the parameter's unit
    rivals: tuple[str, ...] = ()  # "a+b": shifted together; none: the task's own
    participants: tuple[Count, ...] = (10, 20, 40)
    trials: tuple[Annotated[int, Range(4)], ...] = (50, 100, 200)  # of each session
    confidence: bool = False  # with confidence reports too
    pool: Annotated[int, Range(2)] = 80  # simulated people that studies are drawn from
    studies: Annotated[int, Range(10)] = 400
    sizes: Annotated[int, Range(3)] = 11  # on each grid
    options: Annotated[int, Range(2)] = 2  # of a bandit
    scale: tuple[float, float] = (0.0, 10.0)  # of a rating
    own_sha256: tuple[str, ...] = ()  # of the user's own task and models
    priors: tuple[str, ...] = ()  # "omega2 ~ Normal(-3, 4)"

    def __post_init__(self) -> None:
        if self.sizes % 2 == 0:
            raise UserError("must be odd, so that no effect is on it", where="sizes")
        if max(self.participants, default=0) > self.pool:
            raise UserError(
                f"studies of {max(self.participants)} cannot be drawn from {self.pool} people",
                where="pool",
                expected="as many as the largest study, better twice as many",
            )
        if not self.participants or not self.trials:
            raise UserError("participants and trials cannot be empty")


class Account(NamedTuple):
    """Parameters that a drug shifts together.

    label: the parameters as the user named them.
    names: of the parameters in the model.
    """

    label: str
    names: tuple[str, ...]


class RivalComparison(NamedTuple):
    """The effect compared with one rival, in one kind of study."""

    rival: str
    has_confidence: bool
    num_trials: int
    rival_size: float  # at which it is most similar to the effect
    rival_limit: float  # the largest size that was tried
    nats: float  # truth minus other account, mean over people and both truths
    largest: float  # the largest such difference of any one person
    right: Float[np.ndarray, " participants"]  # probability of the right attribution
    low: Float[np.ndarray, " participants"]  # its 95 % interval
    high: Float[np.ndarray, " participants"]
    verdict: str  # told apart | ratio only | not told apart
    needed: int  # participants; 0 where none of the sizes is enough


class ProfilePair(NamedTuple):
    """Log likelihood profiles of effect and rival, (people, 2, sizes), under either truth.

    effect_true: where the effect is true, nats.
    rival_true: where the rival is true, nats.
    rival_size: at which it is most similar to the effect.
    rival_limit: the largest size that was tried.
    """

    effect_true: Float[np.ndarray, "people 2 sizes"]
    rival_true: Float[np.ndarray, "people 2 sizes"]
    rival_size: Float[np.ndarray, ""]
    rival_limit: Float[np.ndarray, ""]


class Power(NamedTuple):
    """Power of a test of the effect against no effect, in one kind of study."""

    has_confidence: bool
    num_trials: int
    power: Float[np.ndarray, " participants"]  # of a test at 5 %


class DesignResults(NamedTuple):
    """Every rival, with and without confidence reports, by number of trials.

    effect: the effect's parameters.
    size: of the effect.
    participants: study sizes, people.
    seen: power in each kind of study.
    told: comparison with each rival in each kind of study.
    """

    effect: str
    size: float
    participants: tuple[int, ...]
    seen: tuple[Power, ...]
    told: tuple[RivalComparison, ...]


def run_design(
    plan: DesignPlan,
    *,
    seed: int,
    progress: Any = None,
    stored: MutableMapping[int, ProfilePair] | None = None,
) -> DesignResults:
    """Simulate, refit and count, in double precision.

    stored: profiles by number; those found are used, and new ones are added.
    Raises UserError for names that do not exist.
    """
    kinds = (False, True) if plan.confidence else (False,)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        effect, size, rivals = check_plan(plan)
        store: MutableMapping[int, ProfilePair] = {} if stored is None else stored
        total = len(kinds) * len(plan.trials) * len(rivals)
        with (progress or Progress(silent=True)).stage(
            "simulate and refit", total
        ) as stage:
            each = total // len(kinds)
            for i, has_confidence in enumerate(kinds):
                kind = _Kind(plan, has_confidence, effect, size, rivals, seed)
                _simulate_kind(kind, store, range(i * each, (i + 1) * each), stage)
    seen, told = [], []
    numbers = iter(range(total))
    for has_confidence in kinds:
        kind = _Kind(plan, has_confidence, effect, size, rivals, seed)
        for num_trials in plan.trials:
            own = [store[next(numbers)] for _ in rivals]
            seen.append(_power_of(kind, num_trials, own[0]))
            told += [
                _compare(kind, rival.label, num_trials, found)
                for rival, found in zip(rivals, own, strict=True)
            ]
    return DesignResults(
        effect.label, size, plan.participants, tuple(seen), tuple(told)
    )


def check_plan(plan: DesignPlan) -> tuple[Account, float, tuple[Account, ...]]:
    """The effect, its size and the rivals; UserError for names that do not exist."""
    model = _model(plan, False)
    _model(plan, plan.confidence)
    effect, size = read_effect(plan, model)
    return effect, size, read_rivals(plan, model, effect)


class _Kind(NamedTuple):
    plan: DesignPlan
    has_confidence: bool
    effect: Account
    size: float
    rivals: tuple[Account, ...]
    seed: int


def _model(plan: DesignPlan, has_confidence: bool) -> ParticipantModel:
    names = ("confidence",) if has_confidence else ()
    own = judged(find_model(plan.task, plan.model, facts_of(plan)), names)
    return with_priors(own, parse_priors(plan.priors))


def read_effect(plan: DesignPlan, model: ParticipantModel) -> tuple[Account, float]:
    """The effect's parameters and size; UserError for text in another form."""
    text, equals, size = plan.effect.partition("=")
    number = to_finite(size)
    if not equals or not number:
        raise UserError(
            f"cannot be read: {plan.effect!r}",
            where="effect",
            expected="a parameter and a size other than 0, such as top_precision=-1",
        )
    return _account(text, model), number


def read_rivals(
    plan: DesignPlan, model: ParticipantModel, effect: Account
) -> tuple[Account, ...]:
    """The rivals named, or the task's default rivals that this model has, or all its free parameters."""
    known = {n for p in model.parameters for n in (p.name, *p.names)}
    usual = RIVALS.get(kind_of(plan.task), ())
    given = plan.rivals or tuple(t for t in usual if set(t.split("+")) <= known)
    given = given or tuple(p.name for p in model.parameters if p.free)
    found = [_account(text, model) for text in given]
    found = [a for a in found if set(a.names) != set(effect.names)]
    if not found:
        raise UserError("there is no rival to the effect", where="rivals")
    return tuple(found)


def _account(text: str, model: ParticipantModel) -> Account:
    place = {n: p.name for p in model.parameters for n in (p.name, *p.names)}
    names = [word.strip() for word in text.split("+")]
    for name in names:
        if name not in place:
            raise unknown_name("parameter of this model", name, place)
    return Account("+".join(names), tuple(place[name] for name in names))


def _simulate_kind(
    kind: _Kind, store: MutableMapping[int, ProfilePair], numbers: range, stage: Any
) -> None:
    """Profiles for all numbers of trials and rivals, without or with confidence: two compiled programs."""
    plan, effect = kind.plan, kind.effect
    work = list(product(plan.trials, kind.rivals))
    missing = {n: own for n, own in zip(numbers, work, strict=True) if n not in store}
    for _ in range(len(work) - len(missing)):
        stage.advance()
    if not missing:
        return
    model = _model(plan, kind.has_confidence)
    data = _data(plan, model, kind.has_confidence, kind.seed)
    draw = partial(draw_pool, model, jax.random.key(kind.seed), data)
    grid = grid_of(plan, kind.size)
    weights = {a: _direction(model, a) for a in (effect, *kind.rivals)}

    def simulate(shift: Shift) -> Pool:
        pool = draw(shift)
        check_possible(pool, expected="an enhanced filter (ehgf3), or a smaller effect")
        return pool

    def profiles(
        pool: Pool, account: Account, num_trials: int, sizes: np.ndarray = grid
    ) -> np.ndarray:
        used, tried = _used(plan, num_trials), jnp.asarray(sizes)
        return np.asarray(profile_pool(model, pool, weights[account], tried, used))

    pool = simulate(scaled(kind.size, weights[effect]))
    lengths = dict.fromkeys(num_trials for num_trials, _ in missing.values())
    own = {length: profiles(pool, effect, length) for length in lengths}
    for number, (length, rival) in missing.items():
        wide, other = widened(partial(profiles, pool, rival, length), grid)
        best = best_size(other, wide)
        mirror = simulate(scaled(best, weights[rival]))
        both = [profiles(mirror, effect, length), profiles(mirror, rival, length, wide)]
        store[number] = ProfilePair(
            np.stack([own[length], other], axis=1),
            np.stack(both, axis=1),
            np.asarray(best),
            np.asarray(wide[-1]),
        )
        stage.advance()


def grid_of(plan: DesignPlan, size: float) -> Float[np.ndarray, " sizes"]:
    """Sizes that are tried, from minus twice to plus twice the effect's."""
    return np.linspace(-2.0, 2.0, plan.sizes) * abs(size)


def _power_of(kind: _Kind, num_trials: int, found: ProfilePair) -> Power:
    power = power_curve(
        found.effect_true[:, 0],
        participants=kind.plan.participants,
        num_studies=kind.plan.studies,
        rng=np.random.default_rng(kind.seed),
    )
    return Power(kind.has_confidence, num_trials, power)


def _compare(
    kind: _Kind, label: str, num_trials: int, found: ProfilePair
) -> RivalComparison:
    plan, rng = kind.plan, np.random.default_rng(kind.seed)
    pairs = (found.effect_true, found.rival_true)
    ahead = np.stack([person_gaps(pair, truth) for truth, pair in enumerate(pairs)])
    largest = float(np.abs(ahead).max())
    right, low, high = success_curve(
        pairs, participants=plan.participants, num_studies=plan.studies, rng=rng
    )
    word = "told apart" if _enough(plan.participants, right) else "not told apart"
    if largest < SAME:
        right, low, high = (np.full(len(plan.participants), 0.5) for _ in range(3))
        word = "ratio only"
    enough = _enough(plan.participants, right)
    return RivalComparison(
        label,
        kind.has_confidence,
        num_trials,
        float(found.rival_size),
        float(found.rival_limit),
        float(ahead.mean()),
        largest,
        right,
        low,
        high,
        word,
        enough,
    )


def _enough(participants: tuple[int, ...], right: np.ndarray) -> int:
    """The smallest study from which on all have enough right attributions; 0: none has."""
    found = 0
    for size, share in sorted(zip(participants, right, strict=True), reverse=True):
        if share < ENOUGH:
            break
        found = size
    return found


def _data(plan: DesignPlan, model: Any, has_confidence: bool, seed: int) -> Any:
    """Both sessions of everyone in the pool, with the largest number of trials."""
    series = made_up_series(
        plan, num_participants=plan.pool, num_trials=max(plan.trials), seed=seed
    )
    if has_confidence:
        zeros = np.zeros(series.present.shape)
        series = series._replace(values=series.values | {"confidence": zeros})
    data = model.prepare(series)
    if kind_of(plan.task) == "bandit":
        own = with_wins(data.own if has_confidence else data, seed)
        data = data._replace(own=own) if has_confidence else own
    return jax.tree.map(lambda leaf: leaf.reshape(plan.pool, 2, *leaf.shape[1:]), data)


def _used(plan: DesignPlan, num_trials: int) -> Bool[Array, " trials"]:
    """The first trials of each block of a session; a helicopter session has two blocks."""
    longest = max(plan.trials)
    blocks = 2 if kind_of(plan.task) == "helicopter" else 1
    length = -(-longest // blocks)
    return jnp.arange(longest) % length < num_trials // blocks


def _direction(model: ParticipantModel, account: Account) -> dict[str, Array]:
    return {
        p.name: jnp.asarray(float(p.name in account.names)) for p in model.parameters
    }
