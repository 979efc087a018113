"""In which numbers a training computes."""

import torch

from secondpass.learn.training.settings import TrainSettings

__all__ = ["is_mixed", "multiplies_bfloat16", "precision_arguments"]


def multiplies_bfloat16() -> bool:
    """Whether this machine's processor multiplies tiles of bfloat16 (AMX).

    With AVX-512 alone, products in bfloat16 took 1.8 times as long as in float32 on the processor that was measured.
    """
    return bool(torch.cpu._is_amx_tile_supported())


def is_mixed(settings: TrainSettings) -> bool:
    """Whether products are computed in fewer bits than the weights have."""
    if settings.precision == "auto":
        if not torch.accelerator.is_available():
            return multiplies_bfloat16()
        return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())
    return settings.precision != "float32"


def precision_arguments(settings: TrainSettings) -> dict[str, bool]:
    """Return what a trainer of transformers is told."""
    return {"bf16": is_mixed(settings) and settings.precision != "float16", "fp16": settings.precision == "float16"}
