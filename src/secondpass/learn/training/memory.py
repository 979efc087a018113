"""How many examples of a batch are computed at a time: as many as fit into memory."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

__all__ = ["free_memory", "part_size"]

_SHARE = 0.6  # of what is free: gradients, moments and whatever else the process does come on top
_PROBED = 2


def part_size(n: int, saved_by: Callable[[int], Any], *, free: int | None = None) -> int:
    """Return the largest part of a batch that fits into memory, one that divides the batch.

    What a forward pass keeps for the backward pass is counted for a few of the longest examples, and grows with their
    number. So no allocation has to fail first, which on a processor's memory would end the process.

    Args:
        n: examples of a batch.
        saved_by: makes the forward pass of so many of the longest examples.
        free: bytes that may be used; by default most of what is free.
    """
    probed = min(_PROBED, n)
    saved = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal saved
        saved += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        saved_by(probed)
    each = max(1, saved // probed)
    fits = max(1, int(free_memory() * _SHARE if free is None else free) // each)
    return max(size for size in range(1, n + 1) if n % size == 0 and size <= fits)


def free_memory() -> int:
    """Return how many bytes are free: of the accelerator, else of the machine or the control group of the process."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    found = [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if hasattr(os, "sysconf") else [1 << 32]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines() if ":" in line)
        found = [int(lines["MemAvailable"].split()[0]) * 1024] if "MemAvailable" in lines else found
    limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if limit.is_file() and used.is_file() and (most := limit.read_text(encoding="ascii").strip()).isdigit():
        found.append(max(0, int(most) - int(used.read_text(encoding="ascii"))))
    return min(found)
