"""How much memory this process uses, and an alert before it has none left."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Unpack

from secondpass.errors import MissingExtraError
from secondpass.monitor.event import Event
from secondpass.monitor.rules import Rule, WatchSettings
from secondpass.validation import SHARE, check

__all__ = ["MemoryRule", "memory_limit", "memory_used"]

# The limit of a container, in the two versions of Linux's control groups, as it is seen from within.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class MemoryRule(Rule):
    """Fires when this process uses too much of the memory that it may use: before it is killed for it.

    It looks at the process, and not at the events that it comes with; so an event of any kind will do.

    Args:
        limit: the share of the machine's memory, or of the limit of its container, in [0, 1].
        watch: see `WatchSettings`; here ``min_events`` is 1 by default.

    Raises:
        MissingExtraError: psutil is not installed.
    """

    registry_name: ClassVar[str] = "memory"
    usual_min_events: ClassVar[int] = 1

    def __init__(self, limit: float = 0.9, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)
        if memory_used() is None:
            raise MissingExtraError.of("diagnose", "MemoryRule")

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of the memory that is used now."""
        used, limit = memory_used(), memory_limit()
        return used / limit if used is not None and limit else None


def memory_used() -> int | None:
    """Return the bytes of memory that this process has, without what is swapped out; None without psutil."""
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.Process().memory_info().rss)


def memory_limit() -> int | None:
    """Return the bytes of memory that this process may have; None without psutil."""
    try:
        import psutil
    except ImportError:
        return None
    return min([int(psutil.virtual_memory().total), *filter(None, map(_limit, _LIMITS))])


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # there is none, or it says "max"
        return None
