"""Verifiers by what names or describes them."""

import os
from collections.abc import Mapping
from typing import Any

from secondpass.errors import ConfigError
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.verifier import FactVerifier

__all__ = ["load_verifier"]


def load_verifier(
    verifier: str | os.PathLike[str] | Mapping[str, Any] | FactVerifier | MonitoredVerifier, **usual: Any
) -> FactVerifier | MonitoredVerifier:
    """Return a verifier by its model's name, or by its settings; one is returned unchanged.

    Args:
        verifier: a name, a folder, a mapping, a `FactVerifier`, or a `MonitoredVerifier` around one.
        usual: settings for one that is only named; those in a mapping are the caller's own decision.

    Raises:
        ConfigError: it is not one of these, or a setting can't be used.
        ModelError: its model can't be loaded.
    """
    if isinstance(verifier, FactVerifier | MonitoredVerifier):
        return verifier
    if isinstance(verifier, Mapping):
        watched = verifier.get("type") == MonitoredVerifier.registry_name
        return MonitoredVerifier.from_config(verifier) if watched else FactVerifier.from_config(verifier)
    if isinstance(verifier, str | os.PathLike):
        return FactVerifier(verifier, **usual)
    raise ConfigError(f"verifier must be a model's name, a mapping or a FactVerifier, not {type(verifier).__name__}")
