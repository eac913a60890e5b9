"""Log likelihoods of decisions in plain Python, written from the papers and from hBayesDM's formulas.

Every function takes the parameters on their natural scales and the columns of one series, and returns the log
likelihood of each trial.
"""

import math

import numpy as np


def log_sigmoid(x):
    return -math.log1p(math.exp(-x)) if x > -30.0 else x - math.log1p(math.exp(x))


def of_two(log_odds, choice, lapse=0.0):
    """Log probability of a response of 0 or 1."""
    p = 1.0 / (1.0 + math.exp(-log_odds))
    p = (1.0 - lapse) * p + 0.5 * lapse
    return math.log(p if choice else 1.0 - p)


def two_step(own, columns, *, as_hbayesdm=False):
    """Daw et al. 2011; with `as_hbayesdm` as `ts_par7`, whose second error is that after the update."""
    first, second = np.zeros(2), np.zeros((2, 2))
    last, found = None, []
    rows = zip(
        columns["first_choice"],
        columns["second_choice"],
        columns["outcome"],
        strict=True,
    )
    for a, b, reward in rows:
        if np.isnan(a):
            found.append(0.0)
            continue
        a = int(a) - 1
        plan = [
            own["common"] * second[0].max() + (1 - own["common"]) * second[1].max(),
            own["common"] * second[1].max() + (1 - own["common"]) * second[0].max(),
        ]
        value = [
            own["w"] * p + (1 - own["w"]) * q for p, q in zip(plan, first, strict=True)
        ]
        drive = own["beta1"] * (value[1] - value[0])
        if last is not None:
            drive += own["pi"] * (1 if last == 1 else -1)
        total = of_two(drive, a)
        last = a
        if np.isnan(b):
            found.append(total)
            continue
        state, option = divmod(int(b) - 1, 2)
        gap = second[state][1] - second[state][0]
        found.append(total + of_two(own["beta2"] * gap, option))
        before = second[state][option]
        first[a] += own["alpha1"] * (before - first[a])
        if np.isnan(reward):
            continue
        error = reward - before
        second[state][option] += own["alpha2"] * error
        if as_hbayesdm:
            error = reward - second[state][option]
        first[a] += own["lambda"] * own["alpha1"] * error
    return np.array(found)


def discount(form, own, delay):
    """The share of an amount that is left."""
    k = own["k"]
    if form == "hyperbolic":
        return 1.0 / (1.0 + k * delay)
    if form == "exponential":
        return math.exp(-k * delay)
    if form == "constant_sensitivity":
        return math.exp(-((k * delay) ** own["s"]))
    return 1.0 if delay == 0 else own["beta_present"] * math.exp(-k * delay)


def discounting(form, own, columns):
    """hBayesDM `dd_hyperbolic`, `dd_exp`, `dd_cs`; Laibson 1997. The inverse temperature is of the raw amounts."""
    names = ("amount_later", "delay_later", "amount_sooner", "delay_sooner", "choice")
    found = []
    for big, late, small, soon, choice in zip(
        *(columns[n] for n in names), strict=True
    ):
        gap = big * discount(form, own, late) - small * discount(form, own, soon)
        value = of_two(own["tau"] * gap, choice) if np.isfinite(choice) else 0.0
        found.append(value)
    return np.array(found)


def ultimatum(norm, own, columns):
    """Fehr & Schmidt 1999 on shares; hBayesDM `ug_bayes` and `ug_delta` on offers of 20, with `tau` of these."""
    found, m, k = [], 10.0, 4.0
    for offer, accept in zip(columns["offer"], columns["accept"], strict=True):
        if np.isnan(offer):
            found.append(0.0)
            continue
        if norm == "equal":
            mine, theirs = offer, 20.0 - offer
            u = mine - own["alpha"] * max(theirs - mine, 0)
            u -= own["beta"] * max(mine - theirs, 0)
        elif norm == "bayes":
            k_new = k + 1
            m_new = (k / k_new) * m + (1 / k_new) * offer
            u = offer - own["alpha"] * max(m_new - offer, 0)
            u -= own["beta"] * max(offer - m_new, 0)
            m, k = m_new, k_new
        else:
            u = offer - own["alpha"] * max(m - offer, 0)
            m += own["ep"] * (offer - m)
        found.append(of_two(own["tau"] * u, accept) if np.isfinite(accept) else 0.0)
    return np.array(found)


