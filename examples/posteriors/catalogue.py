"""The posteriors by name, and the guides that vipl has, as it is now."""

import importlib
import inspect
import re

from reference import DATA

from vipl import guides

POSTERIORS = {path.stem: importlib.import_module(f"models.{path.stem}") for path in sorted(DATA.glob("*.json"))}


def families():
    """Return what `vipl.infer` takes as its guide, by name: None, every family with its defaults, and "auto"."""
    found = {"none": None}
    for name in guides.__all__:
        family = getattr(guides, name)
        if inspect.isclass(family) and issubclass(family, guides.GuideFamily) and family is not guides.GuideFamily:
            if not any(p.default is p.empty for p in inspect.signature(family).parameters.values()):
                found[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()] = family()
    return found | {"auto": "auto"}
