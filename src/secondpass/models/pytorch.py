"""What models on PyTorch have in common: their device, their tokenizer, and how they run out of memory."""

from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from secondpass.errors import ConfigError
from secondpass.models.sources.resolve import checked_device

__all__ = ["check_torch_device", "is_out_of_memory", "knows_no_word"]


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


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether an error of PyTorch says that memory has run out."""
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU's, Apple's and cuBLAS's, which are plain RuntimeErrors.
    return any(words in str(exc) for words in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))
