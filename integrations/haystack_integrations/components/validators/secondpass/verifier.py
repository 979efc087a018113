"""The verifier component: from a generator's replies, by `FactVerifier.verify_many`, to replies that may be shown."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Literal, Self

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.dataclasses import ChatMessage, TextContent

from secondpass.adapters import VerifierLike, checked_documents, checked_fields, load_verifier, without_secrets
from secondpass.base import in_thread
from secondpass.errors import ConfigError, InputError
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.types import Verification
from secondpass.verify.verifier import FactVerifier

__all__ = ["SecondPassVerifier"]

# Shared by all verifiers, so that each can be copied and pickled; loading is rare.
_LOADING = Lock()

_TYPES: dict[str | None, Any] = {
    None: list[str] | list[ChatMessage],
    "chat": list[ChatMessage],
    "text": list[str],
}


@component
class SecondPassVerifier:
    """Verifies each claim of a generator's replies against the documents that they were made from.

    ```python
    pipeline.add_component("verifier", SecondPassVerifier({"policy": "drop"}))
    pipeline.connect("retriever.documents", "verifier.documents")
    pipeline.connect("generator.replies", "verifier.replies")
    pipeline.connect("verifier.replies", "answer_builder.replies")
    ```

    It gives the documents to the verifier in their order, so that ``[1]`` in a reply is the first. A document without
    text supports nothing, and keeps its number. All replies are verified together. A message comes out as a
    copy, with the policy's text and with `Verification.to_dict` in its ``meta["verification"]``, which an
    ``AnswerBuilder`` passes on. A message without text, such as a tool call, is an empty reply, which does not
    pass.

    Args:
        verifier: the name or folder of an NLI model, or the settings of a `FactVerifier` as a mapping, both of
            which are loaded by `warm_up` or the first run; or a `FactVerifier`.
        meta_fields: fields of a document's meta whose values are put before its content, one a line; absent and empty
            ones are left out. Name those that the prompt shows, if replies rest on them.
        reply_type: ``"chat"`` gives messages and ``"text"`` strings, whatever comes in, for components that take only
            one of these. By default replies come out as they came in, which an ``AnswerBuilder`` takes.

    Raises:
        ConfigError: a setting can't be used; those in a mapping are checked by `warm_up`.
    """

    def __init__(
        self,
        verifier: VerifierLike = "secondpass-nli-minilm",
        *,
        meta_fields: list[str] | None = None,
        reply_type: Literal["chat", "text"] | None = None,
    ) -> None:
        if reply_type not in _TYPES:
            raise ConfigError(f"reply_type must be 'chat', 'text' or None, not {reply_type!r}")
        if isinstance(verifier, os.PathLike):
            verifier = os.fspath(verifier)
        if not isinstance(verifier, str | Mapping | FactVerifier | MonitoredVerifier):
            kind = type(verifier).__name__
            raise ConfigError(f"verifier must be a model's name, a mapping or a FactVerifier, not {kind}")
        self.verifier: str | dict[str, Any] | FactVerifier | MonitoredVerifier = (
            dict(verifier) if isinstance(verifier, Mapping) else verifier
        )
        self.meta_fields = checked_fields(meta_fields, "meta_fields")
        self.reply_type = reply_type
        self._loaded = verifier if isinstance(verifier, FactVerifier | MonitoredVerifier) else None
        component.set_output_types(self, replies=_TYPES[reply_type], verifications=list[Verification], passed=bool)

    def warm_up(self) -> None:
        """Load the verifier once, however many threads ask for it; `run` does so if need be.

        Raises:
            ConfigError: its settings can't be used.
            ModelError: its model can't be loaded.
        """
        self._ready()

    async def warm_up_async(self) -> None:
        """Async version of `warm_up`, which runs in a worker thread."""
        if self._loaded is None:
            await asyncio.to_thread(self.warm_up)

    def run(
        self, replies: list[str] | list[ChatMessage], documents: list[Document], query: str | None = None
    ) -> dict[str, Any]:
        """Verify replies.

        Args:
            replies: what a generator gave; they stay as they are.
            documents: what they were generated from.
            query: what was asked; helps with replies of a word or two.

        Returns:
            Under ``replies``, what the policy made of each; under ``verifications``, the `Verification` of each; under
            ``passed``, whether there are replies and all of them passed.

        Raises:
            InputError: a reply or a document is of another type.
            VerificationFailedError: a reply did not pass, and the policy is ``raise``.
        """
        answers = [_text(reply, at) for at, reply in enumerate(_listed(replies))]
        passages = self._passages(documents)
        verifications = self._ready().verify_many([(answer, passages, query) for answer in answers])
        passed = bool(verifications) and all(verification.passed for verification in verifications)
        results = [self._reply(replies[at], verification) for at, verification in enumerate(verifications)]
        return {"replies": results, "verifications": verifications, "passed": passed}

    async def run_async(
        self, replies: list[str] | list[ChatMessage], documents: list[Document], query: str | None = None
    ) -> dict[str, Any]:
        """Async version of `run`, which runs in a worker thread; arguments, result and errors are the same."""
        return await in_thread(self.run, replies, documents, query)

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain data without keys; a `FactVerifier` as its `to_config`, with its errors."""
        given = self.verifier
        verifier = given.to_config() if isinstance(given, FactVerifier | MonitoredVerifier) else given
        return default_to_dict(
            self, verifier=without_secrets(verifier), meta_fields=self.meta_fields, reply_type=self.reply_type
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build the component from what `to_dict` wrote; the model is loaded by `warm_up`."""
        return default_from_dict(cls, data)

    def _ready(self) -> FactVerifier | MonitoredVerifier:
        if self._loaded is None:
            with _LOADING:
                if self._loaded is None:  # a thread that had to wait finds it loaded
                    self._loaded = load_verifier(self.verifier)
        return self._loaded

    def _passages(self, documents: Sequence[Document]) -> list[dict[str, str]]:
        given = checked_documents(documents, Document, "a haystack Document")
        return [{"text": self._document_text(document), "id": document.id} for document in given]

    def _document_text(self, document: Document) -> str:
        values = [document.meta.get(name) for name in self.meta_fields]
        parts = [str(value) for value in values if value is not None and value != ""]
        return "\n".join([*parts, document.content or ""])

    def _reply(self, reply: str | ChatMessage, verification: Verification) -> str | ChatMessage:
        text = verification.text
        if self.reply_type == "text" or (self.reply_type is None and isinstance(reply, str)):
            return text
        message = ChatMessage.from_assistant("") if isinstance(reply, str) else reply
        meta = {**message.meta, "verification": verification.to_dict()}
        return replace(message, _content=_with_text(message._content, text), _meta=meta)


def _with_text(parts: Sequence[Any], text: str) -> list[Any]:
    """Return a message's parts with the text where its first text was; reasoning and tool calls stay."""
    kept = [part for part in parts if not isinstance(part, TextContent)]
    first = next((at for at, part in enumerate(parts) if isinstance(part, TextContent)), len(parts))
    return [*kept[:first], TextContent(text), *kept[first:]] if text else kept


def _listed(replies: Sequence[Any]) -> Sequence[Any]:
    if isinstance(replies, list | tuple):
        return replies
    raise InputError(f"replies must be a list, not {type(replies).__name__}")


def _text(reply: object, position: int) -> str:
    if isinstance(reply, str):
        return reply
    if isinstance(reply, ChatMessage):
        return "\n".join(reply.texts)  # of all its parts: what is not read is not verified
    raise InputError(f"replies[{position}] must be a str or a ChatMessage, not {type(reply).__name__}")
