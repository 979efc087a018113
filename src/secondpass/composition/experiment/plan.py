"""The weights in a file, which is read again when it has changed."""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from secondpass.composition.experiment.assignment import Allocation, checked_weights
from secondpass.config import refuse_endless
from secondpass.errors import ConfigError, MissingExtraError
from secondpass.forking import reset_after_fork
from secondpass.validation import Flag, check_names

__all__ = ["Plan"]

_log = logging.getLogger("secondpass.experiment")
_NAMES = ("weights", "rollback")


class Plan:
    """What a file says about an experiment: ``weights``, ``rollback`` or both; what it leaves out stays as it was set.

    A new version that can't be used is logged as an error, once, and the one before it stays in force.

    Args:
        path: a YAML or JSON file.
        usual: what holds where the file says nothing.
        owner: the class that reads it, for errors.
        check_every_s: how many seconds may pass until a change is seen.
        clock: a function that returns seconds that only grow.

    Raises:
        ConfigError: the file can't be read or used.
        MissingExtraError: it is YAML, and pyyaml is not installed.
    """

    def __init__(
        self,
        path: str,
        usual: Allocation,
        owner: str,
        check_every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._usual, self._owner = Path(path).expanduser(), usual, owner
        self._check_every_s, self._clock = check_every_s, clock
        self._renew_lock()
        reset_after_fork(self, Plan._renew_lock)
        self._version = self._stamp()
        self._allocation = self._read()
        self._checked_s = clock()

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def allocation(self) -> Allocation:
        """Return what is in force, from the file if it has changed."""
        if self._clock() - self._checked_s >= self._check_every_s and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._allocation

    def _look(self) -> None:
        self._checked_s = self._clock()
        version = self._stamp()
        if version == self._version:
            return
        self._version = version
        try:
            allocation = self._read()
        except (ConfigError, MissingExtraError) as exc:
            _log.error("the experiment goes on as it was: %s", exc)
            return
        if allocation != self._allocation:
            _log.warning("the experiment's shares are now: %s (before: %s)", allocation.key, self._allocation.key)
        self._allocation = allocation

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except (OSError, ValueError):  # the latter of a null byte
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Allocation:
        where = f"{self._owner}: {os.fspath(self._path)}"
        try:
            data = self._parsed(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as exc:
            raise ConfigError(f"{where} can't be read: {exc}") from exc
        if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
            raise ConfigError(f"{where} must be a mapping with {' or '.join(_NAMES)}")
        refuse_endless(data, where)
        check_names(data, _NAMES, where)
        weights = checked_weights(data.get("weights", self._usual.weights), self._usual.weights, where)
        rollback = Flag().checked(data.get("rollback", self._usual.rollback), f"{where}: rollback")
        return Allocation(weights, rollback)

    def _parsed(self, text: str) -> Any:
        if self._path.suffix == ".json":
            return json.loads(text)
        try:
            import yaml
        except ImportError as exc:
            raise MissingExtraError.of("cli", "a plan in YAML") from exc
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as exc:
            raise ValueError(str(exc)) from exc
