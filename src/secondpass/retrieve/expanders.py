"""Query expansion: synonyms, templates, the words of a first search's best documents, any function.

WordNet is left out: its well-kept libraries download the data at first use. Their lookups go
into a `FunctionExpander`.
"""

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from secondpass.config import Configured
from secondpass.errors import ConfigError, SecondPassError
from secondpass.validation import Function, OneOf, Whole, check, must_be

__all__ = ["Expander", "FeedbackExpander", "FunctionExpander", "SynonymExpander", "TemplateExpander"]

_WORD = re.compile(r"\w\w+")
# Enough of a document to tell what it is about; a document of a gigabyte must not stall a search.
_MAX_CHARACTERS = 20_000
_STOP_WORDS = frozenset(
    _WORD.findall(
        "about above after again all also am an and any are as at be because been before being below between both but "
        "by can could did do does doing down during each few for from further had has have having he her here hers him "
        "his how if in into is it its just may me might more most must my no nor not now of off on once one only or "
        "other our out over own per same she should so some such than that the their them then there these they this "
        "those through to too under until up upon use used uses using very was we were what when where whether which "
        "while who whom why will with would you your"
    )
)


class Expander(Configured, ABC):
    """Makes variants of a query.

    Attributes:
        depth: how many of the best documents, found with the query itself, `expand` needs.
    """

    depth: int = 0

    @abstractmethod
    def expand(self, query: str, documents: Sequence[str]) -> Sequence[str]:
        """Return variants of a query, the most important first; an empty list if there are none.

        Args:
            query: what was asked.
            documents: the texts of the ``depth`` best documents for it, best first.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class SynonymExpander(Expander):
    """Replaces words or phrases by synonyms, one at a time, in the order in which they occur in the query.

    Args:
        synonyms: from a word or phrase to its synonyms. Whole words are matched, in any case.

    Raises:
        ConfigError: it is not a mapping from words to lists, or a word is blank.
    """

    registry_name: ClassVar[str] = "synonyms"

    def __init__(self, synonyms: Mapping[str, Sequence[str]]) -> None:
        if not isinstance(synonyms, Mapping):
            raise ConfigError(
                f"synonyms must be a mapping from a word to a list of words, not a {type(synonyms).__name__}"
            )
        self.synonyms: dict[str, list[str]] = {}
        for word, others in synonyms.items():
            listed = not isinstance(others, str) and isinstance(others, Sequence)
            if not listed or not all(isinstance(text, str) and text.strip() for text in (word, *others)):
                raise ConfigError(f"synonyms of {word!r} must be a list of words that are not blank, not {others!r}")
            self.synonyms[word] = list(others)
        # However many spaces stand between the words of a phrase.
        parts = {word: r"\s+".join(map(re.escape, word.split())) for word in self.synonyms}
        self._patterns = {
            word: re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE) for word, pattern in parts.items()
        }

    def expand(self, query: str, documents: Sequence[str]) -> list[str]:
        """Return the query once for each synonym of a word in it; see `Expander.expand`."""
        found = [(match.start(), word) for word, pattern in self._patterns.items() if (match := pattern.search(query))]
        # A function as replacement, as a backslash in a str would be interpreted.
        return [
            self._patterns[word].sub(lambda _, other=other: other, query)  # type: ignore[misc]
            for _, word in sorted(found)
            for other in self.synonyms[word]
        ]


class TemplateExpander(Expander):
    """Puts the query into templates, such as ``"definition of {query}"``.

    Args:
        templates: texts with ``{query}`` in them; other braces stay as they are.

    Raises:
        ConfigError: there is no template, or one without ``{query}``.
    """

    registry_name: ClassVar[str] = "templates"

    def __init__(self, templates: Sequence[str]) -> None:
        if isinstance(templates, str) or not isinstance(templates, Sequence) or not templates:
            raise ConfigError("templates must be a list of at least one text")
        for template in templates:
            if not isinstance(template, str) or "{query}" not in template:
                raise ConfigError(f"a template must be a text with {{query}} in it, not {template!r}")
        self.templates = list(templates)

    def expand(self, query: str, documents: Sequence[str]) -> list[str]:
        """Return each template with the query in it; see `Expander.expand`."""
        return [template.replace("{query}", query) for template in self.templates]


class FeedbackExpander(Expander):
    """Adds the typical words of a first search's best documents (pseudo-relevance feedback).

    The words are those of a relevance model, RM1 (Lavrenko and Croft 2001): the sum over the documents of a
    word's share in the document times the document's weight; and as in RM3 (Abdul-Jaleel et al. 2004) the query
    keeps its own words. It only resembles RM3, as a retriever takes a text without weights: the words are appended
    unweighted. A document weighs 1 / rank, as retrievers' scores have any scale; words of few
    documents, stop words and numbers are left out, instead of using a model of the whole corpus.

    Args:
        depth: how many documents to look into.
        terms: how many words to add at most.
        min_documents: in how many of the documents a word must be.
        stop_words: words that say nothing, in lower case; common English ones by default.

    Raises:
        ConfigError: a number is below 1, or ``stop_words`` is not a list.
    """

    registry_name: ClassVar[str] = "feedback"

    def __init__(
        self, *, depth: int = 10, terms: int = 10, min_documents: int = 2, stop_words: Collection[str] | None = None
    ) -> None:
        self.depth, self.terms, self.min_documents, self.stop_words = depth, terms, min_documents, stop_words
        at_least_one = Whole(at_least=1)
        check(self, depth=at_least_one, terms=at_least_one, min_documents=at_least_one)
        listed = isinstance(stop_words, Collection) and not isinstance(stop_words, str)
        if stop_words is not None and not (listed and all(isinstance(word, str) for word in stop_words)):
            raise ConfigError(must_be("FeedbackExpander: stop_words", "a list of words, or None", stop_words))
        self._stop_words = _STOP_WORDS if stop_words is None else frozenset(stop_words)

    def expand(self, query: str, documents: Sequence[str]) -> list[str]:
        """Return the query with further words appended; see `Expander.expand`."""
        weights: dict[str, float] = defaultdict(float)
        n_documents: dict[str, int] = defaultdict(int)
        for rank, document in enumerate(documents, start=1):
            words = _WORD.findall(document[:_MAX_CHARACTERS].lower())
            for word in words:
                weights[word] += 1 / (rank * len(words))
            for word in set(words):
                n_documents[word] += 1
        there = self._stop_words | set(_WORD.findall(query.lower()))
        # Fewer documents than asked for must not mean no words at all.
        least = min(self.min_documents, len(documents))
        new = [w for w in weights if w not in there and not w.isnumeric() and n_documents[w] >= least]
        best = sorted(new, key=lambda word: (-weights[word], word))[: self.terms]
        return [" ".join([query, *best])] if best else []


class FunctionExpander(Expander):
    """Asks a function for variants: a language model that writes paraphrases or an answer (HyDE), a thesaurus.

    Args:
        function: takes the query and returns a list of texts. Run a model at temperature 0 for results that
            can be repeated.
        max_variants: how many of them to take.

    Raises:
        ConfigError: it can't be called.
    """

    registry_name: ClassVar[str] = "function"

    def __init__(self, function: Callable[[str], Sequence[str]], *, max_variants: int = 8) -> None:
        self.function, self.max_variants = function, max_variants
        check(self, function=Function("from a query to a list of texts"), max_variants=Whole(at_least=1))

    def expand(self, query: str, documents: Sequence[str]) -> list[str]:
        """Return what the function does; see `Expander.expand`."""
        return checked_variants(self.function(query))[: self.max_variants]

    def __repr__(self) -> str:
        return f"FunctionExpander({getattr(self.function, '__qualname__', type(self.function).__qualname__)})"


def expander_of(config: Any) -> Any:
    """Return the expander of a configuration; anything else is returned unchanged.

    Raises:
        ConfigError: there is no expander of that name, or a setting is unknown or out of range.
    """
    if not isinstance(config, Mapping):
        return config
    known: dict[str, type[Expander]] = {
        each.registry_name: each for each in (SynonymExpander, TemplateExpander, FeedbackExpander)
    }
    return known[OneOf(*known).checked(config.get("type"), "the type of an expander")].from_config(config)


def checked_variants(variants: object) -> list[str]:
    """Return what an expander answered as a list of texts, without blank ones.

    Raises:
        SecondPassError: it is not a list of texts.
    """
    if not isinstance(variants, list | tuple):
        raise SecondPassError(f"variants of a query must be a list of texts, not a {type(variants).__name__}")
    for variant in variants:
        if not isinstance(variant, str):
            raise SecondPassError(f"a variant of a query must be a text, not a {type(variant).__name__}")
    return [variant for variant in variants if variant.strip()]
