"""Models on ONNX Runtime: the light default, on a CPU or, where its build has them, a GPU."""

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import tokenizers

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError
from secondpass.models.batching import BatchRunner, Rows, available_cores
from secondpass.models.embedding import EmbeddingModel, pool
from secondpass.models.optimized import CpuModel, PrecisionSetting, cpu_model, weight_files
from secondpass.models.pair import PairModel
from secondpass.models.resolve import ModelFiles, sha256_of
from secondpass.models.tokens import Batch, EncoderTokenizer

if TYPE_CHECKING:
    from secondpass.models.graph import Head

__all__ = ["OnnxEmbeddingModel", "OnnxPairModel", "OnnxSession", "read_tokenizer"]

_GPU_BATCH_TOKENS = 16_384


class OnnxSession:
    """An ONNX Runtime session over an encoder.

    On a CPU each run uses one thread: many short sequences side by side keep the cores busier than one
    sequence spread over them, and the worker threads share one copy of the weights.

    Args:
        model: a file, or a serialized model.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.

    Raises:
        ModelIntegrityError: it can't be read.
        ModelFormatError: it wants inputs that an encoder has not.
        ConfigError: there is no such device.
    """

    def __init__(self, model: Path | bytes, device: str | None) -> None:
        self.device = "cpu" if device is None or device.startswith("cpu") else device
        name = str(model) if isinstance(model, Path) else "the graph made for inference"
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
            raise ModelIntegrityError(f"{name} can't be read as an ONNX model: {_first_line(exc)}") from exc
        self._inputs = [node.name for node in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - {"input_ids", "attention_mask", "token_type_ids"})
        if unknown:
            raise ModelFormatError(f"{name} wants inputs that an encoder has not: {', '.join(unknown)}")
        self.pads = "attention_mask" in self._inputs
        self.output_shape: list[Any] = self._session.get_outputs()[0].shape

    def run(self, batch: Batch) -> Rows:
        """Return the first output for a batch, as float32.

        Raises:
            ModelFormatError: there is padding in the batch, and the model has no input for a mask.
        """
        if not (self.pads or batch.attention_mask.all()):
            raise ModelFormatError("the model has no input for a mask, so it can't be given padded sequences")
        outputs = self._session.run(None, {name: getattr(batch, name) for name in self._inputs})
        return np.asarray(outputs[0], dtype=np.float32)

    def runner(self) -> BatchRunner:
        """Return the threads to run it on: one for each core, or one that feeds a GPU."""
        return BatchRunner(available_cores() if self.device == "cpu" else 1, _is_out_of_memory, pads=self.pads)

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch: on a CPU, unless asked for, each sequence goes alone.

        A sequence of some fifty tokens already fills a core's matrix units, so batches gain nothing there,
        and padding is lost work; and with dynamic quantisation, as in the embedded int8 models, the
        neighbours in a batch would change a score.
        """
        return asked if asked is not None or self.device == "cpu" else _GPU_BATCH_TOKENS


class OnnxPairModel(PairModel):
    """A cross-encoder on ONNX Runtime.

    On a CPU an encoder of the shape of BERT runs as a graph made for inference, built when it is first loaded and
    kept in the cache folder (see `secondpass.models.optimized`); others, and all on a GPU, run as exported.

    Args:
        files: where it is.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.
        max_length: tokens it is given at most; the model's own limit by default.
        batch_tokens: tokens in a batch; by default each pair alone on a CPU, where a batch gains next to nothing.
            The graph made for inference takes pairs of one length in a batch; a file as exported pads. An int8 score
            then depends on the pairs in its batch, as they share the step that activations are rounded to.
        precision: ``int8``, ``float32`` or ``exported``: see `secondpass.models.optimized.cpu_model`.

    Attributes:
        on_cpu: which way it runs on a CPU, and why; None on a GPU.

    Raises:
        ModelIntegrityError: the file can't be read.
        ModelFormatError: it is no encoder with a head for labels, or not one for the precision.
        ConfigError: there is no such device or precision.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        precision: PrecisionSetting | None = None,
    ) -> None:
        self.session, self.on_cpu = _open(files, "classifier", device, precision)
        shape = self.session.output_shape
        if len(shape) != 2 or not isinstance(shape[1], int):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {shape}, not (batch, labels): no cross-encoder"
            )
        super().__init__(
            files.name,
            files.labels(shape[1]),
            read_tokenizer(files, max_length),
            self.session.batch_tokens(batch_tokens),
            self.session.runner(),
        )
        self.files = files
        self._settings = _settings(device, max_length, batch_tokens, precision)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a score."""
        return _fingerprint(self.files, self.on_cpu, self.tokenizer, self.batch_tokens)

    def _forward(self, batch: Batch) -> Rows:
        return self.session.run(batch)

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files, **self._settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        OnnxPairModel.__init__(self, **state)


class OnnxEmbeddingModel(EmbeddingModel):
    """A bi-encoder on ONNX Runtime; arguments, attributes and errors are those of `OnnxPairModel`."""

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        precision: PrecisionSetting | None = None,
    ) -> None:
        self.pooling = files.pooling()
        self.session, self.on_cpu = _open(files, self.pooling, device, precision)
        if len(self.session.output_shape) not in (2, 3):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {self.session.output_shape}: no text encoder"
            )
        super().__init__(files.name, query_prefix=files.spec.query_prefix if files.spec else "")
        self.files = files
        self.tokenizer = read_tokenizer(files, max_length)
        self.batch_tokens = self.session.batch_tokens(batch_tokens)
        self._runner = self.session.runner()
        self._settings = _settings(device, max_length, batch_tokens, precision)

    @property
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""
        return self.tokenizer.max_length

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a vector."""
        return _fingerprint(self.files, self.on_cpu, self.tokenizer, self.pooling)

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        tokens = self.tokenizer.tokenize(texts)
        lengths = [self.tokenizer.single_length(text) for text in tokens]

        def forward(indices: Any) -> Rows:
            batch = self.tokenizer.single_batch([tokens[index] for index in indices])
            return pool(self.session.run(batch), batch.attention_mask, self.pooling)

        return self._runner.run(lengths, self.batch_tokens, forward, progress)

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files, **self._settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        OnnxEmbeddingModel.__init__(self, **state)


