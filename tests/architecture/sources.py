"""What the architecture tests know of the source files: where they are and what they import."""

import ast
import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parents[2]


def files(*folders):
    """List the Python files below these folders of the repository, whichever exist."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path):
    """Turn `vipl/lang/plate.py` into `vipl.lang.plate`, and a package's `__init__.py` into the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, module, *, is_package=False):
    """Yield `(line, dotted name)` for each import anywhere in `source`, inside functions too.

    `from a import b` yields `a.b`; relative imports are resolved; `importlib.import_module("a")` counts.
    """
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(names=names, level=level):
                base = node.module or ""
                if level:
                    base = importlib.util.resolve_name("." * level + base, package)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(target)), *_],
            ):
                yield node.lineno, target


def attributes(source):
    """Yield `(line, dotted name)` for each attribute chain from a plain name, such as `jax.lax.scan`."""
    for node in ast.walk(ast.parse(source)):
        names, inner = [], node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if names and isinstance(inner, ast.Name):
            yield node.lineno, ".".join([inner.id, *reversed(names)])
