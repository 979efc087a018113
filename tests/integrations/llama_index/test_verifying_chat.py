"""`VerifyingChatEngine` around LlamaIndex's own chat engines and memories."""

import asyncio
from typing import Any

import pytest
from llama_index.core import SummaryIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.chat_engine.types import AgentChatResponse, BaseChatEngine, ChatMode, StreamingAgentChatResponse
from llama_index.core.memory import ChatMemoryBuffer, Memory

from llama_index.postprocessor.secondpass import VerifiedChatStream, VerifyingChatEngine
from secondpass.errors import ConfigError, ScoringError, VerificationFailedError
from secondpass.verify.verifier import FactVerifier
from tests.integrations.llama_index.answers import MESSAGE, QUESTION, RIGHT, TEXTS, WRONG, Broken, Counting, nodes
from tests.integrations.llama_index.recording import Recorder
from tests.integrations.llama_index.scripted import Scripted

pytestmark = pytest.mark.usefixtures("own_event_loop")

MARKED = f"{WRONG} [contradicted]"
MODES = [ChatMode.CONTEXT, ChatMode.CONDENSE_QUESTION, ChatMode.CONDENSE_PLUS_CONTEXT]
NEXT = "And what does os.remove delete?"


def engine(*replies: str, mode: ChatMode = ChatMode.CONTEXT, **settings: Any) -> tuple[BaseChatEngine, Scripted]:
    """Return a chat engine over the three texts, and its language model."""
    llm = Scripted(*replies)
    index = SummaryIndex([node.node for node in nodes()])
    memory = {"memory": ChatMemoryBuffer.from_defaults(token_limit=2000)}
    return index.as_chat_engine(chat_mode=mode, llm=llm, **{**memory, **settings}), llm


def said(history: list[ChatMessage]) -> list[tuple[str, str | None]]:
    """Return who said what."""
    return [(message.role.value, message.content) for message in history]


def answered(response: Any) -> str:
    """Return a response's text, which a stream gives out in its pieces."""
    if isinstance(response, StreamingAgentChatResponse):
        text = str(response)
        assert "".join(response.response_gen) == text == str(response)
    return str(response)


class TestTurns:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("method", ["chat", "achat", "stream_chat", "astream_chat"])
    def test_each_mode_each_way(self, verifier: FactVerifier, mode: ChatMode, method: str) -> None:
        """What is contradicted is marked, evidence has the nodes' ids, and the history has what was given out."""
        wrapped, _ = engine(f"{RIGHT} {WRONG}", mode=mode)
        chatting = VerifyingChatEngine(wrapped, verifier)

        async def waited() -> Any:
            return await getattr(chatting, method)(QUESTION)

        response = asyncio.run(waited()) if method.startswith("a") else getattr(chatting, method)(QUESTION)
        assert type(response) is (VerifiedChatStream if "stream" in method else AgentChatResponse)
        assert answered(response) == f"{RIGHT} {MARKED}"
        assert said(chatting.chat_history) == [("user", QUESTION), ("assistant", f"{RIGHT} {MARKED}")]
        verification = response.metadata["verification"]
        assert (verification["passed"], verification["question"]) == (False, QUESTION)
        assert [claim["verdict"] for claim in verification["claims"]] == ["supported", "contradicted"]
        assert verification["claims"][0]["evidence"][0]["id"] == "n1"

    def test_an_awaited_stream(self, verifier: FactVerifier) -> None:
        """It is an asynchronous stream as well, of the verified text."""

        async def read() -> str:
            chatting = VerifyingChatEngine(engine(WRONG)[0], verifier)
            return "".join([piece async for piece in (await chatting.astream_chat(QUESTION)).async_response_gen()])

        assert asyncio.run(read()) == MARKED

    @pytest.mark.parametrize(
        ("policy", "text"),
        [("annotate", f"{RIGHT} {MARKED}"), ("flag", f"{RIGHT} {WRONG}"), ("drop", RIGHT), ("abstain", MESSAGE)],
    )
    def test_policies(self, make: Any, policy: str, text: str) -> None:
        """The same as those of the query engine; the answer as it was is in the verification."""
        wrapped, _ = engine(f"{RIGHT} {WRONG}")
        response = VerifyingChatEngine(wrapped, make(policy=policy)).chat(QUESTION)
        assert str(response) == text
        assert response.metadata["verification"]["answer"] == f"{RIGHT} {WRONG}"

    def test_a_greeting_passes_if_the_verifier_is_only_named(self, make: Any) -> None:
        """A turn with nothing to check passes, unless the caller's own verifier says so."""
        named = VerifyingChatEngine(engine("How can I help you?")[0])
        assert named.chat("Hi!").metadata["verification"]["passed"] is True
        own = VerifyingChatEngine(engine("How can I help you?")[0], make(policy="abstain"))
        assert str(own.chat("Hi!")) == MESSAGE

    def test_true_async(self, make: Any) -> None:
        """An awaited message awaits averify, and a synchronous one does not."""
        counting = make(Counting)
        chatting = VerifyingChatEngine(engine(RIGHT, RIGHT)[0], counting)
        chatting.chat(QUESTION)
        assert counting.awaited == 0
        asyncio.run(chatting.achat(QUESTION))
        assert counting.awaited == 1
        expected = [{"text": text, "id": f"n{at}"} for at, text in enumerate(TEXTS)]
        assert counting.calls == [(RIGHT, expected, QUESTION)] * 2

    def test_without_sources_nothing_is_supported(self, verifier: FactVerifier) -> None:
        """An engine that only talks to its model gives no evidence."""
        chatting = VerifyingChatEngine(
            SimpleChatEngine.from_defaults(llm=Scripted(RIGHT), memory=ChatMemoryBuffer.from_defaults()), verifier
        )
        assert str(chatting.chat(QUESTION)) == f"{RIGHT} [unsupported]"


