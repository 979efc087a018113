"""The router component: documents that answer a query go one way, others another."""

import asyncio
from collections.abc import Mapping
from threading import Lock
from typing import Any, Self

try:
    from haystack import Document, component, default_from_dict, default_to_dict
except ImportError as exc:
    from secondpass.errors import MissingExtraError

    raise MissingExtraError.of("haystack", "SecondPassSufficiencyRouter") from exc

from secondpass.adapters import checked_documents, load_sufficiency_check, without_secrets
from secondpass.base import in_thread
from secondpass.errors import ConfigError
from secondpass.verify.sufficiency import DECISIONS, Sufficiency, SufficiencyCheck

__all__ = ["SecondPassSufficiencyRouter"]

_LOADING = Lock()  # shared by all routers, so that each can be copied and pickled


@component
class SecondPassSufficiencyRouter:
    """Routes documents by whether they answer the query: to the generator, to another search, or to a message.

    ```python
    pipeline.add_component("router", SecondPassSufficiencyRouter())
    pipeline.connect("retriever.documents", "router.documents")
    pipeline.connect("router.answer", "prompt_builder.documents")
    pipeline.connect("router.search_again", "web_search.documents")
    ```

    The documents leave by one of three outputs: ``answer``, ``search_again`` (none of them answers) or ``disagree``
    (they contradict one another). ``sufficiency`` always says why. Documents without text answer nothing.

    Args:
        check: a `SufficiencyCheck`; or its settings (``{"threshold": 0.6}``), which `warm_up` or the first run uses.

    Raises:
        ConfigError: it is something else; settings are checked by `warm_up`.
    """

    def __init__(self, check: SufficiencyCheck | Mapping[str, Any] | None = None) -> None:
        if not isinstance(check, SufficiencyCheck | Mapping | None):
            raise ConfigError(f"check must be a SufficiencyCheck or its settings, not {type(check).__name__}")
        self.check: SufficiencyCheck | dict[str, Any] = (
            check if isinstance(check, SufficiencyCheck) else dict(check or {})
        )
        self._loaded = check if isinstance(check, SufficiencyCheck) else None
        outputs: dict[str, Any] = dict.fromkeys(DECISIONS, list[Document])
        component.set_output_types(self, **outputs, sufficiency=Sufficiency)

    def warm_up(self) -> None:
        """Load the models once, however many threads ask for it; `run` does so if need be."""
        self._ready()

    async def warm_up_async(self) -> None:
        """Async version of `warm_up`, which runs in a worker thread."""
        if self._loaded is None:
            await asyncio.to_thread(self.warm_up)

    def run(self, query: str, documents: list[Document]) -> dict[str, Any]:
        """Route documents.

        Args:
            query: what is asked.
            documents: what was retrieved; they stay as they are.

        Returns:
            The documents under one of ``answer``, ``search_again`` and ``disagree``, and ``sufficiency``.

        Raises:
            InputError: the documents are not a list, or one is of another type.
        """
        given = checked_documents(documents, Document, "a haystack Document")
        passages = [{"text": document.content or "", "id": document.id} for document in given]
        found = self._ready().check(query, passages)
        return {found.decision: documents, "sufficiency": found}

    async def run_async(self, query: str, documents: list[Document]) -> dict[str, Any]:
        """Async version of `run`, which runs in a worker thread."""
        return await in_thread(self.run, query, documents)

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain data, without keys."""
        check = self.check.to_config() if isinstance(self.check, SufficiencyCheck) else self.check
        return default_to_dict(self, check=without_secrets(check))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build the component from what `to_dict` wrote; the models are loaded by `warm_up`."""
        return default_from_dict(cls, data)

    def _ready(self) -> SufficiencyCheck:
        if self._loaded is None:
            with _LOADING:
                if self._loaded is None:  # a thread that had to wait finds it loaded
                    self._loaded = load_sufficiency_check(self.check)
        return self._loaded
