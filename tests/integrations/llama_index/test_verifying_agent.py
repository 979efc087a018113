"""`VerifyingAgent` around LlamaIndex's own agents, tools, workflows and memories."""

import asyncio
from typing import Any

import pytest
from llama_index.core import SummaryIndex
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentWorkflow,
    BaseWorkflowAgent,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode
from llama_index.core.tools import FunctionTool, QueryEngineTool, RetrieverTool
from llama_index.core.workflow import Context

from llama_index.postprocessor.secondpass import VerifyingAgent
from secondpass.errors import ConfigError, VerificationFailedError
from secondpass.verify.verifier import FactVerifier
from tests.integrations.llama_index.answers import MESSAGE, QUESTION, RIGHT, TEXTS, WRONG, nodes
from tests.integrations.llama_index.scripted import Scripted

# What LlamaIndex does of itself: its agents look at deprecated attributes, and can't write their memory as JSON.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping serialization of known unserializable key"),
]

MARKED = f"{WRONG} [contradicted]"
REACT = "Thought: I can answer.\nAnswer: {}"


def look_up(words: str) -> str:
    """Look up what the handbook says."""
    return TEXTS[1] if "rmtree" in words else TEXTS[2]


def price_in_cents(words: str) -> str:
    """Give a price."""
    raise ValueError(f"{WRONG} But this tool is out of order.")


def retriever(**fields: Any) -> RetrieverTool:
    """Return a tool that finds the three texts."""
    index = SummaryIndex([node.node for node in nodes(**fields)])
    return RetrieverTool.from_defaults(index.as_retriever(), name="search", description="Search.")


def call(tool: str = "look_up", words: str = "lease") -> dict[str, dict[str, str]]:
    """Return a reply that calls a tool."""
    return {tool: {"words": words}}


def ask(agent: Any, question: str = QUESTION, **run: Any) -> AgentOutput:
    """Run an agent to its end."""

    async def run_it() -> AgentOutput:
        return await agent.run(user_msg=question, **run)

    return asyncio.run(run_it())


def function_agent(*replies: Any, tools: Any = (look_up,), **settings: Any) -> tuple[FunctionAgent, Scripted]:
    """Return an agent, and its language model with these replies."""
    llm = Scripted(*replies)
    return FunctionAgent(tools=list(tools), llm=llm, system_prompt="Use the tools.", **settings), llm


def memory_of(memory: ChatMemoryBuffer) -> list[tuple[str, str | None]]:
    """Return who said what."""
    return [(message.role.value, message.content) for message in memory.get_all()]


