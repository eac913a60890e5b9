"""Draw the pictures of the concept pages.

    python docs/pictures/draw.py          # into docs/pictures
    python docs/pictures/draw.py FOLDER   # elsewhere

Every curve is computed here. Equal versions give equal files.
"""

import sys
from pathlib import Path

import jax
import numpy as np
import optax
from matplotlib.figure import Figure

import pcmodel
from pcmodel.neuromodulation import (
    Effects,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)
from pcmodel.paradigms import believe
from pcmodel.report.style import COLOURS, level_colours, new_figure, to_png

PRECISIONS = [1.0, 4.0, 4.0, 9.0]


def reference_chain() -> pcmodel.Network:
    """Four levels of one unit; a belief of -2 at the top."""
    return pcmodel.linear_gaussian([[[1.0]]] * 3, PRECISIONS, prior_mean=[-2.0])


def density(x: np.ndarray, mean: float, variance: float) -> np.ndarray:
    """Of a Gaussian."""
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def draw_hierarchy() -> Figure:
    """What each level believes before and after it is told +1."""
    chain, x = reference_chain(), np.linspace(-4.5, 3, 400)
    after = pcmodel.posterior(chain, [1.0])
    before = pcmodel.posterior(chain)
    figure, rows = new_figure(3, 1, height=1.35, sharex=True, sharey=True)
    colours = level_colours(4)
    for axes, level in zip(rows, (3, 2, 1), strict=True):
        for belief, style, said in ((before, "--", "before"), (after, "-", "after")):
            mean, variance = belief.mean[level][0], belief.variances[level][0]
            curve = density(x, float(mean), float(variance))
            axes.plot(x, curve, style, color=colours[level], label=said)
        axes.axvline(1.0, color=COLOURS["grey"], linewidth=1, linestyle=":")
        axes.set_ylabel(("", "level 1", "level 2", "top")[level])
        axes.set_yticks([])
    rows[0].legend(loc="upper left", title="density")
    rows[0].annotate("the observation", (1.05, 1.0), color=COLOURS["grey"])
    rows[-1].set_xlabel("value of the latent")
    return figure


def draw_precision() -> Figure:
    """The weight of the evidence at the top, as the precision of one place is lowered."""
    gains = np.geomspace(0.02, 1, 60)
    places = {"the top": [3], "the levels between": [1, 2], "every level": [0, 1, 2, 3]}
    places["all but the senses"] = [1, 2, 3]
    figure, axes = new_figure(height=3.4)
    styles = ("-", "--", ":", "-.")
    for (said, levels), style in zip(places.items(), styles, strict=True):
        precisions = np.tile(PRECISIONS, (gains.size, 1))
        precisions[:, levels] *= gains[:, None]
        evidence = 1 / np.sum(1 / precisions[:, :3], axis=1)
        weight = evidence / (evidence + precisions[:, 3])
        axes.plot(gains, weight, style, label=said)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set_xlabel("gain (1: nothing changed; to the right: precision lowered)")
    axes.set_ylabel("weight of the evidence at the top")
    axes.legend(title="whose precision is lowered")
    return figure


def draw_gauge() -> Figure:
    """Log-likelihood of data over a weight and a hidden precision: a ridge without a summit."""
    data = np.random.default_rng(0).normal(0, np.sqrt(1 / 4 + 1 / 1.0), 500)
    log_weight = np.linspace(-1, 1, 121)[:, None]
    log_precision = np.linspace(-2, 2, 121)[None, :]
    variance = 1 / 4 + np.exp(2 * log_weight - log_precision)
    value = -0.5 * (np.log(2 * np.pi * variance) + np.mean(data**2) / variance)
    figure, axes = new_figure(width=6.4, height=3.9)
    levels = value.max() - np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.005, 0.0005])
    drawn = axes.contourf(
        log_precision[0], log_weight[:, 0], value, [*levels, value.max() + 1e-9]
    )
    figure.colorbar(drawn, label="log-likelihood, nats an example", format="%.3f")
    axes.axhline(0, color=COLOURS["black"], linewidth=2, linestyle="--")
    axes.annotate("weight fixed at 1", (-0.45, 0.06), color=COLOURS["black"])
    axes.set_xlabel("log-precision of the hidden level")
    axes.set_ylabel("log of the weight")
    axes.grid(False)
    return figure


def draw_certificate() -> Figure:
    """The residual, and the true distance from the mode, of inference that was stopped early."""
    chain = pcmodel.linear_gaussian([[[0.7]]], [100.0, 1.0], prior_mean=[0.2])
    senses, prior = 100.0 * 0.7**2, 1.0
    mode = (100.0 * 0.7 * 1.3 + prior * 0.2) / (senses + prior)
    counts = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128])
    told, true = [], []
    for count in counts:
        solver = pcmodel.StateDescent(
            optax.sgd(2e-3), tolerance=0.0, max_steps=int(count)
        )
        found = pcmodel.infer(chain, [1.3], solver=solver)
        told.append(float(found.residual))
        true.append(abs(float(found.latents[1][0]) - mode) * np.sqrt(senses + prior))
    figure, axes = new_figure(height=3.2)
    axes.plot(counts, told, "o-", label="residual, as told")
    axes.plot(counts, true, "x--", label="true distance from the mode")
    axes.set_yscale("log")
    axes.set_xlabel("steps of gradient descent before it was stopped")
    axes.set_ylabel("posterior standard deviations")
    axes.legend()
    return figure


