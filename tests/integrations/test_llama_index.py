"""The LlamaIndex adapter, in real indexes, query engines and handlers."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import QueryBundle, Settings, StorageContext, VectorStoreIndex, get_response_synthesizer
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.events.span import SpanDropEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.schema import ImageNode, IndexNode, MetadataMode, NodeWithScore, TextNode
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.base import Reranker
from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    MissingExtraError,
    RegistryError,
    ScoringError,
)
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.load import load_embedding_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

QUESTION = "delete a whole directory tree"
TEXTS = [
    "knead the dough",
    "delete a directory tree with shutil.rmtree",
    "a tree has leaves",
    "os.remove can delete a file",
]
# By the share of the question's words, as FakeReranker scores: 4 of 5, 2 of 5 ("a", "delete"; "a", "tree"), none.
BEST = TEXTS[1]


class Failing(FakeReranker):
    """Fails as a backend does."""

    registry_name = "failing"

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise ScoringError("the backend is down")


class Recording(FakeReranker):
    """Keeps what it was asked, and in which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.awaited = 0

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.requests += requests
        return super()._score(requests)

    async def arerank(self, *args: Any, **kwargs: Any) -> Any:
        self.awaited += 1
        return await super().arerank(*args, **kwargs)


class Events(BaseEventHandler):
    """Keeps every event of the dispatcher."""

    events: list[Any] = []

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)

    def of(self, *types: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, types)]


