"""Which language a text is in: of many, with the extra ``language`` (py3langid), or whether it is English."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from secondpass.errors import ConfigError, MissingExtraError

__all__ = ["check_languages", "detect_language", "is_foreign"]

_WORD = re.compile(r"[^\W\d_]+")
_MAX_CHARS = 4000  # what a text begins with tells its language
_MIN_SHARE = 0.5  # of the letters, in another script: a name or a quotation in English text has fewer
_MIN_WORDS = 2

_ENGLISH = frozenset(
    """
        the of and to is are was were be been it its this that these those with from by for at as an on or not has
        have had which who can will would when where while than but they he she you we his her their
    """.split()  # noqa: SIM905  # a list of them would be a page long
)
# Words that are frequent in one of these languages and hardly ever stand in English sentences, nor in names (as "la",
# "los", "van", "der" and "da" do). One alone still does not count.
_FOREIGN = frozenset(
    """
        und ist nicht ein eine einen wurde wurden mit für auf dem des sich auch wird sind im les une est dans et du
        pour qui sur pas avec par sont été cette ce il elle es en que por con fue una su para como más entre di che
        è della nel stato gli non alla più uma foi não em ao são mais pelo het een niet werd zijn op te voor ook
        naar och är som ett av för inte att på det er og ikke til jest się nie na oraz
    """.split()  # noqa: SIM905  # a list of them would be a page long
)


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


def is_foreign(text: str) -> bool:
    """Return whether a text is clearly not English: in another script, or with the small words of another language.

    A text without such words, as many headings and short claims are, is taken for English. German, French,
    Spanish, Italian, Portuguese, Dutch, the Scandinavian languages and Polish are known by their small words.
    """
    words = _WORD.findall(text[:_MAX_CHARS])
    if not words:
        return False
    letters = "".join(words)
    if not letters.isascii():
        other = sum(1 for letter in letters if not letter.isascii() and not _is_latin(letter))
        if other >= _MIN_SHARE * len(letters):
            return True
    small = [word.lower() for word in words]
    foreign = sum(word in _FOREIGN for word in small)
    english = sum(word in _ENGLISH for word in small)
    return foreign >= _MIN_WORDS and foreign >= 0.2 * len(words) and foreign > 3 * english


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE", "MODIFIER"))
