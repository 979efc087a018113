"""Calibrators by name."""

from collections.abc import Mapping
from typing import Any

from secondpass.base import construct
from secondpass.calibration.base import Calibrator
from secondpass.calibration.isotonic import IsotonicCalibrator
from secondpass.calibration.parametric import BetaCalibrator, PlattCalibrator, TemperatureCalibrator
from secondpass.errors import ConfigError

__all__ = ["calibrator_class", "calibrator_from_config"]

_KINDS: dict[str, type[Calibrator]] = {
    kind.kind: kind for kind in (PlattCalibrator, TemperatureCalibrator, IsotonicCalibrator, BetaCalibrator)
}


def calibrator_class(kind: object) -> type[Calibrator]:
    """Return the calibrator of a name.

    Raises:
        ConfigError: there is none of that name.
    """
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(f"a calibration method is one of {', '.join(_KINDS)}, not {kind!r}")
    return _KINDS[kind]


def calibrator_from_config(config: Mapping[str, Any]) -> Calibrator:
    """Build a calibrator from what its `to_config` wrote.

    Raises:
        ConfigError: a parameter is unknown, missing or out of range.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"a calibrator is a Calibrator or a mapping with its name under 'kind', not {config!r}")
    parameters = {str(name): value for name, value in config.items() if name != "kind"}
    return construct(calibrator_class(config.get("kind")), **parameters)