class Recorder:
    """Events and spans that reach the root dispatcher."""

    def __init__(self) -> None:
        self.events = Events()
        self.spans = SimpleSpanHandler()

    def names(self, which: str = "completed_spans") -> list[str]:
        """Return the names of the postprocessors' spans: the class and the method."""
        names = [span.id_.partition("-")[0] for span in getattr(self.spans, which)]
        return [name for name in names if "postprocess" in name]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Listen on the root dispatcher, as a tracing integration does, for one test."""
    recorder, root = Recorder(), get_dispatcher()
    root.add_event_handler(recorder.events)
    root.add_span_handler(recorder.spans)
    yield recorder
    root.event_handlers = [handler for handler in root.event_handlers if handler is not recorder.events]
    root.span_handlers = [handler for handler in root.span_handlers if handler is not recorder.spans]


def scored(texts: Sequence[str] = TEXTS, **fields: Any) -> list[NodeWithScore]:
    """Return nodes as a retriever does, with ids n0, n1... and falling scores."""
    return [
        NodeWithScore(node=TextNode(id_=f"n{at}", text=text, **copy.deepcopy(fields)), score=0.9 - at / 10)
        for at, text in enumerate(texts)
    ]


def finished(result: Any) -> Any:
    """Return a result, awaited if it is a coroutine."""
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def fake(**settings: Any) -> SecondPassRerank:
    """Return a postprocessor that needs no model."""
    return SecondPassRerank(reranker=FakeReranker(), **settings)


def both(postprocessor: BaseNodePostprocessor, nodes: list[NodeWithScore], query: str = QUESTION) -> list[Any]:
    """Run it synchronously and asynchronously, check that the results are equal, and return one."""
    waited = asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=query))
    called = postprocessor.postprocess_nodes(nodes, query_str=query)
    assert waited == called
    return called


class TestReranking:
    def test_the_most_relevant_nodes_come_first(self) -> None:
        """Nodes come back in the order of the reranker's scores, with these as Python floats, ids kept."""
        nodes = scored()
        reranked = both(fake(), nodes)
        ranking = FakeReranker().rerank(QUESTION, TEXTS)
        assert [node.text for node in reranked] == ranking.texts[:2]
        assert reranked[0].text == BEST and reranked[0].node_id == "n1"
        assert [node.score for node in reranked] == [document.score for document in ranking[:2]]
        assert all(type(node.score) is float for node in reranked)

    def test_top_n(self) -> None:
        """Two nodes by default, all for None, and all if there are fewer."""
        assert len(both(fake(), scored())) == 2
        assert len(both(fake(top_n=1), scored())) == 1
        assert len(both(fake(top_n=None), scored())) == 4
        assert len(both(fake(top_n=50), scored())) == 4

    def test_top_n_may_be_changed_later(self) -> None:
        """A field that is set later holds for the next call, and a bad one is refused there."""
        postprocessor = fake()
        postprocessor.top_n = 3
        assert len(both(postprocessor, scored())) == 3
        postprocessor.top_n = 0
        with pytest.raises(InputError, match="at least 1"):
            postprocessor.postprocess_nodes(scored(), query_str=QUESTION)

    def test_threshold(self) -> None:
        """Nodes below the threshold are left out, those at it stay, and all can be left out."""
        best, second = FakeReranker().rerank(QUESTION, TEXTS)[:2]
        assert [node.score for node in both(fake(threshold=second.score, top_n=None), scored())] == [
            best.score,
            second.score,
        ]
        assert [node.score for node in both(fake(threshold=0.5, top_n=None), scored())] == [best.score]
        assert both(fake(threshold=1, top_n=None), scored()) == []

    def test_top_n_is_told_to_the_reranker(self) -> None:
        """The reranker learns how many results are wanted, so that it can stop early."""
        reranker = Recording()
        SecondPassRerank(reranker=reranker, top_n=3).postprocess_nodes(scored(), query_str=QUESTION)
        (request,) = reranker.requests
        assert (request.k, request.query, len(request)) == (3, QUESTION, 4)

    def test_no_nodes(self, recorder: Recorder) -> None:
        """Nothing in, nothing out, and no rerank event."""
        assert both(fake(), []) == []
        assert recorder.events.of(ReRankStartEvent, ReRankEndEvent) == []

    def test_duplicates_all_come_back(self) -> None:
        """The same node twice, and two nodes with the same text, come back in the order in which they came."""
        nodes = scored([BEST, TEXTS[0], BEST])
        reranked = both(fake(top_n=None), [*nodes, nodes[0]])
        assert [node.node_id for node in reranked] == ["n0", "n2", "n0", "n1"]

    def test_the_query_of_a_bundle_is_what_counts(self) -> None:
        """A QueryBundle is ranked by its query, not by the texts that are embedded instead."""
        bundle = QueryBundle(QUESTION, custom_embedding_strs=["knead dough"])
        assert fake().postprocess_nodes(scored(), query_bundle=bundle)[0].text == BEST

    def test_embedding_text_is_what_is_read(self) -> None:
        """Metadata stands before the text, but for the keys that are excluded from embeddings."""
        reranker = Recording()
        nodes = scored(
            ["text"],
            metadata={"title": "t", "secret": "s", "page": 3},
            excluded_embed_metadata_keys=["secret"],
            excluded_llm_metadata_keys=["title"],
        )
        SecondPassRerank(reranker=reranker).postprocess_nodes(nodes, query_str=QUESTION)
        assert reranker.requests[0].texts == ("title: t\npage: 3\n\ntext",)

    def test_other_kinds_of_nodes(self) -> None:
        """Image and index nodes are ranked by their text, be it empty, and come back as they are."""
        image = ImageNode(id_="image", image_url="http://localhost/a.png")
        index = IndexNode(id_="index", text=BEST, index_id="other")
        nodes = [NodeWithScore(node=image, score=None), NodeWithScore(node=index, score=0.1)]
        reranked = both(fake(), nodes)
        assert [node.node for node in reranked] == [index, image]
        assert isinstance(reranked[0].node, IndexNode) and reranked[0].node.index_id == "other"

    def test_two_stages_in_a_row(self) -> None:
        """It goes on with what another postprocessor left, and another one with its scores."""
        kept = SimilarityPostprocessor(similarity_cutoff=0.75).postprocess_nodes(scored(), query_str=QUESTION)
        reranked = fake(top_n=None).postprocess_nodes(kept, query_str=QUESTION)
        assert [node.node_id for node in reranked] == ["n1", "n0"]
        last = SimilarityPostprocessor(similarity_cutoff=0.5).postprocess_nodes(reranked, query_str=QUESTION)
        assert [node.node_id for node in last] == ["n1"]

    def test_a_subclass_of_node_with_score_stays_one(self) -> None:
        """What someone added to a NodeWithScore is kept."""

        class Traced(NodeWithScore):
            shard: int = 0

        nodes = [Traced(node=TextNode(text=text), score=0.5, shard=at) for at, text in enumerate(TEXTS)]
        best = both(fake(), list(nodes))[0]
        assert isinstance(best, Traced) and best.shard == 1


