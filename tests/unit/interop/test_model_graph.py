"""The graph of a program: nodes, plates and edges of programs whose graph is known, and its texts."""

import shutil

import jax
import jax.numpy as jnp
import pytest

import vipl
import vipl.distributions as dist
from vipl.interop.graph import Node


@vipl.program
def inner(loc):
    return vipl.sample("x", dist.Normal(loc, 1.0))


@vipl.program
def everything(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfNormal(1.0))
    vipl.sample("alone", dist.Beta(1.0, 1.0))
    with vipl.plate("group", 3, dim=-2):
        theta = vipl.sample("theta", dist.Normal(jnp.zeros((3, 1)) + mu, tau))
        with vipl.plate("datum", 2, dim=-1):
            vipl.sample("y", dist.Normal(theta, 1.0), obs=y)
    vipl.factor("soft", -jnp.sum(theta**2))
    vipl.deterministic("twice", 2 * mu)
    vipl.sample("sub", inner(tau))


@vipl.program
def hidden_chain(length):
    def step(state, _):
        state = vipl.sample("state", dist.Normal(state, 1.0))
        vipl.sample("seen", dist.Normal(state, 1.0), obs=0.5)
        return state, None

    jax.lax.scan(step, vipl.sample("start", dist.Normal(0.0, 1.0)), None, length=length)


def test_nodes_and_edges():
    graph = vipl.model_graph(everything(jnp.zeros((3, 2))))
    group, datum = ("group", 3), ("datum", 2)
    assert graph.nodes == (
        Node("mu", "latent", "Normal", ()),
        Node("tau", "latent", "HalfNormal", ()),
        Node("alone", "latent", "Beta", ()),
        Node("theta", "latent", "Normal", (group,)),
        Node("y", "observed", "Normal", (group, datum)),
        Node("soft", "factor", "", ()),
        Node("sub/x", "latent", "Normal", ()),
    )
    assert graph.edges == (("mu", "theta"), ("tau", "theta"), ("theta", "y"), ("theta", "soft"), ("tau", "sub/x"))


def test_a_condition_makes_a_site_observed_and_an_intervention_takes_it_out():
    program = everything(jnp.zeros((3, 2)))
    kinds = {node.address: node.kind for node in vipl.model_graph(program | {"tau": 1.0}).nodes}
    assert kinds["tau"] == "observed"
    assert ("tau", "theta") not in vipl.model_graph(program | {"tau": 1.0}).edges
    assert "tau" not in {node.address for node in vipl.model_graph(vipl.do(program, {"tau": 1.0})).nodes}


def test_a_chain_has_no_edge_too_few():
    graph = vipl.model_graph(hidden_chain(4))
    assert [node.address for node in graph.nodes] == ["start", "state", "seen"]
    assert {("start", "state"), ("state", "seen")} <= set(graph.edges)


def test_a_program_without_sites():
    @vipl.program
    def nothing():
        return 1.0

    graph = vipl.model_graph(nothing())
    assert (graph.nodes, graph.edges) == ((), ())
    assert graph.mermaid == "flowchart TD"


def test_plates_are_nested_and_names_are_escaped():
    @vipl.program
    def odd():
        with vipl.plate("a", 2, dim=-2):
            vipl.sample('say "x" & <y>', dist.Normal(jnp.zeros((2, 1)), 1.0))
            with vipl.plate("b", 3):
                vipl.sample("z", dist.Normal(0.0, 1.0).expand([2, 3]))

    graph = vipl.model_graph(odd())
    assert graph.mermaid.split("\n") == [
        "flowchart TD",
        '  subgraph p0["a (2)"]',
        '    n0(["say &quot;x&quot; &amp; &lt;y&gt;<br/>Normal"])',
        '    subgraph p1["b (3)"]',
        '      n1(["z<br/>Normal"])',
        "    end",
        "  end",
    ]
    assert '"say \\"x\\" & <y>" [label="say \\"x\\" & <y>\\nNormal", shape=ellipse];' in graph.graphviz
    assert graph.graphviz.count("{") == graph.graphviz.count("}") == 3
    assert str(graph) == graph._repr_mimebundle_()["text/plain"]


def test_a_picture_takes_graphviz(monkeypatch):
    graph = vipl.model_graph(hidden_chain(4))
    if shutil.which("dot"):
        assert graph.svg().count("<ellipse") == 3
    monkeypatch.setattr(shutil, "which", lambda command: None)
    with pytest.raises(vipl.MissingPackageError, match="apt install graphviz"):
        graph.svg()
    assert "image/svg+xml" not in graph._repr_mimebundle_()


def test_what_is_no_program_is_refused():
    with pytest.raises(vipl.ProgramError, match="model_graph"):
        vipl.model_graph(everything)
