"""Reading a file, good or bad, runs nothing that stands in it: an audit hook sees no code made, run or imported."""

import json
import subprocess
import sys

READING = """
import hashlib, json, pickle, random, sys
import jax, jax.numpy as jnp, numpy as np
import vipl
from vipl.infer.storage import archive
from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint

folder = sys.argv[1]
state = {"loc": jnp.zeros(3), "key": jax.random.split(jax.random.key(0), 2)}
save_checkpoint(f"{folder}/good", state, step=1, key=jax.random.key(1), history=[0.5], extra={}, fingerprint={"a": 1})
contents = open(f"{folder}/good", "rb").read()

class Evil:
    def __reduce__(self):
        return exec, ("import this",)

def put(name, contents):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(contents)
    return f"{folder}/{name}"

def read(path):
    try:
        return load_checkpoint(path, state, {"a": 1}).step
    except vipl.CheckpointError:
        return None

random.seed(0)
bad = [put("evil", pickle.dumps(Evil())), put("cut", contents[:-3]), put("npz", b"PK" + contents)]
for i in range(100):
    damaged = bytearray(contents)
    damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    bad.append(put(f"bad{i}", bytes(damaged)))
evil = {"dtype": "os.system", "shape": [1], "key": "builtins.exec"}
header = {"format": 1, "kind": "training", "metadata": {"trees": {"state": {"os.system()": []}}}, "arrays": {"x": evil}}
line = json.dumps(header).encode() + b"\\n"
bad.append(put("header", b"vipl archive\\n" + hashlib.sha256(line).hexdigest().encode() + b"\\n" + line))
read(f"{folder}/good"), read(bad[0])  # what is imported on first use

seen, on = set(), True
sys.addaudithook(lambda event, arguments: on and seen.add(event))
steps = [read(f"{folder}/good"), *map(read, bad)]
on = False
print(json.dumps([steps, sorted(seen)]))

on, seen = True, set()
try:
    pickle.load(open(bad[0], "rb"))
finally:
    on = False
    print(json.dumps(sorted(seen)))
"""

FORBIDDEN = {"pickle.find_class", "exec", "compile", "import", "marshal.loads", "code.__new__", "os.system"}
FORBIDDEN |= {"subprocess.Popen", "os.exec", "os.posix_spawn", "ctypes.dlopen", "socket.connect"}


def test_an_audit_hook_sees_nothing_run(tmp_path):
    done = subprocess.run([sys.executable, "-c", READING, tmp_path], capture_output=True, text=True, check=True)
    reading, *_, unpickling = done.stdout.splitlines()
    steps, seen = json.loads(reading)
    assert steps == [1] + [None] * (len(steps) - 1)
    assert "open" in seen
    assert not FORBIDDEN.intersection(seen)
    assert {"pickle.find_class", "exec", "compile", "import"} <= set(json.loads(unpickling))  # which the hook does see
