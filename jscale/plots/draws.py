"""Plots of draws and of coverage: how parameters hang together, chains, shrinkage, coverage.

Functions of one plot take a matplotlib Axes (or make one) and return it; :func:`pairs` and
:func:`trace` need several and return the Figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jscale.arguments import check_level
from jscale.errors import JscaleError, listing, nearest
from jscale.plots.fits import new_figure
from jscale.uncertainty.draws import Draws, tails

_BLUE, _ORANGE, _GREY = "#1f5fa8", "#d9730d", "#777777"
# Told apart by people of any colour vision (Okabe and Ito).
_COLORS = (_BLUE, _ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", _GREY)
_MOST_PARAMETERS = 12
_MOST_POINTS = 2000
_LOG_ROLES = ("scale", "location", "positive")
_LOG_SPAN = 1.5
_LONGEST = 18


def pairs(draws: Draws, names: Sequence[str] | None = None) -> Any:
    """Plot each parameter's draws against each other's, histograms on the diagonal; a Figure.

    ``names`` picks parameters (default: all that vary, at most 12). Positive amplitudes whose
    draws span a factor of 1.5 or more have log axes. A cross marks the fit's estimate. A notebook
    shows the figure where it is what a cell returns; elsewhere in a cell, ``display(figure)``
    shows it. Raises JscaleError for unknown names, or when none varies.
    """
    chosen = _chosen(draws, names)
    values = draws.to_frame()[chosen]
    step = max(1, len(values) // _MOST_POINTS)
    size = len(chosen)
    figure = new_figure(1.2 + 1.45 * size, 1.0 + 1.45 * size)
    axes = figure.subplots(size, size, squeeze=False)
    logs = {name: _is_log(draws, name) for name in chosen}
    for i, below in enumerate(chosen):
        for j, across in enumerate(chosen):
            ax = axes[i, j]
            if j > i:
                ax.set_visible(False)
                continue
            if i == j:
                _histogram(ax, np.asarray(values[across]), logs[across])
            else:
                some = values.iloc[::step]
                ax.scatter(some[across], some[below], s=3, color=_BLUE, alpha=0.25, lw=0)
                ax.plot(draws.fit.params[across], draws.fit.params[below], "+", color=_ORANGE, ms=9,
                        mew=1.8)  # fmt: skip
                _few_ticks(ax, "y", logs[below])
            _few_ticks(ax, "x", logs[across])
            _outer_labels(ax, i, j, size, across, below)
    return figure


def _histogram(ax: Any, values: np.ndarray, log: bool) -> None:
    bins = np.geomspace(values.min(), values.max(), 33) if log else 32
    ax.hist(values, bins=bins, color=_BLUE, alpha=0.7)
    ax.set_yticks([])


def _outer_labels(ax: Any, i: int, j: int, size: int, across: str, below: str) -> None:
    """Name parameters along the left and lower edge only."""
    if i == size - 1:
        ax.set_xlabel(_short(across), parse_math=False)
    else:
        ax.tick_params(labelbottom=False)
    if j == 0 and i > 0:
        ax.set_ylabel(_short(below), parse_math=False)
    elif j > 0:
        ax.tick_params(labelleft=False)


def _short(name: str) -> str:
    """Cut a name that would not fit beside a small panel."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _few_ticks(ax: Any, axis: str, log: bool) -> None:
    """Give an axis of a small panel two or three labels, so that they do not run together."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    own = getattr(ax, f"{axis}axis")
    if log:
        getattr(ax, f"set_{axis}scale")("log")
        low, high = getattr(ax, f"get_{axis}lim")()
        subs = (1.0,) if high / low > 30 else (1.0, 2.0, 5.0)
        own.set_major_locator(LogLocator(subs=subs, numticks=4) if high / low > 8
                              else MaxNLocator(3))  # fmt: skip
        own.set_minor_locator(NullLocator())
    else:
        own.set_major_locator(MaxNLocator(3))
    own.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}".replace("e+0", "e")))
    ax.tick_params(axis=axis, labelsize="small")


def _is_log(draws: Draws, name: str) -> bool:
    role = {p.name: p.role.name for p in draws.fit.law.parameters}.get(name.split("[")[0])
    values = draws.flat[:, draws.names.index(name)]
    return bool(role in _LOG_ROLES and values.min() > 0 and values.max() > _LOG_SPAN * values.min())


def _chosen(draws: Draws, names: Sequence[str] | None) -> list[str]:
    """Return the parameters to show; raises JscaleError for unknown ones, or none that varies."""
    names = [names] if isinstance(names, str) else names
    for name in names or ():
        if name not in draws.names:
            raise JscaleError(
                f"No parameter {name!r}.{nearest(str(name), draws.names)} "
                f"There are {listing(draws.names, 24)}."
            )
    spread = np.ptp(draws.flat, axis=0)
    vary = [name for name, width in zip(draws.names, spread, strict=True) if width > 0]
    found = [name for name in (vary if names is None else names) if name in vary]
    if not found:
        raise JscaleError(
            f"None of {listing(list(names or draws.names), 24)} varies among the draws: there is "
            "nothing to plot. Free a parameter in the fit."
        )
    if names is None:
        return found[:_MOST_PARAMETERS]
    return found


def trace(draws: Draws, names: Sequence[str] | None = None) -> Any:
    """Plot draws in their order, a panel per parameter and a colour per chain; a Figure.

    Chains that have settled look alike: bands of noise around one level. A notebook shows the
    figure where it is what a cell returns; elsewhere in a cell, ``display(figure)`` shows it.
    Raises JscaleError as :func:`pairs`.
    """
    chosen = _chosen(draws, names)
    figure = new_figure(8.0, 0.5 + 1.25 * len(chosen))
    axes = figure.subplots(len(chosen), 1, squeeze=False, sharex=True)[:, 0]
    for ax, name in zip(axes, chosen, strict=True):
        own = draws.values[:, :, draws.names.index(name)]
        step = max(1, own.shape[1] // 500)
        for chain, color in zip(own, _repeated(len(own)), strict=True):
            ax.plot(np.arange(0, len(chain), step), chain[::step], color=color, lw=0.6, alpha=0.7)
        _few_ticks(ax, "y", _is_log(draws, name))
        ax.set_ylabel(name, parse_math=False)
    axes[-1].set_xlabel("draw")
    figure.align_ylabels()
    return figure


def _repeated(count: int) -> list[str]:
    return [_COLORS[i % len(_COLORS)] for i in range(count)]


def shrinkage(
    posterior: Draws,
    parameter: str | None = None,
    *,
    alone: pd.DataFrame | None = None,
    level: float = 0.9,
    ax: Any = None,
) -> Any:
    """Plot each group's pooled estimate with its interval, beside its estimate alone.

    ``posterior`` has draws of one parameter per group, as ``E[a]``, ``E[b]``; ``parameter`` picks
    it ("E") where several have groups. ``alone`` has a row per group label: ``estimate``, and
    optionally ``low`` and ``high``. A line marks the mean of the groups. Raises JscaleError
    without such draws, or without a row for a group.
    """
    groups = _groups(posterior, parameter)
    samples = {g: posterior.flat[:, posterior.names.index(name)] for g, name in groups.items()}
    low, middle, high = np.quantile(
        np.stack(list(samples.values())), [tails(check_level(level))[0], 0.5, tails(level)[1]],
        axis=1,
    )  # fmt: skip
    ax = _axes(ax, 1.2 + 0.42 * len(groups))
    place = np.arange(len(groups))[::-1]
    shift = 0.0 if alone is None else 0.14
    _with_bars(ax, middle, low, high, place + shift, _BLUE, "o", "pooled")
    if alone is not None:
        found = _alone(alone, list(groups))
        estimate = found["estimate"].to_numpy(dtype=float)
        ends = [found[c].to_numpy(dtype=float) if c in found else estimate for c in ("low", "high")]
        _with_bars(ax, estimate, ends[0], ends[1], place - shift, _ORANGE, "D", "alone")
    ax.axvline(float(np.mean(middle)), color=_GREY, lw=0.8, ls="--", zorder=0)
    ax.set_yticks(place, list(groups))
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    ax.set_ylim(-0.6, len(groups) - 0.4)
    first = next(iter(groups.values()))
    ax.set_xlabel(f"{first.split('[')[0]}, {100 * level:g}% intervals", parse_math=False)
    ax.legend(frameon=False, fontsize="small", ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _with_bars(
    ax: Any, middle: Any, low: Any, high: Any, place: Any, color: str, marker: str, label: str
) -> None:
    bars = np.maximum([middle - low, high - middle], 0.0)
    ax.errorbar(middle, place, xerr=bars, fmt=marker, color=color, ms=5, lw=1.6, label=label)


def _groups(draws: Draws, parameter: str | None) -> dict[str, str]:
    """Return the names of the draws by group label, of one parameter."""
    found: dict[str, dict[str, str]] = {}
    for name in draws.names:
        match = re.fullmatch(r"([^\[\]]+)\[(.*)\]", name, re.DOTALL)
        if match:
            found.setdefault(match[1], {})[match[2]] = name
    if parameter is None and len(found) == 1:
        return next(iter(found.values()))
    if parameter not in found:
        have = f"Those with groups are {listing(list(found))}." if found else (
            'No draws have a group: posterior(fit, pool={"E": "family"}).'
        )  # fmt: skip
        asked = "Several parameters have groups" if parameter is None else (
            f"No parameter {parameter!r} with an estimate per group"
        )  # fmt: skip
        asked = "No parameter with groups" if parameter is None and not found else asked
        raise JscaleError(f'{asked}. {have} Name one: shrinkage(draws, "E").')
    return found[parameter]


def _alone(alone: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    table = alone.set_axis(alone.index.astype(str), axis=0)
    missing = [g for g in groups if g not in table.index]
    if missing or "estimate" not in table:
        what = f"row for {listing(missing)}" if missing else "column 'estimate'"
        raise JscaleError(
            f"alone has no {what}; it needs a row per group label, with the columns estimate, and "
            "low and high if there are intervals."
        )
    return table.loc[groups]


def coverage(table: pd.DataFrame, *, by: str | None = None, ax: Any = None) -> Any:
    """Plot measured over nominal coverage; on the diagonal, intervals hold what they say.

    ``table`` has the columns ``level`` and ``measured`` (shares, 0 to 1), and either ``error``
    (the Monte-Carlo standard error) or ``count`` (how many cases were counted); bars are two
    standard errors. ``by`` names the column that tells the lines apart (default: the first
    other column of text). Raises JscaleError for columns that lack, or shares outside 0 to 1.
    """
    by = _check_coverage(table, by)
    ax = _axes(ax, 4.2)
    ax.plot([0, 1], [0, 1], color=_GREY, lw=0.8, zorder=0)
    parts = [("", table)] if by is None else list(table.groupby(by, sort=False))
    for place, (label, part) in enumerate(parts):
        part = part.sort_values("level")
        shift = 0.006 * (place - (len(parts) - 1) / 2)
        ax.errorbar(
            part["level"] + shift, part["measured"], yerr=2 * _monte_carlo(part), marker="o", ms=4,
            lw=1.2, elinewidth=1.0, color=_COLORS[place % len(_COLORS)],
            label=None if by is None else str(label).lstrip("_"),
        )  # fmt: skip
    low = float(table[["level", "measured"]].to_numpy().min())
    floor = max(0.0, low - 0.08)
    ax.set(xlim=(floor, 1.01), ylim=(floor, 1.01), xlabel="nominal coverage",
           ylabel="measured coverage")  # fmt: skip
    if by is not None:
        legend = ax.legend(frameon=False, fontsize="small", loc="lower right")
        for text in legend.get_texts():
            text.set_parse_math(False)
    return ax


def _check_coverage(table: pd.DataFrame, by: str | None) -> str | None:
    """Return the column that tells lines apart, or None; raises JscaleError for a wrong table."""
    missing = [c for c in ("level", "measured", by) if c is not None and c not in table]
    if missing:
        raise JscaleError(
            f"The table has no column {listing(missing)}; it needs level, measured, and error or "
            f"count. Its columns are {listing(list(table), 20)}."
        )
    for name in ("level", "measured"):
        if not table[name].between(0, 1).all():
            bad = table.index[~table[name].between(0, 1)].tolist()
            raise JscaleError(
                f"{name} must be a share between 0 and 1; it is not in row {listing(bad)}."
            )
    others = [c for c in table if c not in ("level", "measured", "error", "count")]
    words = [c for c in others if not pd.api.types.is_numeric_dtype(table[c])]
    return by if by is not None else next(iter(words), None)


def _monte_carlo(table: pd.DataFrame) -> Any:
    """Return standard errors of measured shares; zero where nothing says how many were counted."""
    if "error" in table:
        return table["error"].to_numpy(dtype=float)
    if "count" in table:
        share = table["measured"].to_numpy(dtype=float)
        return np.sqrt(share * (1 - share) / table["count"].to_numpy(dtype=float))
    return np.zeros(len(table))


def _axes(ax: Any, height: float) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5.5, height), layout="constrained")[1]
