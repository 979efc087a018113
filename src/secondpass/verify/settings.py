"""Checks the settings of a `FactVerifier` when it is built, not when it is used."""

from typing import Any

from secondpass.composition.fallback import is_number
from secondpass.errors import ConfigError
from secondpass.verify.judge import Judge

__all__ = ["check_settings"]


def check_settings(verifier: Any) -> None:
    """Check the attributes of a `FactVerifier`.

    Raises:
        ConfigError: one is out of range; the message says which, and what it may be.
    """
    for name, least in (("window_tokens", 16), ("overlap", 0), ("windows_per_claim", 1)):
        if type(getattr(verifier, name)) is not int or getattr(verifier, name) < least:
            raise ConfigError(f"FactVerifier: {name} must be a whole number of at least {least}")
    if 2 * verifier.overlap > verifier.window_tokens:
        raise ConfigError("FactVerifier: overlap may be at most half of window_tokens")
    for name, lowest in (("min_supported", 0.0), ("threshold", 1e-6), ("contradiction_threshold", 1e-6)):
        value = getattr(verifier, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= 1:
            wanted = "within 0 and 1" if lowest == 0 else "above 0 and at most 1"
            raise ConfigError(f"FactVerifier: {name} must be a number {wanted}, not {value!r}")
    if not isinstance(verifier.message, str):
        raise ConfigError("FactVerifier: message must be a str")
    if verifier.decomposer is not None and not callable(verifier.decomposer):
        raise ConfigError("FactVerifier: decomposer must be a function from a Claim to texts")
    _check_judge(verifier)


def _check_judge(verifier: Any) -> None:
    if (verifier.judge is None) != (verifier.band is None):
        raise ConfigError("FactVerifier: judge and band go together: who is asked, and at which probabilities")
    if verifier.band is None:
        return
    if not isinstance(verifier.judge, Judge):
        raise ConfigError(f"FactVerifier: judge must have a method 'judge', as LLMJudge has, not {verifier.judge!r}")
    band = verifier.band
    numbers = isinstance(band, tuple) and len(band) == 2 and all(map(is_number, band))
    if not numbers or not 0 <= band[0] <= verifier.threshold <= band[1] <= 1:
        raise ConfigError(
            f"FactVerifier: band must be (lowest, highest) probability within 0 and 1 around the threshold "
            f"{verifier.threshold:g}, not {verifier.band!r}"
        )
