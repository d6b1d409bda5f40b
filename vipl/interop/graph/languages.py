"""A graph with plates in the languages of Mermaid and of Graphviz."""

from __future__ import annotations

import html
import itertools

_MERMAID = {"latent": ('(["', '"])'), "observed": ('(["', '"])'), "factor": ('["', '"]')}
_GRAPHVIZ = {"latent": "shape=ellipse", "observed": "shape=ellipse, style=filled", "factor": "shape=box"}


def mermaid(nodes, edges) -> str:
    """Return a graph in Mermaid's language."""
    names = {node.address: f"n{number}" for number, node in enumerate(nodes)}
    numbers = itertools.count()

    def shape(node):
        left, right = _MERMAID[node.kind]
        return names[node.address] + left + "<br/>".join(map(html.escape, _label(node))) + right

    def opened(plate):
        return f'subgraph p{next(numbers)}["{html.escape(plate[0])} ({plate[1]})"]'

    lines = ["flowchart TD", *_inside(nodes, 0, shape, opened, "end")]
    lines += [f"  {names[one]} --> {names[other]}" for one, other in edges]
    if observed := [names[node.address] for node in nodes if node.kind == "observed"]:
        lines += ["  classDef observed fill:#ddd", f"  class {','.join(observed)} observed"]
    return "\n".join(lines)


def graphviz(nodes, edges) -> str:
    """Return a graph in Graphviz's language."""
    numbers = itertools.count()

    def shape(node):
        return f"{_quoted(node.address)} [label={_quoted(*_label(node))}, {_GRAPHVIZ[node.kind]}];"

    def opened(plate):
        return f"subgraph cluster_{next(numbers)} {{ label={_quoted(f'{plate[0]} ({plate[1]})')};"

    lines = _inside(nodes, 0, shape, opened, "}")
    lines += [f"  {_quoted(one)} -> {_quoted(other)};" for one, other in edges]
    return "\n".join(["digraph {", *lines, "}"])


def _label(node) -> list[str]:
    return [line for line in (node.address, node.law) if line]


def _quoted(*lines) -> str:
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'


def _inside(nodes, depth, shape, opened, closed) -> list[str]:
    """Return a line for each node, with those of one plate inside of it."""
    indent, inner = "  " * (depth + 1), {}
    for node in nodes:
        if len(node.plates) > depth:
            inner.setdefault(node.plates[depth], []).append(node)
    lines = [indent + shape(node) for node in nodes if len(node.plates) == depth]
    for plate, group in inner.items():
        lines += [indent + opened(plate), *_inside(group, depth + 1, shape, opened, closed), indent + closed]
    return lines
