"""What the processor could do: its measured rates, and the work of a model by the shapes of its matrices."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any, Literal

import numpy as np
import onnxruntime

from secondpass.models.batching import available_cores
from secondpass.models.graph.onnx_proto import make_model, make_node, make_tensor, make_value
from secondpass.models.graph.weights import EncoderWeights

__all__ = ["Work", "peak_rate", "session_of", "work_of"]

_ROWS = (100, 250, 500, 1_000)  # of the left matrix: the tokens of a sequence, and more


@dataclass(frozen=True, slots=True)
class Work:
    """Operations (a multiplication and an addition are two) of a call.

    Attributes:
        int8: of the linear layers.
        float32: of attention.
    """

    int8: float
    float32: float

    def floor_s(self, int8_rate: float, float32_rate: float) -> float:
        """Return the seconds that it takes at these rates, in operations a second."""
        return self.int8 / int8_rate + self.float32 / float32_rate


def work_of(weights: EncoderWeights, lengths: Sequence[int], *, needed: bool) -> Work:
    """Return the work for sequences of these lengths, by the shapes of the matrices.

    Args:
        weights: of the encoder.
        lengths: tokens of each sequence.
        needed: leave out what the scores don't depend on: other tokens than the first in the last layer, but for their
            keys and values.
    """
    last = f"encoder.layer.{weights.n_layers - 1}."
    every, once = 0, 0
    for name, array in weights.tensors.items():
        if name.startswith("encoder.layer.") and array.ndim == 2:
            reads_all = not (needed and name.startswith(last)) or ".key." in name or ".value." in name
            every, once = every + array.size * reads_all, once + array.size * (not reads_all)
    tokens = sum(lengths)
    full_layers = weights.n_layers - needed
    attended = full_layers * sum(length**2 for length in lengths) + (tokens if needed else 0)
    return Work(2.0 * (every * tokens + once * len(lengths)), 4.0 * weights.hidden_size * attended)


def peak_rate(
    kind: Literal["int8", "float32"], *, size: int = 1_024, rounds: int = 3, operations: float = 5e8
) -> tuple[float, int]:
    """Return the most operations a second that all cores do together in products of matrices, and with how many rows.

    Args:
        kind: of the numbers; int8 is unsigned by signed.
        size: columns and rows of the constant matrix.
        rounds: the median of which counts.
        operations: of each core in a round.
    """
    cores = available_cores()
    best = (0.0, 0)
    for rows in _ROWS:
        sessions = [_product(rows, size, kind) for _ in range(cores)]
        repeats = max(1, round(operations / (2 * rows * size * size)))
        start_line = Barrier(cores)

        def work(core: int) -> None:
            session, feed = sessions[core]  # noqa: B023  # called before the next one is made
            start_line.wait()  # noqa: B023
            for _ in range(repeats):  # noqa: B023
                session.run(None, feed)

        with ThreadPoolExecutor(cores) as pool:
            taken = []
            for _ in range(rounds + 1):  # the first is not counted
                start = time.perf_counter()
                list(pool.map(work, range(cores)))
                taken.append(time.perf_counter() - start)
        reached = cores * repeats * 2 * rows * size * size / statistics.median(taken[1:])
        best = max(best, (reached, rows))
    return best


def _product(rows: int, size: int, kind: str) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """Return a session of one thread that multiplies (rows, size) by a constant (size, size), and its input."""
    numbers = np.random.default_rng(0)
    if kind == "int8":
        x: Any = numbers.integers(0, 256, (rows, size)).astype(np.uint8)
        matrix: Any = numbers.integers(-127, 128, (size, size)).astype(np.int8)
        op_type, result = "MatMulInteger", "int32"
    else:
        x, matrix = numbers.random((rows, size), np.float32), numbers.random((size, size), np.float32)
        op_type, result = "MatMul", "float32"
    model = make_model(
        [make_node(op_type, ["x", "matrix"], ["y"])],
        [make_value("x", x.dtype, ["rows", size])],
        [make_value("y", result, ["rows", size])],
        [make_tensor("matrix", matrix)],
    )
    return session_of(model), {"x": x}


def session_of(model: Path | bytes, profile: Path | None = None) -> onnxruntime.InferenceSession:
    """Return a session of one thread; one that writes a profile quantizes activations in a step of its own."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    source = str(model) if isinstance(model, Path) else model
    fusions = ["DynamicQuantizeMatMulFusion"] if profile else []
    return onnxruntime.InferenceSession(
        source, options, providers=["CPUExecutionProvider"], disabled_optimizers=fusions
    )
