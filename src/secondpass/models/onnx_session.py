"""An encoder and its tokenizer, opened with ONNX Runtime."""

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
from secondpass.models.tokens import Batch, EncoderTokenizer

__all__ = ["OnnxSession", "Session", "is_out_of_memory", "read_tokenizer"]

onnxruntime = import_onnxruntime()

_GPU_BATCH_TOKENS = 16_384


class Session(Protocol):
    """An encoder that an engine has opened.

    Attributes:
        pads: whether sequences of different lengths may be in one batch.
        output_shape: of the first output; a size that depends on the input is not an int.
    """

    pads: bool
    output_shape: list[Any]

    def run(self, batch: Batch) -> Rows:
        """Return the first output for a batch, as float32; any number of threads may call it at a time."""

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

    Raises:
        ModelIntegrityError: it can't be read.
        ModelFormatError: it needs inputs that an encoder does not have.
        ConfigError: the device is not available.
    """

    def __init__(self, model: Path | bytes, device: str | None) -> None:
        device = checked_device(device) or "cpu"
        self.device = "cpu" if device.startswith("cpu") else device
        name = str(model) if isinstance(model, Path) else "the fused graph"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if _may_overflow():
            options.add_session_config_entry("session.x64quantprecision", "1")
        providers = _providers(self.device)
        try:
            source = str(model) if isinstance(model, Path) else model
            self._session = onnxruntime.InferenceSession(source, options, providers=providers)
        except Exception as exc:  # ONNX Runtime's errors share no public base
            raise ModelIntegrityError(f"{name} can't be read as an ONNX model: {first_line(exc)}") from exc
        self._inputs = [node.name for node in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - {"input_ids", "attention_mask", "token_type_ids"})
        if unknown:
            raise ModelFormatError(f"{name} needs inputs that an encoder does not have: {', '.join(unknown)}")
        self.pads = "attention_mask" in self._inputs
        self.output_shape: list[Any] = self._session.get_outputs()[0].shape

    def run(self, batch: Batch) -> Rows:
        """Return the first output for a batch, as float32.

        Raises:
            ModelFormatError: there is padding in the batch, and the model has no input for a mask.
        """
        if not (self.pads or batch.attention_mask.all()):
            raise ModelFormatError("the model has no input for a mask, so it can't be given padded sequences")
        with before_any_fork():
            outputs = self._session.run(None, {name: getattr(batch, name) for name in self._inputs})
        return np.asarray(outputs[0], dtype=np.float32)

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
def _may_overflow() -> bool:
    """Whether int8 products may overflow, as on x86 without VNNI, where two share 16 bits; as far as Linux says.

    ONNX Runtime's mode against it makes the weights unsigned: with VNNI that only costs 60% more time.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx2" in flags and "vnni" not in flags


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether an engine's error says that memory has run out."""
    message = str(exc).lower()
    return isinstance(exc, MemoryError) or "bad_alloc" in message or "failed to allocate memory" in message
