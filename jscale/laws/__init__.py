"""The catalogue of laws. Each line names a law and where its code is; nothing loads until asked.

>>> import jscale as js
>>> js.laws.get("chinchilla").reference
'arXiv:2203.15556'
"""

from __future__ import annotations

from jscale.model.registry import Registry

CATALOGUE = {
    "power": "jscale.laws.one_axis:power_law",
    "power_const": "jscale.laws.one_axis:power_const",
    "broken": "jscale.laws.broken:broken",
    "chinchilla": "jscale.laws.loss_surfaces:chinchilla",
    "chinchilla_tied": "jscale.laws.loss_surfaces:chinchilla_tied",
    "farseer": "jscale.laws.loss_surfaces:farseer",
    "exponential_link": "jscale.laws.links:exponential_link",
    "sigmoid_link": "jscale.laws.links:sigmoid_link",
}

_registry = Registry(CATALOGUE)

get = _registry.get
names = _registry.names
register = _registry.register

__all__ = ["CATALOGUE", "get", "names", "register"]
