"""Models on ONNX Runtime: the light default, on a CPU or, where its build has them, a GPU."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError
from secondpass.models.batching import BatchRunner, Rows, available_cores
from secondpass.models.embedding import EmbeddingModel, pool
from secondpass.models.pair import PairModel
from secondpass.models.resolve import ModelFiles, sha256_of
from secondpass.models.tokens import Batch, EncoderTokenizer

__all__ = ["OnnxEmbeddingModel", "OnnxPairModel"]

_GPU_BATCH_TOKENS = 16_384


class OnnxSession:
    """An ONNX Runtime session over an encoder, opened again after pickling.

    On a CPU each run uses one thread: many short sequences side by side keep the cores busier than one
    sequence spread over them, and the worker threads share one copy of the weights.
    """

    def __init__(self, weights: Path, device: str | None) -> None:
        self.weights = weights
        self.device = "cpu" if device is None or device.startswith("cpu") else device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = _providers(self.device)
        try:
            self._session = onnxruntime.InferenceSession(str(weights), options, providers=providers)
        except Exception as exc:  # ONNX Runtime's errors share no public base
            raise ModelIntegrityError(f"{weights} can't be read as an ONNX model: {_first_line(exc)}") from exc
        self._inputs = [node.name for node in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - {"input_ids", "attention_mask", "token_type_ids"})
        if unknown:
            raise ModelFormatError(f"{weights} wants inputs that an encoder has not: {', '.join(unknown)}")
        self.output_shape: list[Any] = self._session.get_outputs()[0].shape

    def run(self, batch: Batch) -> Rows:
        """Return the first output for a batch, as float32."""
        outputs = self._session.run(None, {name: getattr(batch, name) for name in self._inputs})
        return np.asarray(outputs[0], dtype=np.float32)

    def runner(self) -> BatchRunner:
        """Return the threads to run it on: one for each core, or one that feeds a GPU."""
        return BatchRunner(available_cores() if self.device == "cpu" else 1, _is_out_of_memory)

    def batch_tokens(self, asked: int | None) -> int | None:
        """Return the budget of a batch: on a CPU, unless asked for, each sequence goes alone.

        A sequence of some fifty tokens already fills a core's matrix units, so batches gain nothing there,
        and padding is lost work; and with dynamic quantisation, as in the embedded int8 models, the
        neighbours in a batch would change a score.
        """
        return asked if asked is not None or self.device == "cpu" else _GPU_BATCH_TOKENS

    def __getstate__(self) -> dict[str, Any]:
        return {"weights": self.weights, "device": self.device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        OnnxSession.__init__(self, **state)


class OnnxPairModel(PairModel):
    """A cross-encoder as an ONNX file.

    Args:
        files: where it is.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.
        max_length: tokens it is given at most; the model's own limit by default.
        batch_tokens: tokens in a batch, padding included; by default each pair alone on a CPU.

    Raises:
        ModelIntegrityError: the file can't be read.
        ModelFormatError: it is no encoder with a head for labels.
        ConfigError: there is no such device.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
    ) -> None:
        self.session = OnnxSession(files.weights, device)
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

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a score."""
        return _fingerprint(self.files, self.tokenizer, self.batch_tokens)

    def _forward(self, batch: Batch) -> Rows:
        return self.session.run(batch)


class OnnxEmbeddingModel(EmbeddingModel):
    """A bi-encoder as an ONNX file; the arguments are those of `OnnxPairModel`."""

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
    ) -> None:
        self.session = OnnxSession(files.weights, device)
        if len(self.session.output_shape) not in (2, 3):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {self.session.output_shape}: no text encoder"
            )
        pooling = files.spec.pooling if files.spec else _saved_pooling(files)
        super().__init__(files.name, query_prefix=files.spec.query_prefix if files.spec else "")
        self.files, self.pooling = files, pooling
        self.tokenizer = read_tokenizer(files, max_length)
        self.batch_tokens = self.session.batch_tokens(batch_tokens)
        self._runner = self.session.runner()

    @property
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""
        return self.tokenizer.max_length

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a vector."""
        return _fingerprint(self.files, self.tokenizer, self.pooling)

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        tokens = self.tokenizer.tokenize(texts)
        lengths = [self.tokenizer.single_length(text) for text in tokens]

        def forward(indices: Any) -> Rows:
            batch = self.tokenizer.single_batch([tokens[index] for index in indices])
            return pool(self.session.run(batch), batch.attention_mask, self.pooling)

        return self._runner.run(lengths, self.batch_tokens, forward, progress)


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


def _fingerprint(files: ModelFiles, tokenizer: EncoderTokenizer, setting: object) -> str:
    # Large models keep their numbers beside the graph, in model.onnx_data.
    parts = sorted(files.weights.parent.glob(f"{files.weights.name}*"))
    return f"{'-'.join(sha256_of(part)[:16] for part in parts)}-onnx-{tokenizer.max_length}-{setting}"


def _saved_pooling(files: ModelFiles) -> str:
    settings = files.settings("1_Pooling/config.json")
    return "cls" if settings.get("pooling_mode_cls_token") or settings.get("pooling_mode") == "cls" else "mean"


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


def _is_out_of_memory(exc: BaseException) -> bool:
    message = str(exc).lower()
    return isinstance(exc, MemoryError) or "bad_alloc" in message or "failed to allocate memory" in message


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
