"""`model_graph`: the sites of a program, their plates, and which look at which."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess

from vipl._core.errors import MissingPackageError
from vipl._core.source import user_source
from vipl.guides.graph import terms_of
from vipl.interop.graph import languages
from vipl.lang.factor import FactorStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.tracing.simulate import check_program
from vipl.tracing.survey import survey


@dataclasses.dataclass(frozen=True)
class Node:
    """A site or factor of a program.

    Attributes:
        address: its address.
        kind: "latent", "observed" or "factor".
        law: the name of its distribution; empty of a factor.
        plates: the plates around it, outermost first, each with its size.
    """

    address: str
    kind: str
    law: str
    plates: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class ModelGraph:
    """The graph of a program, what `vipl.model_graph` returns. A notebook shows it, as a picture if Graphviz is there.

    Attributes:
        nodes: sites and factors, in program order.
        edges: pairs of addresses, a latent site and what looks at it.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("x", dist.Normal(0.0, 1.0))
        >>> vipl.model_graph(model()).nodes
        (Node(address='x', kind='latent', law='Normal', plates=()),)
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    @property
    def mermaid(self) -> str:
        """The graph in Mermaid's language, which GitHub draws."""
        return languages.mermaid(self.nodes, self.edges)

    @property
    def graphviz(self) -> str:
        """The graph in Graphviz's language."""
        return languages.graphviz(self.nodes, self.edges)

    def svg(self) -> str:
        """Return a picture of the graph.

        Raises:
            MissingPackageError: Graphviz is not installed.
        """
        if shutil.which("dot") is None:
            raise MissingPackageError(
                "a picture of the graph takes Graphviz, whose command `dot` is not there.",
                where=user_source(),
                fix="apt install graphviz, or brew install graphviz; or graph.mermaid, which takes nothing",
            )
        return subprocess.run(["dot", "-Tsvg"], input=self.graphviz, capture_output=True, text=True, check=True).stdout

    def __str__(self):
        return self.mermaid

    def _repr_mimebundle_(self, include=None, exclude=None):
        del include, exclude
        shown = {"text/plain": self.mermaid, "text/vnd.mermaid": self.mermaid}
        return shown if shutil.which("dot") is None else shown | {"image/svg+xml": self.svg()}


def model_graph(program: Program) -> ModelGraph:
    """Return the graph of a program: its sites, their plates, and which look at which.

    Prefer it to reading where a model has grown, and for a paper's figure. Nothing is run: the graph is read off the
    staged program. What is inside of a `scan`, a `cond` or another construct is taken together, so that there may be
    an edge too many, and never one too few.

    Args:
        program: a Program; sites that are observed, in it or by `|`, are grey.

    Returns:
        A graph with `nodes` and `edges`, its text as `mermaid` and `graphviz`, and `svg()`.

    Raises:
        ProgramError: `program` is not a Program.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        ...     with vipl.plate("datum", 2):
        ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
        >>> print(vipl.model_graph(model(jax.numpy.zeros(2))).mermaid)
        flowchart TD
          n0(["mu<br/>Normal"])
          subgraph p0["datum (2)"]
            n1(["y<br/>Normal"])
          end
          n0 --> n1
          classDef observed fill:#ddd
          class n1 observed

    Source: Buntine 1994, JAIR 2, for plates; https://mermaid.js.org/syntax/flowchart.html for the language.
    """
    check_program(program, "model_graph")
    surveyed, nodes = survey(program), {}
    for located in surveyed.of_kind((SampleStatement, FactorStatement)):
        statement = located.statement
        is_site = isinstance(statement, SampleStatement)
        kind = "factor" if not is_site else "observed" if surveyed.is_observed(located) else "latent"
        law = statement.distribution_name if is_site else ""
        plates = tuple((frame.name, frame.size) for frame in statement.plates)
        nodes.setdefault(statement.address, Node(statement.address, kind, law, plates))
    order = {address: number for number, address in enumerate(nodes)}
    edges = {(one, address) for address, others in terms_of(surveyed) for one in others if address in nodes}
    return ModelGraph(tuple(nodes.values()), tuple(sorted(edges, key=lambda edge: (order[edge[1]], order[edge[0]]))))
