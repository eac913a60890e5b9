r"""Precision: stored as a logarithm, used as a triangular factor.

A level's precision $\Pi$ (inverse *variance*) is stored, learned, fitted and manipulated
as `log_precision`, whose shape determines its kind:

- `()` one number for the level: $\Pi = e^{\lambda} I$;
- `(width,)` one number per unit: $\Pi = \mathrm{diag}(e^{\lambda})$;
- `(width, width)` full, in log-Cholesky form: $\Pi = L L^\top$, the strict lower triangle
  of $L$ stored unchanged and its diagonal as $\lambda_i = 2 \log L_{ii}$ (Pinheiro & Bates
  1996, Stat Comput 6:289), so the diagonal of a diagonal precision equals the per-unit form.

A gain $g > 0$ (1 = no drug) is not part of the network; it acts symmetrically,
$G^{1/2} \Pi G^{1/2}$.  Inference uses the factor $F$ with $F F^\top = G^{1/2} \Pi G^{1/2}$:
a vector (its diagonal) or a lower-triangular matrix.  The whitened error is
$z = F^\top e$, so $z^\top z$ is the precision-weighted squared error.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import default_dtype, read_numbers
from pcmodel.model.linalg import cholesky, solve_lower, solve_lower_transposed, take

LOG_TWO_PI = float(np.log(2 * np.pi))


def factor(log_precision: Array, gain: Array, width: int) -> Array:
    """Triangular factor of the precision with its gain: (width,) or lower (width, width)."""
    root_gain = jnp.sqrt(jnp.broadcast_to(gain, (width,)))
    if log_precision.ndim < 2:
        return root_gain * jnp.exp(0.5 * jnp.broadcast_to(log_precision, (width,)))
    return root_gain[:, None] * unpack_cholesky(log_precision)


def unpack_cholesky(
    log_precision: Float[Array, "width width"],
) -> Float[Array, "width width"]:
    """The lower-triangular L of a full precision L L' from its log-Cholesky form."""
    return jnp.tril(log_precision, -1) + jnp.diag(
        jnp.exp(0.5 * jnp.diagonal(log_precision))
    )


def pack_cholesky(lower: Float[Array, "width width"]) -> Float[Array, "width width"]:
    """Inverse of `unpack_cholesky`."""
    return jnp.tril(lower, -1) + jnp.diag(2 * jnp.log(jnp.diagonal(lower)))


def whiten(factor: Array, error: Float[Array, " width"]) -> Float[Array, " width"]:
    """Whitened error z = F' e."""
    return factor * error if factor.ndim == 1 else factor.T @ error


def unwhiten(factor: Array, whitened: Float[Array, " width"]) -> Float[Array, " width"]:
    """Error e = F^-T z, the inverse of `whiten`."""
    if factor.ndim == 1:
        return whitened * (1 / factor)
    return solve_lower_transposed(factor, whitened)


def log_det(factor: Array) -> Float[Array, ""]:
    """log det of the precision F F'."""
    diagonal = factor if factor.ndim == 1 else jnp.diagonal(factor)
    return 2 * jnp.sum(jnp.log(diagonal))


def precision_matrix(factor: Array) -> Float[Array, "width width"]:
    """The precision F F' as a matrix."""
    return jnp.diag(factor**2) if factor.ndim == 1 else factor @ factor.T


def log_normaliser(factor: Array, width: int) -> Float[Array, ""]:
    """Normaliser of a Gaussian energy, (d log 2 pi - log det Pi) / 2, nats."""
    return 0.5 * (width * LOG_TWO_PI - log_det(factor))


class PartitionedFactor(NamedTuple):
    """Factor $F = [[F_f, 0], [C, F_c]]$ with the free units ordered before the clamped ones.

    free: $F_f$, (free,) or (free, free).
    coupling: $C$, (clamped, free); None for a diagonal precision or if one part is empty.
    clamped: $F_c$, (clamped,) or (clamped, clamped).

    The clamped units' whitened error $z_c = F_c^\\top e_c$ does not depend on the free ones ($F_c$ factors the *marginal*
    precision of the clamped part, a Schur complement), and $z_f = F_f^\\top e_f + C^\\top e_c$ contains the shift of the
    conditional mean due to clamping part of a level with a full precision.
    """

    free: Array
    coupling: Array | None
    clamped: Array


