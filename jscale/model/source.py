"""What a law's code is, as a digest: equal code, closure and defaults give equal digests.

Compiled programs are kept by this digest, so that running a notebook cell again, which makes
a new function from the same text, compiles nothing.
"""

from __future__ import annotations

import hashlib
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any


def digest_of(function: Callable[..., Any]) -> str:
    """Return 16 hexadecimal digits that identify what ``function`` computes."""
    hasher = hashlib.sha256()
    _feed(function, hasher, seen=set())
    return hasher.hexdigest()[:16]


def _feed(value: Any, hasher: Any, seen: set[int]) -> None:
    if id(value) in seen:
        return
    code = getattr(value, "__code__", None)
    digest = getattr(value, "digest", None)
    if isinstance(digest, str):
        hasher.update(digest.encode())
    elif isinstance(code, CodeType):
        seen.add(id(value))
        _feed_function(value, code, hasher, seen)
    elif isinstance(value, ModuleType):
        hasher.update(value.__name__.encode())
    elif isinstance(value, (list, tuple)):
        for item in value:
            _feed(item, hasher, seen)
    elif isinstance(value, dict):
        for key, item in value.items():
            hasher.update(repr(key).encode())
            _feed(item, hasher, seen)
    else:
        hasher.update(repr(value).encode())


def _feed_function(function: Any, code: CodeType, hasher: Any, seen: set[int]) -> None:
    hasher.update(_text(function, code).encode())
    for cell in function.__closure__ or ():
        _feed(cell.cell_contents, hasher, seen)
    _feed(function.__defaults__ or (), hasher, seen)
    _feed(function.__kwdefaults__ or {}, hasher, seen)
    for name in code.co_names:
        if name in function.__globals__:
            value = function.__globals__[name]
            module = getattr(value, "__module__", "") or ""
            if isinstance(value, ModuleType) or module.split(".")[0] in ("jax", "numpy"):
                hasher.update(name.encode())
            else:
                _feed(value, hasher, seen)


def _text(function: Any, code: CodeType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return code.co_code.hex() + repr(code.co_consts)
