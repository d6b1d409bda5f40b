"""The examples of `examples/libraries`: they run, and what they print is near to what is true."""

import contextlib
import io
import re
import runpy

import pytest
from example_folders import EXAMPLES

pytestmark = pytest.mark.usefixtures("quick_compilation")


def printed(name):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(str(EXAMPLES / "libraries" / f"{name}.py"))
    return out.getvalue()


def within(text, times):
    """Return the numbers of lines `name: mean ± sd, true value`; each must be so many sds away at most."""
    rows = re.findall(r": (-?[\d.]+) ± ([\d.]+), true (-?[\d.]+)", text)
    assert rows
    for mean, sd, true in rows:
        assert abs(float(mean) - float(true)) < times * float(sd), text
    return rows


@pytest.mark.slow
def test_a_gaussian_process_of_tinygp():
    assert len(within(printed("gaussian_process"), 3.0)) == 2


@pytest.mark.slow
def test_an_equation_of_diffrax():
    rows = within(printed("differential_equation"), 3.0)
    assert len(rows) == 3
    assert all(float(sd) < 0.2 * float(true) for _, sd, true in rows)


@pytest.mark.slow
def test_networks_of_equinox_and_nnx():
    found = re.findall(r"noise ([\d.]+), true ([\d.]+)", printed("network"))
    assert len(found) == 2
    assert all(abs(float(noise) - float(true)) < 0.05 for noise, true in found)


@pytest.mark.slow
def test_a_flow_of_flowjax():
    text = printed("flow")
    full_rank, flow = map(float, re.findall(r"elbo (-?[\d.]+)", text))
    evidence = float(re.search(r"log evidence: (-?[\d.]+)", text)[1])
    assert full_rank + 0.1 < flow < evidence


def test_every_example_is_tested():
    names = {path.stem for path in (EXAMPLES / "libraries").glob("*.py")}
    assert names == {"gaussian_process", "differential_equation", "network", "flow"}
