"""Answers and documents on their way from LangChain to a `FactVerifier` and back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage

from secondpass import InputError

__all__ = ["DEFAULT_VERIFIER", "Item", "as_item", "as_passage", "kind_of", "with_text"]

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


def as_item(
    value: Mapping[str, Any], answer_key: str = "answer", context_key: str = "context", question_key: str = "question"
) -> Item:
    """Return the answer, the passages and the question of an input, as `FactVerifier.verify_many` takes them.

    Raises:
        InputError: it is not such a mapping, or one of them can't be used.
    """
    if not isinstance(value, Mapping) or not {answer_key, context_key} <= value.keys():
        raise InputError(
            f"the input must be a mapping with {answer_key!r} and {context_key!r}, not {kind_of(value)}; answer_key "
            f"and context_key say where they are in yours"
        )
    question = value.get(question_key)
    answer = _text(answer_key, value[answer_key])
    passages = _passages(context_key, value[context_key])
    return answer, passages, None if question is None else _text(question_key, question)


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
