"""Models on ONNX Runtime: the light default, on a CPU or, where its build has them, a GPU."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.backends.base import Backend, Reopened
from secondpass.models.batching import Rows, progress_bar
from secondpass.models.embedding import EmbeddingModel, pool
from secondpass.models.graph.cache import CpuModel, PrecisionSetting, cpu_model
from secondpass.models.onnx_session import OnnxSession, PiecewiseSession, Session, read_tokenizer
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import ONNX
from secondpass.models.sources.resolve import checked_device
from secondpass.models.tokens import Batch, EncoderTokenizer, Tokens

if TYPE_CHECKING:
    from secondpass.models.graph.encoder import Head

__all__ = ["OnnxBackend", "OnnxEmbeddingModel", "OnnxPairModel"]


def _open(
    files: ModelFiles,
    head: "Head",
    device: str | None,
    precision: PrecisionSetting | None,
    exits: Sequence[int] = (),
) -> tuple[Session, CpuModel | None]:
    embeds = head != "classifier"
    if (checked_device(device) or "cpu").startswith("cpu"):
        chosen = cpu_model(files, head=head, precision=precision)
        if not exits:
            return OnnxSession(chosen.model, device, embeds=embeds), chosen
        if not chosen.precision:
            raise ModelFormatError(f"{files.name} can't stop between its layers, as it runs {chosen}")
        from secondpass.models.graph.cut import cut_graph  # here, as protobuf takes its time to load

        pieces = cut_graph(chosen.model, exits)
        return PiecewiseSession([OnnxSession(piece.model, device, state=piece.state) for piece in pieces]), chosen
    if exits:
        raise ConfigError(f"a model stops between its layers on a CPU only, not on {device!r}")
    if precision not in (None, "exported"):
        raise ConfigError(f"precision={precision!r} is for a CPU; on {device!r} a model runs as exported")
    if files.weights.suffix != ".onnx":
        raise ModelFormatError(f"{files.name} has no ONNX file, which {device!r} needs; use backend='torch'")
    return OnnxSession(files.weights, device, embeds=embeds), None


def _tokenizer(
    files: ModelFiles, max_length: int | None, session: Session, on_cpu: CpuModel | None
) -> EncoderTokenizer:
    """Read the tokenizer, and let a file as exported show that it takes all its tokens; fused graphs were built so."""
    tokenizer = read_tokenizer(files, max_length)
    if isinstance(session, OnnxSession) and not (on_cpu and on_cpu.precision):
        session.check_vocabulary(tokenizer, files.name)
    return tokenizer


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
        exits: behind how many layers `run_piece` stops, rising; for a fused graph, which then runs each pair alone.

    Attributes:
        on_cpu: how it runs on a CPU, and why; None on a GPU.

    Raises:
        ModelIntegrityError: the file can't be read.
        ModelFormatError: it is not an encoder with a head for labels, or can't run in the precision, or it has exits
            and no fused graph, or its tokenizer is another model's.
        ConfigError: the device is not available, the precision unknown, or there is no such exit.
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
        exits: Sequence[int] = (),
    ) -> None:
        if exits and batch_tokens is not None:
            raise ConfigError("a model with exits runs each pair alone, so batch_tokens can't be set")
        self.session, self.on_cpu = self._open(files, "classifier", device, precision, exits)
        shape = self.session.output_shape
        if len(shape) != 2 or not isinstance(shape[1], int):
            raise ModelFormatError(
                f"{files.name} gives an output of shape {shape}, not (batch, labels): it is not a cross-encoder"
            )
        super().__init__(
            files.name,
            files.labels(shape[1]),
            _tokenizer(files, max_length, self.session, self.on_cpu),
            self.session.batch_tokens(batch_tokens),
            self.session.runner(),
        )
        self.files = files
        self._settings = {
            "device": device,
            "max_length": max_length,
            "batch_tokens": batch_tokens,
            "precision": precision,
            "exits": tuple(exits),
        }
        # Last: it is the identity of what was opened.
        self.fingerprint = _fingerprint(files, self.on_cpu, self.tokenizer.max_length, self.batch_tokens, self.labels)

    def _forward(self, batch: Batch) -> Rows:
        return self.session.run(batch)

    @property
    def exits(self) -> tuple[int, ...]:
        """Behind how many layers it can stop."""
        found: tuple[int, ...] = self._settings["exits"]
        return found

    def run_piece(
        self, at: int, pairs: Sequence[tuple[Tokens, Tokens]], states: Sequence[Rows | None]
    ) -> tuple[Rows, list[Rows]]:
        """Run the layers from one exit to the next one, for pairs that came so far.

        Args:
            at: which exit they come from, from 1; 0 for the beginning. From the last one they run to the end.
            pairs: at least one.
            states: what the piece before gave for each of them; None in the beginning.

        Returns:
            For each pair the first token's vector and the means of those of the first and of the second text, shape
            (n_pairs, 3 * hidden), or behind the last exit the logits, (n_pairs, n_labels); and what the next piece
            takes for each of them.

        Raises:
            ScoringError: the backend failed.
        """
        session = self.session
        if not isinstance(session, PiecewiseSession):
            raise ConfigError(f"{self.name} was loaded without exits, so it runs as a whole only")
        found: dict[int, Rows] = {}

        def forward(indices: npt.NDArray[np.intp]) -> Rows:
            (index,) = indices.tolist()
            state = session.pieces[at].run(self.tokenizer.pair_batch([pairs[index]]), states[index])
            found[index] = state
            if state.ndim == 2:
                return state
            texts = [state[:, part].mean(axis=1) for part in self.tokenizer.pair_parts(*pairs[index])]
            return np.concatenate([state[:, 0], *texts], axis=1)

        rows = self._runner.run([self.tokenizer.pair_length(*pair) for pair in pairs], None, forward)
        return rows, [found[index] for index in range(len(pairs))]


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
        self.tokenizer = _tokenizer(files, max_length, self.session, self.on_cpu)
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
    settings = Backend.settings | {"precision", "exits"}

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> OnnxPairModel:
        """Open a cross-encoder; see `OnnxPairModel`."""
        return OnnxPairModel(files, **settings)

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> OnnxEmbeddingModel:
        """Open a bi-encoder; see `OnnxEmbeddingModel`."""
        return OnnxEmbeddingModel(files, **settings)
