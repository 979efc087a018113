"""Groups of queries that are alike, to see where a system is good and where it is bad."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from secondpass.errors import ConfigError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.measuring import texts_by_id
from secondpass.language import detect_language, is_foreign
from secondpass.types import document_text
from secondpass.validation import must_be

__all__ = ["OTHERS", "Groups", "query_groups"]

Groups = Mapping[str, Mapping[str, str]]
"""By what queries are grouped (``length``, ``language``, ...): to query id to group."""

OTHERS = "others"

_SMALLEST = 5  # queries: smaller groups are joined
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # of Latin, Chinese and Arabic script
_CHARACTERS = 2000  # of a document, which tell its language
_WORD = re.compile(r"\w+")
_STOPWORDS = frozenset(["a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has"])
_STOPWORDS |= {"have", "how", "i", "in", "is", "it", "my", "not", "of", "on", "or", "that", "the", "there", "these"}
_STOPWORDS |= {"this", "to", "was", "were", "what", "when", "where", "which", "who", "why", "will", "with", "you"}

# An interrogative at the beginning, in languages whose questions often come without a question mark.
_ASKS = re.compile(
    r"(who|whose|whom|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|would|will|has|have|"
    r"wer|was|wann|wo|welche[rsnm]?|warum|wieso|wie|qui|que|quoi|quand|où|quel(le)?s?|pourquoi|comment|combien|"
    r"qué|quién(es)?|cuándo|dónde|cuál(es)?|cómo|cuánt[oa]s?|por qué|chi|cosa|quando|dove|quale|perché|come)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b[A-Za-z]\w*(Error|Exception|Warning)\b|\w\(|::|->|=>|[{}<>;=\\]|\b\w+_\w+|\b[a-z]+[A-Z]\w*|\w\.\w+\.\w|\b0x[0-9a-f]+"
)


def query_groups(dataset: Dataset, given: object = None) -> dict[str, dict[str, str]]:
    """Return the groups of a dataset's judged queries: those that can be told from their texts, and the given ones.

    - ``length``: up to 3 words, 4 to 8, or more.
    - ``kind``: a question, code or an error message, a statement, or keywords.
    - ``words in common``: what share of the query's words its relevant documents have at least one of them.
    - ``language``: of the query; and ``languages``, with that of its relevant documents, if any is in another one.

    What does not divide the queries is left out, and groups of less than five queries are joined as "others".

    Args:
        dataset: queries, documents and judgements.
        given: further ones, such as ``{"category": {"q1": "billing", ...}}``; queries that it lacks are in none.

    Raises:
        ConfigError: ``given`` is not such a mapping, or has a name that is taken.
    """
    texts = {name: document_text(document, 0) for name, document in texts_by_id(dataset).items()}
    queries = {query: dataset.queries[query] for query in dataset.judged}
    relevant = {query: [texts[d] for d, grade in dataset.qrels[query].items() if grade > 0] for query in queries}
    found = {
        "length": {query: _length(text) for query, text in queries.items()},
        "kind": {query: _kind(text) for query, text in queries.items()},
        "words in common": {query: _overlap(text, relevant[query]) for query, text in queries.items()},
        **_languages(queries, relevant),
    }
    for name, groups in _checked(given, found).items():
        found[name] = {query: str(groups[query]) for query in queries if query in groups}
    joined = {name: _joined(groups) for name, groups in found.items()}
    return {name: groups for name, groups in joined.items() if len(set(groups.values())) > 1}


def _checked(given: object, taken: Iterable[str]) -> Mapping[str, Mapping[str, object]]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(groups, Mapping) for groups in given.values()):
        takes = "a mapping of names to groups by query id, such as {'category': {'q1': 'billing'}}"
        raise ConfigError(must_be("groups", takes, given))
    twice = sorted(set(given) & set(taken))
    if twice:
        raise ConfigError(f"groups has {twice[0]!r}, which queries are grouped by in any case: give it another name")
    return {str(name): groups for name, groups in given.items()}


def _joined(groups: Mapping[str, str]) -> dict[str, str]:
    sizes = Counter(groups.values())
    small = {group for group, size in sizes.items() if size < _SMALLEST}
    return {query: OTHERS if group in small and len(small) > 1 else group for query, group in groups.items()}


def _length(text: str) -> str:
    n = len(text.split())
    return "up to 3 words" if n <= 3 else "4 to 8 words" if n <= 8 else "9 words or more"


def _kind(text: str) -> str:
    if _CODE.search(text):
        return "code or error"
    if text.rstrip().endswith(_QUESTION_MARKS) or _ASKS.match(text.lstrip(" ¿\"'")):
        return "question"
    return "statement" if text.rstrip().endswith((".", "!", "\u3002")) else "keywords"


def _overlap(query: str, relevant: Iterable[str]) -> str:
    words = _content_words(query)
    if not words:
        return "none to tell"
    share = max((len(words & set(_words(text))) / len(words) for text in relevant), default=0.0)
    return "less than a third" if share < 1 / 3 else "up to two thirds" if share < 2 / 3 else "most"


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _content_words(text: str) -> set[str]:
    words = set(_words(text))
    return words - _STOPWORDS or words


def _languages(queries: Mapping[str, str], relevant: Mapping[str, list[str]]) -> dict[str, dict[str, str]]:
    """Tell the languages of queries among those of documents and of queries that are sure, as short texts are hard."""

    @cache
    def of_document(text: str) -> str:
        return detect_language(text) or "en" if is_foreign(text) else "en"

    documents = {query: Counter(of_document(text[:_CHARACTERS]) for text in of) for query, of in relevant.items()}
    sure = Counter(of_document(text) for text in queries.values())
    there = {language for found in documents.values() for language in found}
    there |= {language for language, n in sure.items() if n >= max(_SMALLEST, len(queries) // 20)}
    if len(there) < 2:
        return {}
    codes = sorted(there)
    own = {query: detect_language(text, codes) or "unknown" for query, text in queries.items()}
    pairs = {query: f"{own[query]} to {documents[query].most_common(1)[0][0]}" for query in queries}
    crossing = any(pair.split(" to ")[0] != pair.split(" to ")[1] for pair in pairs.values())
    return {"language": own} | ({"languages": pairs} if crossing else {})
