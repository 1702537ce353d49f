"""The learnt prior: what past sweeps imply for a law's parameters, kernels and noises.

A prior is data: numbers in a JSON file with its provenance, learnt from many tables of runs
(:func:`jscale.learn_prior`) without containing any of their rows. For each family of laws it has

- variants of the law's parameters: means and standard deviations in the solver's centred
  coordinates, amplitudes and floors relative to the lowest fitted loss;
- kernels of the discrepancy, and noises as multiples of the residuals' scale;
- the log weight of each kernel, noise and variant, a + b·ln(n/n0) + c·ln(s/s0) for n runs and
  residuals of scale s, and the power η that tempers the evidence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from jscale.discrepancy.kernels import Component
from jscale.errors import FileError, JscaleError, listing

FORMAT, VERSION = "jscale.forecast_prior", 1
DEFAULT, WEAK = "default", "weak"
_LEAST_LOG, _MOST_LOG = -4.5, 2.5

Kernel = tuple[Component, ...]


@dataclass(frozen=True, eq=False)
class Variant:
    """One prior of a law's parameters: ``parameters[name]`` is (mean, standard deviation).

    ``extra`` holds further numbers that a family needs, such as the place of a break.
    """

    name: str
    parameters: Mapping[str, tuple[float, float]]
    extra: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FamilyPrior:
    """The prior of one family of laws.

    ``kernel_bias`` (K, 3), ``noise_bias`` (G, 3) and ``variant_bias`` (P, 3) are coefficients of
    (1, ln(n/n0), ln(s/s0)) in log weights; ``temper`` (2,) of (1, ln(n/n0)) in ln η; ``centre``
    is (n0, s0). ``least_noise`` is the smallest scale of noise, in logarithms of the output.
    ``part_of`` is the whole prior, and the places in it, of one made by :meth:`part`.
    """

    name: str
    variants: tuple[Variant, ...]
    kernels: tuple[Kernel, ...]
    noises: tuple[float, ...]
    kernel_bias: np.ndarray
    noise_bias: np.ndarray
    variant_bias: np.ndarray
    temper: np.ndarray
    centre: tuple[float, float]
    least_noise: float
    part_of: tuple[FamilyPrior, np.ndarray, np.ndarray] | None = None

    def part(self, kernels: np.ndarray, variants: np.ndarray) -> FamilyPrior:
        """Return the prior with some of its kernels and variants alone, at their weights in it."""
        return replace(
            self,
            kernels=tuple(self.kernels[k] for k in kernels),
            variants=tuple(self.variants[p] for p in variants),
            kernel_bias=self.kernel_bias[kernels],
            variant_bias=self.variant_bias[variants],
            part_of=(self, kernels, variants),
        )

    def log_weights(self, n: int, scale: float) -> np.ndarray:
        """Return prior log weights (K, G, P) for n runs with residuals of a scale."""
        if self.part_of is not None:
            # Not normalised over the part: the weights of several laws stay comparable.
            whole, kernels, variants = self.part_of
            return whole.log_weights(n, scale)[kernels][:, :, variants]
        at = self.features(n, scale)
        total = (
            (self.kernel_bias @ at)[:, None, None]
            + (self.noise_bias @ at)[None, :, None]
            + (self.variant_bias @ at)[None, None, :]
        )
        return total - _log_sum(total)

    def temperature(self, n: int, scale: float) -> float:
        """Return η, the power of the evidence, for n runs."""
        return float(np.exp(self.temper @ self.features(n, scale)[:2]))

    def features(self, n: int, scale: float) -> np.ndarray:
        """Return the features that log weights are linear in: (1, ln(n/n0), ln(s/s0))."""
        logs = np.log([n / self.centre[0], scale / self.centre[1]])
        # Clipped, since weights linear in these features would extrapolate without bound.
        return np.array([1.0, *np.clip(logs, _LEAST_LOG, _MOST_LOG)])


def _log_sum(values: np.ndarray) -> float:
    # Shifted by the maximum, so that the exponentials do not overflow.
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))


@dataclass(frozen=True, eq=False)
class ForecastPrior:
    """A prior of forecasts: ``families`` by name, and ``provenance``, what it was learnt from.

    Attributes
    ----------
    families : mapping of str to FamilyPrior
        The prior of each family of laws: ``"loss_surface"`` (N and D), ``"one_axis"``.
    provenance : mapping
        The data sets with their digests, the versions, and how it was learnt.
    """

    families: Mapping[str, FamilyPrior]
    provenance: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The SHA-256 of the prior's numbers, in short."""
        text = json.dumps(as_document(self)["families"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def save(self, path: str | Path) -> Path:
        """Write the prior to a JSON file.

        Parameters
        ----------
        path : str or Path
            Where; a file that is there is overwritten.

        Returns
        -------
        Path
            The path, as ``js.forecast(…, prior=path)`` takes it.
        """
        path = Path(path)
        path.write_text(json.dumps(as_document(self), indent=1) + "\n", encoding="utf-8")
        return path

    def __repr__(self) -> str:
        sets = self.provenance.get("data_sets", {})
        return (
            f"ForecastPrior({listing(list(self.families), 10)}; learnt from {len(sets)} data sets, "
            f"digest {self.digest})"
        )


def as_document(prior: ForecastPrior) -> dict[str, Any]:
    """Return a prior as plain dicts, lists and numbers."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "families": {name: _family_document(f) for name, f in prior.families.items()},
        "provenance": dict(prior.provenance),
    }


def _family_document(family: FamilyPrior) -> dict[str, Any]:
    def rounded(values: np.ndarray) -> list[Any]:
        return np.round(values, 6).tolist()

    return {
        "variants": [
            {
                "name": v.name,
                "parameters": {k: list(p) for k, p in v.parameters.items()},
                "extra": dict(v.extra),
                "bias": bias,
            }
            for v, bias in zip(family.variants, rounded(family.variant_bias), strict=True)
        ],
        "kernels": [
            {"components": [list(c) for c in kernel], "bias": bias}
            for kernel, bias in zip(family.kernels, rounded(family.kernel_bias), strict=True)
        ],
        "noises": [
            {"multiple": noise, "bias": bias}
            for noise, bias in zip(family.noises, rounded(family.noise_bias), strict=True)
        ],
        "temper": rounded(family.temper),
        "centre": list(family.centre),
        "least_noise": family.least_noise,
    }


def from_document(document: Any, where: str) -> ForecastPrior:
    """Return the prior of a document that :func:`as_document` made; raises FileError."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise FileError(
            f"{where} is not a forecast prior (its format is not {FORMAT!r}). Make one with "
            "js.learn_prior(sweeps).save(path)."
        )
    if document.get("version") != VERSION:
        raise FileError(
            f"{where} is a forecast prior of version {document.get('version')!r}; this jscale "
            f"reads version {VERSION}. Learn it again with js.learn_prior(sweeps)."
        )
    try:
        families = {n: _family_of(n, part) for n, part in document["families"].items()}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FileError(f"{where} is a damaged forecast prior: {error!r}.") from error
    return ForecastPrior(families, document.get("provenance", {}))


def _family_of(name: str, part: Mapping[str, Any]) -> FamilyPrior:
    variants = tuple(
        Variant(
            v["name"],
            {k: (float(p[0]), float(p[1])) for k, p in v["parameters"].items()},
            v.get("extra", {}),
        )
        for v in part["variants"]
    )
    return FamilyPrior(
        name,
        variants,
        tuple(tuple(Component(*map(float, c)) for c in k["components"]) for k in part["kernels"]),
        tuple(float(g["multiple"]) for g in part["noises"]),
        np.array([k["bias"] for k in part["kernels"]], dtype=np.float64),
        np.array([g["bias"] for g in part["noises"]], dtype=np.float64),
        np.array([v["bias"] for v in part["variants"]], dtype=np.float64),
        np.array(part["temper"], dtype=np.float64),
        (float(part["centre"][0]), float(part["centre"][1])),
        float(part["least_noise"]),
    )


def read_prior(path: str | Path) -> ForecastPrior:
    """Read a saved prior; raises FileError if the file is not one."""
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error}.") from error
    except ValueError as error:
        raise FileError(f"{path} is not JSON: {error}.") from error
    return from_document(document, str(path))


def default_prior() -> ForecastPrior:
    """Return the prior that ships with the package."""
    text = resources.files("jscale.discrepancy").joinpath("prior.json").read_text(encoding="utf-8")
    return from_document(json.loads(text), "the package's prior")


def as_prior(prior: Any) -> ForecastPrior | None:
    """Return the prior that ``prior=`` names, None for "weak".

    Raises JscaleError unless it is "default", "weak", None, a path or a ForecastPrior.
    """
    if isinstance(prior, ForecastPrior):
        return prior
    if prior is None or prior == WEAK:
        return None
    if prior == DEFAULT:
        return default_prior()
    if isinstance(prior, (str, Path)):
        return read_prior(prior)
    raise JscaleError(
        f'prior={prior!r} is not known; use "default", "weak", a path of a prior that '
        "js.learn_prior saved, or the prior itself."
    )
