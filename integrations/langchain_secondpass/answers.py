"""Answers and documents on their way from LangChain to a `FactVerifier` and back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage

from secondpass import ConfigError, InputError
from secondpass.validation import Text as TextSetting

__all__ = [
    "DEFAULT_VERIFIER",
    "Item",
    "as_item",
    "as_passage",
    "as_question",
    "check_keys",
    "kind_of",
    "with_text",
]

DEFAULT_VERIFIER = "secondpass-nli-minilm"

Text = TypeVar("Text", str, BaseMessage, AIMessage)
Item = tuple[str, list[dict[str, Any]], str | None]
"""An answer, the passages it was made from, and the question."""


def as_passage(document: Document) -> dict[str, Any]:
    """Return a Document as a document or a passage of secondpass's, with its id and metadata."""
    return {"text": document.page_content, "id": document.id, "metadata": document.metadata}


def with_text(answer: Text, text: str) -> Text:
    """Return the text, or a copy of the message with that text; one that has it already is returned unchanged."""
    if isinstance(answer, str):
        return text
    if str(answer.text) == text:
        return answer
    if isinstance(answer.content, str):
        return answer.model_copy(update={"content": text})
    blocks: list[str | dict[Any, Any]] = answer.content
    kept: list[str | dict[Any, Any]] = [block for block in blocks if not _is_text(block)]
    first: int = next((at for at, block in enumerate(blocks) if _is_text(block)), len(blocks))
    said = {"type": "text", "text": text}  # without what belonged to the old text, such as annotations by offset
    return answer.model_copy(update={"content": [*kept[:first], said, *kept[first:]]})


def _is_text(block: str | Mapping[str, Any]) -> bool:
    return isinstance(block, str) or block.get("type") == "text"


def check_keys(result: str, **keys: object) -> None:
    """Check the settings that say where a step finds what in its input.

    Args:
        result: the key that the step adds.
        keys: the keys that it reads, by the names of the settings.

    Raises:
        ConfigError: one is not a text, or two of them are the same.
    """
    for setting, key in keys.items():
        TextSetting().checked(key, setting)
    if len({*keys.values(), result}) <= len(keys):
        raise ConfigError(f"{', '.join(keys)} and {result!r} must differ, not {list(keys.values())}")


def as_item(
    value: Mapping[str, Any], answer_key: str = "answer", context_key: str = "context", question_key: str = "question"
) -> Item:
    """Return the answer, the passages and the question of an input, as `FactVerifier.verify_many` takes them.

    Raises:
        InputError: it is not such a mapping, or one of them can't be used.
    """
    _require(value, answer_key=answer_key, context_key=context_key)
    question = value.get(question_key)
    answer = _text(answer_key, value[answer_key])
    passages = _passages(context_key, value[context_key])
    return answer, passages, None if question is None else _text(question_key, question)


def as_question(value: Mapping[str, Any], question_key: str, context_key: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the question and the passages of an input, as `SufficiencyCheck.check` takes them.

    Raises:
        InputError: it is not such a mapping, or one of them can't be used.
    """
    _require(value, question_key=question_key, context_key=context_key)
    return _text(question_key, value[question_key]), _passages(context_key, value[context_key])


def _require(value: object, **keys: str) -> None:
    if not isinstance(value, Mapping) or not set(keys.values()) <= value.keys():
        wanted = " and ".join(map(repr, keys.values()))
        raise InputError(
            f"the input must be a mapping with {wanted}, not {kind_of(value)}; {' and '.join(keys)} say where they "
            f"are in yours"
        )


def _text(name: str, value: object) -> str:
    if isinstance(value, BaseMessage):
        return str(value.text)
    if isinstance(value, str):
        return value
    raise InputError(f"{name} must be a str or a message, not {kind_of(value)}")


def _passages(name: str, context: object) -> list[dict[str, Any]]:
    documents = [context] if isinstance(context, str | Document) else context
    if not isinstance(documents, Sequence) or isinstance(documents, bytes):
        raise InputError(f"{name} must be a list of LangChain Documents or texts, or one, not {kind_of(context)}")
    passages = []
    for at, document in enumerate(documents):
        if not isinstance(document, str | Document):
            raise InputError(f"{name}[{at}] must be a LangChain Document or a str, not {kind_of(document)}")
        passages.append({"text": document} if isinstance(document, str) else as_passage(document))
    return passages


def kind_of(value: object) -> str:
    """Return what a value is, for an error: its type, and the keys of a mapping."""
    keys = f" with {', '.join(map(repr, value)) or 'nothing'}" if isinstance(value, Mapping) else ""
    return f"a {type(value).__name__}{keys}"
