"""Models on ONNX Runtime: the light default, on a CPU or, where its build has them, a GPU."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.backends.base import Backend, Reopened
from secondpass.models.batching import Rows, progress_bar
from secondpass.models.embedding import EmbeddingModel, pool
from secondpass.models.graph.cache import CpuModel, PrecisionSetting, cpu_model
from secondpass.models.onnx_session import OnnxSession, Session, read_tokenizer
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import ONNX
from secondpass.models.sources.resolve import checked_device
from secondpass.models.tokens import Batch

if TYPE_CHECKING:
    from secondpass.models.graph.encoder import Head

__all__ = ["OnnxBackend", "OnnxEmbeddingModel", "OnnxPairModel"]


def _open(
    files: ModelFiles, head: "Head", device: str | None, precision: PrecisionSetting | None
) -> tuple[Session, CpuModel | None]:
    if (checked_device(device) or "cpu").startswith("cpu"):
        chosen = cpu_model(files, head=head, precision=precision)
        return OnnxSession(chosen.model, device), chosen
    if precision not in (None, "exported"):
        raise ConfigError(f"precision={precision!r} is for a CPU; on {device!r} a model runs as exported")
    if files.weights.suffix != ".onnx":
        raise ModelFormatError(f"{files.name} has no ONNX file, which {device!r} needs; use backend='torch'")
    return OnnxSession(files.weights, device), None


class OnnxPairModel(Reopened, PairModel):
    """A cross-encoder on ONNX Runtime.

    On a CPU an encoder like BERT, ModernBERT or DeBERTa runs as a fused graph, built when it is first loaded and kept
    in the cache folder (see `secondpass.models.graph.cache`); others, and all on a GPU, run as exported.

    Args:
        files: where it is.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.
        max_length: tokens it is given at most; the model's own limit by default.
        batch_tokens: tokens in a batch; by default each pair alone on a CPU, where a batch gains next to nothing.
            A fused graph takes pairs of one length in a batch; a file as exported pads. An int8 score then
            depends on the pairs in its batch, as they share the step that activations are rounded to.
        precision: ``int8``, ``float32`` or ``exported``: see `secondpass.models.graph.cache.cpu_model`.

    Attributes:
        on_cpu: how it runs on a CPU, and why; None on a GPU.

    Raises:
        ModelIntegrityError: the file can't be read.
        ModelFormatError: it is not an encoder with a head for labels, or can't run in the precision.
        ConfigError: the device is not available, or the precision unknown.
    """

    _open = staticmethod(_open)  # what runs it

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        precision: PrecisionSetting | None = None,
    ) -> None:
        self.session, self.on_cpu = self._open(files, "classifier", device, precision)
        shape = self.session.output_shape
        if len(shape) != 2 or not isinstance(shape[1], int):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {shape}, not (batch, labels): it is not a cross-encoder"
            )
        super().__init__(
            files.name,
            files.labels(shape[1]),
            read_tokenizer(files, max_length),
            self.session.batch_tokens(batch_tokens),
            self.session.runner(),
        )
        self.files = files
        self._settings = {
            "device": device,
            "max_length": max_length,
            "batch_tokens": batch_tokens,
            "precision": precision,
        }
        # Last: it is the identity of what was opened.
        self.fingerprint = _fingerprint(files, self.on_cpu, self.tokenizer.max_length, self.batch_tokens, self.labels)

    def _forward(self, batch: Batch) -> Rows:
        return self.session.run(batch)


class OnnxEmbeddingModel(Reopened, EmbeddingModel):
    """A bi-encoder on ONNX Runtime; arguments, attributes and errors are those of `OnnxPairModel`."""

    _open = staticmethod(_open)

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
        self.session, self.on_cpu = self._open(files, self.pooling, device, precision)
        if len(self.session.output_shape) not in (2, 3):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {self.session.output_shape}: it is not a text encoder"
            )
        super().__init__(
            files.name,
            query_prefix=files.spec.query_prefix if files.spec else files.config.query_prefix,
            document_prefix="" if files.spec else files.config.document_prefix,
        )
        self.files = files
        self.tokenizer = read_tokenizer(files, max_length)
        self.batch_tokens = self.session.batch_tokens(batch_tokens)
        self._runner = self.session.runner()
        self._settings = {
            "device": device,
            "max_length": max_length,
            "batch_tokens": batch_tokens,
            "precision": precision,
        }
        texts = (self.pooling, self.query_prefix, *filter(None, [self.document_prefix]))
        self.fingerprint = _fingerprint(files, self.on_cpu, self.tokenizer.max_length, self.batch_tokens, texts)

    @property
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""
        return self.tokenizer.max_length

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        tokens = self.tokenizer.tokenize(texts)
        lengths = [self.tokenizer.single_length(text) for text in tokens]

        def forward(indices: Any) -> Rows:
            batch = self.tokenizer.single_batch([tokens[index] for index in indices])
            return pool(self.session.run(batch), batch.attention_mask, self.pooling)

        with progress_bar(sum(lengths), "tok", progress) as advance:
            return self._runner.run(
                lengths, self.batch_tokens, forward, lambda indices: advance(sum(lengths[index] for index in indices))
            )


def _fingerprint(
    files: ModelFiles, on_cpu: CpuModel | None, max_length: int, batch_tokens: int | None, texts: Sequence[str]
) -> str:
    form = on_cpu.identity if on_cpu else "exported"
    return f"{files.identity(texts)}-onnx-{form}-{max_length}-{batch_tokens}"


class OnnxBackend(Backend):
    """Opens ONNX files, and the safetensors of encoders that the fused graph has, with ONNX Runtime."""

    name = "onnx"
    format = ONNX
    auto = 1
    settings = Backend.settings | {"precision"}

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> OnnxPairModel:
        """Open a cross-encoder; see `OnnxPairModel`."""
        return OnnxPairModel(files, **settings)

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> OnnxEmbeddingModel:
        """Open a bi-encoder; see `OnnxEmbeddingModel`."""
        return OnnxEmbeddingModel(files, **settings)
