"""A fused graph in pieces, so that what runs it can stop behind a layer and go on later.

Every weight of a layer is in exactly one piece, and the pieces in a row give what the whole graph does, to the bit.
What depends on positions alone, such as ModernBERT's rotations, is computed in each piece again; nothing else is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.graph.onnx_proto import PRODUCER, make_model, make_value, read_model

__all__ = ["Piece", "count_layers", "cut_graph"]

_STATE = ("batch", "sequence", "hidden")
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
_WORDS = re.compile(r"words?$|word_|embeddings\.word_embeddings")  # what a text's tokens are looked up in


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive layers of a graph.

    Attributes:
        model: a serialized ONNX model. Its first output is the vectors of its last layer, of shape (batch, sequence,
            hidden); of the last piece it is the graph's own.
        state: the name of its input for the vectors of the piece before; empty for the first piece.
    """

    model: bytes
    state: str


def cut_graph(model: Path | bytes, after: Sequence[int]) -> Iterator[Piece]:
    """Cut a graph that `secondpass.models.graph.encoder` wrote, one piece at a time.

    Args:
        model: a file, or a serialized model.
        after: behind how many layers, rising.

    Raises:
        ModelFormatError: it is another graph, or one whose layers hand on more than their vectors.
        ConfigError: there is no such layer to cut behind.
        ModelIntegrityError: it can't be read.
    """
    whole = read_model(model)
    if whole.producer_name != PRODUCER:
        raise ModelFormatError("only a fused graph can be cut between its layers, and this is none")
    graph = whole.graph
    n_layers = _n_layers(graph)
    if not after or sorted(set(after)) != list(after) or not 0 < after[0] <= after[-1] < n_layers:
        raise ConfigError(f"a graph of {n_layers} layers can't be cut behind {', '.join(map(str, after)) or 'none'}")
    nodes = _Nodes(graph)
    borders = ["", *(nodes.border(layer) for layer in after), graph.output[0].name]
    for start, end in pairwise(borders):
        yield Piece(nodes.between(start, end), start)


def count_layers(model: Path | bytes) -> int:
    """Return how many layers a graph has, by the names of its weights; 0 if they have others.

    Raises:
        ModelIntegrityError: it can't be read.
    """
    return _n_layers(read_model(model).graph)


def _n_layers(graph: Any) -> int:
    return max((int(name[1]) for each in graph.initializer if (name := _LAYER.match(each.name))), default=-1) + 1


class _Nodes:
    """The nodes of a graph, and what makes each value."""

    def __init__(self, graph: Any) -> None:
        self._nodes = list(graph.node)  # each behind those that make its inputs
        self._makers = {name: at for at, node in enumerate(self._nodes) for name in node.output}
        self._constants = {each.name: each for each in graph.initializer}
        self._values = {each.name: each for each in (*graph.input, *graph.output)}
        self._output = graph.output[0].name

    def border(self, layer: int) -> str:
        """Return the value that is all that the layers from a number on need of those before it."""
        layers = [self._layers(node) for node in self._nodes]
        first = max(at for at, found in enumerate(layers) if layer - 1 in found)
        last = min(at for at, found in enumerate(layers) if layer in found)
        for at in range(first, last):
            (name, *others) = self._nodes[at].output
            rest = self._needed(self._output, name)
            if not others and not any(
                self._reads_text(self._nodes[each]) or min(layers[each] or {layer}) < layer for each in rest
            ):
                return str(name)
        raise ModelFormatError(f"the graph can't be cut behind {layer} layers: they hand on more than their vectors")

    def between(self, start: str, end: str) -> bytes:
        """Return the part that makes one value of another, or of the inputs alone, as a model."""
        nodes = [self._nodes[at] for at in sorted(self._needed(end, start))]
        read = list(dict.fromkeys(name for node in nodes for name in node.input if name))
        inputs = [self._value(name) for name in read if name == start or (name in self._values)]
        return make_model(
            nodes, inputs, [self._value(end)], [self._constants[name] for name in read if name in self._constants]
        )

    def _value(self, name: str) -> Any:
        return self._values.get(name) or make_value(name, np.float32, _STATE)

    def _needed(self, end: str, start: str) -> set[int]:
        """Return the positions of the nodes that a value is made by, without those that another one is made by."""
        needed: set[int] = set()
        stack = [end]
        while stack:
            name = stack.pop()
            at = self._makers.get(name)
            if name != start and at is not None and at not in needed:
                needed.add(at)
                stack.extend(self._nodes[at].input)
        return needed

    def _layers(self, node: Any) -> set[int]:
        return {int(found[1]) for name in node.input if (found := _LAYER.match(name))}

    def _reads_text(self, node: Any) -> bool:
        return any(_WORDS.match(name) for name in node.input)
