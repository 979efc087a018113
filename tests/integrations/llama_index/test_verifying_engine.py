"""`VerifyingQueryEngine` around real engines, with real handlers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from llama_index.core import PromptTemplate, QueryBundle, SummaryIndex
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import AsyncStreamingResponse, PydanticResponse, Response, StreamingResponse
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation.events.query import QueryEndEvent
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.tools import QueryEngineTool

from llama_index.postprocessor.secondpass import VerifyingQueryEngine
from secondpass.errors import InputError, ScoringError, VerificationFailedError
from secondpass.verify.verifier import FactVerifier
from tests.integrations.llama_index.answers import (
    MESSAGE,
    QUESTION,
    RIGHT,
    TEXTS,
    WRONG,
    Broken,
    Counting,
    Engine,
    nodes,
)
from tests.integrations.llama_index.nodes import finished
from tests.integrations.llama_index.recording import Recorder


def both(engine: BaseQueryEngine) -> Response:
    """Ask synchronously and asynchronously, check that the verdicts are equal, and return one response."""
    waited, called = asyncio.run(engine.aquery(QUESTION)), engine.query(QUESTION)
    assert type(waited) is type(called) is Response
    assert waited.response == called.response
    assert waited.metadata["verification"]["claims"] == called.metadata["verification"]["claims"]
    return called


class TestQueryEngine:
    def test_a_supported_answer_comes_as_it_is(self, verifier: FactVerifier) -> None:
        """Text and nodes are the wrapped engine's, and its metadata is kept beside the verification."""
        response = both(VerifyingQueryEngine(Engine(RIGHT), verifier))
        assert response.response == RIGHT and [node.node_id for node in response.source_nodes] == ["n0", "n1", "n2"]
        assert response.metadata["n0"] == {"page": 1}
        verification = response.metadata["verification"]
        assert (verification["passed"], verification["supported_fraction"]) == (True, 1.0)
        assert verification["claims"][0]["evidence"][0]["id"] == "n1"
        json.dumps(response.metadata)

    @pytest.mark.parametrize(
        ("policy", "text"),
        [
            ("annotate", f"{RIGHT} {WRONG} [contradicted]"),
            ("flag", f"{RIGHT} {WRONG}"),
            ("drop", RIGHT),
            ("abstain", MESSAGE),
        ],
    )
    def test_policies(self, make: Any, policy: str, text: str) -> None:
        """The response's text is what the policy made; the answer as it was is in the verification."""
        response = both(VerifyingQueryEngine(Engine(f"{RIGHT} {WRONG}"), make(policy=policy)))
        assert str(response) == text
        assert response.metadata["verification"]["answer"] == f"{RIGHT} {WRONG}"
        assert [claim["verdict"] for claim in response.metadata["verification"]["claims"]] == [
            "supported",
            "contradicted",
        ]

    def test_a_policy_that_raises(self, make: Any) -> None:
        """The error comes through, with the verification."""
        engine = VerifyingQueryEngine(Engine(WRONG), make(policy="raise"))
        with pytest.raises(VerificationFailedError) as caught:
            engine.query(QUESTION)
        assert caught.value.verification.contradicted
        with pytest.raises(VerificationFailedError):
            asyncio.run(engine.aquery(QUESTION))

    def test_what_the_wrapped_engine_gave_stays_as_it_is(self, verifier: FactVerifier) -> None:
        """The response is a copy: a cached one is not marked, and its metadata get no key."""
        kept = Response(WRONG, nodes(), None)
        response = VerifyingQueryEngine(Engine(kept), verifier).query(QUESTION)
        assert response is not kept and response.response != WRONG
        assert (kept.response, kept.metadata) == (WRONG, None)

    def test_true_async(self, make: Any) -> None:
        """An awaited query awaits the wrapped aquery and averify; query calls neither; the question goes along."""
        counting, inner = make(Counting), Engine(RIGHT)
        engine = VerifyingQueryEngine(inner, counting)
        engine.query(QUESTION)
        assert (inner.asked, counting.awaited) == ([("query", QUESTION)], 0)
        asyncio.run(engine.aquery(QueryBundle(QUESTION)))
        assert (inner.asked[1:], counting.awaited) == ([("aquery", QUESTION)], 1)
        expected = [{"text": text, "id": f"n{at}"} for at, text in enumerate(TEXTS)]
        assert counting.calls == [(RIGHT, expected, QUESTION)] * 2

    def test_a_streaming_response_is_read_to_its_end(self, verifier: FactVerifier) -> None:
        """Both kinds of stream become a whole Response, from a synchronous as from an asynchronous call."""

        async def chunks() -> AsyncIterator[str]:
            for chunk in (WRONG[:5], WRONG[5:]):
                yield chunk

        def streams() -> list[Any]:
            return [
                StreamingResponse(iter([WRONG[:5], WRONG[5:]]), nodes(), {"k": 1}),
                AsyncStreamingResponse(chunks(), nodes(), {"k": 1}),
            ]

        responses = [VerifyingQueryEngine(Engine(stream), verifier).query(QUESTION) for stream in streams()]

        async def waited() -> list[Any]:
            return [await VerifyingQueryEngine(Engine(stream), verifier).aquery(QUESTION) for stream in streams()]

        for response in [*responses, *asyncio.run(waited())]:
            assert type(response) is Response
            assert response.response == f"{WRONG} [contradicted]"
            assert response.metadata["k"] == 1 and len(response.source_nodes) == 3

    def test_an_empty_answer_does_not_pass(self, make: Any) -> None:
        """No text at all is an answer without a claim; without nodes nothing is supported."""
        engine = VerifyingQueryEngine(Engine(Response(None, nodes())), make(policy="abstain"))
        response = both(engine)
        assert str(response) == MESSAGE and response.metadata["verification"]["passed"] is False
        without = both(VerifyingQueryEngine(Engine(Response(RIGHT, [])), make()))
        assert without.response == f"{RIGHT} [unsupported]"

    def test_an_output_class_is_refused(self, verifier: FactVerifier) -> None:
        """A PydanticResponse holds fields and no text, and is not let through unverified."""

        class Answer(BaseModel):
            text: str

        engine = VerifyingQueryEngine(Engine(PydanticResponse(Answer(text=RIGHT), nodes())), verifier)
        with pytest.raises(InputError, match=r"not PydanticResponse: .*without an output class"):
            engine.query(QUESTION)
        with pytest.raises(InputError, match="not PydanticResponse"):
            asyncio.run(engine.aquery(QUESTION))

    def test_retrieving_and_synthesizing(self, verifier: FactVerifier) -> None:
        """What is retrieved is the wrapped engine's; what is made of nodes is verified against all of them."""
        engine, bundle = VerifyingQueryEngine(Engine(RIGHT), verifier), QueryBundle(QUESTION)
        assert [node.node_id for node in engine.retrieve(bundle)] == ["n0", "n1", "n2"]
        kept = nodes()
        made = engine.synthesize(bundle, kept[:1], additional_source_nodes=kept[1:])
        waited = asyncio.run(engine.asynthesize(bundle, kept[:1], additional_source_nodes=kept[1:]))
        for response in (made, waited):
            assert response.metadata["verification"]["passed"] is True
            assert response.metadata["verification"]["claims"][0]["evidence"][0]["passage"] == 1
        assert engine.synthesize(bundle, kept[:1]).metadata["verification"]["passed"] is False

    def test_as_a_tool(self, verifier: FactVerifier) -> None:
        """An agent's tool gives out the text after the policy."""
        tool = QueryEngineTool.from_defaults(VerifyingQueryEngine(Engine(WRONG), verifier), name="docs", description="")
        assert tool.call(QUESTION).content == f"{WRONG} [contradicted]"
        assert asyncio.run(tool.acall(QUESTION)).content == f"{WRONG} [contradicted]"

    def test_the_prompts_are_those_of_the_wrapped_engine(self, verifier: FactVerifier) -> None:
        """They can be read and changed through it, as if it were not there."""
        inner = real_engine()
        engine = VerifyingQueryEngine(inner, verifier)
        assert set(engine.get_prompts()) == set(inner.get_prompts())
        key = "response_synthesizer:text_qa_template"
        engine.update_prompts({key: PromptTemplate("Only {context_str}")})
        assert inner.get_prompts()[key].template == "Only {context_str}"