class TestFunctionAgent:
    @pytest.mark.parametrize("streaming", [True, False])
    def test_an_answer_from_a_tool(self, verifier: FactVerifier, streaming: bool) -> None:
        """The tool's text is the source; the output, the event that listeners get and the memory are marked alike."""
        memory = ChatMemoryBuffer.from_defaults()
        inner, _ = function_agent(call(), f"{TEXTS[2]} {WRONG}", streaming=streaming)
        agent = VerifyingAgent(inner, verifier)

        async def run() -> tuple[AgentOutput, list[AgentOutput]]:
            running = agent.run(user_msg="What does a lease cost?", memory=memory)
            seen = [event async for event in running.stream_events() if isinstance(event, AgentOutput)]
            return await running, seen

        output, seen = asyncio.run(run())
        assert str(output) == str(seen[-1]) == f"{TEXTS[2]} {MARKED}"
        claims = output.verification["claims"]
        assert [claim["verdict"] for claim in claims] == ["supported", "contradicted"]
        assert claims[0]["evidence"][0]["id"] == "c0"
        assert output.verification["question"] == "What does a lease cost?"
        assert output.tool_calls[0].tool_name == "look_up"
        assert memory_of(memory) == [
            ("user", "What does a lease cost?"),
            ("assistant", ""),
            ("tool", TEXTS[2]),
            ("assistant", f"{TEXTS[2]} {MARKED}"),
        ]

    @pytest.mark.parametrize(
        ("policy", "text"),
        [
            ("annotate", f"{TEXTS[2]} {MARKED}"),
            ("flag", f"{TEXTS[2]} {WRONG}"),
            ("drop", TEXTS[2]),
            ("abstain", MESSAGE),
        ],
    )
    def test_policies(self, make: Any, policy: str, text: str) -> None:
        """The same as those of the engines."""
        agent, _ = function_agent(call(), f"{TEXTS[2]} {WRONG}")
        assert str(ask(VerifyingAgent(agent, make(policy=policy)))) == text

    def test_a_policy_that_raises(self, make: Any) -> None:
        """The error comes through, with the verification; a message that ends the run takes its place."""
        with pytest.raises(VerificationFailedError) as caught:
            ask(VerifyingAgent(function_agent(call(), WRONG)[0], make(policy="raise")))
        assert caught.value.verification.contradicted
        ended = VerifyingAgent(function_agent(call(), WRONG)[0], make(policy="raise"), on_failure="end")
        output = ask(ended)
        assert str(output) == MESSAGE and output.verification["passed"] is False

    def test_it_answers_again(self, verifier: FactVerifier) -> None:
        """The model is told its own claim, after its answer; the second answer is given out, and all is remembered."""
        memory = ChatMemoryBuffer.from_defaults()
        inner, llm = function_agent(call(), WRONG, TEXTS[2])
        output = ask(VerifyingAgent(inner, verifier, on_failure="regenerate"), memory=memory)
        assert str(output) == TEXTS[2] and output.verification["passed"] is True
        last = [(message.role.value, message.content) for message in llm.shown[-1]]
        assert last[0] == ("system", "Use the tools.")
        assert [role for role, _ in last[1:]] == ["user", "assistant", "tool", "assistant", "user"]
        told = last[-1][1] or ""
        assert f'"{WRONG}" (contradicted' in told and TEXTS[2] not in told
        assert memory_of(memory) == [*last[1:], ("assistant", TEXTS[2])]

    def test_it_may_call_tools_again(self, verifier: FactVerifier) -> None:
        """What they then return is a source as well, and the retries of a run are counted through."""
        inner, llm = function_agent(call(words="rmtree"), WRONG, call(), WRONG, WRONG)
        output = ask(VerifyingAgent(inner, verifier, on_failure="regenerate", max_retries=2))
        assert str(output) == MARKED and llm.replies == []
        assert output.verification["claims"][0]["verdict"] == "contradicted"

    def test_each_run_has_its_retries(self, verifier: FactVerifier) -> None:
        """Those of a run before, in the same context, are not counted."""
        inner, llm = function_agent(call(), WRONG, TEXTS[2], call(), WRONG, TEXTS[2])
        agent = VerifyingAgent(inner, verifier, on_failure="regenerate", max_retries=1)

        async def twice() -> list[str]:
            context = Context(agent)
            return [str(await agent.run(user_msg=QUESTION, ctx=context)) for _ in range(2)]

        assert asyncio.run(twice()) == [TEXTS[2]] * 2 and llm.replies == []

    def test_a_message_in_place_of_the_answer(self, verifier: FactVerifier) -> None:
        """With `end`, it is what is remembered too."""
        memory = ChatMemoryBuffer.from_defaults()
        output = ask(VerifyingAgent(function_agent(call(), WRONG)[0], verifier, on_failure="end"), memory=memory)
        assert str(output) == MESSAGE and memory_of(memory)[-1] == ("assistant", MESSAGE)

    def test_a_greeting(self) -> None:
        """An agent that calls no tool and claims nothing passes, if the verifier is only named."""
        output = ask(VerifyingAgent(function_agent("Hello, how can I help you?")[0]), "Hi!")
        assert (str(output), output.verification["passed"]) == ("Hello, how can I help you?", True)


class TestSources:
    @pytest.mark.parametrize("kind", ["retriever", "query engine"])
    def test_nodes_are_sources_with_their_ids(self, verifier: FactVerifier, kind: str) -> None:
        """Of a retriever as of a query engine, whose own words are not evidence."""
        if kind == "retriever":
            tool: Any = retriever()
        else:
            index = SummaryIndex([node.node for node in nodes()])
            engine = RetrieverQueryEngine.from_args(index.as_retriever(), llm=Scripted(WRONG))
            tool = QueryEngineTool.from_defaults(engine, name="search", description="Search.")
        agent, _ = function_agent({"search": {"input": "lease"}}, f"{RIGHT} {WRONG}", tools=[tool])
        claims = ask(VerifyingAgent(agent, verifier)).verification["claims"]
        assert [claim["verdict"] for claim in claims] == ["supported", "contradicted"]
        assert claims[0]["evidence"][0]["id"] == "n1"

    def test_metadata(self, verifier: FactVerifier) -> None:
        """Read only if that is asked for."""
        claim = "The author is Ada Lovelace."
        found = []
        for mode in (MetadataMode.NONE, "llm"):
            tools = [retriever(metadata={"author": "Ada Lovelace"})]
            agent, _ = function_agent({"search": {"input": "author"}}, claim, tools=tools)
            output = ask(VerifyingAgent(agent, verifier, metadata_mode=mode), "Who is the author?")
            found.append(output.verification["claims"][0]["probability"])
        assert found[0] < 0.2 < found[1]

    def test_a_tool_that_failed_is_none(self, verifier: FactVerifier) -> None:
        """An error message does not count as evidence."""
        agent, _ = function_agent(call("price_in_cents"), WRONG, tools=[price_in_cents])
        assert str(ask(VerifyingAgent(agent, verifier))) == f"{WRONG} [unsupported]"

    def test_tools_by_their_names(self, verifier: FactVerifier) -> None:
        """Only what these returned is evidence."""
        agent, _ = function_agent(call(), TEXTS[2])
        assert str(ask(VerifyingAgent(agent, verifier, sources=["search"]))) == f"{TEXTS[2]} [unsupported]"
        agent, _ = function_agent(call(), TEXTS[2])
        assert str(ask(VerifyingAgent(agent, verifier, sources=["look_up"]))) == TEXTS[2]

    def test_what_a_tool_returns_directly(self, verifier: FactVerifier) -> None:
        """It is the source itself, and is neither verified nor said to be."""
        tool = FunctionTool.from_defaults(look_up, return_direct=True)
        output = ask(VerifyingAgent(function_agent(call(), tools=[tool])[0], verifier))
        assert str(output) == TEXTS[2] and output.get("verification") is None


