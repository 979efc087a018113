"""Models on PyTorch, through sentence-transformers: GPUs, half precision, any checkpoint on the hub."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from secondpass.errors import ConfigError, MissingExtraError, ModelFormatError, ModelIntegrityError
from secondpass.models.batching import BatchRunner, Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.pair import PairModel
from secondpass.models.resolve import ModelFiles, sha256_of
from secondpass.models.tokens import Batch, EncoderTokenizer, Tokens

try:
    import tokenizers
    import torch
    from sentence_transformers import CrossEncoder, SentenceTransformer
except ImportError as exc:
    raise MissingExtraError.of("torch", "the torch backend") from exc

__all__ = ["Dtype", "TorchEmbeddingModel", "TorchPairModel"]

Dtype = Literal["float32", "float16", "bfloat16"]

PROBE = ("what is it", "it is this")
_CPU_BATCH_TOKENS = 2_048
_GPU_BATCH_TOKENS = 65_536


class TorchPairModel(PairModel):
    """A cross-encoder that sentence-transformers' ``CrossEncoder`` loads.

    Args:
        files: where it is.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the best one that is there.
        max_length: tokens it is given at most; the model's own limit by default.
        batch_tokens: tokens in a batch, padding included.
        dtype: of the weights; by default as they were saved.

    Raises:
        ModelIntegrityError: the files can't be read.
        ModelFormatError: it has no fast tokenizer, or no head for labels.
        ConfigError: there is no such device or dtype.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        dtype: Dtype | None = None,
    ) -> None:
        length = files.max_length(max_length)
        self._model = _load(CrossEncoder, files, device, dtype, max_length=length)
        if self._model.model is None or (not hasattr(self._model.model, "classifier") and self._model.num_labels < 1):
            raise ModelFormatError(f"{files.name} has no head for labels: no cross-encoder")
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelFormatError(f"{files.name} has no fast tokenizer")
        # A copy: the checkpoint's own keeps the state that sentence-transformers gave it.
        tokenizer = EncoderTokenizer(tokenizers.Tokenizer.from_str(backend.to_str()), length)
        super().__init__(
            files.name,
            files.labels(self._model.num_labels),
            tokenizer,
            batch_tokens or _default_batch_tokens(self._model.device),
            BatchRunner(1, _is_out_of_memory),
        )
        self.files, self.device, self.dtype = files, device, dtype
        self._inputs = {"input_ids", "attention_mask", "token_type_ids"} & set(self._model.tokenizer.model_input_names)
        self._writes_prompt = not self._reads_plain_pairs()

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a score."""
        return _fingerprint(self.files, self._model, self.tokenizer.max_length)

    def _reads_plain_pairs(self) -> bool:
        """Whether sentence-transformers makes of a pair the very tokens that we do: no prompt, no chat template."""
        features = self._model.preprocess([PROBE])
        batch = self.tokenizer.pair_batch([tuple(self.tokenizer.tokenize(PROBE))])  # type: ignore[list-item]  # two texts
        ids = features.get("input_ids")
        return ids is not None and np.array_equal(ids.cpu().numpy(), batch.input_ids)

    def _forward_pairs(self, pairs: list[tuple[str, str]], tokens: list[tuple[Tokens, Tokens]]) -> Rows:
        if not self._writes_prompt:
            return super()._forward_pairs(pairs, tokens)
        identity = torch.nn.Identity()
        logits = self._model.predict(pairs, batch_size=len(pairs), activation_fn=identity, show_progress_bar=False)
        return np.asarray(logits, dtype=np.float32).reshape(len(pairs), -1)

    def _forward(self, batch: Batch) -> Rows:
        inputs = {name: torch.from_numpy(getattr(batch, name)).to(self._model.device) for name in self._inputs}
        with torch.inference_mode():
            scores = self._model(inputs)["scores"]
        return np.asarray(scores.float().cpu().numpy(), dtype=np.float32).reshape(len(batch), -1)

    def __getstate__(self) -> dict[str, Any]:
        settings = {"device": self.device, "max_length": self.tokenizer.max_length}
        return {"files": self.files, **settings, "batch_tokens": self.batch_tokens, "dtype": self.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TorchPairModel.__init__(self, **state)


class TorchEmbeddingModel(EmbeddingModel):
    """A bi-encoder that sentence-transformers' ``SentenceTransformer`` loads; its own prompts are used."""

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        dtype: Dtype | None = None,
    ) -> None:
        super().__init__(files.name, query_prefix=files.spec.query_prefix if files.spec else "")
        self.files, self.device, self.dtype = files, device, dtype
        self._model = _load(SentenceTransformer, files, device, dtype)
        self._model.max_seq_length = files.max_length(max_length)
        tokens = batch_tokens or _default_batch_tokens(self._model.device)
        self._batch_size = max(1, tokens // self._model.max_seq_length)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, with the settings that can change a vector."""
        return _fingerprint(self.files, self._model, self._model.max_seq_length)

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        vectors = self._model.encode(list(texts), batch_size=self._batch_size, show_progress_bar=progress)
        return np.asarray(vectors, dtype=np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files, "device": self.device, "dtype": self.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TorchEmbeddingModel.__init__(self, **state)


def _load(cls: Any, files: ModelFiles, device: str | None, dtype: Dtype | None, **settings: Any) -> Any:
    if dtype not in (None, "float32", "float16", "bfloat16"):
        raise ConfigError(f"dtype must be 'float32', 'float16' or 'bfloat16', not {dtype!r}")
    if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"PyTorch sees no device {device!r} here; pass device='cpu', or None for the best one")
    model_kwargs: dict[str, Any] = {"use_safetensors": True} | ({"dtype": getattr(torch, dtype)} if dtype else {})
    try:
        # A folder and no name: nothing is looked up on the hub any more.
        return cls(
            os.fspath(files.folder),
            device=device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs=model_kwargs,
            **settings,
        ).eval()
    except Exception as exc:  # transformers, safetensors and torch raise many kinds
        raise ModelIntegrityError(f"{files.name}: {files.folder} can't be loaded: {exc}") from exc


def _default_batch_tokens(device: Any) -> int:
    return _CPU_BATCH_TOKENS if device.type == "cpu" else _GPU_BATCH_TOKENS


def _fingerprint(files: ModelFiles, model: Any, max_length: int) -> str:
    # An index of shards does not change with the weights, so the shards are read themselves.
    single = files.weights.suffix == ".safetensors"
    shards = [files.weights] if single else sorted(files.folder.glob("*.safetensors"))
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    return f"{''.join(sha256_of(shard)[:16] for shard in shards)}-torch-{dtype}-{max_length}"


def _is_out_of_memory(exc: BaseException) -> bool:
    return isinstance(exc, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(exc)