def real_engine(**settings: Any) -> RetrieverQueryEngine:
    """Return a retriever and a synthesizer; MockLLM answers with its prompt, which here is the context alone."""
    index = SummaryIndex([node.node for node in nodes([RIGHT])])
    return RetrieverQueryEngine.from_args(
        index.as_retriever(),
        llm=MockLLM(),
        text_qa_template=PromptTemplate("{context_str}"),
        response_mode=ResponseMode.COMPACT,
        **settings,
    )


class TestRealEngine:
    def test_an_answer_out_of_the_context_passes(self, verifier: FactVerifier) -> None:
        """Retriever, prompt, LLM and verifier, synchronously, asynchronously and streamed."""
        response = both(VerifyingQueryEngine(real_engine(), verifier))
        assert response.response == RIGHT and response.metadata["verification"]["passed"] is True
        streamed = both(VerifyingQueryEngine(real_engine(streaming=True), verifier))
        assert streamed.response == RIGHT and streamed.metadata["verification"]["passed"] is True

    def test_spans_and_callbacks(self, verifier: FactVerifier, recorder: Recorder) -> None:
        """The verification is a span within the query's; the last QUERY and QueryEnd events have what is given out."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        engine = VerifyingQueryEngine(real_engine(callback_manager=CallbackManager([debug])), verifier)
        responses = [engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))]
        spanned = {span.id_: str(span.parent_id) for span in recorder.spans.completed_spans}
        for method, parent in (("_verified", "_query"), ("_averified", "_aquery")):
            (own,) = [name for name in spanned if name.startswith(f"VerifyingQueryEngine.{method}-")]
            assert spanned[own].startswith(f"VerifyingQueryEngine.{parent}-")
        pairs = debug.get_event_pairs(CBEventType.QUERY)
        assert len(pairs) == 4  # ours around the wrapped engine's, twice
        ends = [end.payload[EventPayload.RESPONSE] for start, end in pairs]
        assert [response for response in ends if "verification" in response.metadata] == responses
        given_out = [event.response for event in recorder.events.of(QueryEndEvent)]
        assert [given_out[1], given_out[3]] == responses

    @pytest.mark.parametrize("method", ["query", "aquery"])
    def test_a_failure_closes_everything(self, make: Any, recorder: Recorder, method: str) -> None:
        """The error comes through; our QUERY event ends with it, and no span is left open."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        engine = VerifyingQueryEngine(Engine(RIGHT), make(Broken), callback_manager=CallbackManager([debug]))
        with pytest.raises(ScoringError, match="the backend is down") as caught:
            finished(getattr(engine, method)(QUESTION))
        ((_, end),) = debug.get_event_pairs(CBEventType.QUERY)
        assert end.payload == {EventPayload.EXCEPTION: caught.value}
        assert recorder.spans.open_spans == {}
        dropped = {span.id_.partition("-")[0] for span in recorder.spans.dropped_spans}
        assert dropped >= {f"VerifyingQueryEngine.{name}" for name in (method, f"_{method}")}

    def test_many_at_once(self, verifier: FactVerifier) -> None:
        """Concurrent queries get what a single one gets."""
        engine = VerifyingQueryEngine(Engine(f"{RIGHT} {WRONG}"), verifier)

        async def gather() -> list[Any]:
            return await asyncio.gather(*(engine.aquery(QUESTION) for _ in range(4)))

        single = engine.query(QUESTION)
        assert [response.response for response in asyncio.run(gather())] == [single.response] * 4
