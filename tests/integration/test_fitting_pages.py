"""The pages about fitting: their code runs and prints what they show, and they leave nothing out."""

import inspect

import pytest
from pages import DOCS, blocks, run

import vipl
from vipl import guides
from vipl.infer.diagnosis.verdict import VERDICTS

pytestmark = pytest.mark.usefixtures("quick_compilation")


def unsaid(page, names):
    """List which of these names a page does not have as code."""
    text = (DOCS / page).read_text()
    return [name for name in names if f"`{name}" not in text]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        "first-model.md",
        "fitting.md",
        "choosing-a-guide.md",
        "did-it-work.md",
        "scale.md",
        "other-libraries.md",
        "unbiased.md",
        "stochastic-densities.md",
    ],
)
def test_the_page_prints_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a page saves a picture
    run(page)


def test_every_argument_of_infer_is_on_the_page():
    arguments = list(inspect.signature(vipl.infer).parameters)
    assert not unsaid("fitting.md", arguments)
    assert unsaid("choosing-a-guide.md", arguments)


def test_every_family_is_on_the_page():
    families = [name for name in guides.__all__ if name != "GuideFamily"]
    assert not unsaid("choosing-a-guide.md", families)
    assert unsaid("did-it-work.md", families)


def test_every_verdict_is_on_the_page():
    text = (DOCS / "did-it-work.md").read_text()
    assert all(f"| {verdict} |" in text for verdict in VERDICTS)


def test_a_family_of_ones_own_is_short():
    (code,) = [code for code, _ in blocks("choosing-a-guide.md") if "class Skewed" in code]
    lines = code[code.index("@dataclasses") : code.index("@vipl.program")].split("\n")
    assert len([line for line in lines if line.strip()]) <= 15


def test_every_figure_is_there():
    pages = ["fitting.md", "choosing-a-guide.md", "did-it-work.md", "scale.md"]
    text = "".join((DOCS / page).read_text() for page in pages)
    drawn = sorted(path.name for path in (DOCS / "images").iterdir())
    assert drawn
    assert all(f"(images/{name})" in text for name in drawn)
