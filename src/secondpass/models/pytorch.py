"""What models on PyTorch have in common: their device, their tokenizer, and how they run out of memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars  # type: ignore[attr-defined]
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_log

from secondpass.bars import shows_bars
from secondpass.errors import ConfigError
from secondpass.models.sources.resolve import checked_device
from secondpass.models.tokens import foreign_vocabulary

__all__ = ["check_torch_device", "check_word_vectors", "is_out_of_memory", "knows_no_word", "without_bars"]


def check_torch_device(device: object) -> None:
    """Refuse a device that PyTorch does not find here; None is left to whoever chooses one.

    Raises:
        ConfigError: it is not a text, or there is no such device.
    """
    if checked_device(device) is None:
        return
    try:
        torch.empty(0, device=device)  # type: ignore[call-overload]  # a text
    except (RuntimeError, AssertionError, NotImplementedError) as exc:  # of builds without that kind of device, too
        raise ConfigError(f"PyTorch finds no device {device!r} here; pass 'cpu', or None for the best one") from exc


def knows_no_word(tokenizer: Any) -> bool:
    """Whether a tokenizer is what transformers makes where it finds no file of one: special tokens, maybe a space."""
    return isinstance(tokenizer, PreTrainedTokenizerBase) and len(tokenizer) - len(set(tokenizer.all_special_ids)) <= 2


@contextmanager
def without_bars(*, anywhere: bool = False) -> Iterator[None]:
    """Keep transformers from drawing bars where they can't be seen, as in the log of a server; or anywhere."""
    log: Any = transformers_log  # untyped
    if (shows_bars() and not anywhere) or not log.is_progress_bar_enabled():
        yield
        return
    were_off = are_progress_bars_disabled()
    log.disable_progress_bar()  # the hub's, too
    try:
        yield
    finally:
        log.enable_progress_bar()
        if were_off:
            disable_progress_bars()


def check_word_vectors(tokenizer: Any, network: Any, name: str) -> None:
    """Refuse a model that has fewer word vectors than its tokenizer's vocabulary has tokens, added ones not counted.

    On a GPU the first such token would end the process's use of it.

    Args:
        tokenizer: of transformers; another one is not judged.
        network: of transformers; likewise.
        name: the model's.

    Raises:
        ModelFormatError: some texts have tokens that it has no vector for.
    """
    if not (isinstance(tokenizer, PreTrainedTokenizerBase) and isinstance(network, PreTrainedModel)):
        return
    n_rows, n_tokens = getattr(network.get_input_embeddings(), "num_embeddings", None), tokenizer.vocab_size
    if n_rows is not None and n_tokens > n_rows:
        raise foreign_vocabulary(name, f"it has {n_rows:,} word vectors for the {n_tokens:,} tokens of its tokenizer")


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether an error of PyTorch says that memory has run out."""
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU's, Apple's and cuBLAS's, which are plain RuntimeErrors.
    return any(words in str(exc) for words in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))
