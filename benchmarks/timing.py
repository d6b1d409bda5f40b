"""Measuring on a machine that others use too: interleaved runs, ratios within a round, medians over rounds.

times = interleaved({"vipl": run_vipl, "twin": run_twin}, rounds=200)
print(ratio(times, "vipl", "twin"))
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

import jax
import numpy as np


def interleaved(functions: dict, *, rounds: int, calls: int = 1) -> dict[str, np.ndarray]:
    """Time functions of no arguments in turn, in alternating order.

    Args:
        functions: `{name: function}`; their results are waited for.
        rounds: how many times each is timed.
        calls: how many calls make one measurement.

    Returns:
        `{name: seconds for each call}`, each of shape `(rounds,)`.
    """
    for function in functions.values():
        jax.block_until_ready(function())
    times = {name: [] for name in functions}
    for i in range(rounds):
        names = list(functions)[:: 1 if i % 2 else -1]
        for name in names:
            began = time.perf_counter()
            for _ in range(calls):
                result = functions[name]()
            jax.block_until_ready(result)
            times[name].append((time.perf_counter() - began) / calls)
    return {name: np.array(seconds) for name, seconds in times.items()}


def ratio(times: dict, over: str, under: str) -> float:
    """Return the median over rounds of the ratio of two times."""
    return float(np.median(times[over] / times[under]))


def run_script(description: str, measure, main, programs, repetitions: int) -> None:
    """Be a script that starts itself anew: `script a:b:c` measures that alone, other arguments are of `main`.

    Args:
        description: of the script.
        measure: function of what stands between the colons, which returns a dict of numbers.
        main: function of a list of programs and a number of repetitions.
        programs: those that are measured unasked.
        repetitions: how often, unasked.
    """
    if len(sys.argv) == 2 and ":" in sys.argv[1]:
        print(json.dumps(measure(*sys.argv[1].split(":"))))
        sys.stdout.flush()
        os._exit(0)
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("programs", nargs="*", default=list(programs))
    parser.add_argument("--repetitions", type=int, default=repetitions)
    options = parser.parse_args()
    main(options.programs, options.repetitions)


# What was imported once stays compiled to bytecode, as for a user.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_fresh_processes(script: str, names: list[str], *, repetitions: int) -> dict[str, dict[str, np.ndarray]]:
    """Run `script name` in a process of its own, each in turn; its last line is a JSON object of numbers.

    Returns:
        `{name: {quantity: values over the repetitions}}`.
    """
    results = {name: [] for name in names}
    for i in range(repetitions):
        for name in names[:: 1 if i % 2 else -1]:
            run = subprocess.run([sys.executable, script, name], capture_output=True, text=True, env=_ENVIRONMENT)
            if run.returncode:
                raise RuntimeError(run.stderr)
            results[name].append(json.loads(run.stdout.strip().splitlines()[-1]))
    return {name: {k: np.array([r[k] for r in runs]) for k in runs[0]} for name, runs in results.items()}


class Compilations:
    """Counts what XLA compiles, from now on."""

    def __init__(self):
        self.count = 0
        jax.monitoring.register_event_duration_secs_listener(self._listen)

    def _listen(self, event: str, duration: float, **details) -> None:
        self.count += event == "/jax/core/compile/backend_compile_duration"


def resident_megabytes() -> float:
    """Return the memory that this process holds now (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_megabytes() -> float:
    """Return the most memory that this process has held (Linux)."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
