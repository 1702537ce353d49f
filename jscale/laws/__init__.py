"""The laws of the catalogue, by name: loaded when they are asked for.

>>> import jscale as js
>>> js.laws.get("chinchilla").reference
'arXiv:2203.15556'
"""

from __future__ import annotations

from jscale.laws.catalogue import CATALOGUE
from jscale.model.registry import Registry

_registry = Registry(CATALOGUE)

get = _registry.get
names = _registry.names
register = _registry.register

__all__ = ["CATALOGUE", "get", "names", "register"]
