"""Sharded data, particles and local params, on several devices and hosts, give the numbers of one device."""

import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow
SCRIPT = pathlib.Path(__file__).with_name("sharded_fits.py")
TERMS = 320  # of each sum: devices add their own up first, which rounds differently, by at most this many half units
TOLERANCE = TERMS * np.finfo(np.float32).eps / 2


def start(devices, *arguments):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-W", "error", SCRIPT, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def results(path, processes):
    printed = [process.communicate(timeout=300)[0] for process in processes]
    assert not any(process.returncode for process in processes), "\n".join(printed)
    found = {}
    with np.load(path) as file:
        for name in file.files:
            what, value = name.split("/")
            found.setdefault(what, {})[value] = file[name]
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What one device finds, four, and two hosts of two."""
    folder = tmp_path_factory.mktemp("sharding")
    one, four, hosts = (str(folder / f"{name}.npz") for name in ("one", "four", "hosts"))
    with socket.socket() as free:
        free.bind(("localhost", 0))
        coordinator = f"localhost:{free.getsockname()[1]}"
    found = {1: results(one, [start(1, one)]), 4: results(four, [start(4, four)])}
    found["hosts"] = results(hosts, [start(2, hosts, coordinator, str(process)) for process in (0, 1)])
    return found


def assert_alike(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=TOLERANCE * max(1.0, np.abs(value).max()))


@pytest.mark.parametrize("what", ["given", "default", "resumed", "in a frame", "own loop", "elbo", "iwelbo"])
def test_four_devices_find_what_one_finds(runs, what):
    assert_alike(runs[4][what], runs[1][what])


@pytest.mark.parametrize("what", ["default", "resumed"])
def test_two_hosts_find_what_one_finds(runs, what):
    assert_alike(runs["hosts"][what], runs[1][what])


@pytest.mark.parametrize("devices", [1, 4])
def test_a_fit_that_goes_on_from_a_file_has_the_same_bits(runs, devices):
    for name, value in runs[devices]["given"].items():
        np.testing.assert_array_equal(runs[devices]["resumed"][name], value)


def test_one_datum_that_is_off_by_a_hundredth_is_seen(runs):
    with pytest.raises(AssertionError, match="Not equal"):
        assert_alike(runs[4]["one datum is off"], runs[1]["given"])


def test_data_that_are_not_sharded_are_seen(runs):
    assert runs[4]["refused"] == {"plain": True, "replicated": True}
    assert runs[1]["refused"] == {"plain": False, "replicated": False}
