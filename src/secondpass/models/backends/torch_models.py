"""Models on PyTorch, through sentence-transformers: GPUs, half precision, any checkpoint on the hub."""

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from secondpass.config import digest
from secondpass.errors import (
    ConfigError,
    InputError,
    MissingExtraError,
    ModelFormatError,
    ModelIntegrityError,
    OutOfMemoryError,
    first_line,
)
from secondpass.forking import alone_after_fork
from secondpass.models.backends.base import Reopened
from secondpass.models.batching import BatchRunner, Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch, EncoderTokenizer, Tokens, is_panic

try:
    import tokenizers
    import torch
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from sentence_transformers.util import get_device_name

    from secondpass.models.backends.torch_padding_free import PaddingFree
    from secondpass.models.pytorch import (
        check_torch_device,
        check_word_vectors,
        is_out_of_memory,
        knows_no_word,
        without_bars,
    )
except ImportError as exc:
    raise MissingExtraError.of("torch", "the torch backend") from exc

__all__ = ["Dtype", "TorchEmbeddingModel", "TorchPairModel"]

Dtype = Literal["auto", "float32", "float16", "bfloat16"]

_T = TypeVar("_T")
PROBE = ("what is it", "it is this")
_LEAST_ROOM = 32  # tokens, for a query and some of a document; more than the probe has, which is cut as well
_CPU_BATCH_TOKENS = 2_048
_GPU_BATCH_TOKENS = 65_536


