"""Verify the answer of a LangChain chain against the documents that it was made from."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Never, NotRequired, cast

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig, RunnableSerializable, ensure_config
from langchain_core.runnables.config import get_config_list
from pydantic import ConfigDict, InstanceOf, PlainSerializer, SkipValidation, WithJsonSchema
from typing_extensions import TypedDict  # the one that pydantic needs before Python 3.12

from langchain_secondpass.answers import DEFAULT_VERIFIER, Item, as_item, check_keys, with_text
from secondpass import InputError
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.base import in_thread
from secondpass.errors import VerificationFailedError
from secondpass.validation import check_names
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.types import Verification
from secondpass.verify.verifier import FactVerifier

__all__ = ["SecondPassVerifier"]

VerifierField = Annotated[
    InstanceOf[FactVerifier] | InstanceOf[MonitoredVerifier],
    PlainSerializer(lambda verifier: verifier.to_config(), return_type=dict[str, Any]),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]


_Text = str | BaseMessage
_Passages = str | Document | Sequence[str | Document]
_Verification = SkipValidation[Annotated[Verification, WithJsonSchema({"type": "object"})]]


class SecondPassVerifier(RunnableSerializable[dict[str, Any], dict[str, Any]]):
    """A step for LCEL that checks each claim of an answer against the context that the answer was made from.

    It takes a mapping with ``answer`` (a text or a message), ``context`` (Documents or texts, or one of them) and,
    if there is one, ``question``, and returns that mapping with two changes, whatever else is in it:

    - ``verification``: the `Verification`. ``Evidence.passage`` is an index into ``context``, and ``Evidence.id``
      the ``id`` of that Document.
    - ``answer``: what may be shown, which is ``verification.text``: the answer after the verifier's policy,
      by default with a mark after each sentence that is not supported. A message stays a message, and keeps all
      but its text. So a chain that passes on ``answer`` is safe with nothing else changed; the answer as it was
      generated is ``verification.answer``.

    ```python
    rag = {"context": retriever, "question": RunnablePassthrough()} | RunnablePassthrough.assign(answer=prompt | model)
    result = (rag | SecondPassVerifier()).invoke("how do I copy a file?")
    result["verification"].passed, result["answer"]
    ```

    ``batch`` and ``abatch`` verify the inputs in one call, so that they share the model's batches, and an input that
    can't be used fails alone. Each call is traced as a run. Settings don't change afterwards. It is safe to share
    between threads.

    Args:
        answer_key: where the answer is in the mapping, and goes to; ``result`` in some chains.
        context_key: where the context is, such as ``source_documents``.
        question_key: where the question is, such as ``input`` in ``create_retrieval_chain``.
        name: of the step, in traces.
        verifier: the name of an NLI model (a folder, a name from the catalogue, a repository on the hub), a
            configuration (what `FactVerifier.to_config` wrote, ``{"policy": "abstain"}``), or a `FactVerifier`, taken
            as it is. ``model_dump`` writes it as a configuration.

    Raises:
        ConfigError: a setting, or one of the verifier, can't be used, or there is no such setting.
        ModelError: the model can't be found, read or used.
        pydantic.ValidationError: it was called through pydantic (``model_validate``), which wraps those of the above
            that are ValueErrors.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    verifier: VerifierField
    answer_key: str = "answer"
    context_key: str = "context"
    question_key: str = "question"

    def __init__(
        self,
        *,
        verifier: VerifierLike = DEFAULT_VERIFIER,
        answer_key: str = "answer",
        context_key: str = "context",
        question_key: str = "question",
        name: str | None = None,
        **fields: Never,  # a subclass's own: no type checker lets a misspelt setting pass as one
    ) -> None:
        check_names(fields, [*type(self).model_fields], type(self).__name__)
        # Before pydantic sees anything: it would turn those of our errors that are ValueErrors into its own.
        keys = {"answer_key": answer_key, "context_key": context_key, "question_key": question_key}
        check_keys("verification", **keys)
        # As a mapping: to a type checker, the base class's constructor has none of these.
        settings: dict[str, Any] = {"verifier": load_verifier(verifier), "name": name, **keys}
        super().__init__(**fields, **settings)

    @property
    def InputType(self) -> type[Any]:  # noqa: N802
        """What goes in, for schemas and graphs; other keys are passed through."""
        name, fields = f"{type(self).__name__}Input", self._input_fields()
        return cast("type[Any]", TypedDict(name, fields))  # type: ignore[operator]  # its keys are settings

    @property
    def OutputType(self) -> type[Any]:  # noqa: N802
        """What comes out, for schemas and graphs: the input, with the answer after the policy, and the verification."""
        name, fields = f"{type(self).__name__}Output", {**self._input_fields(), "verification": _Verification}
        return cast("type[Any]", TypedDict(name, fields))  # type: ignore[operator]

    def _input_fields(self) -> dict[str, Any]:
        keys = {self.answer_key: _Text, self.context_key: _Passages}
        return {**keys, self.question_key: NotRequired[_Text | None]}

    def invoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Verify one answer.

        Raises:
            InputError: the input can't be used.
            VerificationFailedError: the answer did not pass, and the policy is ``raise``.
        """

        def verify(value: dict[str, Any]) -> dict[str, Any]:
            answer, passages, question = self._item(value)
            return self._result(value, self.verifier.verify(answer, passages, question=question))

        return self._call_with_config(verify, input, self._described(ensure_config(config)), **kwargs)

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Async version of `invoke`."""

        async def verify(value: dict[str, Any]) -> dict[str, Any]:
            answer, passages, question = self._item(value)
            return self._result(value, await self.verifier.averify(answer, passages, question=question))

        return await self._acall_with_config(verify, input, self._described(ensure_config(config)), **kwargs)

    def batch(
        self,
        inputs: list[dict[str, Any]],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Verify many answers in one call; an input that can't be used, or an answer that raises, fails alone."""
        configs = [self._described(each) for each in get_config_list(config, len(inputs))]
        return self._batch_with_config(self._many, inputs, configs, return_exceptions=return_exceptions, **kwargs)

    async def abatch(
        self,
        inputs: list[dict[str, Any]],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Async version of `batch`."""

        async def verify(values: list[dict[str, Any]]) -> list[Exception | dict[str, Any]]:
            return await in_thread(self._many, values)

        configs = [self._described(each) for each in get_config_list(config, len(inputs))]
        return await self._abatch_with_config(verify, inputs, configs, return_exceptions=return_exceptions, **kwargs)

    def _described(self, config: RunnableConfig) -> RunnableConfig:
        return {**config, "metadata": {"verifier": repr(self.verifier)} | (config.get("metadata") or {})}

    def _many(self, values: list[dict[str, Any]]) -> list[Exception | dict[str, Any]]:
        items: list[Item | InputError] = []
        for value in values:
            try:
                items.append(self._item(value))
            except InputError as exc:  # one bad input must not take the others with it
                items.append(exc)
        verified = iter(self._verified([item for item in items if not isinstance(item, InputError)]))
        outcomes = [item if isinstance(item, InputError) else next(verified) for item in items]
        return [
            self._result(value, outcome) if isinstance(outcome, Verification) else outcome
            for value, outcome in zip(values, outcomes, strict=True)
        ]

    def _verified(self, items: Sequence[Item]) -> Sequence[Verification | VerificationFailedError]:
        if self.verifier.policy != "raise":
            return self.verifier.verify_many(items)
        outcomes: list[Verification | VerificationFailedError] = []
        for answer, passages, question in items:  # in one call, the first that did not pass would take the others along
            try:
                outcomes.append(self.verifier.verify(answer, passages, question=question))
            except VerificationFailedError as exc:
                outcomes.append(exc)
        return outcomes

    def _item(self, value: Mapping[str, Any]) -> Item:
        return as_item(value, self.answer_key, self.context_key, self.question_key)

    def _result(self, value: dict[str, Any], verification: Verification) -> dict[str, Any]:
        answer = with_text(value[self.answer_key], verification.text)
        return {**value, self.answer_key: answer, "verification": verification}