class TestTheCallersNodes:
    @pytest.mark.parametrize("keep_retrieval_score", [False, True])
    def test_stay_untouched(self, keep_retrieval_score: bool) -> None:
        """Neither the list, nor the scores, nor the nodes and their metadata change."""
        nodes = scored(metadata={"relevance_score": "old", "retrieval_score": "older", "tags": ["a"]})
        before, kept = copy.deepcopy(nodes), list(nodes)
        both(fake(keep_retrieval_score=keep_retrieval_score, top_n=None), nodes)
        assert nodes == before
        assert all(node is same for node, same in zip(nodes, kept, strict=True))

    def test_results_are_new(self) -> None:
        """A result is not the NodeWithScore that went in, so that a later change of its score stays its own."""
        nodes = scored()
        reranked = fake(top_n=None).postprocess_nodes(nodes, query_str=QUESTION)
        assert {id(node) for node in nodes}.isdisjoint(id(node) for node in reranked)

    def test_old_scores_in_metadata_do_not_win(self) -> None:
        """A relevance score in the metadata is neither read nor written."""
        nodes = scored(metadata={"relevance_score": 99.0}, excluded_embed_metadata_keys=["relevance_score"])
        best = both(fake(), nodes)[0]
        assert best.text == BEST and best.score < 1 and best.metadata == {"relevance_score": 99.0}


class TestKeepRetrievalScore:
    def test_it_is_in_the_metadata_of_a_copy(self) -> None:
        """The first stage's score stands in the metadata, an old one is replaced, everything else is kept."""
        nodes = scored(metadata={"retrieval_score": "old", "page": 3})
        best = both(fake(keep_retrieval_score=True), nodes)[0]
        assert best.metadata == {"retrieval_score": nodes[1].score, "page": 3}
        assert best.node_id == "n1" and best.text == BEST and best.node is not nodes[1].node

    def test_a_missing_score_is_none(self) -> None:
        """Nodes without a score, as some retrievers return them, get None."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in TEXTS]
        assert both(fake(keep_retrieval_score=True), nodes)[0].metadata == {"retrieval_score": None}

    def test_no_model_gets_to_read_it(self) -> None:
        """It stands neither in the text for an LLM nor in that for the next reranker."""
        once = fake(keep_retrieval_score=True, top_n=None).postprocess_nodes(scored(), query_str=QUESTION)
        assert once[0].node.get_content(MetadataMode.LLM) == once[0].get_content(MetadataMode.EMBED) == BEST
        again = fake(top_n=None).postprocess_nodes(once, query_str=QUESTION)
        assert [node.score for node in again] == [node.score for node in once]


class TestLongTextsAndFirstScores:
    def test_a_name_scores_long_texts_whole(self, cross_encoder: CrossEncoderReranker) -> None:
        """By its name, the reranker reads windows of what is too long for it, and is named as before."""
        postprocessor = SecondPassRerank(reranker="cross-encoder:ms-marco-MiniLM-L12-v2", top_n=1)
        nodes = scored(["knead the dough. " * 400 + BEST, "a tree has leaves"])
        assert [node.node_id for node in both(postprocessor, nodes)] == ["n0"]
        assert postprocessor.to_dict()["reranker"]["type"] == "passage"
        assert SecondPassRerank.from_dict(postprocessor.to_dict()).to_dict() == postprocessor.to_dict()
        assert SecondPassRerank(reranker=cross_encoder).reranker is cross_encoder

    def test_its_name_in_events_is_that_of_the_model(self, recorder: Recorder) -> None:
        """What is around the model has no say in it."""
        both(SecondPassRerank(), scored())
        names = {event.model_name for event in recorder.events.of(ReRankStartEvent)}
        assert names == {"cross-encoder:ms-marco-MiniLM-L12-v2"}

    def test_first_scores_are_passed_on_if_all_have_one(self) -> None:
        """A reranker that combines scores gets the nodes'; with one missing it gets none."""
        reranker, nodes = Recording(), scored()
        both(SecondPassRerank(reranker=reranker), nodes)
        nodes[1].score = None
        both(SecondPassRerank(reranker=reranker), nodes)
        assert [request.initial_scores for request in reranker.requests[:2]] == [
            pytest.approx((0.9, 0.8, 0.7, 0.6))
        ] * 2
        assert [request.initial_scores for request in reranker.requests[2:]] == [None, None]


