"""What made a result: versions as installed, the device, and the processor's features."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

import jax

from jscale.fitting.provenance import cpu_features, provenance


def test_versions_are_those_installed() -> None:
    made = provenance()
    for name in ("jscale", "jax", "jaxlib", "numpy", "pandas"):
        assert made[name] == version(name)
    assert made["python"] == platform.python_version()
    assert made["dtype"] == "float64"


def test_the_device_is_the_one_that_computes() -> None:
    device = jax.devices()[0]
    assert provenance()["device"] == f"{device.platform} ({device.device_kind})"
    assert int(provenance()["devices"]) == jax.device_count()


def test_all_of_it_is_text_that_can_be_saved() -> None:
    assert json.loads(json.dumps(provenance())) == provenance()


def test_the_processor_is_known_by_twelve_digits() -> None:
    digest = cpu_features()
    assert len(digest) == 12
    assert int(digest, 16) >= 0
    assert provenance()["cpu_features"] == digest
