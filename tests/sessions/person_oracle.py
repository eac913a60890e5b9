"""The person of the sessions in numpy, written from its equations alone: for tests."""

import numpy as np
from scipy.stats import norm

EVERYDAY, MEMORY, BODY, THERAPIST, EXPECTATION = range(5)
FELT = np.array([True, True, True, False, False])


def validity(y, precision, *, mean, top, middle, prior, wide):
    """p(valid) of each stream from the two predictive densities; top and middle are precisions with gains."""
    variance = 1 / top + np.where(FELT, 1 / middle, 0) + 1 / precision
    valid = prior * norm.pdf(y, mean, np.sqrt(variance))
    exception = (1 - prior) * norm.pdf(y, mean, np.sqrt(variance + wide**2))
    return valid / (valid + exception)


def posterior(y, precision, *, mean, top, middle):
    """Mean and variance of the self; by inverting the joint precision matrix of self and feeling."""
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
    """The state after one event, as `pcmodel.sessions.event.meet`."""
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
        prior=float(person.validity),
        wide=dynamics.exception_sd,
    )[there]
    mu, variance = posterior(
        y, np.where(there, ends * r * precision, 0), mean=mean, top=top, middle=middle
    )
    rate = min(dynamics.mean_rate * float(event.learning), 1)
    own = np.exp(-log_precision)
    spread = own + min(dynamics.precision_rate * float(event.learning), 1) * (
        top_gain * ((mu - mean) ** 2 + variance) - own
    )
    mean, log_precision = mean + rate * (mu - mean), -np.log(spread)
    alliance += min(float(event.alliance_building * person.alliance_growth), 1) * (
        1 - alliance
    )
    days = float(event.until_next)
    kept = np.exp(-days / dynamics.labile_days)
    remembered = np.exp(-days * dynamics.forgetting)

    def pass_time(now, settled, baseline):
        labile = now - settled
        settled = settled + dynamics.consolidation * (1 - kept) * labile
        settled = baseline + remembered * (settled - baseline)
        return settled + kept * labile, settled

    mean, slow = pass_time(mean, slow, float(person.belief))
    log_precision, slow_log = pass_time(
        log_precision, slow_log, float(person.log_precision)
    )
    return (mean, log_precision, slow, slow_log, alliance), (mu, variance, r)
