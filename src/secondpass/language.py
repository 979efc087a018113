"""Which language a short text is in; needs the extra ``language`` (py3langid)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from secondpass.errors import ConfigError, MissingExtraError

__all__ = ["check_languages", "detect_language"]


@lru_cache(maxsize=16)
def _identifier(languages: tuple[str, ...] | None) -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]
    except ImportError as exc:
        raise MissingExtraError.of("language", "telling languages apart") from exc
    # One of our own: the module's shared one would be restricted for everybody.
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    if languages is not None:
        try:
            identifier.set_languages(languages)
        except ValueError as exc:
            known = ", ".join(sorted(identifier.labels))
            raise ConfigError(f"{exc}; the languages that can be told apart are: {known}") from exc
    return identifier


def check_languages(languages: Sequence[str] | None) -> None:
    """Load the detector for some languages, or for all for None.

    Raises:
        MissingExtraError: py3langid is not installed.
        ConfigError: one of the codes is unknown.
    """
    _identifier(None if languages is None else tuple(sorted(set(languages))))


def detect_language(text: str, languages: Sequence[str] | None = None) -> str | None:
    """Return the most likely language of a text.

    Args:
        text: a few words do; the fewer the languages to choose from, the more reliable it is.
        languages: the ISO 639-1 codes to choose from; all 97 that py3langid knows for None.

    Returns:
        An ISO 639-1 code; None if nothing in the text (digits, symbols) says anything about its language.

    Raises:
        MissingExtraError: py3langid is not installed.
        ConfigError: one of the codes is unknown.
    """
    identifier = _identifier(None if languages is None else tuple(sorted(set(languages))))
    if not any(character.isalpha() for character in text):
        return None
    language, _ = identifier.classify(text)
    return str(language)
