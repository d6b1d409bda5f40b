"""Reading the reference posteriors in `data/`; `data/README.md` says where they come from.

>>> sorted(read("eight_schools")["reference"]["mu"])
['density', 'mean', 'q05', 'q50', 'q95', 'sd']
"""

import importlib.resources
import json


def read(name: str) -> dict:
    """Return the contents of `data/<name>.json`.

    Its `"reference"` is `{parameter: {"mean": …, "sd": …, "q05": …, "q50": …, "q95": …}}`, like the rows of
    `Posterior.summary()`. Elements of vectors count from 0: `theta[0]`. Some have a `"density"` too, its
    values at equally spaced points: `{"from": …, "to": …, "values": […]}`.
    """
    file = importlib.resources.files("vipl.demo").joinpath("data", f"{name}.json")
    return json.loads(file.read_text(encoding="utf-8"))
