"""A name of a package that is imported on first use is what its module defines, however the module got there."""

import subprocess
import sys

import pytest

from vipl import objectives

ORDERS = {
    "by name": "from vipl.objectives import iwelbo",
    "module first": "import vipl.objectives.iwelbo; from vipl.objectives import iwelbo",
    "out of the module": "from vipl.objectives.iwelbo import iwelbo as _; from vipl.objectives import iwelbo",
    "by attribute": "import vipl; from vipl import objectives; iwelbo = objectives.iwelbo",
    "by one that needs it": "from vipl.objectives import renyi; from vipl.objectives import iwelbo",
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_name_is_what_its_module_defines(order):
    code = f"{ORDERS[order]}\nassert iwelbo.__name__ == 'iwelbo', iwelbo\n"
    code += "import types\nassert not isinstance(iwelbo, types.ModuleType)\n"
    code += "from vipl.objectives import vimco\nassert isinstance(vimco, types.ModuleType)"  # no public name
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        objectives.nothing  # noqa: B018
