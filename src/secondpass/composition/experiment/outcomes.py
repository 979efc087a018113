"""What happened to the units of an experiment: sums for each unit, arm and metric."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError, SecondPassWarning, reason, warn
from secondpass.files import write_whole
from secondpass.forking import reset_after_fork
from secondpass.validation import Number, Text, Whole

__all__ = ["Outcomes"]

_FORMAT = 1
_VALUE, _COUNT = Number(), Number(above=0)

Units = dict[str, list[float]]
"""By a unit's hash: how many values it has, and their sum."""


class Outcomes:
    """Counts values by metric, arm and unit. A unit counts once, with the mean of its values.

    So a user who comes a hundred times has no more say than one who comes once, and the values of one user, which
    depend on each other, are not taken for independent ones. What is seen under different shares of the arms is kept
    apart, as units that came early would else be compared with units that came late.

    Several processes count for themselves: `save` in each, and ``Outcomes.merged`` of what they wrote. Units are
    kept as hashes. Safe to share between threads.

    Args:
        max_units: how many entries are kept, some 200 bytes each; the values of further units are not counted, but
            their number is, in ``dropped``.

    Attributes:
        dropped: values that were not counted, for want of room.
    """

    def __init__(self, *, max_units: int = 1_000_000) -> None:
        self.max_units = Whole(at_least=1, unit="units").checked(max_units, "Outcomes: max_units")
        self.dropped = 0
        self._units: dict[tuple[str, str, str], Units] = {}
        self._n_entries = 0
        self._renew_lock()
        reset_after_fork(self, Outcomes._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def add(self, shares: str, metric: str, arm: str, unit: str, value: float) -> None:
        """Count a value.

        Args:
            shares: under which it was seen: `Allocation.key`.
            metric: what was measured.
            arm: of the unit.
            unit: the unit's hash.
            value: a finite number.

        Raises:
            InputError: the metric has no name, or the value is not a finite number.
        """
        Text().checked(metric, "metric", error=InputError)
        number = _VALUE.checked(value, f"the value of {metric!r}", error=InputError)
        self._add((shares, metric, arm), unit, 1, number)

    def _add(self, key: tuple[str, str, str], unit: str, n: float, total: float) -> None:
        with self._lock:
            units = self._units.setdefault(key, {})
            sums = units.get(unit)
            if sums is not None:
                sums[0] += n
                sums[1] += total
                return
            is_first = not self.dropped
            if self._n_entries < self.max_units:
                self._n_entries += 1
                units[unit] = [n, total]
                return
            self.dropped += int(n)
        if is_first:
            said = f"the outcomes of an experiment have no room for more than {self.max_units} units"
            warn(f"{said}: those of further ones are not counted; set a larger max_units", SecondPassWarning)

    def metrics(self, shares: str) -> list[str]:
        """Return the names of what was measured under some shares, in order."""
        with self._lock:
            return sorted({metric for seen, metric, _ in self._units if seen == shares})

    def values(self, shares: str, metric: str, arm: str) -> npt.NDArray[np.float64]:
        """Return the mean of each unit, shape (n_units,)."""
        with self._lock:
            units = self._units.get((shares, metric, arm), {})
            sums = np.array([(n, total) for n, total in units.values()], dtype=np.float64).reshape(-1, 2)
        return np.asarray(sums[:, 1] / sums[:, 0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a file, as JSON; what stood there before is replaced at once.

        Raises:
            InputError: it can't be written.
        """
        with self._lock:
            rows = [[*key, units] for key, units in self._units.items()]
            text = json.dumps({"format": _FORMAT, "dropped": self.dropped, "units": rows})
        try:
            write_whole(Path(path).expanduser(), f"{text}\n".encode())
        except OSError as exc:
            raise InputError(f"{os.fspath(path)} can't be written: {reason(exc)}") from exc

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_units: int = 1_000_000) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: it is something else.
        """
        outcomes = cls(max_units=max_units)
        try:
            data = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            outcomes._take(data)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise InputError(f"{os.fspath(path)} holds no outcomes of an experiment: {exc}") from exc
        return outcomes

    def _take(self, data: Mapping[str, Any]) -> None:
        if data["format"] != _FORMAT:
            raise ValueError(f"the format is {data['format']!r}, not {_FORMAT}")
        for shares, metric, arm, units in data["units"]:
            for unit, (n, total) in units.items():
                key = (str(shares), str(metric), str(arm))
                self._add(key, str(unit), _COUNT.checked(n, "a count"), _VALUE.checked(total, "a sum"))
        self.dropped += Whole(at_least=0).checked(data["dropped"], "dropped")

    @classmethod
    def merged(cls, outcomes: Iterable["Outcomes"], *, max_units: int = 1_000_000) -> Self:
        """Return those of several processes as one."""
        merged = cls(max_units=max_units)
        for each in outcomes:
            with each._lock:
                entries = [
                    (key, unit, n, total) for key, units in each._units.items() for unit, (n, total) in units.items()
                ]
                merged.dropped += each.dropped
            for entry in entries:
                merged._add(*entry)
        return merged
