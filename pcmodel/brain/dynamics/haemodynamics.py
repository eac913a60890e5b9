r"""The haemodynamic response: from activity to what fMRI shows, and the covariance of that, exactly.

The canonical response is a difference of two gamma densities (Friston et al. 1998, NeuroImage 7:30; Glover 1999,
NeuroImage 9:416), here of area 1:

$$h(t) \propto \gamma(t; p/d, d) - \gamma(t; u/e, e)/r.$$
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.signal
from jaxtyping import Complex, Float
from scipy.special import gammaln

from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, checked_options
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import NotNegative, Positive

GRID = 257
"""Frequencies at which the response's band is integrated; its square is smooth."""
WELL_CONDITIONED = 1e5
"""Largest condition number of a drift's eigenvectors with which they are used."""
NEGLIGIBLE = 1e-7
"""Share of the largest squared response beyond which frequencies are left out."""


@checked_options()
@dataclass(frozen=True)
class HaemodynamicResponse:
    """Parameters of the double gamma.

    peak: seconds, mean of the first gamma density (its mode is a dispersion earlier).
    undershoot: seconds, mean of the second.
    peak_dispersion: seconds.
    undershoot_dispersion: seconds.
    ratio: area of the peak over that of the undershoot, above 1.
    length: seconds after which it has ended.
    """

    peak: Positive = 6.0
    undershoot: Positive = 16.0
    peak_dispersion: Positive = 1.0
    undershoot_dispersion: Positive = 1.0
    ratio: Positive = 6.0
    length: Positive = 32.0

    def __post_init__(self):
        if self.ratio <= 1:
            raise UserError(
                f"cannot be {self.ratio:g}", where="ratio", expected="above 1"
            )

    def __call__(self, times: Any) -> Float[np.ndarray, "..."]:
        """h at times, per second; 0 before 0 and after `length`."""
        t = np.asarray(times, np.float64)
        inside = (t > 0) & (t <= self.length)
        safe = np.where(inside, t, 1.0)
        first = gamma_density(safe, self.peak, self.peak_dispersion)
        second = gamma_density(safe, self.undershoot, self.undershoot_dispersion)
        found = (first - second / self.ratio) / (1 - 1 / self.ratio)
        return np.where(inside, found, 0.0)

    def transfer(self, angular: Any) -> Complex[np.ndarray, "..."]:
        """Fourier transform of the response without end, at radians per second; 1 at 0."""
        w = np.asarray(angular, np.float64)
        first = (1 + 1j * w * self.peak_dispersion) ** (
            -self.peak / self.peak_dispersion
        )
        second = (1 + 1j * w * self.undershoot_dispersion) ** (
            -self.undershoot / self.undershoot_dispersion
        )
        return np.asarray((first - second / self.ratio) / (1 - 1 / self.ratio))


CANONICAL = HaemodynamicResponse()


def gamma_density(t: np.ndarray, mean: float, dispersion: float) -> np.ndarray:
    """Of shape mean / dispersion and scale dispersion."""
    shape = mean / dispersion
    logged = (shape - 1) * np.log(t) - t / dispersion - shape * np.log(dispersion)
    return np.asarray(np.exp(logged - gammaln(shape)))