class TestSettings:
    def test_reranker_by_name_by_configuration_and_as_it_is(self) -> None:
        """All three ways give the same."""
        instance = FakeReranker(scale="logit")
        expected = both(SecondPassRerank(reranker=instance), scored())
        assert both(SecondPassRerank(reranker={"type": "fake", "scale": "logit"}), scored()) == expected
        assert SecondPassRerank(reranker=instance).reranker is instance
        assert isinstance(SecondPassRerank(reranker="fake").reranker, FakeReranker)

    @pytest.mark.parametrize("top_n", [0, -1, 1.5, "2", True])
    def test_bad_top_n(self, top_n: Any) -> None:
        """It must be a whole number from 1, or None, and the error names it."""
        with pytest.raises(ConfigError, match="top_n must be a whole number of at least 1"):
            fake(top_n=top_n)

    @pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "0.5", True])
    def test_bad_threshold(self, threshold: Any) -> None:
        """It must be a finite number or None."""
        with pytest.raises(ConfigError, match="threshold"):
            fake(threshold=threshold)

    def test_no_threshold_on_ordinal_scores(self) -> None:
        """It is refused where it is written, and without one such a reranker works."""
        with pytest.raises(CompositionError, match="ordinal"):
            SecondPassRerank(reranker=FakeReranker(scale="ordinal"), threshold=0.5)
        assert both(SecondPassRerank(reranker=FakeReranker(scale="ordinal")), scored())[0].text == BEST

    def test_bad_rerankers(self) -> None:
        """An unknown name, a wrong configuration and a wrong type are errors of ours."""
        with pytest.raises(RegistryError, match=r"there are:.* fake"):
            SecondPassRerank(reranker="no-such-reranker")
        with pytest.raises(ConfigError, match="its settings are: scale, pointwise"):
            SecondPassRerank(reranker={"type": "fake", "size": 3})
        with pytest.raises(ConfigError, match="not int"):
            SecondPassRerank(reranker=3)  # type: ignore[arg-type]

    def test_a_misspelt_setting_is_refused(self) -> None:
        """A pydantic model would ignore it."""
        with pytest.raises(TypeError, match="top_k"):
            fake(top_k=3)

    @pytest.mark.parametrize("arguments", [{}, {"query_bundle": None}, {"query_bundle": QUESTION}])
    @pytest.mark.parametrize("nodes", [scored(), []])
    def test_missing_query(self, arguments: dict[str, Any], nodes: list[NodeWithScore]) -> None:
        """Without a query there is nothing to rank by, and the error says how to pass it."""
        with pytest.raises(InputError, match="query_str="):
            fake().postprocess_nodes(nodes, **arguments)
        with pytest.raises(InputError, match="query_str="):
            asyncio.run(fake().apostprocess_nodes(nodes, **arguments))

    def test_blank_query(self) -> None:
        """A blank query is refused as the reranker refuses it."""
        with pytest.raises(InputError, match="the query is empty"):
            fake().postprocess_nodes(scored(), query_str=" ")


