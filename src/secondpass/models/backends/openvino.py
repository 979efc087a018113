"""Models on OpenVINO: nearer to float scores, and faster with long documents, on a CPU that multiplies bfloat16.

With int8 weights OpenVINO quantizes activations too, those of each token in groups of channels with steps of their
own; ONNX Runtime has one step for a whole sequence. All else, attention included, is bfloat16 where the processor
multiplies it (AVX512_BF16, AMX), and float32 elsewhere.
"""

from collections.abc import Sequence
from ctypes import py_object, pythonapi
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Literal

import numpy as np

from secondpass.errors import ConfigError, MissingExtraError, ModelFormatError, ModelIntegrityError
from secondpass.forking import reset_after_fork
from secondpass.models.backends.base import Backend
from secondpass.models.backends.onnx import OnnxEmbeddingModel, OnnxPairModel
from secondpass.models.batching import BatchRunner, Rows, available_cores
from secondpass.models.engines import import_openvino
from secondpass.models.graph.cache import CpuModel, PrecisionSetting, file_precision, graph_of
from secondpass.models.graph.encoder import Head
from secondpass.models.onnx_session import PiecewiseSession, Session, is_out_of_memory
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import ONNX
from secondpass.models.tokens import Batch

__all__ = ["OpenVinoBackend", "OpenVinoEmbeddingModel", "OpenVinoPairModel", "OpenVinoSession"]

# Channels that share a step. With MiniLM-L12 at 500 tokens, 64 take a tenth longer and are a third more exact.
_GROUP_SIZE = 128


class OpenVinoSession:
    """The fused graph, as OpenVINO runs it: one stream of one thread for each core.

    It is what `secondpass.models.onnx_session.OnnxSession` is for ONNX Runtime, and answers to the same names.

    Args:
        model: a file, or a serialized ONNX model.
        precision: of products and activations: ``float32`` or ``bfloat16``.
        state: as of `OnnxSession`.

    Raises:
        ModelIntegrityError: it can't be read.
    """

    pads = False

    def __init__(self, model: Path | bytes, precision: str, *, state: str = "") -> None:
        cores = available_cores()
        self._source = model
        self._settings = {
            "INFERENCE_PRECISION_HINT": {"bfloat16": "bf16", "float32": "f32"}[precision],
            "NUM_STREAMS": cores,
            "INFERENCE_NUM_THREADS": cores,
            "ENABLE_CPU_PINNING": False,  # the process may have other work for the cores
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP_SIZE,
        }
        self._model: Any = None
        self._reset()
        reset_after_fork(self, OpenVinoSession._reset)
        opened = self._opened()
        self._state = state
        self._inputs = [name for node in opened.inputs if (name := node.get_any_name()) != state]
        self.output_shape = [size.get_length() if size.is_static else "" for size in opened.output().partial_shape]

    def _reset(self) -> None:
        # Left as they are, for ever: they would wait for threads that did not come along.
        for lost in (self._model, self._idle) if self._model is not None else ():
            pythonapi.Py_IncRef(py_object(lost))
        self._model = None
        self._lock = Lock()
        self._idle: SimpleQueue[Any] = SimpleQueue()  # requests, each for one thread at a time

    def _opened(self) -> Any:
        """Return the compiled model: a forked child has none of OpenVINO's threads, and so compiles it again."""
        with self._lock:
            if self._model is None:
                name = self._source if isinstance(self._source, Path) else "the fused graph"
                core = _core()
                try:
                    read = self._source if isinstance(self._source, Path) else core.read_model(BytesIO(self._source))
                    self._model = core.compile_model(read, "CPU", self._settings)
                except RuntimeError as exc:
                    raise ModelIntegrityError(f"OpenVINO can't read {name}: {exc}") from exc
            return self._model

    def run(self, batch: Batch, state: Rows | None = None) -> Rows:
        """Return the first output for a batch, as float32; as `OnnxSession.run`."""
        if not batch.attention_mask.all():
            raise ModelFormatError("the model has no input for a mask, so it can't be given padded sequences")
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._opened().create_infer_request()
        try:
            inputs = {name: getattr(batch, name) for name in self._inputs}
            outputs = request.infer(inputs if state is None else {**inputs, self._state: state}, share_inputs=True)
            return np.array(outputs[0], dtype=np.float32)  # a copy: the request's memory is used again
        finally:
            self._idle.put(request)

    def runner(self) -> BatchRunner:
        """Return the threads to run it on: one for each core."""
        return BatchRunner(available_cores(), is_out_of_memory, pads=False)

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch: unless asked for, each sequence goes alone."""
        return asked


def _open(
    files: ModelFiles,
    head: Head,
    device: str | None,
    precision: PrecisionSetting | None,
    exits: Sequence[int] = (),
) -> tuple[Session, CpuModel]:
    if device not in (None, "cpu"):
        raise ConfigError(f"backend='openvino' runs on the CPU, not on {device!r}")
    if precision not in (None, "int8", "float32", "bfloat16"):
        raise ConfigError(f"with backend='openvino' precision is 'int8', 'float32' or 'bfloat16', not {precision!r}")
    native = _native_precision()
    if precision is None:
        precision = "int8" if file_precision(files) == "int8" else native
    graph = graph_of(files, head=head, precision="int8-weights" if precision == "int8" else "float32")
    computed, chosen = native if precision == "int8" else precision, CpuModel(graph, precision, engine="OpenVINO")
    if not exits:
        return OpenVinoSession(graph, computed), chosen
    from secondpass.models.graph.cut import cut_graph  # here, as protobuf takes its time to load

    pieces = cut_graph(graph, exits)
    return PiecewiseSession([OpenVinoSession(piece.model, computed, state=piece.state) for piece in pieces]), chosen


def _native_precision() -> Literal["bfloat16", "float32"]:
    """Return what the processor multiplies fastest."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if "BF16" in capabilities else "float32"


def _core() -> Any:
    try:
        return import_openvino().Core()
    except ImportError as exc:
        raise MissingExtraError.of("openvino", "backend='openvino'") from exc


class OpenVinoPairModel(OnnxPairModel):
    """A cross-encoder like BERT on OpenVINO; arguments, attributes and errors are those of `OnnxPairModel`.

    ``precision`` is ``int8``, ``bfloat16`` or ``float32``; by default ``int8`` for weights that are int8, else
    ``bfloat16`` where the processor multiplies it. The first sequence of a length costs some milliseconds more.
    """

    _open = staticmethod(_open)


class OpenVinoEmbeddingModel(OnnxEmbeddingModel):
    """A bi-encoder like BERT on OpenVINO; as `OpenVinoPairModel`."""

    _open = staticmethod(_open)


class OpenVinoBackend(Backend):
    """Opens what ONNX Runtime takes, if it is an encoder like BERT, with OpenVINO on a CPU."""

    name = "openvino"
    format = ONNX
    settings = Backend.settings | {"precision", "exits"}
    module = "openvino"
    extra = "openvino"

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> OpenVinoPairModel:
        """Open a cross-encoder; see `OpenVinoPairModel`."""
        return OpenVinoPairModel(files, **settings)

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> OpenVinoEmbeddingModel:
        """Open a bi-encoder; see `OpenVinoEmbeddingModel`."""
        return OpenVinoEmbeddingModel(files, **settings)
