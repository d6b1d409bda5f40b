"""A module imports only from lower layers or its own folder."""

import re

import pytest
from architecture.sources import ROOT, files, imports, module_name

LAYERS = [
    "_core",
    "distributions",
    "lang",
    "tracing",
    "estimators",
    "transform",
    "testing",
    "programs",
    "objectives",
    "guides",
    "diagnostics",
    "infer",
    "interop",
    "demo",
]
# The public face sees everything, and the demo is written as a user would write it.
TOP = {"vipl", "vipl.__main__"}


def layer(dotted):
    """Give the layer that `vipl.<layer>...` lies in, or None for vipl itself and anything else."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == "vipl" and len(parts) > 1 and parts[1] in LAYERS else None


def violations(source, module, *, is_package=False):
    """List what is wrong with the imports of one module, as `(line, message)`."""
    if module in TOP:
        return []
    here = layer(module)
    if here is None:
        return [(1, f"{module} is in no layer; add its folder to LAYERS")]
    wrong = []
    for line, target in imports(source, module, is_package=is_package):
        if target.split(".")[0] != "vipl" or here == "demo":
            continue
        there = layer(target)
        if there is None:
            wrong.append((line, f"{module} imports {target}: name the layer that defines it"))
        elif LAYERS.index(there) > LAYERS.index(here):
            wrong.append((line, f"{module} ({here}) imports {target}, of the higher layer {there}"))
    return wrong


@pytest.mark.parametrize("path", files("vipl"), ids=module_name)
def test_imports_point_down(path):
    wrong = violations(path.read_text(), module_name(path), is_package=path.name == "__init__.py")
    assert not wrong, "\n".join(f"{path.relative_to(ROOT)}:{line}: {message}" for line, message in wrong)


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from vipl.tracing import Trace", "vipl.lang.plate"),
        ("import vipl.infer", "vipl._core.errors"),
        ("def f():\n    from vipl.infer import infer", "vipl.guides.flow"),
        ("from vipl import transform", "vipl.estimators.pathwise.reparam"),
        ("from vipl import sample", "vipl.objectives.elbo"),
        ("import vipl", "vipl.objectives.elbo"),
        ("from ..tracing import simulate", "vipl.lang.plate"),
        ("import importlib; importlib.import_module('vipl.demo')", "vipl.infer.training.fit"),
        ("", "vipl.stray"),
    ],
)
def test_the_check_sees_an_upward_import(source, module):
    assert violations(source, module)


@pytest.mark.parametrize(
    ("source", "module", "is_package"),
    [
        ("from vipl._core.errors import VIPLError\nimport jax", "vipl.lang.plate", False),
        ("from .plate import plate", "vipl.lang", True),
        ("from . import plate", "vipl.lang.sample", False),
        ("from vipl.diagnostics import psis", "vipl.infer.posterior", False),
        ("import vipl", "vipl.demo.cone", False),
        ("from vipl.infer import infer", "vipl", True),
    ],
)
def test_the_check_lets_a_downward_import_pass(source, module, is_package):
    assert not violations(source, module, is_package=is_package)


def test_the_page_on_the_architecture_lists_the_layers_in_their_order():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = [line.split("`")[1].removeprefix("vipl/") for line in page.split("\n") if line.startswith("| `vipl/")]
    assert rows == [name for name in LAYERS if name != "demo"]


def test_the_page_on_the_architecture_names_files_that_are_there():
    for path in re.findall(r"`((?:vipl|tests)/[\w/.]+)`", (ROOT / "docs" / "architecture.md").read_text()):
        assert (ROOT / path).exists(), path
