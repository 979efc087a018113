"""`SecondPassVerificationMiddleware` in real agents."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import ToolException, create_retriever_tool, tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_secondpass import SecondPassVerificationMiddleware
from secondpass.errors import ConfigError, VerificationFailedError
from secondpass.verify.types import Verification
from secondpass.verify.verifier import FactVerifier
from tests.integrations.langchain.answers import MARKED, QUESTION, REFUSED, RIGHT, TEMPFILE, WRONG, documents
from tests.integrations.langchain.doubles import FixedRetriever, ScriptedModel


class Recorder(BaseCallbackHandler):
    """Writes down what the chat model was given in each call."""

    def __init__(self) -> None:
        self.prompts: list[list[Any]] = []

    def on_chat_model_start(self, serialized: Any, messages: list[list[Any]], **kwargs: Any) -> None:
        self.prompts.append(list(messages[0]))


def search(call: str = "call-1", name: str = "search_docs") -> AIMessage:
    """Return a call of the retriever tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": {"query": QUESTION}, "id": call}])


def retriever_tool(response_format: Any = "content_and_artifact") -> Any:
    """Return a real retriever tool."""
    return create_retriever_tool(
        FixedRetriever(documents=documents()),
        "search_docs",
        "Searches Python's documentation.",
        response_format=response_format,
    )


@tool
def broken(query: str) -> str:
    """Fail, and say so."""
    raise ToolException(WRONG)


broken.handle_tool_error = True


@tool
def rumour(query: str) -> str:
    """Say what is wrong."""
    return WRONG


def agent(
    script: Sequence[AIMessage | str], middleware: Any, tools: Sequence[Any] | None = None, **settings: Any
) -> Any:
    """Return a real agent with a model that follows a script."""

    def said() -> Iterator[AIMessage]:
        for line in script:
            yield AIMessage(line) if isinstance(line, str) else line.model_copy(deep=True)

    tools = [retriever_tool()] if tools is None else list(tools)
    return create_agent(ScriptedModel(messages=said()), tools, middleware=[middleware], **settings)


def asked(question: str = QUESTION) -> Any:
    """Return a state with a question."""
    return {"messages": [("user", question)]}


def verification_of(message: Any) -> dict[str, Any]:
    """Return the verification that a message carries."""
    verification: dict[str, Any] = message.response_metadata["verification"]
    return verification


def kinds(state: Any) -> list[str]:
    """Return the type of each message."""
    return [message.type for message in state["messages"]]