class TestSerialization:
    def test_dict_and_json(self) -> None:
        """What to_dict wrote is JSON-ready and builds the same again; the argument is not changed."""
        postprocessor = SecondPassRerank(
            reranker=FakeReranker(scale="logit"), top_n=None, threshold=-5, keep_retrieval_score=True
        )
        data = postprocessor.to_dict()
        assert data == {
            "class_name": "SecondPassRerank",
            "reranker": {"type": "fake", "scale": "logit", "pointwise": True},
            "top_n": None,
            "threshold": -5.0,
            "keep_retrieval_score": True,
        }
        assert json.loads(postprocessor.to_json()) == data
        for restored in (SecondPassRerank.from_dict(data), SecondPassRerank.from_json(postprocessor.to_json())):
            assert restored.to_dict() == data
            assert both(restored, scored()) == both(postprocessor, scored())
        assert SecondPassRerank.from_dict(data, top_n=1).top_n == 1
        assert data["class_name"] == SecondPassRerank.class_name() == "SecondPassRerank"

    def test_a_reranker_that_is_no_data(self) -> None:
        """The reranker's own error comes through, not one of pydantic's."""
        postprocessor = SecondPassRerank(reranker=FakeReranker())
        postprocessor.reranker.scale = object()  # type: ignore[assignment]
        for write in (postprocessor.to_dict, postprocessor.to_json):
            with pytest.raises(ConfigError, match="a configuration can't hold"):
                write()

    def test_pickling(self) -> None:
        """A pickled and restored one has the same settings and gives the same."""
        postprocessor = fake(top_n=3, threshold=0.1, keep_retrieval_score=True)
        restored = pickle.loads(pickle.dumps(postprocessor))
        assert restored.to_dict() == postprocessor.to_dict()
        assert both(restored, scored()) == both(postprocessor, scored())

    def test_a_reranker_that_can_not_be_pickled(self) -> None:
        """It is an error, not a copy with the default reranker, and the original goes on working."""
        reranker = FakeReranker()
        reranker.lock = threading.Lock()  # type: ignore[attr-defined]
        postprocessor = SecondPassRerank(reranker=reranker)
        with pytest.raises(TypeError, match="lock"):
            pickle.dumps(postprocessor)
        assert both(postprocessor, scored())[0].text == BEST

    def test_handlers_stay_behind_when_pickled(self) -> None:
        """Handlers, which hold open files and connections, are not pickled, and the original keeps them."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        debug.lock = threading.Lock()  # type: ignore[attr-defined]
        postprocessor = fake(callback_manager=CallbackManager([debug]))
        restored = pickle.loads(pickle.dumps(postprocessor))
        assert restored.callback_manager.handlers == []
        assert postprocessor.callback_manager.handlers == [debug]
        postprocessor.postprocess_nodes(scored(), query_str=QUESTION)
        assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 1

    def test_copies(self) -> None:
        """A copy can be changed without the original, shares the reranker, and a deep copy works as well."""
        postprocessor = fake()
        changed = postprocessor.model_copy(update={"top_n": 1})
        assert (changed.top_n, postprocessor.top_n) == (1, 2) and changed.reranker is postprocessor.reranker
        deep = postprocessor.model_copy(deep=True)
        assert deep.reranker is not postprocessor.reranker
        assert both(deep, scored()) == both(postprocessor, scored())

    def test_no_prompts(self) -> None:
        """It takes part in LlamaIndex's prompt machinery without having prompts."""
        assert fake()._get_prompts() == {} and fake()._get_prompt_modules() == {}
        fake()._update_prompts({})


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


class BgeSmall(BaseEmbedding):
    """The bi-encoder whose weights come as a package, behind LlamaIndex's interface."""

    _model: EmbeddingModel

    def __init__(self, **settings: Any) -> None:
        super().__init__(model_name="bge-small-en-v1.5", **settings)
        self._model = load_embedding_model("bge-small-en-v1.5")

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._model.encode_queries([query])[0].tolist()

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._model.encode_documents(texts).tolist()

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)


