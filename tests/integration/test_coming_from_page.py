"""The tables for those who come from other libraries: what they name on vipl's side is there, with such arguments."""

import ast
import inspect
import re

import pytest
from pages import DOCS

import vipl
import vipl.distributions as dist
from vipl import estimators, guides, objectives

TEXT = (DOCS / "coming-from.md").read_text()
ROWS = [line.replace("\\|", "∨").strip("|").split(" | ") for line in TEXT.split("\n") if line.startswith("| ")]
OURS = [code for _, *ours in ROWS for code in re.findall(r"`([^`]+)`", " | ".join(ours))]
KNOWN = {
    "vipl": vipl,
    "dist": dist,
    "guides": guides,
    "objectives": objectives,
    "posterior": vipl.Posterior,
    **{name: getattr(estimators, name) for name in estimators.__all__},
}


def value_of(node):
    """Return what a dotted name stands for; None of what the page says nothing of."""
    if isinstance(node, ast.Name):
        return KNOWN.get(node.id)
    if isinstance(node, ast.Attribute) and (parent := value_of(node.value)) is not None:
        return getattr(parent, node.attr)
    return None


def check(code):
    """Fail if a name is not there, or does not take the arguments."""
    code = code.replace("∨", "|").replace("…", "None").removeprefix("@").removeprefix("with ").removesuffix(":")
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        value_of(node)
        if isinstance(node, ast.Call) and (called := value_of(node.func)) is not None and called is not vipl.Posterior:
            keywords = {keyword.arg: None for keyword in node.keywords}
            own = [None] if isinstance(node.func, ast.Attribute) and value_of(node.func.value) is vipl.Posterior else []
            inspect.signature(called).bind_partial(*own, *node.args, **keywords)
    return any(isinstance(node, (ast.Name, ast.Attribute)) and value_of(node) is not None for node in ast.walk(tree))


def test_everything_named_is_there():
    assert sum(map(check, OURS)) > 40


@pytest.mark.parametrize("code", ["vipl.smaple", "posterior.sample(key, count=3)", "guides.Mixtures()", "Reparam(3)"])
def test_the_check_sees_what_is_not(code):
    with pytest.raises((AttributeError, TypeError)):
        check(code)
