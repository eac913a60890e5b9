r"""End-stopping: neurons that carry errors respond less to bars that outgrow their field (Rao & Ballard 1999).

A row of pixels along a bar's axis is seen through three fields side by side; each has local features, and a level
above predicts the features of all fields from a few causes.  What the top has learned of the structure of images lets it
predict the central field from its neighbours, so that the error of the central field,
$|\pi_1 (x_1 - W_2 x_2)|$ over its features, falls where a bar goes on, if bars usually do.  With feedback cut nothing is
predicted, and fields do not hear of each other: the response is constant beyond the field (theorem).

Images: rows of long bars on a background whose power falls with frequency, a stand-in for natural ones.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.infer import infer
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count, NotNegative, Positive
from pcmodel.model.modulation import Modulation
from pcmodel.networks.layers.dense import Dense
from pcmodel.networks.network import Network, linear_gaussian
from pcmodel.networks.pure import as_model

FIELDS = 3


@checked_arguments
@dataclass(frozen=True)
class Strip:
    """Rows of pixels, seen through three fields side by side.

    Attributes:
        pixels: of one field.
        features: of one field, at most its pixels: the leading cosines.
        causes: units of the top.
        precisions: of pixels, features and causes.
        bar_length: mean length of bars, pixels; bars are exponential in length.
        bars: mean number of bars in a row.
        contrast: s.d. of bars.
        background: s.d. of the background, whose power falls as 1 / frequency.

    Raises UserError for numbers out of range, and for more features than pixels.
    """

    pixels: Count = 8
    features: Count = 3
    causes: Count = 2
    precisions: tuple[Positive, ...] = (4.0, 4.0, 1.0)
    bar_length: Positive = 24.0
    bars: Positive = 1.0
    contrast: Positive = 1.0
    background: NotNegative = 0.2

    def __post_init__(self):
        if self.features > self.pixels:
            raise UserError(
                f"{self.features} features of {self.pixels} pixels", where="strip"
            )
        if len(self.precisions) != 3:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="strip",
                expected="3: of pixels, features and causes",
            )

    def local(self) -> Float[np.ndarray, "row all_features"]:
        """Features of each field alone: orthonormal cosines, block-diagonal."""
        places = (np.arange(self.pixels)[:, None] + 0.5) * np.pi / self.pixels
        waves = np.cos(places * np.arange(self.features)[None])
        waves /= np.linalg.norm(waves, axis=0)
        return np.kron(np.eye(FIELDS), waves)

    def network(self, key: Array) -> Network:
        """The hierarchy before learning: its upper map is small and random."""
        shape = (FIELDS * self.features, self.causes)
        upper = 0.1 * jax.random.normal(check_key(key), shape)
        names = ("pixels", "features", "causes")
        return linear_gaussian(
            [self.local(), upper], list(self.precisions), names=names
        )

    def without_feedback(self) -> Network:
        """The same hierarchy without its top: features around 0."""
        return linear_gaussian(
            [self.local()], list(self.precisions[:2]), names=("pixels", "features")
        )


@checked_arguments
def rows(
    strip: Strip, key: Array, *, number: Count, apart: bool = False
) -> Float[Array, "number row"]:
    """Images to learn from.

    apart: whether each field is cut from another image, which leaves every field as it is and nothing between them
        to learn (the control).
    """
    keys = jax.random.split(check_key(key), FIELDS if apart else 1)
    drawn = [_rows(strip, each, number) for each in keys]
    if not apart:
        return drawn[0]
    cuts = [slice(f * strip.pixels, (f + 1) * strip.pixels) for f in range(FIELDS)]
    return jnp.concatenate(
        [own[:, cut] for own, cut in zip(drawn, cuts, strict=True)], 1
    )


def _rows(strip: Strip, key: Array, number: int) -> Array:
    size, most = FIELDS * strip.pixels, int(4 * strip.bars + 8)
    of_count, of_start, of_length, of_sign, of_back = jax.random.split(key, 5)
    there = jnp.arange(most)[None] < jax.random.poisson(
        of_count, strip.bars, (number, 1)
    )
    length = strip.bar_length * jax.random.exponential(of_length, (number, most))
    # Bars begin anywhere from which they may reach the row.
    start = jax.random.uniform(of_start, (number, most), minval=-length, maxval=size)
    height = strip.contrast * jax.random.normal(of_sign, (number, most))
    at = (jnp.arange(size) + 0.5)[None, None]
    inside = (at > start[..., None]) & (at < (start + length)[..., None])
    bars = jnp.sum((height * there)[..., None] * inside, axis=1)
    white = jax.random.normal(of_back, (number, size))
    frequency = jnp.fft.rfftfreq(size)
    fall = jnp.where(frequency > 0, jnp.maximum(frequency, 1 / size) ** -0.5, 0.0)
    shaped = jnp.fft.irfft(jnp.fft.rfft(white, axis=1) * fall[None], n=size, axis=1)
    shaped = shaped / jnp.sqrt(jnp.mean(fall**2))
    return bars + strip.background * shaped


class Stopping(NamedTuple):
    """Responses to bars of growing length at the centre.

    lengths: pixels, 1 to the whole row.
    error: precision-weighted error of the central field's features.
    feature: size of the features themselves.
    index: share by which the error falls from a bar as long as the field to the longest; 0 for no end-stopping, below 0
        where it rises.
    """

    lengths: Float[np.ndarray, " lengths"]
    error: Float[np.ndarray, " lengths"]
    feature: Float[np.ndarray, " lengths"]
    index: float


@checked_arguments
def bar_responses(
    strip: Strip, network: Network, *, modulation: Modulation | None = None
) -> Stopping:
    """The central field's responses in a network of `Strip.network` (trained), or of `Strip.without_feedback`.

    modulation: of the network; errors are weighed by the level's precision under it.

    Raises UserError for other networks, and for a modulation of activity (`infer`).
    """
    size = FIELDS * strip.pixels
    if network.widths[:2] != (size, FIELDS * strip.features):
        raise UserError(
            f"has levels of {network.widths} units",
            where="network",
            expected=f"{size} pixels and {FIELDS * strip.features} features first",
        )
    lengths = np.arange(1, size + 1)
    # Where a bar cannot lie in the middle it lies half a pixel further on.
    place, starts = np.arange(size), -((lengths - size) // 2)
    after = place[None] >= starts[:, None]
    bars = after & (place[None] < (starts + lengths)[:, None])
    found = infer(network, bars.astype(float), modulation=modulation)
    features = np.asarray(found.latents[1])
    predicted = np.zeros_like(features)
    if len(network.widths) > 2:
        top = np.asarray(found.latents[2]) * slope_of_top(network, modulation)
        layer = cast(Dense, network.layers[1])
        predicted = top @ np.asarray(layer.weight[...]).T
        if layer.bias is not None:
            predicted = predicted + np.asarray(layer.bias[...])
    own = slice(strip.features, 2 * strip.features)
    # The level's own gain: what errors weigh, not what is passed on of them.
    alone = replace(modulation or Modulation(), error_transmission={})
    gain = alone.resolve(as_model(network).model, features.dtype)[1]
    precision = np.broadcast_to(
        strip.precisions[1] * np.asarray(gain), features.shape[1]
    )
    error = np.linalg.norm(((features - predicted) * precision)[:, own], axis=1)
    return Stopping(
        lengths.astype(float),
        error,
        np.linalg.norm(features[:, own], axis=1),
        float(1 - error[-1] / error[strip.pixels - 1]),
    )


def slope_of_top(network: Network, modulation: Modulation | None) -> np.ndarray:
    """The factor with which the causes predict, () or (causes,)."""
    given = modulation or Modulation()
    pure = as_model(network)
    slopes = given.resolve_slopes(pure.model, pure.weights["prior_mean"].dtype)
    return np.asarray(1.0 if slopes is None else slopes[2])
