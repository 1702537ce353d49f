"""Digests of code: functions with equal code, closures and defaults have equal digests.

Compiled programs are cached under this digest, so that running a notebook cell again, which
creates a new function from the same text, does not compile anything. Whatever a function uses is
followed: globals, closure, defaults and helper functions. Functions of other packages count by
name. Docstrings, comments and layout do not count: they do not change what is computed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, ModuleType
from typing import Any

import numpy as np

_LIBRARIES = ("jax", "jaxlib", "numpy", "scipy")


def digest_of(function: Callable[..., Any]) -> str:
    """Return 16 hexadecimal digits that identify what a function computes.

    Parameters
    ----------
    function : callable
        The function. Its closure, defaults, globals and helper functions count too.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a SHA-256 digest.
    """
    hasher = hashlib.sha256()
    _feed(function, hasher, seen=set())
    return hasher.hexdigest()[:16]


def _feed(value: Any, hasher: Any, seen: set[int]) -> None:
    """Add a value to the digest: what identifies it, and for a function all that it uses."""
    if id(value) in seen:
        return
    code = getattr(value, "__code__", None)
    digest = getattr(value, "digest", None)
    if isinstance(digest, str):
        hasher.update(digest.encode())
    elif isinstance(value, ModuleType):
        hasher.update(value.__name__.encode())
    elif _is_library(value):
        hasher.update(f"{value.__module__}.{value.__name__}".encode())
    elif isinstance(code, CodeType):
        seen.add(id(value))  # functions that call each other would never end
        _feed_function(value, code, hasher, seen)
    elif hasattr(value, "__wrapped__"):
        _feed(value.__wrapped__, hasher, seen)
    elif (parts := _parts(value)) is not None:
        hasher.update(f"{type(value).__name__}{len(parts)}(".encode())
        for part in parts:
            _feed(part, hasher, seen)
    else:
        hasher.update(repr(value).encode() + b",")


def _is_library(value: Any) -> bool:
    """Return whether a value is a function or class of a library that laws are written with."""
    module = getattr(value, "__module__", None) or ""
    return hasattr(value, "__name__") and module.split(".")[0] in _LIBRARIES


def _parts(value: Any) -> list[Any] | None:
    """Return the contents of a container in a reproducible order, or None for another value."""
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    if hasattr(value, "__array__"):
        exact = np.asarray(value)
        return [str(exact.dtype), exact.shape, exact.tolist()]
    return None


def _feed_function(function: Any, code: CodeType, hasher: Any, seen: set[int]) -> None:
    """Add a function's text, the values that it closes over, and the globals that it names."""
    hasher.update(_text(function, code).encode())
    for cell in function.__closure__ or ():
        _feed(cell.cell_contents, hasher, seen)
    _feed(function.__defaults__ or (), hasher, seen)
    _feed(function.__kwdefaults__ or {}, hasher, seen)
    for name in dict.fromkeys(n for part in _codes(code) for n in part.co_names):
        if name in function.__globals__:
            hasher.update(name.encode())
            _feed(function.__globals__[name], hasher, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code and that of the functions and generators defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _text(function: Any, code: CodeType) -> str:
    """Return the source, or the byte code where there is none or a line may hold two lambdas."""
    if code.co_name != "<lambda>":
        try:
            return _without_prose(textwrap.dedent(inspect.getsource(function)))
        except (OSError, TypeError):
            pass
    return "".join(
        f"{part.co_code.hex()}{part.co_names}{part.co_varnames}{part.co_freevars}"
        f"{[c for c in part.co_consts if not isinstance(c, CodeType)]}"
        for part in _codes(code)
    )


def _without_prose(source: str) -> str:
    """Return source code without docstrings, comments and layout; unchanged if it cannot parse."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # such as a function written inside a bracket
        return source
    for node in ast.walk(tree):
        documented = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
