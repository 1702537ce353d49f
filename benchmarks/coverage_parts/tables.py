"""The printed tables: whether targets are met, and coverage by method and scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.coverage_parts.answers import LEVELS
from benchmarks.coverage_parts.plans import DEFAULT, PLANS

# Percentage points of error allowed, beside two Monte-Carlo standard errors.
ALLOWED = {
    "parameters": 3.0,
    "curve 1x": 3.0,
    "new run 1x": 3.0,
    "curve 10x": 6.0,
    "new run 10x": 6.0,
}
MOST_WIDTH, MOST_WARNED = 1.5, 0.25
TARGET = f"""\
THE TARGET is for the default method, {DEFAULT}, in worlds that the fitted law made: coverage off by
at most 3 points + 2 Monte-Carlo standard errors at each level, of each parameter and of the curve
and new runs at the largest compute, 6 + 2 at ten times it; the median width at most {MOST_WIDTH}
times the oracle's; at most a quarter of scenarios warned of (where a quarter of data sets are).
The curve and new runs at a hundred times, wrong laws and the other methods are shown beside it.
"""
_SHARES = [f"{100 * level:g}%" for level in LEVELS]


def kind(quantities: pd.Series) -> pd.Series:
    """Return the kinds of quantities, with all parameters under one name."""
    return quantities.str.replace(r"^parameter .*", "parameters", regex=True)


def judged(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a target, and by how many points they miss it (0: met)."""
    rows = found[found["right"] & kind(found["quantity"]).isin(list(ALLOWED))].copy()
    allowed = kind(rows["quantity"]).map(ALLOWED).astype(float)
    rows["missed"] = 0.0
    for level, share in zip(LEVELS, _SHARES, strict=True):
        slack = 200 * np.sqrt(level * (1 - level) / rows["worlds"])
        error = (rows[share] - 100 * level).abs()
        rows["missed"] = np.maximum(rows["missed"], error - allowed - slack)
    return rows


def summary(found: pd.DataFrame) -> None:
    """Print the target, how many rows of each method meet it, and which default rows do not."""
    rows = judged(found)
    print(TARGET)
    print("ROWS WITHIN THE TARGET, met/all; the largest miss is in points beyond the tolerance")
    lines = {str(m): _line(own) for m, own in rows.groupby("method", sort=False)}
    print(pd.DataFrame.from_dict(lines, orient="index").to_string())
    for what in ("missed", "width"):
        _misses(rows[rows["method"] == DEFAULT], what)


def _line(own: pd.DataFrame) -> dict[str, str]:
    kinds, met = kind(own["quantity"]), own["missed"] <= 0
    line = {}
    for name in ALLOWED:
        these = kinds == name
        line[name] = f"{met[these].sum()}/{these.sum()}" if these.any() else "-"
    warned = own.groupby("scenario")["warned"].first() > MOST_WARNED
    line["width"] = f"{(own['width'] <= MOST_WIDTH).sum()}/{len(own)}"
    line["warned"] = f"{warned.sum()}/{len(warned)}"
    worst = own.loc[own["missed"].idxmax()]
    where = f" ({worst['scenario']}: {worst['quantity']})" if worst["missed"] > 0 else ""
    line["largest miss"] = f"{worst['missed']:.1f}{where}"
    return line


def _misses(own: pd.DataFrame, what: str) -> None:
    least = {"missed": 0.0, "width": MOST_WIDTH}[what]
    missed = own[own[what] > least].sort_values(what, ascending=False)
    print(f"\n{DEFAULT.upper()}: {len(missed)} rows beyond the target by {what}")
    if len(missed):
        columns = ["scenario", "quantity", *_SHARES, "width", "missed", "warned", "worlds"]
        print(missed[columns].to_string(index=False, float_format=lambda v: f"{v:.3g}"))


def tables(found: pd.DataFrame) -> None:
    """Print the coverage of every quantity (averaged over parameters), one block per method."""
    order = ["method", "scenario", kind(found["quantity"])]
    means = found.groupby(order, sort=False)[[*_SHARES, "width"]].mean()
    text = means.apply(
        lambda row: "/".join(f"{row[c]:.0f}" for c in _SHARES) + f" {_short(row['width'])}", axis=1
    )
    for method, own in text.groupby("method", sort=False):
        print(f"\n{str(method).upper()}: {PLANS[str(method)].said}.")
        print(
            f"{_sets(found[found['method'] == method])}. "
            f"Coverage at {', '.join(_SHARES)}, and width relative to the oracle"
        )
        shown = own.droplevel("method").unstack("quantity")
        columns = list(dict.fromkeys(own.index.get_level_values("quantity")))
        rows = list(dict.fromkeys(own.index.get_level_values("scenario")))
        shown = shown.loc[rows, columns].fillna("-").rename_axis(index=None, columns=None)
        print(shown.to_string())


def _sets(own: pd.DataFrame) -> str:
    refused = own.groupby("scenario")["refused"].max()
    asked = sorted((own["worlds"] + own["refused"]).unique())
    text = " to ".join(str(count) for count in dict.fromkeys([asked[0], asked[-1]]))
    more = f" ({refused.max():.0f} refused in the worst scenario)" if refused.any() else ""
    return f"{text} data sets each{more}"


def _short(width: float) -> str:
    return f"{width:.2f}" if width < 100 else f"{width:.0e}" if np.isfinite(width) else "inf"
