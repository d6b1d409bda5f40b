"""The notebooks run from top to bottom, and their figures say what their axes are."""

import matplotlib
import pytest
from notebook_cells import NOTEBOOKS, ROOT, cells, run

pytestmark = pytest.mark.usefixtures("quick_compilation", "no_window")

INDEX = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def no_window():
    """Draw into memory, and leave no figure open."""
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        matplotlib.use("Agg")
        yield
        plt.close("all")


def unlabelled(figure):
    """List the axes that have no label of their own, nor share one; a colour bar has one label."""
    axes = [(ax, "y" if ax.get_label() == "<colorbar>" else "xy") for ax in figure.axes]
    return [ax for ax, needed in axes for which in needed if not labels(ax, which)]


def labels(ax, which):
    """List the labels of an axis and of those that share it."""
    sharing = getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)
    return [label for other in sharing if (label := getattr(other, f"get_{which}label")())]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    results = [result for _, result in run(path) if result is not None]
    figures = [figure for result in results for figure in result.figures]
    assert figures
    assert not [ax for figure in figures for ax in unlabelled(figure)]
    assert all(result.printed or result.value is not None or result.figures for result in results)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_text_comes_first_and_says_what_the_notebook_is(path):
    first, *_ = found = cells(path.read_text(encoding="utf-8"))
    assert first.kind == "markdown"
    assert first.text.startswith("# ")
    assert {cell.kind for cell in found} == {"markdown", "code"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_in_the_documentation(path):
    assert f"notebooks/{path.stem}\n" in INDEX


def test_cells_are_split_at_their_marks():
    source = "# ---\n# header\n# ---\n\n# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\nx = 1  # one\n\n# %%\nx\n"
    found = [(cell.kind, cell.text, cell.line) for cell in cells(source)]
    assert found == [("markdown", "# Title\n\nText.", 6), ("code", "x = 1  # one", 11), ("code", "x", 14)]


def test_axes_without_a_label_are_found():
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2, sharey=True)
    left.set(xlabel="x", ylabel="shared")
    assert unlabelled(figure) == [right]
    right.set_xlabel("x")
    assert not unlabelled(figure)