class TorchPairModel(Reopened, PairModel):
    """A cross-encoder that sentence-transformers' ``CrossEncoder`` loads.

    Batches are of similar length, within a budget of tokens. On a GPU of 2020 (Ampere) or later, with PyTorch 2.10
    and float16 or bfloat16, BERT, ELECTRA, the RoBERTa family and ModernBERT run without padding, on attention
    over many lengths; it was tested against padded batches on a CPU, not on a GPU, so two pairs are scored both
    ways when the model is loaded, and where these differ batches are padded. All else is padded: on a GPU to a
    multiple of 8 tokens. In half precision the last linear layer stays in float32, so that scores do not tie.

    Args:
        files: where it is.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the best one that is there.
        max_length: tokens it is given at most; the model's own limit by default.
        batch_tokens: tokens in a batch, padding included.
        dtype: of the weights. ``auto`` is bfloat16 where the device has it, else float16 on CUDA, else as they were
            saved. By default ``auto`` on CUDA, where scores differ a little from a CPU's, and so does the
            fingerprint (pass ``float32`` to what was calibrated on a CPU); elsewhere as they were saved.
        instruction: see `instructed`.

    Attributes:
        padding: why its batches are padded; None if they are not.
        takes_instruction: whether its chat template shows a message of the system, as that of Qwen3-Reranker does.

    Raises:
        ModelIntegrityError: the files can't be read.
        ModelFormatError: it has no fast tokenizer, or no head for labels.
        ConfigError: the device is not available, or the dtype unknown.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
        dtype: Dtype | None = None,
        instruction: str | None = None,
    ) -> None:
        length = files.max_length(max_length)
        self._model = _load(CrossEncoder, files, device, dtype, half_on_gpu=True, max_length=length)
        if self._model.num_labels < 1:
            raise ModelFormatError(f"{files.name} has no head for labels: it is not a cross-encoder")
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelFormatError(f"{files.name} has no fast tokenizer")
        # A copy: the checkpoint's own keeps the state that sentence-transformers gave it.
        pad_id = _padding(self._model)
        tokenizer = EncoderTokenizer(tokenizers.Tokenizer.from_str(backend.to_str()), length, pad_id=pad_id)
        super().__init__(
            files.name,
            files.labels(self._model.num_labels),
            tokenizer,
            batch_tokens or _default_batch_tokens(self._model.device),
            BatchRunner(1, is_out_of_memory),
        )
        alone_after_fork(self, torch.set_num_threads)
        self.files = files
        self._settings = {"device": device, "max_length": max_length, "batch_tokens": batch_tokens, "dtype": dtype}
        self._inputs = {"input_ids", "attention_mask", "token_type_ids"} & set(self._model.tokenizer.model_input_names)
        self._length = length
        self._instruction: str | None = None
        n_prompt = self._prompt_length()
        self._writes_prompt = n_prompt != 0
        if self._writes_prompt:  # what it writes around a pair takes room away from the texts
            self.tokenizer.max_length -= max(0, n_prompt)
        self.takes_instruction = self._writes_prompt and self._shows_instruction()
        self._multiple = 8 if self._model.device.type == "cuda" else 1  # tensor cores want whole tiles
        _keep_head_float(self._model)
        self._padding_free: PaddingFree | None = None
        self.padding = self._leave_padding_out()
        # Last: it is the identity of what was opened.
        self.fingerprint = _fingerprint(files, self._model, self.tokenizer.max_length, self.labels)
        if instruction is not None:
            self.__dict__.update(self.instructed(instruction).__dict__)

    def instructed(self, instruction: str) -> PairModel:
        """Return a model that is told what counts as relevant, in the place of the system's message in its template.

        The weights are shared. Texts have less room by as much as the instruction is longer than the model's own.

        Raises:
            InputError: this one takes no instruction, or it leaves no room for a pair.
        """
        if not self.takes_instruction:
            return super().instructed(instruction)
        model = _alike(self)
        model._instruction, model.tokenizer = instruction, _alike(self.tokenizer)
        model.tokenizer.max_length = self._length - max(0, model._prompt_length())
        if model.tokenizer.max_length < _LEAST_ROOM:
            raise InputError(f"the instruction leaves no room for a pair in the {self._length} tokens of {self.name}")
        model._settings = {**self._settings, "instruction": instruction}
        model.fingerprint = f"{self.fingerprint}-{digest([instruction])}"
        return model

    def _shows_instruction(self) -> bool:
        try:
            told = self._model.preprocess([PROBE], prompt=PROBE[0])
        except Exception:  # a template may refuse a message from the system
            return False
        # A prompt before a plain text would be part of the query.
        untold = self._model.preprocess([PROBE])
        return bool(told.get("modality") == "message" and not torch.equal(told["input_ids"], untold["input_ids"]))

    def _prompt_length(self) -> int:
        """Return how many tokens a prompt or a chat template adds: 0 if a pair becomes the very tokens that we make.

        -1 where sentence-transformers makes other tokens, but no more of them.

        Raises:
            ModelFormatError: its tokenizer makes nothing of a pair.
        """
        first, second = self.tokenizer.tokenize(PROBE)
        ours = self.tokenizer.pair_batch([(first, second)]).input_ids
        prompt = self._instruction or self._model.prompts.get(self._model.default_prompt_name)
        try:
            features = self._model.preprocess([PROBE], prompt=prompt)
        except Exception as exc:  # a template may raise anything; and there may be no token for padding
            raise ModelFormatError(f"{self.name}: its tokenizer can't be used for a pair: {first_line(exc)}") from exc
        theirs = features["input_ids"].cpu().numpy() if "input_ids" in features else np.empty((1, 0))
        return 0 if np.array_equal(theirs, ours) else max(theirs.size - ours.size, 0) or -1

    def _leave_padding_out(self) -> str | None:
        """Run without padding from here on, unless there is a reason against it: return that."""
        if self._writes_prompt or len(self._model) != 1:
            return "sentence-transformers runs more than the encoder and its head"
        model = self._model[0].model
        if reason := PaddingFree.reason_against(model):
            return reason
        short, long = self.tokenizer.tokenize(["a short one", "a long one " * 100])  # longer than a sliding window
        batch = self.tokenizer.pair_batch([(short, long), (short, short)])
        padded = self._forward(batch)
        free = PaddingFree(model)
        try:
            logits = free.logits(batch, frozenset(self._inputs))
            difference = float(np.abs(logits - padded).max())
            # Rounding in half precision, over all layers, stays well below this.
            reason = None if difference <= 0.05 * max(1.0, float(np.abs(padded).max())) else f"off by {difference:.3g}"
        except Exception as exc:  # kernels raise many kinds, and a padded batch is always right
            reason = str(exc)
        if reason is None:
            self._padding_free = free
            return None
        free.undo()
        return f"attention over many lengths failed its test on this GPU: {reason}"

    def _forward_pairs(self, pairs: list[tuple[str, str]], tokens: list[tuple[Tokens, Tokens]]) -> Rows:
        if not self._writes_prompt:
            return self._forward(self.tokenizer.pair_batch(tokens, self._multiple))
        logits = self._model.predict(
            pairs,
            prompt=self._instruction,
            batch_size=len(pairs),
            activation_fn=torch.nn.Identity(),
            show_progress_bar=False,
        )
        return np.asarray(logits, dtype=np.float32).reshape(len(pairs), -1)

    def _forward(self, batch: Batch) -> Rows:
        if self._padding_free is not None:
            return self._padding_free.logits(batch, frozenset(self._inputs))
        inputs = {name: torch.from_numpy(getattr(batch, name)).to(self._model.device) for name in self._inputs}
        with torch.inference_mode():
            scores = self._model(inputs)["scores"]
        return np.asarray(scores.float().cpu().numpy(), dtype=np.float32).reshape(len(batch), -1)


def _alike(original: _T) -> _T:
    """Return another object with the same attributes: `copy.copy` would take the way of a pickle."""
    made = object.__new__(type(original))
    made.__dict__.update(original.__dict__)
    return made


class TorchEmbeddingModel(Reopened, EmbeddingModel):
    """A bi-encoder that sentence-transformers' ``SentenceTransformer`` loads; its own prompts are used.

    By default its weights stay as they were saved, on a GPU too: an index that was made on one is searched on a CPU.
    Other arguments and errors are those of `TorchPairModel`.
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
        self._model = _load(SentenceTransformer, files, device, dtype)
        prompts = self._model.prompts
        super().__init__(
            files.name,
            query_prefix=prompts.get("query") or (files.spec.query_prefix if files.spec else ""),
            document_prefix=prompts.get("document") or prompts.get("passage") or "",
        )
        alone_after_fork(self, torch.set_num_threads)
        self.files = files
        self._settings = {"device": device, "max_length": max_length, "batch_tokens": batch_tokens, "dtype": dtype}
        if max_length is not None or self._model.max_seq_length is None:  # else what it was trained with
            self._model.max_seq_length = files.max_length(max_length)
        tokens = batch_tokens or _default_batch_tokens(self._model.device)
        self._batch_size = max(1, tokens // self._model.max_seq_length)
        prefixes = (self.query_prefix, self.document_prefix)
        self.fingerprint = _fingerprint(files, self._model, self._model.max_seq_length, prefixes)

    @property
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""
        return int(self._model.max_seq_length)

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        return self._encode_behind("", texts, progress)

    def _encode_behind(self, prefix: str, texts: Sequence[str], progress: bool) -> Rows:
        # As a prompt, since some models pool without its tokens; an empty one keeps a default prompt away.
        vectors = self._model.encode(
            list(texts), prompt=prefix, batch_size=self._batch_size, show_progress_bar=progress
        )
        return np.asarray(vectors, dtype=np.float32)


def _load(
    cls: Any, files: ModelFiles, device: str | None, dtype: Dtype | None, *, half_on_gpu: bool = False, **settings: Any
) -> Any:
    if dtype not in (None, "auto", "float32", "float16", "bfloat16"):
        raise ConfigError(f"dtype must be 'auto', 'float32', 'float16' or 'bfloat16', not {dtype!r}")
    check_torch_device(device)
    _refuse_pickled_modules(files)
    place = torch.device(device or get_device_name())  # as sentence-transformers chooses it
    if dtype == "auto" or (dtype is None and half_on_gpu and place.type == "cuda"):
        dtype = _half_of(place)
    model_kwargs: dict[str, Any] = {"use_safetensors": True} | ({"dtype": getattr(torch, dtype)} if dtype else {})
    try:
        # A folder and no name: nothing is looked up on the hub any more.
        with without_bars():
            model = cls(
                os.fspath(files.folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs=model_kwargs,
                **settings,
            ).eval()
    except BaseException as exc:  # transformers, safetensors and torch raise many kinds, and tokenizers panics
        if not (isinstance(exc, Exception) or is_panic(exc)):
            raise
        if is_out_of_memory(exc):
            raise OutOfMemoryError(f"{files.name} does not fit into memory: {exc}") from exc
        raise ModelIntegrityError(f"{files.name}: {files.folder} can't be loaded: {exc}") from exc
    if knows_no_word(getattr(model, "tokenizer", None)):
        raise ModelFormatError(
            f"{files.name}: {files.folder} has no tokenizer (tokenizer.json); copy that of the model it was trained "
            f"from into the folder"
        )
    check_word_vectors(getattr(model, "tokenizer", None), getattr(model[0], "model", None), files.name)
    return model


def _padding(model: Any) -> int | None:
    """Return the id that a model takes for padding, by which decoders find a sequence's last token; None if unknown."""
    own = getattr(getattr(model[0], "model", None), "config", None)
    found = (getattr(own, "pad_token_id", None), model.tokenizer.pad_token_id)
    return next((each for each in found if isinstance(each, int) and each >= 0), None)


def _half_of(device: torch.device) -> Dtype | None:
    """Return the half precision that a device computes in fast; None if there is none that is known of."""
    if device.type == "cuda":
        # GPUs before Ampere have bfloat16 in name only.
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # older releases don't tell
        capabilities = torch.cpu.get_capabilities()
        return "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else None
    return None


def _keep_head_float(model: Any) -> None:
    """Put the linear layer that gives the logits into float32: bfloat16 has only 16 steps from one logit of 8 to 9."""
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    if layers and layers[-1].out_features == model.num_labels and layers[-1].weight.dtype != torch.float32:
        layers[-1].float().register_forward_pre_hook(lambda layer, args: (args[0].float(),))


def _refuse_pickled_modules(files: ModelFiles) -> None:
    """Refuse what sentence-transformers would read as a pickle beside safe weights: a module's own file."""
    for pickled in sorted(files.folder.glob("*/pytorch_model.bin")):
        if not (pickled.parent / "model.safetensors").is_file():
            raise ModelFormatError(f"{pickled} is a pickle, which can run code when loaded; convert it to safetensors")


def _default_batch_tokens(device: Any) -> int:
    return _CPU_BATCH_TOKENS if device.type == "cpu" else _GPU_BATCH_TOKENS


def _fingerprint(files: ModelFiles, model: Any, max_length: int, texts: Sequence[str]) -> str:
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    return f"{files.identity(texts)}-torch-{dtype}-{max_length}"