def learn_precision(*, with_variance: bool, num_steps: int) -> np.ndarray:
    """Estimates of a precision of 2: x of variance 1, y = 1.5 x + noise, 20,000 examples."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=20_000)
    data = 1.5 * latent + rng.normal(0, np.sqrt(0.5), latent.size)
    estimates = [1.0]
    for _ in range(num_steps):
        variance = 1 / (1 + 1.5**2 * estimates[-1])
        mean = variance * 1.5 * estimates[-1] * data
        error = np.mean((data - 1.5 * mean) ** 2)
        estimates.append(1 / (error + with_variance * 1.5**2 * variance))
        if estimates[-1] > 1e9:
            break
    return np.array(estimates)


def draw_point_estimates() -> Figure:
    """A precision learned from posteriors, and from their means alone."""
    figure, axes = new_figure(height=3.2)
    axes.plot(
        learn_precision(with_variance=True, num_steps=60),
        "-",
        label="errors of the posterior",
    )
    axes.plot(
        learn_precision(with_variance=False, num_steps=60),
        "x--",
        label="errors of the point estimate",
    )
    axes.axhline(2.0, color=COLOURS["grey"], linestyle=":", linewidth=1.2)
    axes.annotate("truth", (55, 2.4), color=COLOURS["grey"])
    axes.set_yscale("log")
    axes.set_ylim(0.5, 1e6)
    axes.set_xlabel("steps of learning")
    axes.set_ylabel("estimated precision")
    axes.legend()
    return figure


def kalman(data: np.ndarray, step_variance: float, noise: float) -> np.ndarray:
    """Predictions of a Kalman filter of a random walk."""
    mean, variance, predictions = 0.0, 1e3 * noise, []
    for outcome in data:
        variance += step_variance
        predictions.append(mean)
        gain = variance / (variance + noise)
        mean += gain * (outcome - mean)
        variance *= 1 - gain
    return np.array(predictions)


def draw_identifiability() -> Figure:
    """How well two parameters of a linear agent explain one person's reports."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(0, 1, 120))
    data = walk + rng.normal(0, 2, walk.size)
    reports = kalman(data, 1.0, 4.0) + rng.normal(0, 0.3, walk.size)
    log_step, log_noise = np.linspace(-3, 3, 61), np.linspace(-2, 4, 61)
    value = np.empty((61, 61))
    for row, noise in enumerate(np.exp(log_noise)):
        for column, step in enumerate(np.exp(log_step)):
            error = reports - kalman(data, step, noise)
            value[row, column] = -0.5 * np.sum(error**2) / 0.3**2
    figure, axes = new_figure(width=6.4, height=3.9)
    edges = value.max() - np.array([200, 80, 30, 10, 3, 0.5])
    drawn = axes.contourf(log_step, log_noise, value, [*edges, value.max() + 1e-6])
    figure.colorbar(drawn, label="log-likelihood of the reports", format="%.0f")
    axes.plot(0, np.log(4), "x", color="white", markersize=9, markeredgewidth=2.5)
    axes.annotate("truth", (0.15, np.log(4) - 0.45), color="white")
    axes.set_xlabel("log variance of the world's steps")
    axes.set_ylabel("log variance of the noise")
    axes.grid(False)
    return figure


def draw_accounts() -> Figure:
    """Mean and spread of the top belief under rival accounts, over the drug's effect."""
    chain, effect = reference_chain(), np.linspace(0, 1, 41)
    moments = Effects(effect, np.zeros(41), np.zeros(41))
    accounts = {
        "priors relaxed": Rebus(),
        "senses raised": Sensory(),
        "priors strengthened, then relaxed": Sebus(),
        "driven from above": Oneirogen(),
        "noise": Noise(),
        "all precisions alike": Uniform(),
    }
    figure, (left, right) = new_figure(1, 2, height=3.9)
    styles = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
    for (said, account), style in zip(accounts.items(), styles, strict=True):
        belief = believe(chain, [1.0], moments, account=account)
        left.plot(effect, belief.mean[3][:, 0], linestyle=style, label=said)
        right.plot(effect, belief.sd[3][:, 0], linestyle=style)
    left.set_ylabel("mean of the top belief")
    right.set_ylabel("its standard deviation")
    for axes in (left, right):
        axes.set_xlabel("effect of the drug at 5-HT2A")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    return figure


PICTURES = {
    "hierarchy": draw_hierarchy,
    "precision": draw_precision,
    "gauge": draw_gauge,
    "certificate": draw_certificate,
    "point-estimates": draw_point_estimates,
    "identifiability": draw_identifiability,
    "accounts": draw_accounts,
}


def main(folder: Path) -> None:
    """Write every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with jax.enable_x64(True):
        for name, draw in PICTURES.items():
            (folder / f"{name}.png").write_bytes(to_png(draw(), dpi=110))
            print(folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
