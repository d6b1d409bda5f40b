"""Links of the README and the documentation lead to files, and to headings, that are there."""

import re

import pytest
from architecture.sources import ROOT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "examples/**/*.md", "notebooks/*.py")
    for path in ROOT.glob(pattern)
    if path.name != "api.md"  # is made anew by each build
)
_LINK = re.compile(r"(?<!`)\[[^\]`]*(?:`[^`]*`[^\]`]*)*\]\(([^)\s]+)\)")


def links(text):
    """List the targets of the links of a page; code is no link."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [target for target in _LINK.findall(text) if not target.startswith(("http://", "https://", "mailto:"))]


def anchors(text):
    """List the anchors of the headings of a page."""
    headings = re.findall(r"^(?:# )?#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken(path, text):
    """List the links of a page that lead nowhere."""
    found = []
    for target in links(text):
        file, _, anchor = target.partition("#")
        to = (path.parent / file).resolve() if file else path
        if not to.exists() and not (to.suffix in ("", ".md", ".html") and to.with_suffix(".md").exists()):
            found.append(target)
        elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text()):
            found.append(target)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert broken(path, path.read_text()) == []


def test_the_check_sees_a_link_that_leads_nowhere():
    page = ROOT / "README.md"
    assert broken(page, "[a](docs/no-such-page.md) and [b](#no-such-heading) and `[c](d)` and [e](https://f.org)") == [
        "docs/no-such-page.md",
        "#no-such-heading",
    ]
    assert len(links(page.read_text())) > 10
