"""The page on programs of programs prints what it shows."""

import re

import pages


def test_the_page_prints_what_it_shows():
    namespace = pages.run("programs-of-programs.md")
    shown = "".join(text for _, text in pages.blocks("programs-of-programs.md"))
    bounds = [float(value) for value in re.findall(r"particles: (-[\d.]+) nats", shown)]
    for count, value in zip((1, 5, 50), bounds, strict=True):
        assert abs(float(namespace["bound"](count)) - value) < 0.1
