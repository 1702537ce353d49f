"""jscale: scaling laws, fitted, with honest uncertainty, turned into decisions."""

from jscale import laws