class TestRegenerating:
    """`on_failure="regenerate"`."""

    @pytest.mark.asyncio
    async def test_a_wrong_number_is_caught_and_answered_anew(self, fact: FactVerifier) -> None:
        """The model is told what is wrong and answers again; sync and async; the new answer passes as it is."""
        middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate")
        script = [search(), WRONG, RIGHT]
        sync, background = Recorder(), Recorder()
        states = [
            agent(script, middleware).invoke(asked(), {"callbacks": [sync]}),
            await agent(script, middleware).ainvoke(asked(), {"callbacks": [background]}),
        ]
        for state, recorder in zip(states, (sync, background), strict=True):
            assert kinds(state) == ["human", "ai", "tool", "ai", "human", "ai"]
            draft, told, answer = state["messages"][3:]
            assert draft.content == WRONG and not verification_of(draft)["passed"]
            assert f"- \"{WRONG}\" (contradicted: the number '128 kilobytes' differs)" in told.content
            assert "64" not in told.content  # no words of the sources
            assert told.additional_kwargs == {"lc_source": "secondpass"}
            assert recorder.prompts[-1][-1].content == told.content
            assert answer.content == RIGHT and verification_of(answer)["passed"]
            assert verification_of(answer)["claims"][0]["evidence"][0]["id"] == "copy2"
            assert json.loads(json.dumps(verification_of(answer))) == verification_of(answer)

    def test_it_ends(self, fact: FactVerifier) -> None:
        """After `max_retries` the last answer is annotated, and the model is not asked again."""
        for max_retries in (0, 1, 3):
            middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate", max_retries=max_retries)
            state = agent([search(), *[WRONG] * 9], middleware).invoke(asked())
            assert kinds(state) == ["human", "ai", "tool", "ai"] + ["human", "ai"] * max_retries
            assert state["messages"][-1].content == MARKED
            assert all(message.content == WRONG for message in state["messages"][3:-1:2])

    def test_the_model_may_search_again(self, fact: FactVerifier) -> None:
        """What was found before and after the model was told is evidence."""
        both = f"{RIGHT} {TEMPFILE}"
        middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate")
        state = agent([WRONG, search(), WRONG, search("call-2"), both], middleware).invoke(asked())
        assert kinds(state) == ["human", "ai", "human", "ai", "tool", "ai", "human", "ai", "tool", "ai"]
        first, last = state["messages"][1], state["messages"][-1]
        assert verification_of(first)["claims"][0]["verdict"] == "not_enough_info"
        assert last.content == both and verification_of(last)["passed"]

    def test_each_turn_has_its_own_retries_and_sources(self, fact: FactVerifier) -> None:
        """In a conversation that is kept, a turn starts with the user's message."""
        middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate", max_retries=1)
        script = [search(), WRONG, RIGHT, RIGHT, search("call-2"), RIGHT]
        kept = agent(script, middleware, checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "1"}}
        first = kept.invoke(asked(), config)
        second = kept.invoke(asked("And now?"), config)
        assert kinds(second)[len(first["messages"]) :] == ["human", "ai", "human", "ai", "tool", "ai"]
        draft = second["messages"][len(first["messages"]) + 1]
        assert verification_of(draft)["claims"][0]["reason"] == "no passages were given"
        assert verification_of(second["messages"][-1])["passed"]

    def test_many_and_long_claims(self, fact: FactVerifier) -> None:
        """What the model is told stays short."""
        long = "The module number 7 " + "very " * 200 + "often has a size of 128 kilobytes."
        answer = " ".join([long, *(f"Module number {n} has a size of {n} kilobytes." for n in range(100, 130))])
        middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate", max_retries=1)
        told = agent([answer, RIGHT], middleware).invoke(asked())["messages"][2].content
        claims = [line for line in told.splitlines() if line.startswith("- ")]
        assert len(claims) == 21 and claims[-1].startswith("- and ") and claims[-1].endswith(" more")
        assert max(len(line) for line in claims) < 600

    def test_the_policy_raise(self, fact: FactVerifier) -> None:
        """It raises where the answer would be annotated: when no retry is left."""
        strict = FactVerifier(fact.nli, policy="raise")
        middleware = SecondPassVerificationMiddleware(strict, on_failure="regenerate", max_retries=1)
        assert agent([search(), WRONG, RIGHT], middleware).invoke(asked())["messages"][-1].content == RIGHT
        with pytest.raises(VerificationFailedError):
            agent([search(), WRONG, WRONG], middleware).invoke(asked())

    def test_nothing_to_check(self, fact: FactVerifier) -> None:
        """With a verifier that does not let it pass, the model is told that nothing could be checked."""
        middleware = SecondPassVerificationMiddleware(fact, on_failure="regenerate", max_retries=1)
        state = agent(["Hello there!", RIGHT], middleware).invoke(asked("Hi"))
        assert "- nothing in it could be checked" in state["messages"][2].content


