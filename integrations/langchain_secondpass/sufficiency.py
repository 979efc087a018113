"""Decide in a LangChain chain, before anything is generated, whether the context answers the question."""

from collections.abc import Mapping
from typing import Annotated, Any, Never

from langchain_core.runnables import RunnableConfig, RunnableSerializable, ensure_config
from pydantic import ConfigDict, InstanceOf, PlainSerializer, WithJsonSchema

from langchain_secondpass.answers import as_question, check_keys
from secondpass.adapters import load_sufficiency_check
from secondpass.validation import check_names
from secondpass.verify.sufficiency import SufficiencyCheck

__all__ = ["SecondPassSufficiency"]

_Check = Annotated[
    InstanceOf[SufficiencyCheck],
    PlainSerializer(lambda check: check.to_config(), return_type=dict[str, Any]),
    WithJsonSchema({"type": "object"}),
]


class SecondPassSufficiency(RunnableSerializable[dict[str, Any], dict[str, Any]]):
    """A step for LCEL that says whether the context answers the question, and whether its sources agree.

    It takes a mapping with ``question`` and ``context`` (Documents or texts) and returns it with ``sufficiency``, a
    `Sufficiency`, whose ``decision`` a branch can go by:

    ```python
    chain = {"context": retriever, "question": RunnablePassthrough()} | SecondPassSufficiency() | RunnableBranch(
        (lambda found: found["sufficiency"].decision == "answer", prompt | model),
        lambda found: "The documents don't say.",
    )
    ```

    Each call is traced as a run. It is safe to share between threads.

    Args:
        check: a `SufficiencyCheck`, or its settings: ``{"threshold": 0.6}``.
        context_key: where the context is in the mapping.
        question_key: where the question is.
        name: of the step, in traces.

    Raises:
        ConfigError: a setting can't be used, or there is no such setting.
        ModelError: a model can't be loaded.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    check: _Check
    context_key: str = "context"
    question_key: str = "question"

    def __init__(
        self,
        *,
        check: SufficiencyCheck | Mapping[str, Any] | None = None,
        context_key: str = "context",
        question_key: str = "question",
        name: str | None = None,
        **fields: Never,  # a subclass's own: no type checker lets a misspelt setting pass as one
    ) -> None:
        check_names(fields, [*type(self).model_fields], type(self).__name__)
        # Before pydantic sees anything: it would turn our errors, which are ValueErrors, into its own.
        check_keys("sufficiency", context_key=context_key, question_key=question_key)
        loaded = load_sufficiency_check(check)
        # As a mapping: to a type checker, the base class's constructor has none of these.
        settings: dict[str, Any] = {"check": loaded, "context_key": context_key, "question_key": question_key}
        super().__init__(**fields, **settings, name=name)

    def invoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Check one question with its context.

        Raises:
            InputError: the input can't be used.
        """
        return self._call_with_config(self._checked, input, ensure_config(config), **kwargs)

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Async version of `invoke`."""

        async def checked(value: dict[str, Any]) -> dict[str, Any]:
            question, passages = self._item(value)
            return {**value, "sufficiency": await self.check.acheck(question, passages)}

        return await self._acall_with_config(checked, input, ensure_config(config), **kwargs)

    def _checked(self, value: dict[str, Any]) -> dict[str, Any]:
        question, passages = self._item(value)
        return {**value, "sufficiency": self.check.check(question, passages)}

    def _item(self, value: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        return as_question(value, self.question_key, self.context_key)