class TestHistory:
    @pytest.mark.parametrize("mode", MODES)
    def test_the_model_is_shown_what_was_given_out(self, make: Any, mode: ChatMode) -> None:
        """In the next turns a claim that was left out is in no prompt, whichever way the engine remembers."""
        condensed = [] if mode is ChatMode.CONTEXT else [NEXT]
        wrapped, llm = engine(f"{RIGHT} {WRONG}", *condensed, TEXTS[0], *condensed, RIGHT, mode=mode)
        chatting = VerifyingChatEngine(wrapped, make(policy="drop"))
        assert [str(chatting.chat(text)) for text in (QUESTION, NEXT, "Again?")] == [RIGHT, TEXTS[0], RIGHT]
        shown = "\n".join(str(message) for messages in llm.shown[1:] for message in messages)
        assert QUESTION in shown and "70 euros" not in shown
        assert said(chatting.chat_history) == [
            ("user", QUESTION),
            ("assistant", RIGHT),
            ("user", NEXT),
            ("assistant", TEXTS[0]),
            ("user", "Again?"),
            ("assistant", RIGHT),
        ]

    def test_the_memory_is_left_alone_while_answers_come_through(self, verifier: FactVerifier) -> None:
        """No history is handed over, so that a memory works as its owner set it up; after that it's kept right."""

        async def talk() -> None:
            kept = Memory.from_defaults(token_limit=2000)
            chatting = VerifyingChatEngine(engine(RIGHT, WRONG, RIGHT, memory=kept)[0], verifier)
            history = []
            for text, answer in ((QUESTION, RIGHT), ("And a lease?", MARKED), ("Again?", RIGHT)):
                await chatting.achat(text)
                history += [("user", text), ("assistant", answer)]
                assert said(chatting.chat_history) == history
                if answer is RIGHT:
                    assert said(await kept.aget_all()) == history
            await kept.sql_store._async_engine.dispose()  # type: ignore[union-attr]  # LlamaIndex leaves it open

        asyncio.run(talk())

    def test_a_history_of_the_callers(self, verifier: FactVerifier) -> None:
        """It takes the place of what was, is not changed, and is what goes on."""
        wrapped, llm = engine(WRONG, RIGHT)
        chatting = VerifyingChatEngine(wrapped, verifier)
        given = [ChatMessage("Hello"), ChatMessage("Hello, what can I do?", role="assistant")]
        chatting.chat(QUESTION)
        chatting.chat(QUESTION, chat_history=given)
        assert len(given) == 2 and "70 euros" not in str(llm.shown[1])
        assert [content for _, content in said(chatting.chat_history)] == [
            "Hello",
            "Hello, what can I do?",
            QUESTION,
            RIGHT,
        ]

    @pytest.mark.parametrize("mode", MODES)
    def test_a_turn_that_raises_is_taken_back(self, make: Any, mode: ChatMode) -> None:
        """After an answer that must not be shown, the history is as it was, for the model too."""
        condensed = [] if mode is ChatMode.CONTEXT else [NEXT]
        wrapped, llm = engine(WRONG, RIGHT, *condensed, WRONG, *condensed, TEXTS[0], mode=mode)
        chatting = VerifyingChatEngine(wrapped, make(policy="raise"))
        with pytest.raises(VerificationFailedError) as caught:
            chatting.chat(QUESTION)
        assert caught.value.verification.contradicted and chatting.chat_history == []
        assert str(chatting.chat(QUESTION)) == RIGHT
        with pytest.raises(VerificationFailedError):
            asyncio.run(chatting.astream_chat(NEXT))
        assert said(chatting.chat_history) == [("user", QUESTION), ("assistant", RIGHT)]
        chatting.chat(NEXT)
        history = [message for message in llm.shown[-1] if message.role != "system"]
        assert "70 euros" not in str(history)

    def test_reset(self, verifier: FactVerifier) -> None:
        """Ours and the wrapped engine's."""
        wrapped, llm = engine(WRONG, RIGHT)
        chatting = VerifyingChatEngine(wrapped, verifier)
        chatting.chat(QUESTION)
        chatting.reset()
        assert chatting.chat_history == wrapped.chat_history == []
        chatting.chat(NEXT)
        assert QUESTION not in str(llm.shown[1])


class TestFailures:
    def test_what_is_not_a_chat_engine(self) -> None:
        """A query engine is told apart before a model is loaded."""
        with pytest.raises(ConfigError, match="wraps a chat engine, not a RetrieverQueryEngine"):
            VerifyingChatEngine(SummaryIndex([]).as_query_engine(llm=Scripted()))  # type: ignore[arg-type]

    @pytest.mark.parametrize("method", ["chat", "astream_chat"])
    def test_a_verifier_that_fails(self, make: Any, recorder: Recorder, method: str) -> None:
        """The error comes through, no span is left open, and the turn is taken back."""
        chatting = VerifyingChatEngine(engine(RIGHT)[0], make(Broken))

        async def waited() -> Any:
            return await getattr(chatting, method)(QUESTION)

        with pytest.raises(ScoringError, match="the backend is down"):
            asyncio.run(waited()) if method.startswith("a") else getattr(chatting, method)(QUESTION)
        assert chatting.chat_history == []
        assert recorder.spans.open_spans == {}
        assert any("VerifyingChatEngine._" in span.id_ for span in recorder.spans.dropped_spans)
