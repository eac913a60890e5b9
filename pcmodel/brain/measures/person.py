"""All measures of one person's series, with and without regression of the global signal."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.brain.measures.complexity import Threshold, lempel_ziv
from pcmodel.brain.measures.connectivity import (
    correlation_matrix,
    correlations,
    first_twins,
    mean_coupling,
    network_coupling,
)
from pcmodel.brain.measures.entropies import eigenspectrum_entropy
from pcmodel.brain.measures.gradient import principal_gradient
from pcmodel.brain.measures.graph import modularity, modularity_of, participation
from pcmodel.brain.measures.random_numbers import split
from pcmodel.brain.measures.series import (
    Networks,
    centred,
    check_series,
    network_codes,
    region_names,
    regress_global_signal,
)
from pcmodel.brain.measures.transfer_entropy import network_transfer
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, checked_options
from pcmodel.inputs.ranges import Count

NETWORK_MEASURES = (
    *("within", "between", "within_minus_between", "segregation"),
    *("within_networks", "network_modularity", "participation"),
)
MEASURES = (
    *("mean_correlation", "mean_fisher_z"),
    *NETWORK_MEASURES,
    *("modularity", "gradient_range", "eigenspectrum_entropy"),
    *("lempel_ziv", "lempel_ziv_shuffled", "lempel_ziv_phase", "global_signal_sd"),
)
"""The measures that are one number a person: fields of `BrainMeasures`."""
NO_NETWORKS = "no networks were given"


@checked_options()
@dataclass(frozen=True)
class MeasureOptions:
    """How measures are computed.

    lags: samples of the past in transfer entropy.
    num_surrogates: of each kind and region, for Lempel-Ziv complexity.
    threshold: where series are binarised, "median" or "mean" of the region.
    num_starts: Louvain partitions, of which the best counts.
    """

    lags: Count = 1
    num_surrogates: Count = 5
    threshold: Threshold = "median"
    num_starts: Count = 3


class BrainMeasures(NamedTuple):
    """The measures of one person in one condition.

    correlation: Pearson's, (regions, regions).
    mean_correlation: over all pairs of regions.
    mean_fisher_z: mean of arctanh of the correlations over all pairs.
    within: mean Fisher z over the pairs of regions of one network.
    between: mean Fisher z over the pairs of regions of different networks.
    within_minus_between: their difference.
    segregation: (within - between) / within.
    within_networks: mean over networks of their own within.
    network_modularity: Newman's, of the given networks.
    participation: mean participation coefficient over the given networks.
    modularity: Newman's, of the best Louvain partition.
    gradient_range: of the principal gradient.
    eigenspectrum_entropy: 0 to 1.
    lempel_ziv: mean over regions of the normalised complexity.
    lempel_ziv_shuffled: mean over regions of the complexity over that of shuffled sequences.
    lempel_ziv_phase: mean over regions of the complexity over that of series with random phases.
    global_signal_sd: standard deviation of the regions' mean, unit of the series; the same with regression.
    network_names: in the order of the arrays below; () without networks.
    by_network: mean Fisher z, (networks, networks), within on the diagonal.
    transfer_entropy: nats, without bias, (from, to), of the mean series of networks.
    undefined: why a field is NaN, or holds NaN, by its name.
    """

    correlation: Float[np.ndarray, "regions regions"]
    mean_correlation: float
    mean_fisher_z: float
    within: float
    between: float
    within_minus_between: float
    segregation: float
    within_networks: float
    network_modularity: float
    participation: float
    modularity: float
    gradient_range: float
    eigenspectrum_entropy: float
    lempel_ziv: float
    lempel_ziv_shuffled: float
    lempel_ziv_phase: float
    global_signal_sd: float
    network_names: tuple[str, ...]
    by_network: Float[np.ndarray, "networks networks"]
    transfer_entropy: Float[np.ndarray, "sources targets"]
    undefined: Mapping[str, str]


class PersonMeasures(NamedTuple):
    """One person's measures.

    plain: of the series as given.
    without_global: of the residuals after regression of the global signal; all NaN where there are none.
    """

    plain: BrainMeasures
    without_global: BrainMeasures


@checked_arguments
def measure_person(
    series: Any,
    networks: Sequence[Hashable] | Networks | None = None,
    *,
    key: Array,
    options: MeasureOptions | None = None,
    regions: Sequence[str] | None = None,
) -> PersonMeasures:
    """All measures of one person.

    series: (regions, times).
    networks: the network of each region; None for measures without networks alone.
    key: of surrogates and partitions; the same for the series and its residuals.
    options: `MeasureOptions()` if None.
    regions: names for messages.
    Raises UserError for what `correlations` refuses, and for fewer than eight samples.
    """
    options = options or MeasureOptions()
    values = check_series(series, regions=regions, least_times=8)
    names = region_names(regions, len(values), where="series")
    found = None if networks is None else network_codes(networks, len(values))
    correlation = correlations(values, regions=names)
    regressed = regress_global_signal(values)
    spread = float(np.std(centred(regressed.global_signal), ddof=1))
    plain = _measure(values, correlation, found, key, options, spread)
    why = regressed.undefined
    if not why:
        residual = correlation_matrix(regressed.series)
        twins = first_twins(residual)
        if twins is None:
            left = _measure(regressed.series, residual, found, key, options, spread)
            return PersonMeasures(plain, left)
        first, second = (names[place] for place in twins)
        why = f"without it {first} and {second} are one series up to scale"
    reason = f"the global signal cannot be regressed out: {why}"
    return PersonMeasures(plain, nothing(len(values), found, spread, reason))


def _measure(
    values: np.ndarray,
    correlation: np.ndarray,
    networks: Networks | None,
    key: Array,
    options: MeasureOptions,
    spread: float,
) -> BrainMeasures:
    graph_key, complexity_key = split(key, 2)
    mean = mean_coupling(correlation)
    parts = modularity(correlation, key=graph_key, num_starts=options.num_starts)
    gradient = principal_gradient(correlation)
    entropy = eigenspectrum_entropy(correlation)
    complexity = lempel_ziv(
        values,
        key=complexity_key,
        num_surrogates=options.num_surrogates,
        threshold=options.threshold,
    )
    reasons = {
        "mean_correlation": mean.undefined,
        "mean_fisher_z": mean.undefined,
        "modularity": parts.undefined,
        "gradient_range": gradient.undefined,
        "eigenspectrum_entropy": entropy.undefined,
    }
    found = {
        "mean_correlation": mean.correlation,
        "mean_fisher_z": mean.fisher_z,
        "modularity": parts.value,
        "gradient_range": gradient.range,
        "eigenspectrum_entropy": entropy.value,
        "lempel_ziv": float(complexity.normalised.mean()),
        "lempel_ziv_shuffled": float(complexity.over_shuffled.mean()),
        "lempel_ziv_phase": float(complexity.over_phase.mean()),
        "global_signal_sd": spread,
    }
    own, why = _of_networks(values, correlation, networks, options)
    reasons |= why
    told = {name: reason for name, reason in reasons.items() if reason}
    return BrainMeasures(correlation=correlation, **found, **own, undefined=told)


def _of_networks(
    values: np.ndarray,
    correlation: np.ndarray,
    networks: Networks | None,
    options: MeasureOptions,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields that need networks, and why any of them is NaN."""
    if networks is None:
        return _without_networks(), dict.fromkeys(NETWORK_MEASURES, NO_NETWORKS)
    coupling = network_coupling(correlation, networks)
    modular = modularity_of(correlation, networks)
    spread = participation(correlation, networks)
    reasons = dict(coupling.undefined)
    if "difference" in reasons:
        reasons["within_minus_between"] = reasons.pop("difference")
    reasons |= {
        "network_modularity": modular.undefined,
        "participation": spread.undefined,
    }
    transfer = np.full_like(coupling.by_network, np.nan)
    try:
        found = network_transfer(values, networks, lags=options.lags)
        transfer, reasons["transfer_entropy"] = found.corrected, found.undefined
    except UserError as error:  # too few samples, or a network that cancels
        reasons["transfer_entropy"] = str(error)
    fields = {
        "within": coupling.within,
        "between": coupling.between,
        "within_minus_between": coupling.difference,
        "segregation": coupling.segregation,
        "within_networks": coupling.within_networks,
        "network_modularity": modular.value,
        "participation": spread.mean,
        "network_names": coupling.names,
        "by_network": coupling.by_network,
        "transfer_entropy": transfer,
    }
    return fields, reasons


def _without_networks() -> dict[str, Any]:
    empty = np.full((0, 0), np.nan)
    return dict.fromkeys(NETWORK_MEASURES, np.nan) | {
        "network_names": (),
        "by_network": empty,
        "transfer_entropy": empty,
    }


def nothing(
    regions: int, networks: Networks | None, spread: float, reason: str
) -> BrainMeasures:
    """Measures that are all NaN, for one reason; the global signal's spread is what it is."""
    names = () if networks is None else networks.names
    blank = np.full((len(names), len(names)), np.nan)
    fields = dict.fromkeys(MEASURES, np.nan) | {"global_signal_sd": spread}
    told = [name for name in MEASURES if name != "global_signal_sd"]
    reasons = dict.fromkeys(told, reason)
    if networks is None:
        reasons |= dict.fromkeys(NETWORK_MEASURES, NO_NETWORKS)
    else:
        reasons |= dict.fromkeys(("by_network", "transfer_entropy"), reason)
    return BrainMeasures(
        correlation=np.full((regions, regions), np.nan),
        **fields,
        network_names=names,
        by_network=blank,
        transfer_entropy=blank,
        undefined=reasons,
    )