class TestAnnotatingAndEnding:
    """The other ways to deal with an answer that did not pass."""

    @pytest.mark.asyncio
    async def test_annotate(self, fact: FactVerifier) -> None:
        """The answer is marked in its place, with the same id, and carries its verification."""
        middleware = SecondPassVerificationMiddleware(fact)
        for state in (
            agent([search(), AIMessage(WRONG, id="a1")], middleware).invoke(asked()),
            await agent([search(), AIMessage(WRONG, id="a1")], middleware).ainvoke(asked()),
        ):
            assert kinds(state) == ["human", "ai", "tool", "ai"]
            answer = state["messages"][-1]
            assert (answer.id, answer.content) == ("a1", MARKED)
            assert verification_of(answer)["answer"] == WRONG and not verification_of(answer)["passed"]

    def test_a_right_answer_is_left_as_it_is(self, fact: FactVerifier) -> None:
        """It only gets its verification; what else it carries is kept."""
        for on_failure in ("annotate", "regenerate", "end"):
            middleware = SecondPassVerificationMiddleware(fact, on_failure=on_failure)  # type: ignore[arg-type]
            script = [search(), AIMessage(RIGHT, response_metadata={"model_name": "m"})]
            answer = agent(script, middleware).invoke(asked())["messages"][-1]
            assert answer.content == RIGHT and verification_of(answer)["passed"]
            assert answer.response_metadata["model_name"] == "m"

    @pytest.mark.asyncio
    async def test_end(self, fact: FactVerifier) -> None:
        """The verifier's message takes the answer's place; the verification still says what it was."""
        middleware = SecondPassVerificationMiddleware(FactVerifier(fact.nli, message="I don't know."), on_failure="end")
        for state in (
            agent([search(), WRONG], middleware).invoke(asked()),
            await agent([search(), WRONG], middleware).ainvoke(asked()),
        ):
            assert state["messages"][-1].content == "I don't know."
            assert verification_of(state["messages"][-1])["answer"] == WRONG

    def test_end_with_the_policy_raise(self, fact: FactVerifier) -> None:
        """What is asked for on failure goes before the policy; annotating is what the policy does."""
        strict = FactVerifier(fact.nli, policy="raise")
        ending = agent([search(), WRONG], SecondPassVerificationMiddleware(strict, on_failure="end"))
        assert ending.invoke(asked())["messages"][-1].content == REFUSED
        with pytest.raises(VerificationFailedError):
            agent([search(), WRONG], SecondPassVerificationMiddleware(strict)).invoke(asked())

    def test_reasoning_is_kept(self, fact: FactVerifier) -> None:
        """Only what the message says is changed."""
        reasoning = {"type": "reasoning", "reasoning": "hm"}
        script = [search(), AIMessage([reasoning, {"type": "text", "text": WRONG}])]
        answer = agent(script, SecondPassVerificationMiddleware(fact)).invoke(asked())["messages"][-1]
        assert answer.content == [reasoning, {"type": "text", "text": MARKED}]

    def test_a_greeting_passes_by_default(self) -> None:
        """Of a verifier that is only named, answers that claim nothing pass, as an agent is greeted, too."""
        middleware = SecondPassVerificationMiddleware(on_failure="end")
        answer = agent(["Hello there!"], middleware).invoke(asked("Hi"))["messages"][-1]
        assert answer.content == "Hello there!" and verification_of(answer)["passed"]
        assert agent([RIGHT], middleware).invoke(asked())["messages"][-1].content == REFUSED


