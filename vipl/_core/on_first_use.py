"""Names of a package that are imported when they are first used: `import vipl` stays quick."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Mapping


def on_first_use(package: dict, modules: Mapping[str, str]):
    """Return the `__getattr__` of a package.

    A name may be that of the module that defines it, as `iwelbo` in `objectives/iwelbo.py`. Python puts a module in its
    package under its name whenever it is imported; there the name stays what the module defines.

    Args:
        package: its `globals()`.
        modules: the module that defines each name, or that is of this name.

    Example:
        >>> from vipl._core.on_first_use import on_first_use
        >>> on_first_use({"__name__": "here"}, {"sqrt": "math"})("sqrt")(4.0)
        2.0
    """

    class Package(types.ModuleType):
        def __setattr__(self, name, value):
            own = vars(value).get(name) if name in modules and isinstance(value, types.ModuleType) else None
            super().__setattr__(name, value if own is None else own)

    if package["__name__"] in sys.modules:
        sys.modules[package["__name__"]].__class__ = Package

    def getattr_(name: str):
        if name not in modules:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        module = importlib.import_module(modules[name])
        package[name] = value = getattr(module, name, module)
        return value

    return getattr_
