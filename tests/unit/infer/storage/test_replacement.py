"""At every moment the old or the new file is there, whole, whatever happens while it is written."""

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

import vipl
from vipl.infer.storage import archive
from vipl.infer.storage.replacement import replace_file


def value_in(path):
    return archive.read(path, "number").metadata["value"]


def write(path, value):
    archive.write(path, "number", {"value": value}, {"array": np.full(1000, value)})


class Trouble(BaseException):
    """What no library expects."""


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), vipl.CheckpointError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (Trouble(), Trouble),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, function, trouble, expected):
    def fail(*arguments):
        raise trouble

    path = tmp_path / "file"
    write(path, 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(expected):
            write(path, 2)
    assert value_in(path) == 1
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_in_the_middle_of_the_contents(tmp_path):
    def chunks():
        yield b"half"
        raise Trouble

    with pytest.raises(Trouble):
        replace_file(tmp_path / "file", chunks())
    assert not os.listdir(tmp_path)


def test_a_plain_write_would_not_do(tmp_path):
    """The deliberately wrong twin: what `open` leaves of a file when its contents fail."""
    path = tmp_path / "file"
    write(path, 1)
    with contextlib.suppress(Trouble), open(path, "wb") as file:
        file.write(b"half")
        raise Trouble
    with pytest.raises(vipl.CheckpointError, match="not a file of vipl"):
        value_in(path)


FOREVER = """
import os, sys
import numpy as np
from vipl.infer.storage import archive
value = 0
while True:
    value += 1
    archive.write(sys.argv[1], "number", {"value": value}, {"array": np.full(100_000, value)})
    os.write(1, b".")
"""

AT_THE_LAST_MOMENT = """
import os, signal, sys
import numpy as np
from vipl.infer.storage import archive
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
archive.write(sys.argv[1], "number", {"value": 2}, {"array": np.full(100_000, 2)})
"""


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write(path, 1)
    died = subprocess.run([sys.executable, "-c", AT_THE_LAST_MOMENT, path])
    assert died.returncode == -signal.SIGKILL
    assert value_in(path) == 1
    assert len(os.listdir(tmp_path)) == 2  # what was half done


def test_a_process_killed_at_any_moment(tmp_path):
    path = tmp_path / "file"
    process = subprocess.Popen([sys.executable, "-c", FOREVER, path], stdout=subprocess.PIPE)
    process.stdout.read(5)
    time.sleep(0.0123)
    process.kill()
    told = 5 + len(process.stdout.read())
    process.wait()
    process.stdout.close()
    assert value_in(path) in (told, told + 1)  # what it told, or what it was about to tell


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "file", 1)
        (tmp_path / "usual").touch()
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("file", "usual")]
    assert modes == [0o640, 0o640]


def test_a_link_stays_and_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    write(tmp_path / "disk" / "file", 1)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "file")
    write(tmp_path / "link", 2)
    assert (tmp_path / "link").is_symlink()
    assert value_in(tmp_path / "disk" / "file") == 2


def test_a_name_as_long_as_the_file_system_allows(tmp_path):
    path = tmp_path / ("x" * 255)
    write(path, 1)
    assert value_in(path) == 1


@pytest.mark.parametrize(("path", "what"), [("folder", "is a directory"), ("missing/file", "no such file")])
def test_where_no_file_can_be(tmp_path, path, what):
    (tmp_path / "folder").mkdir()
    with pytest.raises(vipl.CheckpointError, match=f"cannot be written: {what}"):
        write(tmp_path / path, 1)
    assert os.listdir(tmp_path) == ["folder"]
