"""A program as a graph, in the languages of those that draw graphs."""

from vipl.interop.graph.model_graph import ModelGraph, Node, model_graph

__all__ = ["ModelGraph", "Node", "model_graph"]
