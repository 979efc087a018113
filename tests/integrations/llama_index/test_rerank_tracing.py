"""What `SecondPassRerank` reports of its calls, also of many at once."""

import asyncio
import json
from typing import Any

import pytest
from llama_index.core import QueryBundle
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.events.span import SpanDropEvent
from llama_index.core.schema import NodeWithScore

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.base import Reranker
from secondpass.errors import ScoringError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from tests.integrations.llama_index.nodes import QUESTION, Failing, Recording, fake, finished, scored
from tests.integrations.llama_index.recording import Recorder


class TestObservability:
    @pytest.mark.parametrize("method", ["postprocess_nodes", "apostprocess_nodes"])
    def test_one_span_with_both_events(self, recorder: Recorder, method: str) -> None:
        """Each call is exactly one span, and its start and end events stand within it."""
        nodes, span = scored(), f"SecondPassRerank._{method}"
        reranked = finished(getattr(fake(), method)(nodes, query_str=QUESTION))
        assert recorder.names() == [span] and recorder.names("dropped_spans") == []
        start, end = recorder.events.of(ReRankStartEvent, ReRankEndEvent)
        assert isinstance(start, ReRankStartEvent) and isinstance(end, ReRankEndEvent)
        assert start.query == QueryBundle(QUESTION) and start.nodes == nodes
        assert (start.top_n, start.model_name) == (2, "fake")
        assert end.nodes == reranked
        (recorded,) = (s for s in recorder.spans.completed_spans if s.id_.startswith(span))
        assert start.span_id == end.span_id == recorded.id_

    def test_a_subclass_has_one_span_as_well(self, recorder: Recorder) -> None:
        """Someone who overrides the asynchronous method gets a span, and one for what is called within."""

        class Mine(SecondPassRerank):
            async def _apostprocess_nodes(self, nodes: Any, query_bundle: Any = None) -> Any:
                return await super()._apostprocess_nodes(nodes[:2], query_bundle)

        reranked = asyncio.run(Mine(reranker="fake", top_n=None).apostprocess_nodes(scored(), query_str=QUESTION))
        assert len(reranked) == 2
        assert recorder.names() == ["Mine._apostprocess_nodes"] * 2

    def test_top_n_of_all_is_a_number_in_the_events(self, recorder: Recorder) -> None:
        """For None, events say how many nodes there are."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        postprocessor = fake(top_n=None, callback_manager=CallbackManager([debug]))
        postprocessor.postprocess_nodes(scored(), query_str=QUESTION)
        assert recorder.events.of(ReRankStartEvent)[0].top_n == 4
        assert debug.get_event_pairs(CBEventType.RERANKING)[0][0].payload[EventPayload.TOP_K] == 4

    def test_callback_event(self) -> None:
        """The callback manager gets one event with the payload of LlamaIndex's own rerankers."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        postprocessor, nodes = fake(callback_manager=CallbackManager([debug])), scored()
        results = [
            postprocessor.postprocess_nodes(nodes, query_str=QUESTION),
            asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=QUESTION)),
        ]
        pairs = debug.get_event_pairs(CBEventType.RERANKING)
        for (start, end), reranked in zip(pairs, results, strict=True):
            assert start.payload == {
                EventPayload.NODES: nodes,
                EventPayload.MODEL_NAME: "fake",
                EventPayload.QUERY_STR: QUESTION,
                EventPayload.TOP_K: 2,
            }
            assert end.payload == {EventPayload.NODES: reranked}

    @pytest.mark.parametrize("method", ["postprocess_nodes", "apostprocess_nodes"])
    def test_failure(self, recorder: Recorder, method: str) -> None:
        """The error comes through; the callback event ends with it, and the span is dropped, not left open."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        postprocessor = SecondPassRerank(reranker=Failing(), callback_manager=CallbackManager([debug]))
        call = getattr(postprocessor, method)
        with pytest.raises(ScoringError, match="the backend is down") as raised:
            finished(call(scored(), query_str=QUESTION))
        ((_, end),) = debug.get_event_pairs(CBEventType.RERANKING)
        assert end.payload == {EventPayload.EXCEPTION: raised.value}
        assert len(recorder.names("dropped_spans")) == 1 and recorder.names() == []
        assert recorder.spans.open_spans == {}
        assert len(recorder.events.of(ReRankStartEvent)) == 1 and recorder.events.of(ReRankEndEvent) == []
        assert [event.err_str for event in recorder.events.of(SpanDropEvent)] == ["the backend is down"]

    def test_model_name(self, recorder: Recorder, cross_encoder: CrossEncoderReranker) -> None:
        """It is the name that secondpass.load takes, and holds no other setting."""
        unnamed = type("Unnamed", (FakeReranker,), {"registry_name": "", "api_key": "sk-1"})()
        rerankers: list[Reranker] = [cross_encoder, FakeReranker(), unnamed]
        for reranker in rerankers:
            SecondPassRerank(reranker=reranker).postprocess_nodes(scored(), query_str=QUESTION)
        names = [event.model_name for event in recorder.events.of(ReRankStartEvent)]
        assert names == ["cross-encoder:ms-marco-MiniLM-L12-v2", "fake", "Unnamed"]

    def test_the_events_can_be_written_as_json(self, recorder: Recorder) -> None:
        """An exporter can serialize both events."""
        fake().postprocess_nodes(scored(), query_str=QUESTION)
        start, end = recorder.events.of(ReRankStartEvent, ReRankEndEvent)
        assert json.loads(json.dumps(start.model_dump(), default=str))["top_n"] == 2
        assert len(json.loads(json.dumps(end.model_dump(), default=str))["nodes"]) == 2


class TestAsync:
    def test_the_rerankers_own_async_is_awaited(self) -> None:
        """An asynchronous call awaits arerank, a synchronous one doesn't."""
        reranker = Recording()
        postprocessor = SecondPassRerank(reranker=reranker)
        postprocessor.postprocess_nodes(scored(), query_str=QUESTION)
        assert reranker.awaited == 0
        asyncio.run(postprocessor.apostprocess_nodes(scored(), query_str=QUESTION))
        assert reranker.awaited == 1

    def test_many_at_once(self, recorder: Recorder) -> None:
        """Concurrent calls get what a single one gets, each in its own span with its own events."""
        postprocessor, queries = fake(top_n=1), [QUESTION, "knead dough", "leaves of a tree", "remove a file"]

        async def gather() -> list[list[NodeWithScore]]:
            calls = [postprocessor.apostprocess_nodes(scored(), query_str=query) for query in queries]
            return await asyncio.gather(*calls)

        together = asyncio.run(gather())
        by_span: dict[str, list[Any]] = {}
        for event in recorder.events.of(ReRankStartEvent, ReRankEndEvent):
            by_span.setdefault(event.span_id, []).append(event)
        assert len(by_span) == 4
        for start, end in by_span.values():
            assert end.nodes == together[queries.index(start.query.query_str)]
        assert together == [postprocessor.postprocess_nodes(scored(), query_str=query) for query in queries]

    def test_cancelling_closes_the_event(self, recorder: Recorder) -> None:
        """A call that times out leaves neither an open span nor an open callback event."""

        class Slow(FakeReranker):
            async def arerank(self, *args: Any, **kwargs: Any) -> Any:
                await asyncio.sleep(30)

        debug = LlamaDebugHandler(print_trace_on_end=False)
        postprocessor = SecondPassRerank(reranker=Slow(), callback_manager=CallbackManager([debug]))
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(postprocessor.apostprocess_nodes(scored(), query_str=QUESTION), 0.05))
        assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 1
        assert recorder.spans.open_spans == {}
