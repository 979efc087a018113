"""Verify what an agent answers, before it is returned."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_secondpass.answers import DEFAULT_VERIFIER, as_passage, with_text
from secondpass import MissingExtraError
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.errors import VerificationFailedError
from secondpass.validation import OneOf, Whole, check
from secondpass.verify.agents import OnFailure, checked_sources, feedback
from secondpass.verify.types import Verification

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
except ImportError as exc:
    raise MissingExtraError.of("langchain-agents", "SecondPassVerificationMiddleware") from exc

__all__ = ["OnFailure", "SecondPassVerificationMiddleware"]

_OURS = "secondpass"
_SOURCE = "lc_source"  # where LangChain's own middleware says that a human message is not the user's


class SecondPassVerificationMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """Checks each claim of an agent's answer against what its tools returned in this turn.

    An answer is an AI message without tool calls; the turn goes back to the user's last message. Sources are the
    results of tools: the Documents of a tool that returns them as its artifact (``create_retriever_tool`` with
    ``response_format="content_and_artifact"``), with their ``id``, else the text of the result, with the id of the
    tool call. Results with an error are not sources. ``response_metadata["verification"]`` of the answer is the
    verification, as plain data. An answer that did not pass is dealt with by ``on_failure``:

    - ``annotate``: its text becomes what the verifier's policy makes of it; by default, sentences that are not
      supported are marked.
    - ``regenerate``: the model is told which claims are not supported, and answers again, up to ``max_retries`` times
      in a turn; it may call tools again. If the last answer does not pass either, it is annotated. The rejected
      answers and what the model was told stay in the messages; the latter have ``"secondpass"`` as
      ``additional_kwargs["lc_source"]``.
    - ``end``: the verifier's ``message`` takes the place of the answer, and the run ends.

    ```python
    agent = create_agent(model, [search], middleware=[SecondPassVerificationMiddleware(on_failure="regenerate")])
    ```

    An answer that is streamed token by token is seen before it is verified. Structured responses are not verified:
    they are not sentences.

    Args:
        verifier: as for `SecondPassVerifier`. One that is only named lets answers pass that have nothing to
            check (``allow_unchecked``), as users also greet an agent; with a configuration or a `FactVerifier`, that is
            the caller's own decision. With the policy ``raise``, `VerificationFailedError` takes the place of
            annotating.
        on_failure: see above.
        max_retries: how often the model may answer again in one turn, with ``regenerate``.
        sources: names of the tools whose results are sources; all by default.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: the model can't be found, read or used.
        MissingExtraError: langchain isn't installed; raised by the import.
    """

    def __init__(
        self,
        verifier: VerifierLike = DEFAULT_VERIFIER,
        *,
        on_failure: OnFailure = "annotate",
        max_retries: int = 2,
        sources: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self.sources = checked_sources(sources)
        self.verifier = load_verifier(verifier, allow_unchecked=True)
        self.on_failure, self.max_retries = on_failure, max_retries
        check(self, on_failure=OneOf(*get_args(OnFailure)), max_retries=Whole(at_least=0))

    @hook_config(can_jump_to=["model", "end"])
    def after_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Verify the answer, if the model gave one."""
        draft = self._draft(state)
        if draft is None:
            return None
        try:
            verification = self.verifier.verify(str(draft.message.text), draft.passages, question=draft.question)
        except VerificationFailedError as exc:
            return self._update(draft, exc.verification, exc)
        return self._update(draft, verification)

    @hook_config(can_jump_to=["model", "end"])
    async def aafter_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Async version of `after_model`."""
        draft = self._draft(state)
        if draft is None:
            return None
        try:
            verification = await self.verifier.averify(str(draft.message.text), draft.passages, question=draft.question)
        except VerificationFailedError as exc:
            return self._update(draft, exc.verification, exc)
        return self._update(draft, verification)

    def _draft(self, state: AgentState[Any]) -> "_Draft | None":
        messages = state["messages"]
        answer = next((message for message in reversed(messages) if isinstance(message, AIMessage)), None)
        if answer is None or answer.tool_calls or state.get("structured_response") is not None:
            return None
        asked = max((at for at, message in enumerate(messages) if _is_users(message)), default=None)
        turn = messages[0 if asked is None else asked + 1 :]
        question = None if asked is None else str(messages[asked].text)
        retries = sum(isinstance(message, HumanMessage) and _source_of(message) == _OURS for message in turn)
        return _Draft(answer, _passages(turn, self.sources), question, retries)

    def _update(
        self, draft: "_Draft", verification: Verification | None, failure: VerificationFailedError | None = None
    ) -> dict[str, Any]:
        if verification is None:
            raise failure or VerificationFailedError("the verifier gave no verification")
        metadata = {**draft.message.response_metadata, "verification": verification.to_dict()}
        message = draft.message.model_copy(update={"response_metadata": metadata})  # its id is kept, so it is replaced
        if not verification.passed and self.on_failure == "regenerate" and draft.retries < self.max_retries:
            told = HumanMessage(feedback(verification), additional_kwargs={_SOURCE: _OURS})
            return {"messages": [message, told], "jump_to": "model"}
        if not verification.passed and self.on_failure == "end":
            return {"messages": [with_text(message, self.verifier.message)], "jump_to": "end"}
        if failure is not None:
            raise failure
        return {"messages": [with_text(message, verification.text)]}


@dataclass(frozen=True, slots=True)
class _Draft:
    """An answer that has not been returned yet, with what it is verified against."""

    message: AIMessage
    passages: list[dict[str, Any]]
    question: str | None
    retries: int


def _source_of(message: BaseMessage) -> object:
    return message.additional_kwargs.get(_SOURCE)


def _is_users(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) and _source_of(message) is None


def _passages(messages: Sequence[BaseMessage], sources: Collection[str] | None) -> list[dict[str, Any]]:
    found: dict[tuple[str, Any], dict[str, Any]] = {}  # two searches may find the same
    for message in messages:
        if not isinstance(message, ToolMessage) or message.status == "error":
            continue
        if sources is not None and message.name not in sources:
            continue
        artifact = message.artifact if isinstance(message.artifact, list | tuple) else [message.artifact]
        documents = [as_passage(document) for document in artifact if isinstance(document, Document)]
        for passage in documents or [{"text": str(message.text), "id": message.tool_call_id}]:
            found.setdefault((passage["text"], passage["id"]), passage)
    return list(found.values())