class TestSources:
    """What counts as evidence."""

    def test_texts_of_tools(self, fact: FactVerifier) -> None:
        """A tool without an artifact is a source by its text, under the id of its call."""
        script = [search("call-7"), RIGHT]
        state = agent(script, SecondPassVerificationMiddleware(fact), [retriever_tool("content")]).invoke(asked())
        (claim,) = verification_of(state["messages"][-1])["claims"]
        assert (claim["verdict"], claim["evidence"][0]["id"]) == ("supported", "call-7")

    def test_a_tool_without_findings(self, fact: FactVerifier) -> None:
        """An empty list of Documents leaves the text, which supports nothing."""
        nothing = create_retriever_tool(
            FixedRetriever(documents=[]), "search_docs", "Finds nothing.", response_format="content_and_artifact"
        )
        state = agent([search(), RIGHT], SecondPassVerificationMiddleware(fact), [nothing]).invoke(asked())
        assert verification_of(state["messages"][-1])["claims"][0]["verdict"] == "not_enough_info"

    def test_errors_are_no_sources(self, fact: FactVerifier) -> None:
        """What a tool says when it fails supports nothing."""
        script = [search(name="broken"), WRONG]
        state = agent(script, SecondPassVerificationMiddleware(fact), [broken]).invoke(asked())
        assert (state["messages"][2].status, state["messages"][2].content) == ("error", WRONG)
        assert verification_of(state["messages"][-1])["claims"][0]["reason"] == "no passages were given"

    def test_only_the_tools_that_are_named(self, fact: FactVerifier) -> None:
        """With `sources`, what other tools say is no evidence."""
        script = [search(name="rumour"), WRONG]
        everything = agent(script, SecondPassVerificationMiddleware(fact), [rumour]).invoke(asked())
        assert verification_of(everything["messages"][-1])["passed"]
        chosen = SecondPassVerificationMiddleware(fact, sources=["search_docs"])
        assert not verification_of(agent(script, chosen, [rumour]).invoke(asked())["messages"][-1])["passed"]

    def test_repeated_findings_count_once(self, fact: FactVerifier) -> None:
        """Two searches that find the same give no passage twice; other Documents with the same text stay."""
        seen_passages: list[Any] = []

        class Recording(FactVerifier):
            def verify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
                seen_passages.append((question, [(p["id"], p.get("metadata")) for p in passages]))
                return super().verify(answer, passages, question=question)

        middleware = SecondPassVerificationMiddleware(Recording(fact.nli))
        agent([search(), search("call-2"), RIGHT], middleware).invoke(asked())
        assert seen_passages == [(QUESTION, [("copy2", {"tags": ["shutil"]}), ("tempfile", {})])]

    def test_messages_of_other_middleware_start_no_turn(self, fact: FactVerifier) -> None:
        """A summary is a human message, but not the user's."""
        found = ToolMessage("found", artifact=documents(), tool_call_id="call-1", name="search_docs")
        summary = HumanMessage("So far: nothing.", additional_kwargs={"lc_source": "summarization"})
        for messages in (
            [HumanMessage(QUESTION), search(), found, summary, AIMessage(RIGHT)],
            [summary, search(), found, AIMessage(RIGHT)],
            [SystemMessage("Be brief."), search(), found, AIMessage(RIGHT)],
        ):
            update = SecondPassVerificationMiddleware(fact).after_model({"messages": messages}, None)
            assert update is not None and verification_of(update["messages"][0])["passed"]

    def test_what_is_no_answer_is_left_alone(self, fact: FactVerifier) -> None:
        """Calls of tools, structured responses and states without an AI message."""
        middleware = SecondPassVerificationMiddleware(fact, on_failure="end")
        states: list[Any] = [
            {"messages": []},
            {"messages": [HumanMessage(QUESTION)]},
            {"messages": [HumanMessage(QUESTION), search()]},
            {"messages": [AIMessage('{"size": 128}')], "structured_response": {"size": 128}},
        ]
        assert [middleware.after_model(state, None) for state in states] == [None] * 4

    def test_structured_output_by_a_tool(self, fact: FactVerifier) -> None:
        """An agent that answers by a tool for its format goes on to do so."""

        class Size(BaseModel):
            """The size of a buffer."""

            kilobytes: int

        call = AIMessage("", tool_calls=[{"name": "Size", "args": {"kilobytes": 64}, "id": "call-2"}])
        middleware = SecondPassVerificationMiddleware(fact, on_failure="end")
        state = agent([search(), call], middleware, response_format=ToolStrategy(Size)).invoke(asked())
        assert state["structured_response"] == Size(kilobytes=64)


class TestMiddlewareSettings:
    """What its constructor takes and refuses."""

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"on_failure": "retry"}, "on_failure must be 'annotate', 'regenerate' or 'end', not 'retry'"),
            ({"max_retries": -1}, "max_retries must be a whole number of at least 0"),
            ({"max_retries": True}, "max_retries must be a whole number"),
            ({"sources": "search_docs"}, "sources must be a list of names of tools, or None for all"),
            ({"sources": [retriever_tool()]}, "sources must be a list of names of tools"),
            ({"verifier": {"policy": "shout"}}, "policy must be one of"),
        ],
    )
    def test_wrong_settings_fail_at_once(self, settings: Any, message: str) -> None:
        """A setting that can't be used is refused with what it may be."""
        with pytest.raises(ConfigError, match=message):
            SecondPassVerificationMiddleware(**settings)

    def test_a_configuration_is_taken_as_it_is(self) -> None:
        """Only a verifier that is just named gets a setting of ours."""
        assert not SecondPassVerificationMiddleware({"policy": "flag"}).verifier.allow_unchecked
        assert SecondPassVerificationMiddleware("secondpass-nli-minilm").verifier.allow_unchecked
