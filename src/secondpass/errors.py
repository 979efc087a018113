"""Everything that secondpass raises on purpose.

```
SecondPassError
├── InputError (ValueError)             a query, a document or k that can't be used
├── ConfigError (ValueError)            a setting or a configuration that can't be used
│   └── CompositionError                two rerankers that don't fit together
├── RegistryError (LookupError)         no such name, or two plug-ins with one name
├── MissingExtraError (ImportError)     an optional package isn't installed
├── ModelError
│   ├── ModelNotFoundError              no source has a model of that name
│   ├── ModelIntegrityError             the files are damaged, or not the ones that were promised
│   ├── ModelFormatError                a model that can't be used for this task
│   └── StoreError                      a store of model versions can't be written (secondpass.learn)
├── VerificationFailedError             an answer that did not pass, where the policy is to raise
├── CacheError                          a cache failed; a CachedReranker goes on without it (secondpass.cache)
└── ScoringError (RuntimeError)         scores could not be computed, or break the contract
    ├── OutOfMemoryError (MemoryError)  a single pair does not fit into memory
    ├── CallError                       a server gave no answer (secondpass.network)
    │   └── CompletionError             a language model gave no answer (secondpass.llm)
    └── BudgetError                     the token or cost budget is used up (secondpass.llm)
```

An error of another library is wrapped once, and is the ``__cause__``. Warnings are `SecondPassWarning`s.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

__all__ = [
    "CompositionError",
    "ConfigError",
    "InputError",
    "LanguageWarning",
    "MissingExtraError",
    "ModelError",
    "ModelFormatError",
    "ModelIntegrityError",
    "ModelNotFoundError",
    "OutOfMemoryError",
    "RegistryError",
    "ScoringError",
    "SecondPassError",
    "SecondPassWarning",
    "TruncationWarning",
    "VerificationFailedError",
    "first_line",
    "reason",
    "warn",
]


class SecondPassError(Exception):
    """The base of every error that secondpass raises on purpose."""


class InputError(SecondPassError, ValueError):
    """A query, a document or ``k`` can't be used; the message says which one and what to pass instead."""


class ConfigError(SecondPassError, ValueError):
    """A setting, or a configuration read by `from_config`, can't be used."""


class CompositionError(ConfigError):
    """Rerankers don't fit together; the message names both sides and the trait that stands between them."""


class RegistryError(SecondPassError, LookupError):
    """A name that no plug-in registered, a plug-in that can't be loaded, or two plug-ins with one name."""


class MissingExtraError(SecondPassError, ImportError):
    """An optional package isn't installed; the message holds the command that installs it.

    Attributes:
        missing: what needs a package to the pip extra that has it; empty where no extra has.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.missing: dict[str, str] = {}

    @classmethod
    def of(cls, extra: str, purpose: str) -> "MissingExtraError":
        """Return the error for a missing pip extra; ``purpose``, what needs it, is the subject of the sentence."""
        error = cls(f'{purpose} needs packages that are not installed: pip install "secondpass[{extra}]"')
        error.missing = {purpose: extra}
        return error

    @classmethod
    def of_all(cls, errors: Sequence["MissingExtraError"]) -> "MissingExtraError":
        """Return one error, with one command, for at least one; the first of them where any has no extra."""
        missing = {purpose: extra for error in errors for purpose, extra in error.missing.items()}
        if len(missing) < 2 or not all(error.missing for error in errors):
            return errors[0]
        *others, last = missing
        extras = ",".join(dict.fromkeys(missing.values()))
        error = cls(
            f'{", ".join(others)} and {last} need packages that are not installed: pip install "secondpass[{extras}]"'
        )
        error.missing = missing
        return error


class ModelError(SecondPassError):
    """A model can't be found, read or used."""


class ModelNotFoundError(ModelError):
    """Neither a folder, an installed package, the Hugging Face cache nor the hub has the model."""


class ModelIntegrityError(ModelError):
    """A model's files are damaged, or are not those that its checksum promises."""


class ModelFormatError(ModelError):
    """A model's files are readable, but not of a kind that can be used for the task."""


class ScoringError(SecondPassError, RuntimeError):
    """A backend failed while scoring, or a reranker returned scores that break the contract."""


class OutOfMemoryError(ScoringError, MemoryError):
    """A batch of a single pair does not fit into memory."""


class VerificationFailedError(SecondPassError):
    """An answer did not pass its verification, and the policy is ``raise``.

    Attributes:
        verification: the `Verification`, with every claim; None if there was none.
    """

    def __init__(self, message: str, verification: Any = None) -> None:
        super().__init__(message)
        self.verification = verification

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.verification)


class SecondPassWarning(UserWarning):
    """The base of every warning that secondpass gives."""


class LanguageWarning(SecondPassWarning):
    """A model does not read the language of a query or its documents. Each reranker warns once; every trace says so."""


class TruncationWarning(SecondPassWarning):
    """A model saw only the beginning of a document. Each reranker warns once; every trace counts them."""


def first_line(exc: BaseException) -> str:
    """Return the first line of another library's error, or its type if it says nothing."""
    return (str(exc).splitlines() or [type(exc).__name__])[0]


def reason(exc: Exception) -> str:
    """Return what an error says, in a few words: of the system's own, without its number and the file's name."""
    said = getattr(exc, "strerror", None) or str(exc)
    return said[:1].lower() + said[1:]


def warn(message: str, category: type[SecondPassWarning]) -> None:
    """Give a warning that points to the line of secondpass's caller, not to one of ours."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__", "")).startswith("secondpass."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