class TestOtherAgents:
    @pytest.mark.parametrize("streaming", [True, False])
    def test_react(self, verifier: FactVerifier, streaming: bool) -> None:
        """Its thoughts are no part of the answer; they stay in the memory, before the answer that was given out."""
        act = 'Thought: I look.\nAction: look_up\nAction Input: {"words": "lease"}'
        memory = ChatMemoryBuffer.from_defaults()
        llm = Scripted(act, "not as it should be:\nAction: ?", REACT.format(WRONG), REACT.format(f"{TEXTS[2]} {WRONG}"))
        inner = ReActAgent(tools=[look_up], llm=llm, streaming=streaming)
        agent = VerifyingAgent(inner, verifier, on_failure="regenerate", max_retries=1)
        output = ask(agent, memory=memory)
        assert str(output) == f"{TEXTS[2]} {MARKED}"
        assert (memory_of(memory)[-1][1] or "").endswith(f"Answer: {TEXTS[2]} {MARKED}")
        assert llm.replies == []

    def test_in_a_workflow_with_others(self, verifier: FactVerifier) -> None:
        """One that hands over is not verified; the next one is, also against what the one before has looked up."""
        first, first_llm = function_agent(
            call(), {"handoff": {"to_agent": "writer", "reason": "Write."}}, name="seeker", description="Seeks."
        )
        second, _ = function_agent(WRONG, TEXTS[2], name="writer", description="Writes.", tools=[])
        agents: list[BaseWorkflowAgent] = [
            VerifyingAgent(first, verifier),
            VerifyingAgent(second, verifier, on_failure="regenerate"),
        ]
        output = ask(AgentWorkflow(agents=agents, root_agent="seeker"))
        assert (str(output), output.current_agent_name) == (TEXTS[2], "writer")
        assert output.verification["passed"] is True and first_llm.replies == []

    def test_it_is_the_wrapped_agent_to_others(self, verifier: FactVerifier) -> None:
        """Name, description, prompts, state and time limit are those of the wrapped one."""
        inner = ReActAgent(
            name="seeker", description="Seeks.", tools=[look_up], llm=Scripted(), timeout=7.0, can_handoff_to=["writer"]
        )
        agent = VerifyingAgent(inner, verifier)
        assert (agent.name, agent.description, agent.can_handoff_to) == ("seeker", "Seeks.", ["writer"])
        assert agent._timeout == 7.0
        agent.update_prompts({"react_header": "Be brief. {tool_desc} {tool_names}"})  # type: ignore[dict-item]
        assert inner.formatter.system_header.startswith("Be brief.")
        assert [tool.metadata.name for tool in asyncio.run(agent.get_tools())] == ["look_up"]


class TestWhatCantBeWrapped:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"on_failure": "retry"}, "VerifyingAgent: on_failure must be 'annotate'"),
            ({"max_retries": -1}, "VerifyingAgent: max_retries must be"),
            ({"sources": "search"}, "sources must be a list of names of tools"),
            ({"metadata_mode": "some"}, "metadata_mode must be one of"),
        ],
    )
    def test_settings(self, settings: dict[str, Any], message: str) -> None:
        """Each is refused before a model is loaded, with what it takes."""
        with pytest.raises(ConfigError, match=message):
            VerifyingAgent(function_agent()[0], "there-is-no-such-model", **settings)

    def test_other_things(self) -> None:
        """A workflow of agents is told that its agents are wrapped."""
        workflow = AgentWorkflow(agents=[function_agent()[0]])
        with pytest.raises(ConfigError, match=r"not a AgentWorkflow; in an AgentWorkflow, wrap the agents that answer"):
            VerifyingAgent(workflow)  # type: ignore[arg-type]
