"""`import vipl` costs little more than importing JAX and NumPyro's distributions, on which it stands."""

import json
import os
import subprocess
import sys

LIMIT = 0.15  # of the processor time of the imports that it stands on, so that a slow or busy machine slows both
ATTEMPTS = 12
HEAVY = {
    *("matplotlib", "sklearn", "scipy.stats", "arviz", "arviz_base", "pandas"),
    *("tqdm", "numpyro.infer", "flax", "equinox", "haiku"),
}

PROBE = """
import json, sys, time
begin = time.process_time()
import jax, numpyro.distributions
before, start = set(sys.modules), time.process_time()
base = start - begin
{statement}
seconds = time.process_time() - start
print(json.dumps([seconds / base, sorted(set(sys.modules) - before)]))
"""


def cost(statement):
    """Run `statement` after the baseline imports in a fresh interpreter: `(share of their time, added modules)`."""
    command = [sys.executable, "-c", PROBE.format(statement=statement)]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def least_share(statement, attempts=ATTEMPTS):
    """Give the best of several runs, the least disturbed; stop at the first within the limit."""
    best = float("inf")
    for _ in range(attempts):
        best = min(best, cost(statement)[0])
        if best <= LIMIT:
            break
    return best


def test_import_is_quick():
    best = least_share("import vipl")
    assert best <= LIMIT, f"import vipl takes {best:.0%} of the time of what it stands on"


def test_import_adds_no_heavy_module():
    added = cost("import vipl")[1]
    assert "vipl" in added
    assert not HEAVY.intersection(added)


def test_the_checks_see_a_slow_and_a_heavy_import():
    busy = f"while time.process_time() < start + {2 * LIMIT} * base: pass"
    assert least_share(busy, attempts=2) > LIMIT
    assert "sklearn" in cost("import sklearn")[1]
