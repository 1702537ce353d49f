"""The digest of a function: equal for equal code, different when anything it computes with is."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jscale.model.source import digest_of


def defined(text: str, **names: Any) -> Any:
    """Run a text that defines ``f``, as a notebook or ``python -c`` does, without a file."""
    scope = {"jnp": jnp, "np": np, **names}
    exec(text, scope)
    return scope["f"]


def closed_over(constant: Any) -> Any:
    def f(x: Any) -> Any:
        return x * constant

    return f


def with_default(constant: Any) -> Any:
    def f(x: Any, k: Any = constant) -> Any:
        return x * k

    return f


def with_keyword_default(constant: Any) -> Any:
    def f(x: Any, *, k: Any = constant) -> Any:
        return x * k

    return f


def with_global(constant: Any) -> Any:
    return defined("def f(x):\n    return x * k", k=constant)


def with_helper(constant: Any) -> Any:
    helper = defined(f"def f(x):\n    return x + {constant!r}")
    return defined("def f(x):\n    return helper(x)", helper=helper)


def with_helper_in_a_generator(constant: Any) -> Any:
    helper = defined(f"def f(x):\n    return x + {constant!r}")
    return defined("def f(x):\n    return sum(helper(x) for _ in range(2))", helper=helper)


def with_compiled_helper(constant: Any) -> Any:
    helper = jax.jit(defined(f"def f(x):\n    return x + {constant!r}"))
    return defined("def f(x):\n    return helper(x)", helper=helper)


def with_partial(constant: Any) -> Any:
    helper = functools.partial(defined("def f(a, x):\n    return a + x"), constant)
    return defined("def f(x):\n    return helper(x)", helper=helper)


MAKERS = [
    closed_over,
    with_default,
    with_keyword_default,
    with_global,
    with_helper,
    with_helper_in_a_generator,
    with_compiled_helper,
    with_partial,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_a_function_computes_with_counts(make: Any) -> None:
    assert digest_of(make(2.0)) == digest_of(make(2.0))
    assert digest_of(make(2.0)) != digest_of(make(3.0))


@pytest.mark.parametrize("make", [closed_over, with_global], ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.float64(1.0), np.float64(2.0)),
        (np.zeros(2000), np.eye(1, 2000, 1000)[0]),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(2), np.zeros(2, dtype=np.float32)),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [1, 3]),
        ([1, [2, 3]], [1, 2, 3]),
        (12, (1, 2)),
        ({"x", "y"}, {"x", "z"}),
    ],
    ids=lambda value: repr(sorted(value)) if isinstance(value, set) else repr(value),
)
def test_constants_of_all_kinds_are_told_apart(make: Any, a: Any, b: Any) -> None:
    assert digest_of(make(a)) == digest_of(make(a))
    assert digest_of(make(a)) != digest_of(make(b))


def test_jax_arrays_are_told_apart() -> None:
    a, b = (jnp.zeros(2000).at[1000].set(v) for v in (0.0, 1.0))
    assert digest_of(closed_over(a)) == digest_of(closed_over(jnp.array(a)))
    assert digest_of(closed_over(a)) != digest_of(closed_over(b))


def test_without_source_the_names_that_are_called_count() -> None:
    exp, log = (defined(f"def f(x):\n    return jnp.{name}(x)") for name in ("exp", "log"))
    again = defined("def f(x):\n    return jnp.exp(x)")
    assert exp.__code__.co_code == log.__code__.co_code
    assert digest_of(exp) == digest_of(again)
    assert digest_of(exp) != digest_of(log)


def test_without_source_functions_inside_count() -> None:
    text = "def f(x):\n    def g(y):\n        return y + {}\n    return g(x)"
    two, again, three = (defined(text.format(n)) for n in (2, 2, 3))
    assert digest_of(two) == digest_of(again)
    assert digest_of(two) != digest_of(three)


def test_two_lambdas_on_one_line() -> None:
    double, square = lambda x: x + x, lambda x: x * x
    assert digest_of(double) != digest_of(square)


def test_library_functions_count_by_name() -> None:
    def using(helper: Any) -> str:
        return digest_of(closed_over(helper))

    assert using(jnp.exp) == using(jnp.exp)
    assert using(jnp.exp) != using(jnp.log)
    assert using(jnp.exp) != using(np.exp)


def test_functions_that_call_each_other_end() -> None:
    scope: dict[str, Any] = {}
    exec("def f(x):\n    return g(x)\ndef g(x):\n    return f(x)", scope)
    assert len(digest_of(scope["f"])) == 16


def test_prose_does_not_count(tmp_path, monkeypatch) -> None:
    """A law whose docstring is edited keeps its compiled programs and its saved fits."""
    texts = {
        "plain": "def f(x):\n    return x * 2\n",
        "prose": 'def f(x):\n    """Twice."""\n    # a comment\n    return  x*2\n',
        "other": 'def f(x):\n    """Twice."""\n    return x * 3\n',
    }
    monkeypatch.syspath_prepend(tmp_path)
    digests = {}
    for name, text in texts.items():
        (tmp_path / f"digest_{name}.py").write_text(text)
        digests[name] = digest_of(importlib.import_module(f"digest_{name}").f)
    assert digests["plain"] == digests["prose"]
    assert digests["plain"] != digests["other"]
