"""The bar: text in a terminal, a widget in a notebook that has widgets, text without a warning in one that has none."""

import importlib.machinery
import sys
import types

import pytest
import tqdm

from vipl.infer.training.progress import Progress


class Recorded(tqdm.tqdm):
    """Stands for the bar of `tqdm.notebook`, which cannot be made without widgets."""

    made = 0

    def __init__(self, *arguments, **options):
        Recorded.made += 1
        super().__init__(*arguments, **options)


def module(name, **contents):
    made = types.ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None)
    made.__dict__.update(contents)
    return made


@pytest.fixture
def environment(monkeypatch):
    """Return a function that makes this process look like a kernel, or a terminal, with or without widgets."""

    def make(shell, widgets):
        ipython = None if shell is None else module("IPython", get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "ipywidgets", module("ipywidgets") if widgets else None)
        monkeypatch.setitem(sys.modules, "tqdm.notebook", module("tqdm.notebook", tqdm=Recorded))
        monkeypatch.setattr(Recorded, "made", 0)

    return make


KERNEL = types.SimpleNamespace(kernel=object())
TERMINAL = types.SimpleNamespace()


@pytest.mark.parametrize(
    ("shell", "widgets", "in_notebook"),
    [(None, True, 0), (TERMINAL, True, 0), (KERNEL, False, 0), (KERNEL, True, 1)],
    ids=["python", "IPython in a terminal", "a notebook without widgets", "a notebook"],
)
def test_the_bar_suits_the_place(environment, capsys, shell, widgets, in_notebook):
    environment(shell, widgets)
    with Progress(True, 200, done=50) as bar:
        bar.advance(50, -3.25)
        bar.advance(100, -2.5)
    assert Recorded.made == in_notebook
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "infer:  25%" in shown.err, "an earlier run has made the first steps"
    assert "200/200" in shown.err
    assert "objective -2.5" in shown.err


def interrupted():
    with Progress(True, 10) as bar:
        bar.advance(3, 0.0)
        raise KeyboardInterrupt


def test_a_bar_is_closed_at_an_error(capsys):
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err.endswith("\n")


def test_no_bar(capsys):
    with Progress(False, 10) as bar:
        bar.advance(10, 0.0)
    assert capsys.readouterr() == ("", "")
