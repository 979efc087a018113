"""Which language a text is in, and whether that is English; by py3langid, the letters and a few small words."""

import contextlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from secondpass.errors import ConfigError, MissingExtraError

__all__ = ["check_languages", "detect_language", "is_foreign", "prepare_detection", "unread_language"]

_WORD = re.compile(r"[^\W\d_]+")
_MAX_CHARS = 4000  # what a text begins with tells its language
_MIN_SHARE = 0.5  # of the letters, in another script: a name or a quotation in English text has fewer
_SURE = 0.8  # the probability of another language
_NO_LANGUAGE = "zxx"  # what the detector says of code, tables and rows of initials
_MIN_ENGLISH = 0.02  # the probability of English, below which a text without English small words is foreign
_MIN_ENGLISH_BESIDE = 0.05  # the same, beside a small word of another language, or a letter that English has not
# German nouns look like names: together with its kin, another language is likely where English is all but excluded.
_KIN = ("de", "lb", "nl", "da", "no", "nb", "nn", "sv", "fr", "oc", "es", "ca", "gl", "pt", "it", "pl")
_MOSTLY, _EXCLUDED = 0.65, 0.012
_MIN_WORDS = 4  # fewer words are foreign only if the detector is sure
_MANY = 0.1  # of the words: so many English small words need no detector
_LONG_QUERY = 6  # words in Latin letters, from which on a query is foreign by itself: "la la land cast" has 4
_SHARED = 0.25  # of the documents, in the query's own language, from which on a shorter one is foreign
_SAMPLE = 8  # of the documents that are looked at
_SAMPLE_CHARS = 500
_KEPT = 1024  # texts, as several steps ask about the same ones

# Frequent in English, and not so in other languages in Latin letters.
_ENGLISH = frozenset(["the", "and", "are", "were", "been", "this", "that", "these", "those", "with", "from", "have"])
_ENGLISH |= {"which", "would", "they", "their", "who", "when", "where", "while", "than", "but", "she"}
# Likewise, but words of Dutch, Polish or Spanish as well, which the detector knows better.
_ALSO_ENGLISH = frozenset(["had", "its", "of", "it", "was", "to", "by"])
# Frequent in French, Spanish, Italian, Portuguese, German, Dutch, Swedish, Danish and Polish.
_OTHERS = frozenset(["le", "la", "les", "du", "des", "et", "est", "un", "une", "el", "los", "las", "del", "y", "es"])
_OTHERS |= {"il", "gli", "di", "della", "una", "dos", "das", "um", "uma", "der", "die", "und", "ist", "den"}
_OTHERS |= {"het", "een", "van", "och", "ett", "og", "er", "ikke", "jest", "w"}
# What says nothing of a language: figures and what is measured.
_FIGURE = re.compile(
    r"\b[^\W\d_]*\d[\w.,:]*(?:[^\S\n]?(?:[kcm]?m|[km]?g|m?l|[kmgt]b|[kmg]?hz|k?wh?|[a-z])\b)?|\b(?:euros?|dollars?)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=16)
def _identifier(languages: tuple[str, ...] | None) -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]
    except ImportError as exc:
        raise MissingExtraError.of("language", "telling languages apart") from exc
    # One of our own: the module's shared one would be restricted for everybody.
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if languages is not None:
        try:
            identifier.set_languages(languages)
        except ValueError as exc:
            known = ", ".join(sorted(identifier.labels))
            raise ConfigError(f"{exc}; the languages that can be told apart are: {known}") from exc
    return identifier


def prepare_detection() -> None:
    """Import what tells languages apart, if it is installed.

    For those who will need it: an import that is interrupted halfway, by Ctrl-C in a call, can leave its lock behind.
    """
    with contextlib.suppress(ImportError):
        import py3langid.langid  # type: ignore[import-untyped]  # noqa: F401


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
    """Return whether a text is in another language than English.

    It is if half of its letters are of another script; if the detector is sure of another language; or if it has four
    words or more, none of them a small word of English, and the detector does not think of English. What has no words
    beside its figures, or is mostly names, counts as English. Of long texts only the beginning is looked at.
    """
    return _is_foreign(text[:_MAX_CHARS])


@lru_cache(maxsize=_KEPT)
def _is_foreign(text: str) -> bool:
    written = _WORD.findall(text)
    words = [word.lower() for word in written]
    if not words:
        return False
    letters = "".join(words)
    if not letters.isascii():
        other = sum(1 for letter in letters if not letter.isascii() and not _is_latin(letter))
        if other >= _MIN_SHARE * len(letters):
            return True
    if sum(word in _ENGLISH for word in words) >= _MANY * len(words):
        return False
    said = " ".join(_WORD.findall(_FIGURE.sub(" ", text))).lower() if len(words) >= _MIN_WORDS else text
    if not said:
        return False
    ranked = _identifier(None).rank(said)
    language, probability = ranked[0]
    if language == "en":
        return False
    english = any(word in _ENGLISH or word in _ALSO_ENGLISH for word in words)
    named = 2 * sum(word[0].isupper() for word in written[1:]) >= len(words)
    beside = not _OTHERS.isdisjoint(words) or any(not word.isascii() for word in written if word.islower())
    least = _MIN_ENGLISH_BESIDE if beside else _MIN_ENGLISH
    unlikely = len(words) >= _MIN_WORDS and not (english or named) and dict(ranked)["en"] < least
    if (probability > _SURE and language != _NO_LANGUAGE) or unlikely:
        return True
    of = dict(ranked)
    is_name = not any(word.islower() for word in written[1:])
    return not (english or is_name or of["en"] >= _EXCLUDED) and sum(of[code] for code in _KIN if code in of) >= _MOSTLY


def unread_language(query: str, texts: Sequence[str], languages: Collection[str]) -> str | None:
    """Return the language of a query, or of most documents, if a model does not read it.

    It takes more than half of the first documents; or a query in another script, or of six words or more in Latin
    letters, as short ones are often names; or a short one in the language of a quarter of the first documents.

    Args:
        query: what was asked.
        texts: the documents.
        languages: the ISO 639-1 codes of the languages that the model reads, English among them.

    Returns:
        An ISO 639-1 code; None if the model reads what is there.
    """
    words = _WORD.findall(query)
    long_enough = len(words) >= _LONG_QUERY or not all(map(_is_latin, "".join(words)))
    if long_enough and (unread := _unread(query, languages)):
        return unread
    found = [_unread(text[:_SAMPLE_CHARS], languages) for text in texts[:_SAMPLE]]
    foreign = [language for language in found if language is not None]
    if foreign and (asked := _unread(query, languages)) and foreign.count(asked) >= _SHARED * len(found):
        return asked
    return max(set(foreign), key=foreign.count) if 2 * len(foreign) > len(found) else None


def _unread(text: str, languages: Collection[str]) -> str | None:
    if not is_foreign(text):
        return None
    language = detect_language(text)
    # A text that was told from English by more than the detector is in some other language in any case.
    return None if language in languages and language != "en" else language or "unknown"


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE", "MODIFIER"))