def partition(
    factor: Array, free: np.ndarray, clamped: np.ndarray
) -> PartitionedFactor:
    """Split a level's factor by static index arrays of free and clamped units."""
    if factor.ndim == 1:
        return PartitionedFactor(take(factor, free), None, take(factor, clamped))
    if len(clamped) == 0:
        return PartitionedFactor(factor, None, factor[:0, :0])
    if len(free) == 0:
        return PartitionedFactor(factor[:0, :0], None, factor)
    order = np.concatenate([free, clamped])
    lower = cholesky(precision_matrix(factor)[np.ix_(order, order)])
    split = len(free)
    return PartitionedFactor(
        lower[:split, :split], lower[split:, :split], lower[split:, split:]
    )


def from_precision(precision: ArrayLike, *, where: str = "precision") -> Array:
    """Log-precision from a positive scalar, vector, or positive definite matrix.

    Raises a UserError that names `where` for a value that is not finite and positive (or positive definite) or is
    beyond the range of the default dtype. Traced values are not checked.
    """
    value = read_numbers(precision, where=where)
    if value.ndim > 2 or (value.ndim == 2 and value.shape[0] != value.shape[1]):
        raise UserError(
            f"{where}: expected a scalar, vector or square (symmetric) matrix, got shape "
            f"{value.shape}."
        )
    if isinstance(value, Tracer):
        value = jnp.asarray(value, dtype=float)
        if value.ndim < 2:
            return jnp.log(value)
        return pack_cholesky(cholesky(value))
    value = np.asarray(value, dtype=float)
    log_precision = _log_of(value, where)
    check_log_precision(log_precision, where=where)
    return jnp.asarray(log_precision)


def _log_of(value: np.ndarray, where: str) -> np.ndarray:
    """Log-precision in double precision on the host; raises UserError unless the precision is positive (definite)."""
    if value.ndim < 2:
        if np.any(value <= 0):
            raise UserError(
                f"{where}: a precision is an inverse variance and must be positive, "
                f"got {float(value.min()):g}."
            )
        return np.asarray(np.log(value))
    if not np.allclose(value, value.T, atol=1e-5 * np.abs(value).max()):
        raise UserError(f"{where}: a full precision must be a symmetric matrix.")
    try:
        lower = np.linalg.cholesky(value)
    except np.linalg.LinAlgError:
        raise UserError(
            f"{where}: a full precision must be positive definite; smallest eigenvalue "
            f"{np.linalg.eigvalsh(value)[0]:g}."
        ) from None
    return np.tril(lower, -1) + np.diag(2 * np.log(np.diagonal(lower)))


def check_log_precision(
    log_precision: Any, *, where: str, dtype: Any | None = None
) -> None:
    """Raise a UserError unless precisions and variances are normal numbers of the dtype (None: the default)."""
    values = np.asarray(log_precision, dtype=float)
    logs = values if values.ndim < 2 else np.diagonal(values, axis1=-2, axis2=-1)
    kind = jnp.finfo(dtype or default_dtype())
    bound = -float(np.log(float(kind.tiny)))
    if np.any(np.abs(logs) > bound):
        worst = float(logs.flat[np.argmax(np.abs(logs))])
        raise UserError(
            f"a precision of 1e{worst / np.log(10):+.0f} cannot be held in {kind.dtype}",
            where=where,
            expected=f"between {np.exp(-bound):.1g} and {np.exp(bound):.1g} (rescale the level)",
        )


def covariance_to_log_precision(
    covariance: Float[Array, "n n"],
) -> Float[Array, "n n"]:
    """Log-Cholesky precision of a Gaussian with this covariance (traceable)."""
    lower = cholesky(covariance)
    identity = jnp.eye(covariance.shape[-1], dtype=covariance.dtype)
    inverse = solve_lower_transposed(lower, solve_lower(lower, identity))
    return pack_cholesky(cholesky(inverse))


def root_to_log_precision(root: Float[Array, "n m"]) -> Float[Array, "n n"]:
    """Log-Cholesky precision of a Gaussian with covariance R R', from R (n <= m).

    Neither the covariance nor the precision is formed, because both would lose their small eigenvalues to rounding.
    """
    if root.shape[0] == 1:
        return -jnp.log(jnp.sum(root**2, axis=1))[:, None]
    # R in reverse order of units is (R_u Q)' by QR, so the covariance is U U' with U upper triangular.
    triangle = jnp.linalg.qr(root[::-1].T, mode="r")
    triangle = jnp.sign(jnp.diagonal(triangle))[:, None] * triangle
    upper = triangle.T[::-1, ::-1]
    identity = jnp.eye(root.shape[0], dtype=root.dtype)
    return pack_cholesky(solve_lower(upper.T, identity))