@checked_arguments
def haemodynamic(
    series: Any,
    *,
    step: Positive,
    repetition_time: Positive = 2.0,
    response: HaemodynamicResponse = CANONICAL,
) -> Float[np.ndarray, "regions scans"]:
    """What fMRI shows of activity: filtered, and sampled every `repetition_time` seconds.

    series: activity, (regions, times), every `step` seconds.
    repetition_time: a multiple of `step`.
    The first `response.length` seconds, in which the response is incomplete, are left out.
    Raises UserError for a repetition time that is no multiple, and for a series shorter than the response.
    """
    values = np.asarray(read_numbers(series, where="series"), np.float64)
    if values.ndim != 2 or not values.size:
        raise UserError(
            f"has the shape {values.shape}", where="series", expected="regions by times"
        )
    every = round(repetition_time / step)
    if every < 1 or abs(every * step - repetition_time) > 1e-6 * repetition_time:
        raise UserError(
            f"is {repetition_time:g} s at a step of {step:g} s",
            where="repetition_time",
            expected="a multiple of the step",
        )
    kernel = response(step * (0.5 + np.arange(int(np.ceil(response.length / step)))))
    if values.shape[1] < len(kernel) + 1:
        raise UserError(
            f"lasts {values.shape[1] * step:g} s",
            where="series",
            expected=f"more than {response.length:g} s, the length of the response",
        )
    kernel = kernel / kernel.sum()
    level = values.mean(axis=1, keepdims=True)  # a large offset costs no digits
    filtered = scipy.signal.fftconvolve(values - level, kernel[None], axes=1)
    return filtered[:, len(kernel) - 1 : values.shape[1]][:, ::every] + level


@checked_arguments
def haemodynamic_covariance(
    activity: LinearActivity,
    read: Any,
    *,
    response: HaemodynamicResponse = CANONICAL,
    lag: NotNegative = 0.0,
) -> Float[np.ndarray, "regions regions"]:
    r"""Covariance of filtered activity with that `lag` seconds before, in the stationary state.

    $\frac{1}{2\pi}\int |\hat h|^2 R (A + i\omega)^{-1} Q (A + i\omega)^{-*} R' e^{i\omega\,lag} d\omega$ over the band that
    the response lets pass.

    read: R, (regions, z), such as `RegionReadOut.weights`.
    """
    weights = np.asarray(read_numbers(read, where="read"), np.float64)
    size = len(activity.drift)
    if weights.ndim != 2 or weights.shape[1] != size:
        raise UserError(
            f"has the shape {weights.shape}",
            where="read",
            expected=f"(regions, {size})",
        )
    highest = band_of(response)
    nodes, mass = gauss_legendre(GRID + int(np.ceil(lag * highest)))
    # Slow modes peak near 0: nodes are square roots apart there.
    position = (nodes + 1) / 2
    frequencies, share = highest * position**2, mass * highest * position
    passed = np.abs(response.transfer(frequencies)) ** 2 * share / np.pi
    return spectral_sum(activity, weights, frequencies, passed, lag)


def spectral_sum(
    activity: LinearActivity,
    weights: np.ndarray,
    frequencies: np.ndarray,
    passed: np.ndarray,
    lag: float,
) -> np.ndarray:
    """Sum over frequencies of what passes times the real part of the cross spectrum, turned by the lag.

    In the drift's eigenvectors every frequency is diagonal; where they are nearly dependent, one system is solved for each.
    """
    values, vectors = np.linalg.eig(activity.drift)
    turned = passed * np.exp(1j * frequencies * lag)
    if np.linalg.cond(vectors) < WELL_CONDITIONED:
        inverse = np.linalg.inv(vectors)
        noise = inverse @ activity.diffusion @ inverse.conj().T
        gain = 1 / (values[:, None] + 1j * frequencies[None, :])
        kernel = (gain * turned) @ gain.conj().T
        read = weights @ vectors
        return (read @ (noise * kernel) @ read.conj().T).real
    found = np.zeros((len(weights), len(weights)))
    eye = np.eye(len(activity.drift))
    for w, own in zip(frequencies, turned, strict=True):
        solved = np.linalg.solve((activity.drift + 1j * w * eye).T, weights.T).T
        found += (own * (solved @ activity.diffusion @ solved.conj().T)).real
    return found


@cache
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes between -1 and 1, and their weights; finding them takes longer than using them."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


def band_of(response: HaemodynamicResponse) -> float:
    """The frequency, radians per second, beyond which the squared response is negligible."""
    fastest = min(response.peak_dispersion, response.undershoot_dispersion)
    grid = np.geomspace(1e-4 / response.undershoot, 1e4 / fastest, 4000)
    power = np.abs(response.transfer(grid)) ** 2
    return float(grid[np.flatnonzero(power > NEGLIGIBLE * power.max())[-1]])
