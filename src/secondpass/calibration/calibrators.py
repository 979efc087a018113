"""Calibrators by name."""

from collections.abc import Mapping
from typing import Any

from secondpass.calibration.base import Calibrator
from secondpass.calibration.isotonic import IsotonicCalibrator
from secondpass.calibration.parametric import BetaCalibrator, PlattCalibrator, TemperatureCalibrator
from secondpass.errors import ConfigError
from secondpass.validation import OneOf, must_be

__all__ = ["calibrator_class", "calibrator_from_config"]

_CALIBRATORS: dict[str, type[Calibrator]] = {
    each.registry_name: each for each in (PlattCalibrator, TemperatureCalibrator, IsotonicCalibrator, BetaCalibrator)
}


def calibrator_class(name: object) -> type[Calibrator]:
    """Return the calibrator of a name.

    Raises:
        ConfigError: there is none of that name.
    """
    return _CALIBRATORS[OneOf(*_CALIBRATORS).checked(name, "the calibration method")]


def calibrator_from_config(config: Mapping[str, Any]) -> Calibrator:
    """Build a calibrator from what its `to_config` wrote.

    Raises:
        ConfigError: a parameter is unknown, missing or out of range.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(must_be("calibrator", "a Calibrator, or a mapping with its name under 'type'", config))
    return calibrator_class(config.get("type")).from_config(config)
