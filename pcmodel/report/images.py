"""A grid of images, such as images that a network saw, reconstructed or generated."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped
from matplotlib.figure import Figure

from pcmodel.errors import UserError
from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style

LARGEST_SIDE = 1.1  # inches


def image_grid(
    images: Shaped[np.ndarray, "n height width channels"],
    rows: int,
    columns: int,
    titles: Sequence[str] = (),
    *,
    row_titles: Sequence[str] = (),
    heading: str = "",
) -> Figure:
    """A figure of `rows` x `columns` images, row by row, without interpolation between pixels.

    images: bytes 0 to 255, or numbers from 0 (black) to 1 (white), which are clipped to that range; one
        channel or three. Places without an image stay empty.
    titles: one above each image, or one above each column.
    row_titles: one at the left of each row ("seen", "reconstructed").
    heading: of the figure.
    Raises UserError for more images than places, other numbers of channels or titles, and values that are not
    finite.
    """
    pixels = _as_shares(images)
    _check(pixels, rows, columns, titles, row_titles)
    over = [*titles, *[""] * (rows * columns - len(titles))]
    height, width = pixels.shape[1:3]
    side = min(LARGEST_SIDE, FULL_WIDTH / columns)
    labels = 0.09 * max(map(len, row_titles), default=0)
    lines = 0.28 * sum(any(over[i * columns : (i + 1) * columns]) for i in range(rows))
    size = (
        side * columns + labels,
        side * rows * height / width + lines + 0.45 * bool(heading),
    )
    with figure_style():
        figure = Figure(figsize=size, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)  # pyright: ignore[reportOptionalMemberAccess, reportCallIssue]
        if heading:
            figure.suptitle(heading, x=0.01, ha="left", size=13, weight="bold")
        axes = figure.subplots(rows, columns, squeeze=False)
        for index, place in enumerate(axes.flat):
            _draw_image(place, pixels[index] if index < len(pixels) else None)
            if over[index]:
                place.set_title(
                    over[index], size=10, weight="normal", loc="center", pad=3
                )
        for row, title in enumerate(row_titles):
            axes[row, 0].set_ylabel(
                title, rotation=0, ha="right", va="center", labelpad=8
            )
    return figure


def _draw_image(axes, image: np.ndarray | None) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=image is not None, color=COLOURS["grey"], linewidth=0.5)
    if image is None:
        axes.set_facecolor("none")
        return
    shown = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(shown, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")


def _as_shares(images: np.ndarray) -> np.ndarray:
    """Grey levels as numbers from 0 (black) to 1 (white)."""
    array = np.asarray(images)
    if array.dtype == np.uint8:
        return array / 255.0
    if not np.isfinite(array).all():
        raise UserError("some pixels are not finite", where="image_grid")
    return np.clip(array.astype(float), 0.0, 1.0)


def _check(
    pixels: np.ndarray,
    rows: int,
    columns: int,
    titles: Sequence[str],
    row_titles: Sequence[str],
) -> None:
    where = f"image_grid of {rows} x {columns}"
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3):
        raise UserError(
            f"images of shape {pixels.shape}",
            where=where,
            expected="(n, height, width, 1 or 3)",
        )
    if rows < 1 or columns < 1 or len(pixels) > rows * columns:
        raise UserError(
            f"{len(pixels)} images", where=where, expected=f"{rows * columns} at most"
        )
    if len(titles) not in (0, columns, len(pixels)):
        raise UserError(
            f"{len(titles)} titles",
            where=where,
            expected=f"{columns}, one a column, or {len(pixels)}, one an image",
        )
    if len(row_titles) not in (0, rows):
        raise UserError(
            f"{len(row_titles)} row titles", where=where, expected=f"{rows}"
        )
