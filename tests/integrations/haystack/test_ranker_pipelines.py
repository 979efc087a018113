"""`SecondPassRanker` in real pipelines."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from haystack import Document, Pipeline, SuperComponent, tracing
from haystack.components.builders import PromptBuilder
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.core.errors import PipelineRuntimeError
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tracing import Span, Tracer

from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from secondpass.composition.prior import PriorReranker
from secondpass.errors import InputError, TruncationWarning
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.backends.load import load_embedding_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from tests.integrations.haystack.documents import FAKE, QUERY, AsyncPipeline, ids, make_documents

# Of the two modules' documentation: a question, and what answers it. BM25 puts something else first.
QUESTIONS = [
    ("what happens to a file's owner and group when it is copied", "shutil.copystat"),
    ("how do I remove a directory with everything in it", "os.rmdir"),
]
# Some docstrings are longer than the model reads, and it says so.
cuts_are_fine = pytest.mark.filterwarnings(f"ignore::{TruncationWarning.__module__}.{TruncationWarning.__name__}")


@pytest.fixture(scope="module")
def store() -> InMemoryDocumentStore:
    """Return a store with the documentation of shutil and os."""
    documents = [d for d in stdlib_corpus() if d["metadata"]["module"] in {"shutil", "os"}]
    store = InMemoryDocumentStore()
    store.write_documents([Document(id=d["id"], content=d["text"], meta=d["metadata"]) for d in documents])
    return store


def make_pipeline(store: InMemoryDocumentStore, ranker: SecondPassRanker, kind: type[Any] = Pipeline) -> Any:
    """Return a pipeline of a BM25 retriever and a ranker."""
    pipeline = kind()
    pipeline.add_component("retriever", InMemoryBM25Retriever(store, top_k=15))
    pipeline.add_component("ranker", ranker)
    pipeline.connect("retriever.documents", "ranker.documents")
    return pipeline


def asking(query: str, **settings: Any) -> dict[str, Any]:
    """Return the input of such a pipeline."""
    return {"retriever": {"query": query}, "ranker": {"query": query} | settings}


@pytest.mark.parametrize("settings", [{}, {"top_k": 2, "score_threshold": 0.2}])
def test_async_gives_what_sync_gives(settings: dict[str, Any]) -> None:
    """`run_async` returns the documents of `run`, and leaves the originals alone too."""
    ranker, documents = SecondPassRanker(FakeReranker()), make_documents()
    assert asyncio.run(ranker.run_async(QUERY, documents, **settings)) == ranker.run(QUERY, documents, **settings)
    assert documents == make_documents()


@cuts_are_fine
@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_a_pipeline_gets_better_passages(
    store: InMemoryDocumentStore, cross_encoder: CrossEncoderReranker, question: str, answer: str
) -> None:
    """A real model behind a real retriever puts the answer first, where BM25 had something else."""
    pipeline = make_pipeline(store, SecondPassRanker(cross_encoder, top_k=3))
    outputs = pipeline.run(asking(question), include_outputs_from={"retriever"})
    retrieved, ranked = outputs["retriever"]["documents"], outputs["ranker"]["documents"]
    assert retrieved[0].id != answer
    assert ranked[0].id == answer
    expected = PriorReranker(cross_encoder).rerank(question, [document.content for document in retrieved], k=3)
    assert [(d.id, d.score) for d in ranked] == [(retrieved[r.index].id, r.score) for r in expected]


@cuts_are_fine
def test_a_pipeline_runs_asynchronously(store: InMemoryDocumentStore, cross_encoder: CrossEncoderReranker) -> None:
    """An asynchronous run and its generator give what a run gives."""
    pipeline = make_pipeline(store, SecondPassRanker(cross_encoder, top_k=3), AsyncPipeline)
    question = QUESTIONS[0][0]

    async def both() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        parts = [part async for part in pipeline.run_async_generator(asking(question))]
        return await pipeline.run_async(asking(question)), parts

    expected = make_pipeline(store, SecondPassRanker(cross_encoder, top_k=3)).run(asking(question))
    assert len(expected["ranker"]["documents"]) == 3
    whole, parts = asyncio.run(both())
    assert whole == expected
    assert parts[-1] == expected


@cuts_are_fine
def test_a_pipeline_goes_through_yaml(store: InMemoryDocumentStore) -> None:
    """`dumps` and `loads` give a pipeline that loads the default model by itself and ranks the same."""
    pipeline = make_pipeline(store, SecondPassRanker(top_k=2, score_threshold=-5.0, meta_fields_to_embed=["kind"]))
    text = pipeline.dumps()
    assert "reranker: cross-encoder:ms-marco-MiniLM-L12-v2" in text
    restored = Pipeline.loads(text)
    assert restored.dumps() == text
    # The store is data as well, but without its documents.
    restored.get_component("retriever").document_store = store
    question = QUESTIONS[1][0]
    output = restored.run(asking(question))
    assert ids(output["ranker"])[0] == QUESTIONS[1][1]
    assert output == pipeline.run(asking(question))
    assert pipeline.dumps() == text


def test_an_instance_goes_through_yaml(cross_encoder: CrossEncoderReranker) -> None:
    """A pipeline whose reranker was an instance is written with its configuration, and read without loading it."""
    pipeline = make_pipeline(InMemoryDocumentStore(), SecondPassRanker(cross_encoder, score_threshold=np.float64(-1)))
    ranker = Pipeline.loads(pipeline.dumps()).get_component("ranker")
    assert ranker.reranker == cross_encoder.to_config()
    assert ranker.score_threshold == -1.0
    (document,) = ranker.run(QUERY, [Document(content="To copy a file, call shutil.copy.")])["documents"]
    assert document.score == cross_encoder.score(QUERY, [document.content])[0]


def test_hybrid_retrieval_up_to_the_prompt(store: InMemoryDocumentStore) -> None:
    """Two retrievers joined without merging, the ranker and a prompt: what both found is in the prompt once."""
    model = load_embedding_model("bge-small-en-v1.5")
    few = [document for document in store.filter_documents() if document.id.startswith("shutil.copy")]
    vectors = model.encode_documents([document.content for document in few])
    dense = InMemoryDocumentStore(embedding_similarity_function="cosine")
    dense.write_documents([Document(d.id, d.content, embedding=v.tolist()) for d, v in zip(few, vectors, strict=True)])
    pipeline = Pipeline()
    pipeline.add_component("bm25", InMemoryBM25Retriever(dense, top_k=5))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(dense, top_k=5))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="concatenate"))
    pipeline.add_component("ranker", SecondPassRanker(FakeReranker(), top_k=3))
    template = "{% for d in documents %}{{ d.id }} {% endfor %}"
    pipeline.add_component("prompt", PromptBuilder(template, required_variables=["documents"]))
    for sender, receiver in [("bm25", "joiner"), ("dense", "joiner"), ("joiner", "ranker"), ("ranker", "prompt")]:
        pipeline.connect(f"{sender}.documents", f"{receiver}.documents")
    question = "copy data and metadata"
    vector = model.encode_queries([question])[0].tolist()
    inputs = {"bm25": {"query": question}, "dense": {"query_embedding": vector}, "ranker": {"query": question}}
    outputs = pipeline.run(inputs, include_outputs_from={"ranker"})
    named = outputs["prompt"]["prompt"].split()
    assert named == ids(outputs["ranker"])
    assert len(set(named)) == 3


def test_a_super_component_can_hold_it(store: InMemoryDocumentStore) -> None:
    """Retriever and ranker wrapped as one component are warmed up and run as one."""
    search = SuperComponent(
        make_pipeline(store, SecondPassRanker(FAKE, top_k=2)),
        input_mapping={"query": ["retriever.query", "ranker.query"]},
        output_mapping={"ranker.documents": "documents"},
    )
    search.warm_up()
    assert len(search.run(query=QUERY)["documents"]) == 2


def test_a_failure_in_a_pipeline_names_the_component(store: InMemoryDocumentStore) -> None:
    """Haystack wraps our error in its own, with the ranker's name and our words."""
    pipeline = make_pipeline(store, SecondPassRanker(FakeReranker()))
    with pytest.raises(PipelineRuntimeError, match=r"ranker[\s\S]*top_k must be a whole number") as caught:
        pipeline.run(asking(QUERY, top_k=0))
    assert isinstance(caught.value.__cause__, InputError)


def test_a_tracer_sees_the_run(store: InMemoryDocumentStore) -> None:
    """Haystack's tracing reports the component with its type and what it returned."""
    spans: list[dict[str, Any]] = []

    class Recorded(Span):
        def __init__(self, tags: dict[str, Any]) -> None:
            self.tags = tags

        def set_tag(self, key: str, value: Any) -> None:
            self.tags[key] = value

        def set_content_tag(self, key: str, value: Any) -> None:
            self.tags[key] = value

    class Recorder(Tracer):
        @contextmanager
        def trace(
            self, operation_name: str, tags: dict[str, Any] | None = None, parent_span: Span | None = None
        ) -> Iterator[Span]:
            spans.append(dict(tags or {}))
            yield Recorded(spans[-1])

        def current_span(self) -> Span | None:
            return None

    tracing.enable_tracing(Recorder())
    try:
        output = make_pipeline(store, SecondPassRanker(FakeReranker(), top_k=2)).run(asking(QUERY))
    finally:
        tracing.disable_tracing()
    (span,) = [span for span in spans if span.get("haystack.component.name") == "ranker"]
    assert span["haystack.component.type"] == "SecondPassRanker"
    assert span["haystack.component.output"] == output["ranker"]
