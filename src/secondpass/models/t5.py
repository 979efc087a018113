"""T5 checkpoints that rank: the logits of the first token that they would write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import MissingExtraError, ModelFormatError, ModelIntegrityError, OutOfMemoryError
from secondpass.forking import alone_after_fork
from secondpass.models.batching import BatchRunner, Rows, progress_bar
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import EncoderTokenizer
from secondpass.validation import OneOf, Whole

try:
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from secondpass.models.pytorch import check_torch_device, is_out_of_memory, without_bars
except ImportError as exc:
    raise MissingExtraError.of("torch", "a T5 reranker") from exc

__all__ = ["T5Model"]

Ids = npt.NDArray[np.int32]

_DTYPES = ("float32", "float16", "bfloat16")
_CPU_BATCH_TOKENS, _GPU_BATCH_TOKENS = 2_048, 65_536


class T5Model:
    """A T5 encoder-decoder, asked for the logits of some tokens in the decoder's first step.

    Safe to share between threads, and to pickle: the weights are then loaded again.

    Args:
        files: a folder with safetensors, ``config.json`` and ``tokenizer.json``.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the best one that is there.
        dtype: ``float32``, ``float16`` or ``bfloat16``; by default as they were saved.
        max_length: tokens that an input has at most.
        batch_tokens: tokens in a batch, padding included.

    Raises:
        ModelIntegrityError: the files can't be read, or lack weights.
        ModelFormatError: it is not a T5, has no fast tokenizer, or does not say how an input ends.
        OutOfMemoryError: the weights do not fit.
        ConfigError: the device is not available, or the dtype unknown.

    Attributes:
        fingerprint: the identity of all that can change a logit: weights, tokenizer and settings, as they were loaded.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_length: int = 512,
        batch_tokens: int | None = None,
    ) -> None:
        (OneOf(*_DTYPES) | None).checked(dtype, "dtype")
        check_torch_device(device)
        self.files, self.device, self.dtype = files, device, dtype
        self.max_length = Whole(at_least=16).checked(max_length, "max_length")
        self.tokenizer = _tokenizer(files, max_length)
        self._model: Any = _load(files, device or _best_device(), dtype)
        self.tokenizer.check_rows(self._model.get_input_embeddings().num_embeddings, files.name)
        self._ends = _Ends.of(self._model.config, files.name)
        self.batch_tokens = batch_tokens or (
            _CPU_BATCH_TOKENS if self._model.device.type == "cpu" else _GPU_BATCH_TOKENS
        )
        self._runner = BatchRunner(1, is_out_of_memory)
        alone_after_fork(self, torch.set_num_threads)
        dtype_name = str(self._model.dtype).removeprefix("torch.")
        # Last: it is the identity of what was opened.
        self.fingerprint = f"{files.identity()}-t5-{dtype_name}-{max_length}"

    def token_id(self, word: str) -> int:
        """Return the id of a word that is a single token.

        Raises:
            ModelFormatError: it is several, or none that the tokenizer knows.
        """
        (tokens,) = self.tokenizer.tokenize([word])
        if tokens.length != 1 or int(tokens.ids[0]) == self.tokenizer.token_id("<unk>"):
            raise ModelFormatError(
                f"{self.files.name}: {word!r} is not a single token of its vocabulary, so the checkpoint was not "
                f"trained to answer with it"
            )
        return int(tokens.ids[0])

    def logits(self, sequences: Sequence[Ids], token_ids: Sequence[int], *, progress: bool = False) -> Rows:
        """Return the logits of tokens in the decoder's first step.

        Args:
            sequences: token ids of the inputs, without the end token; at least one.
            token_ids: which tokens' logits.
            progress: show a bar when it takes longer than a second.

        Returns:
            Shape (n_sequences, n_token_ids), float32.

        Raises:
            OutOfMemoryError: a single input does not fit into memory.
            ScoringError: the backend failed; its own error is the cause.
        """

        def forward(indices: Any) -> Rows:
            return self._forward([sequences[index] for index in indices], list(token_ids))

        lengths = [len(ids) + 1 for ids in sequences]
        with progress_bar(sum(lengths), "tok", progress) as advance:
            return self._runner.run(
                lengths, self.batch_tokens, forward, lambda indices: advance(sum(lengths[index] for index in indices))
            )

    def _forward(self, sequences: list[Ids], token_ids: list[int]) -> Rows:
        shape = (len(sequences), max(map(len, sequences)) + 1)
        input_ids = np.full(shape, self._ends.padding, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for row, ids in enumerate(sequences):
            input_ids[row, : len(ids) + 1] = [*ids, self._ends.end]
            mask[row, : len(ids) + 1] = 1
        start = torch.full((len(sequences), 1), self._ends.start, device=self._model.device)
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.from_numpy(input_ids).to(self._model.device),
                attention_mask=torch.from_numpy(mask).to(self._model.device),
                decoder_input_ids=start,
                use_cache=False,
            )
        return np.asarray(output.logits[:, 0, token_ids].float().cpu().numpy(), dtype=np.float32)

    def __getstate__(self) -> dict[str, Any]:
        names = ("files", "device", "dtype", "max_length", "batch_tokens")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        T5Model.__init__(self, **state)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ids of the tokens that fill up an input and end it, and of the one that the decoder begins with."""

    padding: int
    end: int
    start: int

    @classmethod
    def of(cls, config: Any, name: str) -> "_Ends":
        ids: list[Any] = [getattr(config, f"{each}_token_id", None) for each in ("pad", "eos", "decoder_start")]
        found: list[Any] = [each[0] if isinstance(each, list) and each else each for each in ids]
        found[2] = found[0] if found[2] is None else found[2]  # as T5 was trained
        if not all(isinstance(each, int) for each in found):
            raise ModelFormatError(
                f"{name}: its config.json must have numbers for pad_token_id, eos_token_id and "
                f"decoder_start_token_id, not {ids[0]!r}, {ids[1]!r} and {ids[2]!r}"
            )
        return cls(*found)


def _load(files: ModelFiles, device: str, dtype: str | None) -> Any:
    model_type = files.config.model_type
    if model_type not in ("t5", "mt5"):
        raise ModelFormatError(f"{files.name} is not a T5: its model_type is {model_type!r}")
    settings = {"dtype": getattr(torch, dtype)} if dtype else {}
    try:
        with without_bars():
            model, about = AutoModelForSeq2SeqLM.from_pretrained(
                files.folder, use_safetensors=True, local_files_only=True, output_loading_info=True, **settings
            )
        model = model.to(device).eval()
    except Exception as exc:  # transformers, safetensors and torch raise many kinds
        if is_out_of_memory(exc):
            raise OutOfMemoryError(f"{files.name} does not fit into memory: {exc}") from exc
        raise ModelIntegrityError(f"{files.name}: {files.folder} can't be loaded: {exc}") from exc
    if missing := sorted(about["missing_keys"]):  # which are random now
        raise ModelIntegrityError(f"{files.name}: {files.folder} lacks weights of a T5: {', '.join(missing[:3])}")
    return model


def _tokenizer(files: ModelFiles, max_length: int) -> EncoderTokenizer:
    path = files.folder / "tokenizer.json"
    if not path.is_file():
        raise ModelFormatError(
            f"{files.name}: {files.folder} has no tokenizer.json (a fast tokenizer); copy that of the T5 it was "
            f"trained from into a folder with the weights, and pass the folder"
        )
    return EncoderTokenizer.from_file(path, max_length)


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