@pytest.fixture(scope="module")
def index() -> VectorStoreIndex:
    """Return a vector index of the documentation of two modules."""
    nodes = [
        TextNode(
            id_=document["id"],
            text=document["text"],
            metadata=document["metadata"],
            excluded_embed_metadata_keys=["module", "kind"],
        )
        for document in stdlib_corpus()
        if document["metadata"]["module"] in {"shutil", "tempfile"} or document["id"].startswith("os.r")
    ]
    storage = StorageContext.from_defaults(vector_store=SimpleVectorStore())
    return VectorStoreIndex(nodes=nodes, storage_context=storage, embed_model=BgeSmall())


# How long the longest docstring is depends on the version of Python.
@pytest.mark.filterwarnings("ignore::secondpass.errors.TruncationWarning")
class TestQueryEngine:
    @pytest.fixture(autouse=True)
    def _no_real_llm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The no_text synthesizer asks for the default LLM although it uses none.
        monkeypatch.setattr(Settings, "_llm", MockLLM())

    @pytest.fixture
    def debug(self) -> LlamaDebugHandler:
        """Return a handler for a query engine's callback manager."""
        return LlamaDebugHandler(print_trace_on_end=False)

    def test_one_line_makes_the_answer_come_first(
        self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker
    ) -> None:
        """With the real models, the function that answers rises from below to the top, synchronously or not."""
        without = index.as_query_engine(response_mode="no_text", similarity_top_k=20)
        with_it = index.as_query_engine(
            response_mode="no_text",
            similarity_top_k=20,
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, top_n=5, keep_retrieval_score=True)],
        )
        before, after = without.query(QUESTION).source_nodes, with_it.query(QUESTION).source_nodes
        assert before[0].node_id != "shutil.rmtree"
        assert after[0].node_id == "shutil.rmtree" and len(after) == 5
        expected = cross_encoder.rerank(QUESTION, [node.text for node in before], k=5)
        assert [node.score for node in after] == pytest.approx([document.score for document in expected], abs=1e-4)
        first = {node.node_id: node.score for node in before}
        assert after[0].metadata["retrieval_score"] == pytest.approx(first["shutil.rmtree"])
        assert after[0].metadata["module"] == "shutil" and after[0].text == next(
            node.text for node in before if node.node_id == "shutil.rmtree"
        )
        waited = asyncio.run(with_it.aquery(QUESTION)).source_nodes
        assert [node.node_id for node in waited] == [node.node_id for node in after]
        assert [node.score for node in waited] == pytest.approx([node.score for node in after], abs=1e-4)

    def test_default_reranker(self, index: VectorStoreIndex) -> None:
        """Without any argument it loads the embedded cross-encoder and returns two nodes."""
        nodes = index.as_retriever(similarity_top_k=5).retrieve(QUESTION)
        reranked = SecondPassRerank().postprocess_nodes(nodes, query_str=QUESTION)
        assert len(reranked) == 2 and reranked[0].node_id == "shutil.rmtree"

    def test_the_llm_gets_the_reranked_nodes(
        self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker, debug: LlamaDebugHandler
    ) -> None:
        """In a query engine built from its parts, the prompt holds the texts of the nodes that were kept."""
        manager = CallbackManager([debug])
        engine = RetrieverQueryEngine(
            retriever=index.as_retriever(similarity_top_k=20),
            response_synthesizer=get_response_synthesizer(response_mode=ResponseMode.COMPACT, callback_manager=manager),
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, keep_retrieval_score=True)],
        )
        for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
            best, second = response.source_nodes
            assert best.node_id == "shutil.rmtree"
            # MockLLM answers with its prompt.
            assert best.text in str(response) and second.text in str(response)
            assert "retrieval_score" not in str(response)

    def test_spans_and_callbacks_of_a_query(
        self, index: VectorStoreIndex, recorder: Recorder, debug: LlamaDebugHandler
    ) -> None:
        """The engine's callback manager reaches it; its one span stands within the engine's."""
        engine = RetrieverQueryEngine.from_args(
            index.as_retriever(similarity_top_k=7),
            response_mode=ResponseMode.NO_TEXT,
            node_postprocessors=[fake(top_n=None)],
            callback_manager=CallbackManager([debug]),
        )
        engine.query(QUESTION)
        asyncio.run(engine.aquery(QUESTION))
        assert recorder.names() == ["SecondPassRerank._postprocess_nodes", "SecondPassRerank._apostprocess_nodes"]
        parents = {span.id_: span.parent_id for span in recorder.spans.completed_spans}
        for span in (span for span in recorder.spans.completed_spans if "postprocess" in span.id_):
            assert "query" in str(parents[span.id_])
        assert [event.top_n for event in recorder.events.of(ReRankStartEvent)] == [7, 7]
        assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 2

    def test_a_failing_reranker_fails_the_query(self, index: VectorStoreIndex) -> None:
        """The query engine passes the error on."""
        engine = index.as_query_engine(
            response_mode="no_text", node_postprocessors=[SecondPassRerank(reranker=Failing())]
        )
        with pytest.raises(ScoringError, match="the backend is down"):
            engine.query(QUESTION)

    def test_a_threshold_can_leave_nothing(self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker) -> None:
        """For a question that nothing answers, no passage is above a threshold, and the engine says so."""
        engine = index.as_query_engine(
            similarity_top_k=10,
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, threshold=0.0)],
        )
        response = engine.query("how long does sourdough bread have to rest")
        assert response.source_nodes == [] and str(response) == "Empty Response"


