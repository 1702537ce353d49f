"""Splits of public data sets into fitted and predicted runs, as their sources made them."""

from __future__ import annotations

import pandas as pd

from jscale.data import datasets

_COLUMNS = ["N", "D", "C", "loss"]


def overtraining(corpus: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Split the runs of Gadre et al. (arXiv:2403.08540) on one corpus as the source does.

    Parameters
    ----------
    corpus : str
        Training corpus, as in the column ``dataset``: "c4_original", "rw_original", …

    Returns
    -------
    five : pandas.DataFrame
        The five runs to which the source fits its law: the four sizes at 20 tokens per parameter,
        and the smallest at 320.
    small : pandas.DataFrame
        All small runs, these five included.
    large : pandas.DataFrame
        The runs of 1.4B and 6.9B parameters that the source predicts.

    Raises
    ------
    DatasetError
        If the data set is neither at hand nor can be downloaded.
    """
    table = datasets.load("gadre_overtraining")
    table = table.loc[table["dataset"] == corpus]
    table = table.rename(columns={"params": "N", "tokens": "D", "loss_c4_val": "loss"})
    table = table.assign(C=6.0 * table["N"] * table["D"])
    is_large = table["model"].str.contains("open_lm")
    small = table.loc[~is_large]
    is_smallest = small["N"] == small["N"].min()
    is_fitted = (small["multiplier"] == 1) | (is_smallest & (small["multiplier"] == 16))
    return small.loc[is_fitted, _COLUMNS], small.loc[:, _COLUMNS], table.loc[is_large, _COLUMNS]
