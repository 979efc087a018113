"""An encoder and its tokenizer, opened with ONNX Runtime."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError, first_line
from secondpass.forking import before_any_fork
from secondpass.models.batching import BatchRunner, Rows, available_cores
from secondpass.models.engines import import_onnxruntime
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import checked_device
from secondpass.models.tokens import Batch, EncoderTokenizer, foreign_vocabulary

__all__ = ["OnnxSession", "PiecewiseSession", "Session", "int8_overflows", "is_out_of_memory", "read_tokenizer"]

onnxruntime = import_onnxruntime()

_GPU_BATCH_TOKENS = 16_384
_TEXT_VECTOR = "sentence_embedding"  # as sentence-transformers and Optimum name it

# An ONNX model of one MatMulInteger: four unsigned bytes by four signed ones, each 127. A test writes it again.
_PRODUCTS = (
    b"\x08\x08\x12\nsecondpassB\x04\n\x00\x10\x11B\x11\n\rcom.microsoft\x10\x01:c\n\x1d\n\x01x\n\x01w\x12\x01y\x1a\x01y"
    b'"\rMatMulInteger:\x00\x12\x07encoderZ\x13\n\x01x\x12\x0e\n\x0c\x08\x02\x12\x08\n\x02\x08\x01\n\x02\x08\x04b\x13\n\x01y'
    b"\x12\x0e\n\x0c\x08\x06\x12\x08\n\x02\x08\x01\n\x02\x08\x01*\x0f\x08\x04\x08\x01\x10\x03B\x01wJ\x04\x7f\x7f\x7f\x7f"
)


class Session(Protocol):
    """An encoder that an engine has opened.

    Attributes:
        pads: whether sequences of different lengths may be in one batch.
        output_shape: of the output; a size that depends on the input is not an int.
    """

    pads: bool
    output_shape: list[Any]

    def run(self, batch: Batch, state: Rows | None = None) -> Rows:
        """Return the output for a batch, as float32; any number of threads may call it at a time.

        Args:
            batch: the sequences.
            state: what the piece of the graph before this one gave for them, if the graph is in pieces.
        """

    def runner(self) -> BatchRunner:
        """Return the threads to run it on."""

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch, as in `secondpass.models.batching.plan_batches`."""