class TestNamespace:
    def run(self, code: str, *, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        prefix = f"import sys; sys.path.insert(0, {str(path)!r}); " if path else "import sys; "
        return subprocess.run(
            [sys.executable, "-c", prefix + code], capture_output=True, text=True, timeout=60, check=False
        )

    def test_it_shares_the_namespace(self, tmp_path: Path) -> None:
        """Neither llama_index nor llama_index.postprocessor is ours alone: another package's part is found too."""
        other = tmp_path / "llama_index" / "postprocessor" / "other"
        other.mkdir(parents=True)
        (other / "__init__.py").write_text("NAME = 'other'\n")
        code = (
            "import llama_index.postprocessor.secondpass as ours, llama_index.postprocessor.other as other, "
            "llama_index.core, llama_index.postprocessor as shared; "
            "sys.stdout.write(f'{ours.__all__} {other.NAME} {shared.__file__} {llama_index.__file__}')"
        )
        done = self.run(code, path=tmp_path)
        ours = "['SecondPassEvaluator', 'SecondPassRerank', 'VerificationResult', 'VerifyingQueryEngine']"
        assert done.stdout == f"{ours} other None None", done.stderr

    def test_what_the_distribution_says_of_it(self) -> None:
        """The entry point loads the class, and what LlamaHub reads from pyproject.toml names what there is."""
        (point,) = {(point.name, point.value) for point in entry_points(group="llama_index.postprocessors")}
        assert EntryPoint(*point, "llama_index.postprocessors").load() is SecondPassRerank
        pyproject = Path(__file__).parents[2] / "pyproject.toml"
        hub = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["llamahub"]
        assert hub["import_path"] == SecondPassRerank.__module__.removesuffix(".base")
        assert list(hub["class_authors"]) == import_module(hub["import_path"]).__all__

    def test_importing_it_loads_no_verifier(self) -> None:
        """Of the verification only what its results are; the verifier comes with the first that is built."""
        code = (
            "import llama_index.postprocessor.secondpass; "
            "sys.stdout.write(' '.join(sorted(name for name in sys.modules if name.startswith('secondpass.verify.'))))"
        )
        assert self.run(code).stdout == "secondpass.verify.report secondpass.verify.types"

    def test_without_llama_index(self) -> None:
        """The error names the command that installs it, and keeps its cause."""
        code = (
            "sys.modules['llama_index.core'] = None\n"
            "try: import llama_index.postprocessor.secondpass\n"
            "except ImportError as exc:\n"
            "    sys.stdout.write(f'{type(exc).__name__}|{exc}|{type(exc.__cause__).__name__}')"
        )
        name, message, cause = self.run(code).stdout.split("|")
        assert name == MissingExtraError.__name__ and 'pip install "secondpass[llama-index]"' in message
        assert cause == "ModuleNotFoundError"
