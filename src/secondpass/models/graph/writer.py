"""An ONNX graph in the making."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.models.graph.onnx_proto import make_model, make_node, make_tensor, make_value

__all__ = ["MICROSOFT", "GraphWriter"]

MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's own operators


class GraphWriter:
    """Nodes and constants; methods take and return names of values."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: dict[str, Any] = {}
        self._outputs: list[Any] = []

    def input(self, name: str) -> str:
        """Add an input of shape (batch, sequence), int64."""
        self._inputs[name] = make_value(name, np.int64, ["batch", "sequence"])
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str]) -> None:
        """Make a value an output, float32."""
        self._nodes.append(make_node("Identity", [value], [name]))
        self._outputs.append(make_value(name, np.float32, shape))

    def constant(self, name: str, array: npt.NDArray[Any]) -> str:
        """Add a constant; a name that is there already keeps its array."""
        if name not in self._constants:
            self._constants[name] = make_tensor(name, array)
        return name

    def integers(self, *values: int) -> str:
        """Add a constant of shape (values,), int64."""
        return self.constant(f"integers_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def number(self, value: float) -> str:
        """Add a constant without dimensions, float32."""
        return self.constant(f"number_{value}", np.array(value, np.float32))

    def nodes(self, op_type: str, *inputs: str, n: int, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with ``n`` outputs; an input that is left out is an empty name."""
        outputs = [f"{op_type}_{len(self._nodes)}_{at}" for at in range(n)]
        self._nodes.append(make_node(op_type, inputs, outputs, domain, **attributes))
        return outputs

    def node(self, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        return self.nodes(op_type, *inputs, n=1, domain=domain, **attributes)[0]

    def serialize(self) -> bytes:
        """Return the model."""
        return make_model(self._nodes, list(self._inputs.values()), self._outputs, list(self._constants.values()))
