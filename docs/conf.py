"""Sphinx configuration. `make docs` builds without a network and treats warnings as errors."""

import importlib
import inspect
import pathlib
import subprocess
import sys
import types

project = "vipl"
author = "The vipl authors"
release = "0.1.0"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
html_theme = "sphinx_book_theme"
html_title = "vipl"
html_static_path, html_css_files = ["_static"], ["wide.css"]
exclude_patterns = ["_build", "conf.py"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
nb_execution_mode = "off"  # the test command runs what the pages show, notebook_pages.py the notebooks
default_role = "code"  # docstrings put names and shapes in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def public_modules() -> list[types.ModuleType]:
    """List vipl and the submodules among its public names; none while vipl cannot be imported."""
    try:
        package = importlib.import_module("vipl")
    except ImportError:
        return []
    named = [getattr(package, name) for name in getattr(package, "__all__", ())]
    return [package, *filter(inspect.ismodule, named)]


def block(module: types.ModuleType, name: str) -> str | None:
    """Give the autodoc directive for one public name, or None if it is a module or another library's."""
    value = getattr(module, name)
    home = getattr(value, "__module__", None) or ""
    if inspect.ismodule(value) or home.split(".")[0] != "vipl":
        return None
    if inspect.isclass(value):
        inherited = "\n   :inherited-members: object" * has_private_base(value)
        return f".. autoclass:: {module.__name__}.{name}\n   :members:{inherited}"
    if inspect.isroutine(value):
        return f".. autofunction:: {module.__name__}.{name}"
    return f".. autodata:: {module.__name__}.{name}\n   :no-value:"


def has_private_base(value: type) -> bool:
    """Tell whether a class has bases of vipl alone, and one that is no public name: its methods have no other place."""
    public = [getattr(module, name) for module in public_modules() for name in getattr(module, "__all__", ())]
    bases = value.__mro__[1:-1]
    ours = all(base.__module__.split(".")[0] == "vipl" for base in bases)
    return ours and any(all(base is not other for other in public) for base in bases)


def write_api_page() -> None:
    """Write the source page `api.md` (untracked): one section for each public module."""
    lines = ["# API"]
    for module in public_modules():
        blocks = filter(None, (block(module, name) for name in getattr(module, "__all__", ())))
        directives = "\n\n".join([f".. automodule:: {module.__name__}\n   :no-members:", *blocks])
        lines.append(f"## `{module.__name__}`\n\n```{{eval-rst}}\n{directives}\n```")
    if len(lines) == 1:
        lines.append("vipl could not be imported when this page was built.")
    pathlib.Path(__file__).with_name("api.md").write_text("\n\n".join(lines) + "\n")


write_api_page()
subprocess.run([sys.executable, pathlib.Path(__file__).with_name("notebook_pages.py")], check=True)
