"""The person of the sessions in numpy, written from its equations alone: for tests."""

import numpy as np
from scipy.stats import norm

EVERYDAY, MEMORY, BODY, THERAPIST, EXPECTATION = range(5)
FELT = np.array([True, True, True, False, False])


def validity(y, precision, *, mean, top, middle, prior, wide):
    """p(valid) of each stream from the two predictive densities; top and middle are precisions with gains."""
    variance = 1 / top + np.where(FELT, 1 / middle, 0) + 1 / precision
    valid = np.log(prior) + norm.logpdf(y, mean, np.sqrt(variance))
    exception = np.log1p(-prior) + norm.logpdf(y, mean, np.sqrt(variance + wide**2))
    return np.exp(valid - np.logaddexp(valid, exception))


def posterior(y, precision, *, mean, top, middle):
    """Mean and variance of the self: precisions in series through the feeling, in parallel at the self."""
    felt, told = precision * FELT, precision * ~FELT
    total = felt.sum()
    through = total * middle / (total + middle)
    seen = (felt * y).sum() / total if total else 0.0
    variance = 1 / (top + through + told.sum())
    return variance * (top * mean + through * seen + (told * y).sum()), variance


def joint_posterior(y, precision, *, mean, top, middle):
    """The same by inverting the joint precision matrix of self and feeling."""
    felt, told = precision * FELT, precision * ~FELT
    joint = np.array(
        [[top + middle + told.sum(), -middle], [-middle, middle + felt.sum()]]
    )
    information = np.array([top * mean + (told * y).sum(), (felt * y).sum()])
    covariance = np.linalg.inv(joint)
    return (covariance @ information)[0], covariance[0, 0]


def streams(state, event, person):
    """What the person hears, and with what precision."""
    mean, log_precision, _, _, alliance = state
    y, precision = np.array(event.mean, float), np.array(event.precision, float)
    if event.replays_belief:
        y[MEMORY] += mean
        precision[MEMORY] *= person.rumination
    y[EXPECTATION] = person.belief + person.expectancy * event.believed * y[EXPECTATION]
    if event.is_chosen:
        negative = norm.cdf(-mean * np.exp(log_precision / 2))
        precision[EVERYDAY] *= 1 - person.avoidance * negative
    precision[THERAPIST] *= person.suggestibility * alliance
    return y, precision


def meet(state, event, person, dynamics, *, top_gain=1.0, middle_gain=1.0, ends=1.0):
    """The state after one event, as `pcmodel.sessions.person.event.meet`."""
    mean, log_precision, slow, slow_log, alliance = map(float, state)
    y, precision = streams(state, event, person)
    there = precision > 0
    top, middle = (
        top_gain * np.exp(log_precision),
        middle_gain * dynamics.feeling_precision,
    )
    r = np.ones(5)
    r[there] = validity(
        y,
        np.where(there, ends * precision, 1),
        mean=mean,
        top=top,
        middle=middle,
        prior=np.asarray(person.validity, float),
        wide=dynamics.exception_sd,
    )[there]
    mu, variance = posterior(
        y, np.where(there, ends * r * precision, 0), mean=mean, top=top, middle=middle
    )
    rate = min(dynamics.mean_rate * float(event.learning * person.learning), 1)
    own = np.exp(-log_precision)
    spread = own + min(
        dynamics.precision_rate * float(event.learning * person.learning), 1
    ) * (top_gain * ((mu - mean) ** 2 + variance) - own)
    mean, log_precision = mean + rate * (mu - mean), -np.log(spread)
    alliance += min(float(event.alliance_building * person.alliance_growth), 1) * (
        1 - alliance
    )
    return (mean, log_precision, slow, slow_log, alliance), (mu, variance, r)


def passed(state, days, person, dynamics):
    """The state when days have passed: the differential equations of labile and slow parts, in small steps' limit."""
    mean, log_precision, slow, slow_log, alliance = state
    fast, forget = 1 / dynamics.labile_days, dynamics.forgetting
    kept, held = np.exp(-fast * days), np.exp(-forget * days)

    def pass_time(now, settled, baseline):
        labile = now - settled
        # ds/dt = c l / tau - f (s - b) by variation of constants; f is not 1 / tau here.
        gained = (
            dynamics.consolidation * labile * fast * (held - kept) / (fast - forget)
        )
        settled = baseline + held * (settled - baseline) + gained
        return settled + kept * labile, settled

    mean, slow = pass_time(mean, slow, float(person.belief))
    log_precision, slow_log = pass_time(
        log_precision, slow_log, float(person.log_precision)
    )
    return mean, log_precision, slow, slow_log, alliance
