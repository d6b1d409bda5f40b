"""Every public name says what it is and has an example, which runs.

The examples of functions and classes are collected by pytest, those of objects here. Errors have theirs on the page of
errors, whose test runs them.
"""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import vipl

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules(*, depth):
    """List vipl and its modules down to `depth` below it, except those with an underscored path."""
    found = [vipl]
    for info in pkgutil.walk_packages(vipl.__path__, "vipl."):
        parts = info.name.split(".")[1:]
        if len(parts) <= depth and not any(part.startswith("_") for part in parts):
            found.append(importlib.import_module(info.name))
    return found


def own_docstring(value):
    """Give the docstring written for this very value, not for its class or generated from its signature."""
    if not (inspect.ismodule(value) or inspect.isclass(value) or inspect.isroutine(value)):
        found = getattr(value, "__doc__", None)
        return "" if found == type(value).__doc__ else found or ""
    found = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    found = inspect.cleandoc(found or "")
    return "" if inspect.isclass(value) and found.startswith(f"{value.__name__}(") else found


def is_documented(value):
    docstring = own_docstring(value)
    return ">>>" in docstring or len([line for line in docstring.splitlines() if line.strip()]) >= 3


def is_ours(value):
    """Tell what vipl defines from what it re-exports: NumPyro documents its own."""
    if isinstance(value, str | int | float | tuple | frozenset | None):
        return False
    home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "")
    return (home or "").split(".")[0] == "vipl"


PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in modules(depth=1)  # files below a layer's own __init__ are its private matter
    for name in getattr(module, "__all__", ())
}
OURS = {name: value for name, value in PUBLIC.items() if is_ours(value)}


@pytest.mark.parametrize("name", OURS)
def test_public_name_is_documented(name):
    assert is_documented(PUBLIC[name]), f"{name}: {own_docstring(PUBLIC[name])!r}"


def has_example(value):
    """Tell whether a value needs no example, or has one."""
    is_error = inspect.isclass(value) and issubclass(value, BaseException)
    return inspect.ismodule(value) or is_error or ">>>" in own_docstring(value)


@pytest.mark.parametrize("name", OURS)
def test_public_name_has_an_example(name):
    assert has_example(PUBLIC[name])


def run_example(name, value):
    """Run the example of an object; return how many of its lines fail."""
    test = doctest.DocTestParser().get_doctest(own_docstring(value), {}, name, None, None)
    return doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(test, out=lambda text: None).failed


OBJECTS = [
    name
    for name, value in OURS.items()
    if not (inspect.ismodule(value) or inspect.isclass(value) or inspect.isfunction(value))
]


@pytest.mark.parametrize("name", OBJECTS)
def test_the_example_of_an_object_runs(name):
    assert not run_example(name, PUBLIC[name])


def test_an_example_that_is_wrong_or_missing_is_found():
    class Silent:
        """Say nothing."""

    class Wrong:
        """Add.

        >>> 1 + 1
        3
        """

    wrong = Wrong()
    wrong.__doc__ = Wrong.__doc__ + " "
    assert not has_example(Silent)
    assert run_example("wrong", wrong) == 1
    assert "vipl.objectives.elbo" in OBJECTS


def test_vipl_says_what_is_public():
    assert vipl.__all__
    assert len(set(vipl.__all__)) == len(vipl.__all__)


@pytest.mark.parametrize("module", modules(depth=9), ids=lambda module: module.__name__)
def test_module_has_a_docstring(module):
    assert (module.__doc__ or "").strip(), module.__name__


def test_the_check_sees_missing_documentation():
    def silent():
        pass

    def terse():
        """Do it."""

    class Parent:
        """Say a lot.

        In many lines.
        Of text.
        """

    class Inherits(Parent):
        pass

    def exemplary():
        """Add.

        >>> 1 + 1
        2
        """

    assert not any(map(is_documented, [silent, terse, Inherits, object()]))
    assert all(map(is_documented, [exemplary, Parent]))
