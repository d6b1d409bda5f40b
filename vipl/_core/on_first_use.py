"""Names of a package that are imported when they are first used: `import vipl` stays quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping


def on_first_use(package: dict, modules: Mapping[str, str]):
    """Return the `__getattr__` of a package.

    Args:
        package: its `globals()`.
        modules: the module of each name; a module of that name itself if it is `package.name`.

    Example:
        >>> from vipl._core.on_first_use import on_first_use
        >>> on_first_use({"__name__": "here"}, {"sqrt": "math"})("sqrt")(4.0)
        2.0
    """

    def getattr_(name: str):
        if name not in modules:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        module = importlib.import_module(modules[name])
        package[name] = value = module if module.__name__ == f"{package['__name__']}.{name}" else getattr(module, name)
        return value

    return getattr_
