"""From a fit to draws of its parameters: resampling, normal approximations, and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jscale._moved import missing_from

if not TYPE_CHECKING:  # to a type checker a missing name stays a missing name
    __getattr__ = missing_from(__name__)
