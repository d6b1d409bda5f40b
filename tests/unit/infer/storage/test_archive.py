"""A file is whole, or its reader says what is wrong with it: damaged, foreign, hostile, newer, or of another kind."""

import hashlib
import json
import os
import re
import time
import tracemalloc

import jax
import numpy as np
import pytest

import vipl
from vipl.infer.storage import archive

MAGIC = b"vipl archive\n"
DEEP = "[" * 500 + "]" * 500


def small_file(folder) -> bytes:
    arrays = {"loc": np.arange(3, dtype=np.float32), "key": jax.random.key(0), "none": np.zeros((0, 2))}
    archive.write(folder / "small", "numbers", {"status": "finished"}, arrays)
    return (folder / "small").read_bytes()


def refusal(folder, contents, kind="numbers"):
    path = folder / "suspect"
    path.write_bytes(contents)
    with pytest.raises(vipl.CheckpointError) as caught:
        archive.read(path, kind)
    assert str(path) in str(caught.value)
    assert f"{__file__}:" in str(caught.value)
    assert caught.value.fix
    return caught.value.what


def crafted(header, data=b"") -> bytes:
    """Return a file with this header and a right checksum, as someone who means harm would make it."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    rest = header + b"\n" + data
    return MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def of_array(num_bytes=8, **description):
    header = {"format": 1, "kind": "numbers", "metadata": {}, "arrays": {"x": description}}
    return crafted(header, b"\0" * num_bytes)


def test_the_small_file_is_fine(tmp_path):
    small_file(tmp_path)
    found = archive.read(str(tmp_path / "small"), "numbers")
    assert found.metadata == {"status": "finished"}
    assert found.array("loc").tolist() == [0, 1, 2]


def test_the_lines_of_a_file_are_text(tmp_path):
    magic, digest, header, _ = small_file(tmp_path).split(b"\n", 3)
    assert magic + b"\n" == MAGIC
    assert re.fullmatch(rb"[0-9a-f]{64}", digest)
    assert json.loads(header)["arrays"]["loc"] == {"dtype": "float32", "shape": [3]}


def test_a_thousand_flipped_bits(tmp_path):
    contents = small_file(tmp_path)
    positions = np.random.default_rng(0).integers(0, 8 * len(contents), 1000)
    for position in positions:
        damaged = bytearray(contents)
        damaged[position // 8] ^= 1 << position % 8
        refusal(tmp_path, bytes(damaged))


def test_a_thousand_truncations_and_additions(tmp_path):
    contents = small_file(tmp_path)
    for length in np.random.default_rng(1).integers(0, len(contents), 1000):
        refusal(tmp_path, contents[:length])
    for more in (b"\0", b"\n", contents):
        refusal(tmp_path, contents + more)


def test_what_is_wrong_is_named(tmp_path):
    contents = small_file(tmp_path)
    assert "is empty" in refusal(tmp_path, b"")
    assert "not a file of vipl" in refusal(tmp_path, b"\x80\x04\x95pickle")
    assert "is damaged" in refusal(tmp_path, contents[:-1])
    assert "'numbers', not 'posterior'" in refusal(tmp_path, contents, "posterior")
    newer = crafted({"format": 2, "kind": "numbers", "rows": []})
    assert "newer version of vipl, in format 2; this one reads up to format 1" in refusal(tmp_path, newer)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("missing", "no such file"),
        ("missing/file", "no such file"),
        ("", "is a folder"),
        ("pipe", "is not a file"),
        ("small/file", "not a directory"),
    ],
)
def test_paths_without_a_file(tmp_path, path, what):
    small_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(vipl.CheckpointError, match=what):
        archive.read(tmp_path / path, "numbers")


@pytest.mark.parametrize("path", [3, None, "", b"file", "a\0b"])
def test_what_is_no_path(path):
    with pytest.raises(vipl.CheckpointError, match="is not a path"):
        archive.read(path, "numbers")
    with pytest.raises(vipl.CheckpointError, match="is not a path"):
        archive.write(path, "numbers", {}, {})


HOSTILE = {
    "no JSON": crafted(b"{"),
    "no text": crafted(b"\xff\xfe"),
    "no dict": crafted([]),
    "deep lists": crafted(b"[" * 10**6),
    "deep dicts": crafted(b'{"a":' * 10**6),
    "deep but closed": crafted({"format": 1, "kind": "numbers", "arrays": {}, "metadata": {"a": json.loads(DEEP)}}),
    "a long header": crafted(b" " * 2**25 + b"{}"),
    "a long number": crafted(b'{"format":' + b"9" * 10**6 + b"}"),
    "no format": crafted({"kind": "numbers", "metadata": {}, "arrays": {}}),
    "a format that is text": crafted({"format": "1", "kind": "numbers", "metadata": {}, "arrays": {}}),
    "no kind": crafted({"format": 1, "metadata": {}, "arrays": {}}),
    "a kind that is a list": crafted({"format": 1, "kind": [], "metadata": {}, "arrays": {}}),
    "metadata that are a list": crafted({"format": 1, "kind": "numbers", "metadata": [], "arrays": {}}),
    "arrays that are a list": crafted({"format": 1, "kind": "numbers", "metadata": {}, "arrays": []}),
    "an array that is text": crafted({"format": 1, "kind": "numbers", "metadata": {}, "arrays": {"x": "float32"}}),
    "a huge shape": of_array(dtype="float32", shape=[2**40, 2**40]),
    "a large shape": of_array(dtype="float32", shape=[2**37]),
    "a huge shape of nothing": of_array(dtype="float32", shape=[0, 2**62, 2**62]),
    "a shape of huge numbers": of_array(dtype="float32", shape=[10**4000] * 64),
    "a negative shape": of_array(dtype="float32", shape=[-2, -1]),
    "a broken shape": of_array(dtype="float32", shape=[2.0]),
    "a shape of truth": of_array(dtype="float32", shape=[True, 2]),
    "a shape that is a number": of_array(dtype="float32", shape=2),
    "many axes": of_array(dtype="float32", shape=[1] * 65 + [2]),
    "more than there is": of_array(dtype="float32", shape=[3]),
    "less than there is": of_array(dtype="float32", shape=[1]),
    "objects": of_array(dtype="object", shape=[1]),
    "records": of_array(dtype="f4,f4", shape=[1]),
    "text": of_array(dtype="U2", shape=[1]),
    "no dtype": of_array(shape=[2]),
    "a dtype that is a list": of_array(dtype=["float32"], shape=[2]),
    "unknown keys": of_array(dtype="uint32", shape=[2], key="os.system"),
    "keys that are a list": of_array(dtype="uint32", shape=[2], key=["threefry2x32"]),
    "keys of floats": of_array(dtype="float32", shape=[2], key="threefry2x32"),
    "keys of one word": of_array(dtype="uint32", shape=[2, 1], key="threefry2x32"),
    "keys of no shape": of_array(dtype="uint32", shape=[], key="rbg", num_bytes=4),
    "more about an array": of_array(dtype="float32", shape=[2], offset=-1),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_files_cost_nothing(tmp_path, title):
    tracemalloc.start()
    began = time.process_time()
    refusal(tmp_path, HOSTILE[title])
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 2.0
    assert peak < 10 * len(HOSTILE[title]) + 2**20


def test_the_hostile_files_are_but_for_one_thing_in_order(tmp_path):
    (tmp_path / "file").write_bytes(of_array(dtype="float32", shape=[2]))
    assert archive.read(tmp_path / "file", "numbers").array("x").tolist() == [0, 0]
    (tmp_path / "file").write_bytes(of_array(dtype="uint32", shape=[2], key="threefry2x32"))
    assert archive.read(tmp_path / "file", "numbers").array("x").shape == ()


@pytest.mark.parametrize(
    ("metadata", "what"),
    [({"a": {1}}, "is no JSON"), ({"a": "x" * 2**24}, "takes 16777"), ({"a": json.loads(DEEP)}, "nested")],
)
def test_metadata_that_could_not_be_read_again_are_not_written(tmp_path, metadata, what):
    with pytest.raises(vipl.CheckpointError, match=what):
        archive.write(tmp_path / "file", "numbers", metadata, {})
    assert not list(tmp_path.iterdir())


def test_a_missing_entry_is_named(tmp_path):
    small_file(tmp_path)
    found = archive.read(tmp_path / "small", "numbers")
    with pytest.raises(vipl.CheckpointError, match="no proper 'status'"):
        found.entry("status", int)
    with pytest.raises(vipl.CheckpointError, match="no array 'scale'"):
        found.array("scale")