def go_no_go(own, columns):
    """hBayesDM `gng_m4`; the simpler ones with `b`, `pi` of 0 and `rho_rew` = `rho_pun`."""
    go, stay, cue_value = {}, {}, {}
    found = []
    for cue, pressed, outcome in zip(
        columns["cue"], columns["response"], columns["outcome"], strict=True
    ):
        if np.isnan(pressed):
            found.append(0.0)
            continue
        drive = go.get(cue, 0.0) + own["b"] + own["pi"] * cue_value.get(cue, 0.0)
        found.append(of_two(drive - stay.get(cue, 0.0), pressed, own["xi"]))
        if np.isnan(outcome):
            continue
        felt = (own["rho_rew"] if outcome >= 0 else own["rho_pun"]) * outcome
        for table in (cue_value, go if pressed else stay):
            table[cue] = table.get(cue, 0.0) + own["ep"] * (felt - table.get(cue, 0.0))
    return np.array(found)


def softmax_of_offered(values, offered, choice, *, beta, sticky, last, lapse):
    """Log probability of a choice among the options on offer."""
    drive = {k: beta * values[k] + sticky * (k == last) for k in offered}
    top = max(drive.values())
    total = sum(math.exp(d - top) for d in drive.values())
    p = math.exp(drive[choice] - top) / total
    return math.log((1 - lapse) * p + lapse / len(offered))


def offered(own, trials, num_arms, learn):
    """Any learner of options; a trial is (offered, choice or None, outcome or nan).

    learn: (values, choice or None, outcome) -> None changes `values` and whatever it keeps.
    """
    values, last, found = np.full(num_arms, own["start"]), None, []
    begin = getattr(learn, "begin", None)
    for options, choice, outcome in trials:
        if begin:
            begin(values)
        if choice is None:
            found.append(0.0)
            learn(values, None, math.nan)
            continue
        found.append(
            softmax_of_offered(
                values,
                options,
                choice,
                beta=own["beta"],
                sticky=own["sticky"],
                last=last,
                lapse=own["lapse"],
            )
        )
        learn(values, choice, outcome)
        last = choice
    return np.array(found)


def two_rates(alpha_pos, alpha_neg):
    """hBayesDM `pst_gainloss_Q`."""

    def learn(values, choice, outcome):
        if choice is None or np.isnan(outcome):
            return
        error = outcome - values[choice]
        values[choice] += (alpha_pos if error >= 0 else alpha_neg) * error

    return learn


class Kalman:
    """Daw et al. 2006: a step of every option before each trial, a correction of the one that was seen."""

    def __init__(self, num_arms, *, q, first, decay=1.0, centre=0.0):
        self.variance = np.full(num_arms, first)
        self.q, self.decay, self.centre = q, decay, centre

    def begin(self, values):
        values *= self.decay
        values += (1 - self.decay) * self.centre
        self.variance = self.decay**2 * self.variance + self.q

    def __call__(self, values, choice, outcome):
        if choice is None or np.isnan(outcome):
            return
        gain = self.variance[choice] / (self.variance[choice] + 1.0)
        values[choice] += gain * (outcome - values[choice])
        self.variance[choice] *= 1 - gain


def hbayesdm_kalman(own, trials):
    """`bandit4arm2_kalman_filter`: the step of each trial follows its outcome; outcomes of 0 to 100, noise SD 4."""
    mean, variance = np.full(4, own["mu0"]), np.full(4, own["s0"] ** 2)
    found = []
    for choice, outcome in trials:
        drive = own["beta"] * mean
        found.append(
            drive[choice] - drive.max() - math.log(np.exp(drive - drive.max()).sum())
        )
        gain = variance[choice] / (variance[choice] + 16.0)
        mean[choice] += gain * (outcome - mean[choice])
        variance[choice] *= 1 - gain
        mean = own["lambda"] * mean + (1 - own["lambda"]) * own["theta"]
        variance = own["lambda"] ** 2 * variance + own["sD"] ** 2
    return np.array(found)