def read_tokenizer(files: ModelFiles, max_length: int | None) -> EncoderTokenizer:
    """Read a model's tokenizer.json.

    Raises:
        ModelFormatError: there is none.
        ModelIntegrityError: it can't be read.
    """
    path = files.folder / "tokenizer.json"
    if not path.is_file():
        raise ModelFormatError(f"{files.name}: {files.folder} has no tokenizer.json (a fast tokenizer)")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as exc:  # tokenizers raises bare Exceptions
        raise ModelIntegrityError(f"{path} can't be read: {_first_line(exc)}") from exc
    return EncoderTokenizer(tokenizer, files.max_length(max_length))


def _open(
    files: ModelFiles, head: "Head", device: str | None, precision: PrecisionSetting | None
) -> tuple[OnnxSession, CpuModel | None]:
    if device is None or device.startswith("cpu"):
        chosen = cpu_model(files, head=head, precision=precision)
        return OnnxSession(chosen.model, device), chosen
    if precision not in (None, "exported"):
        raise ConfigError(f"precision={precision!r} is for a CPU; on {device!r} a model runs as exported")
    if files.weights.suffix != ".onnx":
        raise ModelFormatError(f"{files.name} has no ONNX file, which {device!r} needs; use backend='torch'")
    return OnnxSession(files.weights, device), None


def _settings(
    device: str | None, max_length: int | None, batch_tokens: int | None, precision: PrecisionSetting | None
) -> dict[str, Any]:
    """Return what a copy is built with again: the other end of a pickle may have another cache folder."""
    return {"device": device, "max_length": max_length, "batch_tokens": batch_tokens, "precision": precision}


def _fingerprint(files: ModelFiles, on_cpu: CpuModel | None, tokenizer: EncoderTokenizer, setting: object) -> str:
    weights = "-".join(sha256_of(part)[:16] for part in weight_files(files))
    form = on_cpu.identity if on_cpu else "exported"
    return f"{weights}-onnx-{form}-{tokenizer.max_length}-{setting}"


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


def _is_out_of_memory(exc: BaseException) -> bool:
    message = str(exc).lower()
    return isinstance(exc, MemoryError) or "bad_alloc" in message or "failed to allocate memory" in message


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
