"""Running an example that is a folder, as its command does."""

import pathlib
import runpy
import sys

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def run_folder(name, **options):
    """Run `python examples/<name>`, whose modules have short names: others of these names are set aside.

    Returns:
        What its `__main__` defines; with `run_name="__main__"` the command itself has run too.
    """
    folder = EXAMPLES / name
    own = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()} - {"__main__"}

    def take_away():
        return {module: sys.modules.pop(module) for module in [*sys.modules] if module.split(".")[0] in own}

    others = take_away()
    try:
        return runpy.run_path(str(folder), **options)
    finally:
        take_away()
        sys.modules.update(others)


def posteriors():
    """Return what the command of `examples/posteriors` has at hand, without a run of it."""
    command = run_folder("posteriors")
    return command["fit"].__globals__ | command
