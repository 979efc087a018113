"""Calibrations in files: one beside a model's weights is the model's own."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from secondpass.calibration.base import Calibrator
from secondpass.calibration.calibrators import calibrator_from_config
from secondpass.errors import InputError, ModelIntegrityError, reason
from secondpass.files import write_whole

__all__ = ["CALIBRATION", "SavedCalibration", "read_calibration", "write_calibration"]

CALIBRATION = "calibration.json"
"""The name of the file, in a model's folder."""

_FORMAT = "secondpass-calibration-1"


@dataclass(frozen=True, slots=True)
class SavedCalibration:
    """A calibrator with what it was fitted on.

    Attributes:
        calibrator: from logits to probabilities.
        fitted_on: the fingerprint of the reranker; None if that is not known.
        base_rate: what the share of relevant documents is corrected to; None for that of the fitting data.
    """

    calibrator: Calibrator
    fitted_on: str | None = None
    base_rate: float | None = None


def write_calibration(path: str | os.PathLike[str], saved: SavedCalibration) -> None:
    """Write a calibration as JSON, whole or not at all.

    Raises:
        InputError: it can't be written.
    """
    data = {
        "format": _FORMAT,
        "fitted_on": saved.fitted_on,
        "base_rate": saved.base_rate,
        "calibrator": saved.calibrator.to_config(),
    }
    try:
        write_whole(Path(path).expanduser(), (json.dumps(data, indent=2) + "\n").encode())
    except OSError as exc:
        raise InputError(f"{path} can't be written: {reason(exc)}") from exc


def read_calibration(path: str | os.PathLike[str]) -> SavedCalibration:
    """Read what `write_calibration` wrote.

    Raises:
        ModelIntegrityError: the file can't be read, or holds something else.
    """
    try:
        data = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise ModelIntegrityError(f"{path} has the format {data['format']!r}, not {_FORMAT!r}")
        return SavedCalibration(calibrator_from_config(data["calibrator"]), data["fitted_on"], data["base_rate"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ModelIntegrityError(f"{path} holds no calibration that can be read: {exc!r}") from exc
