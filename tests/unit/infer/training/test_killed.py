"""A fit that is killed, at any moment, and started again comes to the bits of one that never was."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from unit.infer.training import killed as script


def start(folder, seconds=None):
    """Start the fits, and kill them so many seconds after the first steps of one that is new.

    Returns:
        The steps at which each fit began, by name, and what the process printed in the end, if it was not killed.
    """
    cache = {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = [sys.executable, script.__file__, str(folder)]
    begun = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | cache) as process:
        for line in process.stdout:
            if line.startswith("{"):
                return begun, json.loads(line)
            step, name = line.strip().split(" ", 1)
            begun.setdefault(name, int(step))
            if seconds is not None and int(step) <= 1:
                time.sleep(seconds)
                process.kill()
                return begun, None
    raise AssertionError(f"the process ended with {process.wait()}")


@pytest.mark.slow
def test_a_killed_fit_goes_on_to_the_same_bytes(tmp_path):
    names, resumed_at = list(script.FITS), {}
    for name, seconds in zip(names, np.random.default_rng(0).uniform(0.05, 0.5, 3), strict=True):
        begun, _ = start(tmp_path, seconds)
        assert list(begun)[-1] == name
        resumed_at |= begun
    begun, found = start(tmp_path)
    resumed_at |= begun
    assert all(resumed_at[name] > 1 for name in names)
    assert list(found["resumed"]) == names
    assert found["resumed"] == found["whole"]
