"""Plots of draws: pairs of parameters, traces of chains, and shrinkage of pooled estimates.

:func:`pairs` and :func:`trace` draw several panels and return a Figure; :func:`shrinkage` takes
Matplotlib Axes (or makes them) and returns them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import JscaleError, listing, nearest
from jscale.plots import drawing as draw
from jscale.uncertainty.draws import Draws, tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PARAMETERS = 12
_MOST_POINTS = 2000
_MOST_STEPS = 500
# Roles whose values are positive; they get a log axis if the draws span this factor.
_LOG_ROLES = ("scale", "location", "positive")
_LOG_SPAN = 1.5
_LONGEST_NAME = 18


def pairs(draws: Draws, names: Sequence[str] | None = None) -> Figure:
    """Plot the draws of every pair of parameters, with histograms on the diagonal.

    A cross marks the fit's estimate. Positive amplitudes whose draws span a factor of 1.5 or more
    have logarithmic axes. At most 2000 draws are shown.

    Parameters
    ----------
    draws : Draws
        Draws of a fit's parameters.
    names : sequence of str, optional
        The parameters to show; by default the first 12 that vary.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. A notebook shows it if it is the value of a cell; elsewhere in a cell, call
        ``display(figure)``.

    Raises
    ------
    JscaleError
        For an unknown parameter, or if none of the parameters varies.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> figure = js.plots.pairs(js.laplace(fit, 100), ["E", "alpha"])
    >>> len(figure.axes)
    4
    """
    chosen = _chosen(draws, names)
    values = draws.to_frame()[chosen]
    shown = values.iloc[:: max(1, len(values) // _MOST_POINTS)]
    size = len(chosen)
    figure = draw.new_figure(1.2 + 1.45 * size, 1.0 + 1.45 * size)
    panels = figure.subplots(size, size, squeeze=False)
    logs = {name: _is_log(draws, name) for name in chosen}
    for i, below in enumerate(chosen):
        for j, across in enumerate(chosen):
            ax = panels[i, j]
            if j > i:
                ax.set_visible(False)
                continue
            if i == j:
                _histogram(ax, np.asarray(values[across]), logs[across])
            else:
                ax.scatter(shown[across], shown[below], s=3, color=draw.BLUE, alpha=0.25, lw=0)
                estimate = (draws.fit.params[across], draws.fit.params[below])
                ax.plot(*estimate, "+", color=draw.ORANGE, ms=9, mew=1.8)
                _few_ticks(ax, "y", logs[below])
            _few_ticks(ax, "x", logs[across])
            _label_outer_edges(ax, i, j, size, across, below)
    return figure


def _histogram(ax: Axes, values: np.ndarray, log: bool) -> None:
    bins = np.geomspace(values.min(), values.max(), 33) if log else 32
    ax.hist(values, bins=bins, color=draw.BLUE, alpha=0.7)
    ax.set_yticks([])


def _label_outer_edges(ax: Axes, i: int, j: int, size: int, across: str, below: str) -> None:
    """Name parameters only along the left and lower edge of the figure."""
    if i == size - 1:
        ax.set_xlabel(_shortened(across), parse_math=False)
    else:
        ax.tick_params(labelbottom=False)
    if j == 0 and i > 0:
        ax.set_ylabel(_shortened(below), parse_math=False)
    elif j > 0:
        ax.tick_params(labelleft=False)


def _shortened(name: str) -> str:
    """Cut a name that would not fit next to a small panel."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _few_ticks(ax: Any, axis: str, log: bool) -> None:
    """Put two or three tick labels on an axis of a small panel, so that they do not overlap."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    ticks = getattr(ax, f"{axis}axis")
    if log:
        getattr(ax, f"set_{axis}scale")("log")
        low, high = getattr(ax, f"get_{axis}lim")()
        subs = (1.0,) if high / low > 30 else (1.0, 2.0, 5.0)
        # Within less than a decade a log locator may find one tick or none.
        within_decade = high / low <= 8
        locator = MaxNLocator(3) if within_decade else LogLocator(subs=subs, numticks=4)
        ticks.set_major_locator(locator)
        ticks.set_minor_locator(NullLocator())
    else:
        ticks.set_major_locator(MaxNLocator(3))
    ticks.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}".replace("e+0", "e")))
    ax.tick_params(axis=axis, labelsize="small")


def _is_log(draws: Draws, name: str) -> bool:
    roles = {p.name: p.role.name for p in draws.fit.law.parameters}
    # E[gpt] is the E of the group "gpt".
    role = roles.get(name.split("[")[0])
    values = draws.flat[:, draws.names.index(name)]
    return bool(role in _LOG_ROLES and values.min() > 0 and values.max() > _LOG_SPAN * values.min())


def _chosen(draws: Draws, names: Sequence[str] | None) -> list[str]:
    """Return the parameters to show; raises JscaleError for unknown ones, or if none varies."""
    names = [names] if isinstance(names, str) else names
    for name in names or ():
        if name not in draws.names:
            raise JscaleError(
                f"No parameter {name!r}.{nearest(str(name), draws.names)} "
                f"There are {listing(draws.names, 24)}."
            )
    spread = dict(zip(draws.names, np.ptp(draws.flat, axis=0), strict=True))
    varying = [name for name in (names or draws.names) if spread[name] > 0]
    if not varying:
        raise JscaleError(
            f"None of {listing(list(names or draws.names), 24)} varies among the draws: there is "
            "nothing to plot. Free a parameter in the fit."
        )
    return varying[:_MOST_PARAMETERS] if names is None else varying


def trace(draws: Draws, names: Sequence[str] | None = None) -> Figure:
    """Plot draws in sampling order, with one panel per parameter and one colour per chain.

    Chains that have converged look alike: noise around a common level. At most about 500 draws
    per chain are shown.

    Parameters
    ----------
    draws : Draws
        Draws of a fit's parameters.
    names : sequence of str, optional
        The parameters to show; by default the first 12 that vary.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. A notebook shows it if it is the value of a cell; elsewhere in a cell, call
        ``display(figure)``.

    Raises
    ------
    JscaleError
        For an unknown parameter, or if none of the parameters varies.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> fit = js.fit("chinchilla", table[table["split"] == "fit"])
    >>> figure = js.plots.trace(js.laplace(fit, 100), ["E", "alpha"])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['E', 'alpha']
    """
    chosen = _chosen(draws, names)
    figure = draw.new_figure(8.0, 0.5 + 1.25 * len(chosen))
    panels = figure.subplots(len(chosen), 1, squeeze=False, sharex=True)[:, 0]
    for ax, name in zip(panels, chosen, strict=True):
        chains = draws.values[:, :, draws.names.index(name)]
        step = max(1, chains.shape[1] // _MOST_STEPS)
        for chain, color in zip(chains, draw.colors(len(chains)), strict=True):
            ax.plot(np.arange(0, len(chain), step), chain[::step], color=color, lw=0.6, alpha=0.7)
        _few_ticks(ax, "y", _is_log(draws, name))
        ax.set_ylabel(name, parse_math=False)
    panels[-1].set_xlabel("draw")
    figure.align_ylabels()
    return figure


def shrinkage(
    posterior: Draws,
    parameter: str | None = None,
    *,
    alone: pd.DataFrame | None = None,
    level: float = 0.9,
    ax: Axes | None = None,
) -> Axes:
    """Plot each group's pooled estimate with its interval, next to the group fitted alone.

    Pooled estimates are medians of the draws. A dashed line marks their mean over the groups.

    Parameters
    ----------
    posterior : Draws
        Draws with one value of a parameter per group, such as ``E[a]`` and ``E[b]``.
    parameter : str, optional
        The parameter, such as ``"E"``; needed only if several parameters have groups.
    alone : pandas.DataFrame, optional
        Estimates from fits of each group alone, indexed by group label: the column ``estimate``,
        and optionally ``low`` and ``high``.
    level : float, default 0.9
        Level of the equal-tailed intervals, between 0 and 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default the Axes of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    JscaleError
        If no parameter has groups, if several have and ``parameter`` names none of them, or if
        ``alone`` lacks a group or the column ``estimate``.

    Examples
    --------
    >>> import jscale as js
    >>> table = js.datasets.load("stdlib_lm")
    >>> table = table[table["split"] == "fit"]
    >>> fit = js.fit("chinchilla", table, per={"E": "part"})
    >>> ax = js.plots.shrinkage(js.laplace(fit, 100))
    >>> ax.get_xlabel()
    'E, 90% intervals'
    """
    groups = _groups(posterior, parameter)
    samples = [posterior.flat[:, posterior.names.index(name)] for name in groups.values()]
    tail_low, tail_high = tails(check_level(level))
    low, middle, high = np.quantile(np.stack(samples), [tail_low, 0.5, tail_high], axis=1)
    ax = draw.axes_or_new(ax, 1.2 + 0.42 * len(groups))
    # The first group is at the top.
    place = np.arange(len(groups))[::-1]
    shift = 0.0 if alone is None else 0.14
    _with_bars(ax, (middle, low, high), place + shift, draw.BLUE, "o", "pooled")
    if alone is not None:
        _with_bars(ax, _alone(alone, list(groups)), place - shift, draw.ORANGE, "D", "fitted alone")
    ax.axvline(float(np.mean(middle)), color=draw.GREY, lw=0.8, ls="--", zorder=0)
    ax.set_yticks(place, list(groups))
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    ax.set_ylim(-0.6, len(groups) - 0.4)
    name = next(iter(groups.values())).split("[")[0]
    ax.set_xlabel(f"{name}, {100 * level:g}% intervals", parse_math=False)
    ax.legend(frameon=False, fontsize="small", ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _with_bars(
    ax: Axes, interval: Sequence[Any], place: np.ndarray, color: str, marker: str, label: str
) -> None:
    """Plot estimates with their intervals (estimate, low, high) as horizontal bars."""
    middle, low, high = interval
    bars = np.maximum([middle - low, high - middle], 0.0)
    ax.errorbar(middle, place, xerr=bars, fmt=marker, color=color, ms=5, lw=1.6, label=label)


def _groups(draws: Draws, parameter: str | None) -> Mapping[str, str]:
    """Return the names of one parameter's draws by group label."""
    names: dict[str, dict[str, str]] = {}
    for name in draws.names:
        match = re.fullmatch(r"([^\[\]]+)\[(.*)\]", name, re.DOTALL)
        if match:
            names.setdefault(match[1], {})[match[2]] = name
    if parameter is None and len(names) == 1:
        return next(iter(names.values()))
    if parameter in names:
        return names[parameter]
    if parameter is not None:
        problem = f"No parameter {parameter!r} with an estimate per group."
    else:
        problem = "Several parameters have groups." if names else "No parameter has groups."
    if names:
        remedy = f'Those with groups are {listing(list(names))}. Name one: shrinkage(draws, "E").'
    else:
        remedy = 'Draw them with posterior(fit, pool={"E": "family"}).'
    raise JscaleError(f"{problem} {remedy}")


def _alone(alone: pd.DataFrame, groups: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return estimates of the groups fitted alone and the ends of their intervals, if any."""
    table = alone.set_axis(alone.index.astype(str), axis=0)
    missing = [g for g in groups if g not in table.index]
    if missing or "estimate" not in table:
        lacking = f"row for {listing(missing)}" if missing else "column 'estimate'"
        raise JscaleError(
            f"alone has no {lacking}; it needs a row per group label, with the column estimate, "
            "and low and high if there are intervals."
        )
    table = table.loc[groups]
    columns = (c if c in table else "estimate" for c in ("estimate", "low", "high"))
    estimate, low, high = (table[c].to_numpy(dtype=float) for c in columns)
    return estimate, low, high