class OnnxSession:
    """An ONNX Runtime session over an encoder.

    On a CPU each run uses one thread: many short sequences side by side keep the cores busier than one
    sequence spread over them, and the worker threads share one copy of the weights.

    Args:
        model: a file, or a serialized model.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.
        state: of a piece of a graph, the input for what the piece before it gave: see `secondpass.models.graph.cut`.
        embeds: whether a text's vector is asked for: where the file gives one beside those of the tokens, in the output
            ``sentence_embedding``, it is taken.

    Attributes:
        output: the name of the output that is taken, else the first.

    Raises:
        ModelIntegrityError: it can't be read.
        ModelFormatError: it needs inputs that an encoder does not have.
        ConfigError: the device is not available.
    """

    def __init__(self, model: Path | bytes, device: str | None, *, state: str = "", embeds: bool = False) -> None:
        device = checked_device(device) or "cpu"
        self.device = "cpu" if device.startswith("cpu") else device
        name = str(model) if isinstance(model, Path) else "the fused graph"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if int8_overflows():
            options.add_session_config_entry("session.x64quantprecision", "1")
        providers = _providers(self.device)
        try:
            source = str(model) if isinstance(model, Path) else model
            self._session = onnxruntime.InferenceSession(source, options, providers=providers)
        except Exception as exc:  # ONNX Runtime's errors share no public base
            raise ModelIntegrityError(f"{name} can't be read as an ONNX model: {first_line(exc)}") from exc
        self._state = state
        self._inputs = [node.name for node in self._session.get_inputs() if node.name != state]
        unknown = sorted(set(self._inputs) - {"input_ids", "attention_mask", "token_type_ids"})
        if unknown:
            raise ModelFormatError(f"{name} needs inputs that an encoder does not have: {', '.join(unknown)}")
        self.pads = "attention_mask" in self._inputs
        shapes = {node.name: node.shape for node in self._session.get_outputs()}
        self.output = _TEXT_VECTOR if embeds and _TEXT_VECTOR in shapes else next(iter(shapes))
        self.output_shape: list[Any] = shapes[self.output]

    def run(self, batch: Batch, state: Rows | None = None, options: Any = None) -> Rows:
        """Return the output for a batch, as float32; ``state`` as in `Session.run`.

        Raises:
            ModelFormatError: there is padding in the batch, and the model has no input for a mask.
        """
        if not (self.pads or batch.attention_mask.all()):
            raise ModelFormatError("the model has no input for a mask, so it can't be given padded sequences")
        inputs = {name: getattr(batch, name) for name in self._inputs}
        with before_any_fork():
            (output,) = self._session.run(
                [self.output], inputs if state is None else {**inputs, self._state: state}, options
            )
        return np.asarray(output, dtype=np.float32)

    def check_vocabulary(self, tokenizer: EncoderTokenizer, name: str) -> None:
        """Refuse a tokenizer whose vocabulary is larger than the model's.

        Raises:
            ModelFormatError: the model can't be given its last token.
        """
        quiet = onnxruntime.RunOptions()
        quiet.log_severity_level = 4  # what fails is told by the error
        try:
            self.run(tokenizer.last_token(), options=quiet)
        except Exception as exc:  # ONNX Runtime's errors share no public base
            raise foreign_vocabulary(name, f"it can't take the last token of its tokenizer: {first_line(exc)}") from exc

    def runner(self) -> BatchRunner:
        """Return the threads to run it on: one for each core, or one that feeds a GPU."""
        return BatchRunner(available_cores() if self.device == "cpu" else 1, is_out_of_memory, pads=self.pads)

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch: on a CPU, unless asked for, each sequence goes alone.

        A sequence of some fifty tokens already fills a core's matrix units, so batches gain nothing there,
        and padding is lost work; and with dynamic quantisation, as in the embedded int8 models, the
        neighbours in a batch would change a score.
        """
        return asked if asked is not None or self.device == "cpu" else _GPU_BATCH_TOKENS


class PiecewiseSession:
    """A graph in pieces, each in a session of its own: runs them in a row, unless they are asked for one by one.

    Args:
        pieces: at least two, from the embeddings to the output.
    """

    pads = False

    def __init__(self, pieces: Sequence[Session]) -> None:
        self.pieces = list(pieces)
        self.output_shape = self.pieces[-1].output_shape

    def run(self, batch: Batch, state: Rows | None = None) -> Rows:
        """Return what the last piece gives for a batch."""
        for piece in self.pieces:
            state = piece.run(batch, state)
        assert state is not None  # there are pieces
        return state

    def runner(self) -> BatchRunner:
        """Return the threads to run it on."""
        return self.pieces[0].runner()

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch: each sequence goes alone."""
        return asked


def read_tokenizer(files: ModelFiles, max_length: int | None) -> EncoderTokenizer:
    """Read a model's tokenizer.json.

    Raises:
        ModelFormatError: there is none.
        ModelIntegrityError: it can't be read.
    """
    path = files.folder / "tokenizer.json"
    if not path.is_file():
        made = ""
        if slow := next(
            (name for name in ("spm.model", "sentencepiece.bpe.model") if (files.folder / name).is_file()), ""
        ):
            made = (
                f", only {slow}; transformers' AutoTokenizer.from_pretrained(folder).save_pretrained(folder) makes one"
            )
        raise ModelFormatError(f"{files.name}: {files.folder} has no tokenizer.json (a fast tokenizer){made}")
    return EncoderTokenizer.from_file(path, files.max_length(max_length))


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    available = onnxruntime.get_available_providers()
    if kind == "cpu":
        return ["CPUExecutionProvider"]
    if kind == "cuda" and "CUDAExecutionProvider" in available:
        return [("CUDAExecutionProvider", {"device_id": int(number or 0)}), "CPUExecutionProvider"]
    raise ConfigError(
        f"ONNX Runtime has no device {device!r} here (it has {', '.join(available)}); install onnxruntime-gpu, or use "
        f"backend='torch'"
    )


@cache
def int8_overflows() -> bool:
    """Whether int8 products overflow here, as on x86 without VNNI, where two of them share 16 bits.

    It is measured, by two products that are too large for 16 bits, as no list of processors is complete. ONNX Runtime's
    mode against it makes the weights unsigned: with VNNI that only costs 60% more time.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(_PRODUCTS, options, providers=["CPUExecutionProvider"])
    with before_any_fork():
        (product,) = session.run(None, {"x": np.full((1, 4), 255, np.uint8)})
    return bool(product[0, 0] != 4 * 255 * 127)


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether an engine's error says that memory has run out."""
    message = str(exc).lower()
    return isinstance(exc, MemoryError) or "bad_alloc" in message or "failed to allocate memory" in message
