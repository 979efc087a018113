"""The agent: another one whose answers are verified, by `FactVerifier.verify`, against what its tools returned."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, get_args

from llama_index.core.agent.workflow import AgentOutput, BaseWorkflowAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock
from llama_index.core.bridge.pydantic import Field
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # it's re-exported
from llama_index.core.memory import BaseMemory, ChatMemoryBuffer
from llama_index.core.prompts.mixin import PromptDictType, PromptMixinType
from llama_index.core.schema import MetadataMode
from llama_index.core.tools import AsyncBaseTool
from llama_index.core.workflow import Context

from llama_index.postprocessor.secondpass.responses import checked_mode, passages_of_tools
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.errors import ConfigError, VerificationFailedError
from secondpass.validation import OneOf, Whole
from secondpass.verify.agents import OnFailure, checked_sources, feedback
from secondpass.verify.types import Verification

if TYPE_CHECKING:
    from llama_index.core.agent.workflow.agent_context import AgentContext  # since llama-index-core 0.14.9

__all__ = ["VerifyingAgent"]

dispatcher = get_dispatcher(__name__)

_KEY = "verification"
_RETRIES = "secondpass_retries"  # in the state of a run, beside LlamaIndex's own
_RUNNING = ("timeout", "verbose", "num_concurrent_runs")  # settings of a workflow
_HANDOFF = "handoff"  # LlamaIndex's name for the tool by which an agent hands over to another


class VerifyingAgent(BaseWorkflowAgent):
    """Checks each claim of an agent's answer against what its tools returned in this run.

    ```python
    agent = VerifyingAgent(FunctionAgent(tools=[search], llm=llm), on_failure="regenerate")
    output = await agent.run("How do I copy a file?")
    output.verification["passed"]
    ```

    It is an agent itself, with the name, description and tools of the wrapped one: `run` it alone, or pass it to an
    `AgentWorkflow`. An answer is a step without tool calls. Sources are the nodes of tools that return nodes
    (`RetrieverTool`) or a response (`QueryEngineTool`), else the text of the result, with the id of the tool call;
    in an `AgentWorkflow` also those of the agents before. Failed calls are not sources. ``output.verification`` is
    `Verification.to_dict`. An answer that did not pass is dealt with by ``on_failure``:

    - ``annotate``: its text becomes what the verifier's policy makes of it; by default, sentences that are not
      supported are marked.
    - ``regenerate``: the model is told which claims are not supported, and answers again, up to ``max_retries`` times
      in a run; it may call tools again. If the last answer does not pass either, it is annotated. The rejected
      answers and what the model was told stay in the memory.
    - ``end``: the verifier's ``message`` takes the place of the answer.

    The memory has the answer that was given out. Deltas that a listener gets while the model writes (`AgentStream`)
    are seen before they are verified: wrap an agent with ``streaming=False`` if they are shown to users. Not verified,
    and so without ``output.verification``, are: what a tool with ``return_direct`` returns, which is the source itself;
    structured responses, which are not sentences; and what ``early_stopping_method="generate"`` gives, which LlamaIndex
    asks the model for past the agent's steps.

    Args:
        agent: any agent of a workflow (`FunctionAgent`, `ReActAgent`, `CodeActAgent`, one of your own).
        verifier: as for `VerifyingChatEngine`. With the policy ``raise``, `VerificationFailedError` takes the place of
            annotating.
        on_failure: see above.
        max_retries: how often the model may answer again in one run, with ``regenerate``.
        sources: names of the tools whose results are sources; all by default.
        metadata_mode: what is read of nodes besides their text, as in `VerifyingQueryEngine`.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: the model can't be loaded.
    """

    agent: BaseWorkflowAgent = Field(exclude=True, description="The wrapped agent")
    verifier: Any = Field(exclude=True, description="The loaded FactVerifier")
    on_failure: OnFailure = Field(description="What becomes of an answer that did not pass")
    max_retries: int = Field(description="How often the model may answer again in one run")
    sources: frozenset[str] | None = Field(description="Names of the tools whose results are sources; None for all")
    metadata_mode: MetadataMode = Field(description="What is read of nodes besides their text")

    def __init__(
        self,
        agent: BaseWorkflowAgent,
        verifier: VerifierLike = "secondpass-nli-minilm",
        *,
        on_failure: OnFailure = "annotate",
        max_retries: int = 2,
        sources: Collection[str] | None = None,
        metadata_mode: MetadataMode | str = MetadataMode.NONE,
    ) -> None:
        if not isinstance(agent, BaseWorkflowAgent):
            raise ConfigError(
                f"VerifyingAgent wraps an agent (FunctionAgent, ReActAgent, ...), not a {type(agent).__name__}; "
                "in an AgentWorkflow, wrap the agents that answer"
            )
        settings: dict[str, Any] = {
            "on_failure": OneOf(*get_args(OnFailure)).checked(on_failure, "VerifyingAgent: on_failure"),
            "max_retries": Whole(at_least=0).checked(max_retries, "VerifyingAgent: max_retries"),
            "sources": checked_sources(sources),
            "metadata_mode": checked_mode(metadata_mode),
            "verifier": load_verifier(verifier, allow_unchecked=True),
        }
        # What a workflow reads of its agents, and what it does as a workflow itself, are the wrapped agent's.
        theirs: dict[str, Any] = {name: getattr(agent, name) for name in BaseWorkflowAgent.model_fields}
        running: dict[str, Any] = {name: getattr(agent, f"_{name}", None) for name in _RUNNING}
        super().__init__(**theirs, **running, agent=agent, **settings)

    async def take_step(
        self, ctx: "AgentContext", llm_input: list[ChatMessage], tools: Sequence[AsyncBaseTool], memory: BaseMemory
    ) -> AgentOutput:
        """Take a step with the wrapped agent; if it is an answer, verify it, and let the model answer again."""
        begins = await ctx.store.get("num_iterations", default=0) == 0
        retries = 0 if begins else await ctx.store.get(_RETRIES, default=0)
        while True:
            output = await self.agent.take_step(ctx, llm_input, tools, memory)
            if output.tool_calls or output.retry_messages:
                await ctx.store.set(_RETRIES, retries)
                return output
            # Only now is there the answer alone (a ReActAgent's output begins with its thoughts), and what the agent
            # remembers of the run; it goes into a memory of ours first, as the answer may not be what is given out.
            run = ChatMemoryBuffer.from_defaults()
            output = await self.agent.finalize(ctx, output, run)  # type: ignore[arg-type]  # a Context, when it runs
            verification, failure = await self._verified(ctx, output.response.content or "")
            if verification.passed or self.on_failure != "regenerate" or retries >= self.max_retries:
                return await self._given_out(output, verification, failure, run.get_all(), memory)
            retries += 1
            told = ChatMessage(content=feedback(verification), role=MessageRole.USER)
            await memory.aput_messages([*run.get_all(), told])
            prompt = llm_input[:1] if self.system_prompt else []
            llm_input = [*prompt, *await memory.aget()]

    async def _given_out(
        self,
        output: AgentOutput,
        verification: Verification,
        failure: VerificationFailedError | None,
        run: list[ChatMessage],
        memory: BaseMemory,
    ) -> AgentOutput:
        ended = not verification.passed and self.on_failure == "end"
        if failure is not None and not ended:
            raise failure
        text = self.verifier.message if ended else verification.text
        await memory.aput_messages(_remembered(run, output.response.content or "", text))
        output.response = _with_text(output.response, text)
        output[_KEY] = verification.to_dict()
        return output

    @dispatcher.span
    async def _verified(self, ctx: "AgentContext", answer: str) -> tuple[Verification, VerificationFailedError | None]:
        """Return the verification, and with the policy ``raise`` the error that it comes with."""
        called: list[ToolCallResult] = await ctx.store.get("current_tool_calls", default=[])
        results = [(call.tool_id, call.tool_output) for call in called if self._is_source(call.tool_name)]
        passages = passages_of_tools(results, self.metadata_mode)
        question = await ctx.store.get("user_msg_str", default=None)
        try:
            return await self.verifier.averify(answer, passages, question=question), None
        except VerificationFailedError as exc:
            if exc.verification is None:
                raise
            return exc.verification, exc

    def _is_source(self, tool: str) -> bool:
        return tool != _HANDOFF and (self.sources is None or tool in self.sources)

    async def handle_tool_call_results(self, ctx: Context, results: list[ToolCallResult], memory: BaseMemory) -> None:
        """Hand what tools returned to the wrapped agent."""
        await self.agent.handle_tool_call_results(ctx, results, memory)

    async def finalize(self, ctx: Context, output: AgentOutput, memory: BaseMemory) -> AgentOutput:
        """Do nothing for an answer that was verified, which is in the memory; else what the wrapped agent does."""
        return output if _KEY in output else await self.agent.finalize(ctx, output, memory)

    async def get_tools(self, input_str: str | None = None) -> Sequence[AsyncBaseTool]:
        """Return the wrapped agent's tools."""
        return await self.agent.get_tools(input_str)

    def _get_prompts(self) -> PromptDictType:
        return self.agent._get_prompts()

    def _get_prompt_modules(self) -> PromptMixinType:
        return self.agent._get_prompt_modules()

    def _update_prompts(self, prompts_dict: PromptDictType) -> None:
        self.agent._update_prompts(prompts_dict)


def _remembered(messages: list[ChatMessage], answer: str, text: str) -> list[ChatMessage]:
    """Return what an agent remembers, with a text in place of its answer, which ends its last message."""
    *before, last = messages or [ChatMessage(content=answer, role=MessageRole.ASSISTANT)]
    said = last.content or ""
    return [*before, _with_text(last, said.removesuffix(answer) + text)] if said.endswith(answer) else messages


def _with_text(message: ChatMessage, text: str) -> ChatMessage:
    others = [block for block in message.blocks if not isinstance(block, TextBlock)]
    return message.model_copy(update={"blocks": [*others, TextBlock(text=text)]})
