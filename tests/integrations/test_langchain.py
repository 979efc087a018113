import asyncio
import copy
import importlib
import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_classic.retrievers.document_compressors import CrossEncoderReranker, DocumentCompressorPipeline
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import BaseDocumentCompressor, BaseDocumentTransformer, Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests
from pydantic import ValidationError

import langchain_secondpass
from langchain_secondpass import SecondPassCrossEncoder, SecondPassReranker
from secondpass import (
    CompositionError,
    ConfigError,
    InputError,
    MissingExtraError,
    ModelNotFoundError,
    RegistryError,
    Request,
    Scores,
    ScoringError,
)
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.load import load_embedding_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker as SecondPassModel
from secondpass.testing import FakeReranker

QUERY = "copy a file"
MODULES = {"shutil", "glob", "tempfile"}
PERMISSIONS = "How do I copy a file with its permissions?"


class BgeEmbeddings(Embeddings):
    """The embedded bge-small, as LangChain's embeddings."""

    def __init__(self) -> None:
        self.model = load_embedding_model("bge-small-en-v1.5")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.model.encode_documents(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.model.encode_queries([text])[0].tolist()


class Recorder(BaseCallbackHandler):
    """Writes down every chain and retriever run."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.parents: dict[str, str | None] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.errors: dict[str, BaseException] = {}
        self.metadata: dict[str, Any] = {}
        self.started: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        name = self.names[run_id] = kwargs["name"]
        self.parents[name] = self.names.get(kwargs["parent_run_id"])
        self.inputs[name], self.metadata[name] = inputs, kwargs["metadata"]
        self.started.append(name)

    on_retriever_start = on_chain_start

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.outputs[self.names[run_id]] = outputs

    on_retriever_end = on_chain_end

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.errors[self.names[run_id]] = error

    on_retriever_error = on_chain_error


class CountingReranker(FakeReranker):
    """Writes down how many documents each request of each call had."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[int]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append([len(request) for request in requests])
        return super()._score(requests)


class BrokenReranker(FakeReranker):
    """Fails whenever it shall score."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise ScoringError("the model is on fire")


class FixedRetriever(BaseRetriever):
    """Finds the same documents for every query."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self.documents


def candidates() -> list[Document]:
    """Return documents with ids, duplicates, nested metadata and a score of an earlier stage."""
    return [
        Document("the weather is fine", id="weather", metadata={"tags": ["sun"]}),
        Document("move a file", id="move", metadata={"relevance_score": 99, "source": "shutil"}),
        Document("copy a file", id="copy"),
        Document("copy a file", id="again", metadata={"relevance_score": None}),
        Document("", metadata={"page": 3}),
    ]


def ids(documents: Sequence[Document]) -> list[str | None]:
    """Return the documents' ids."""
    return [document.id for document in documents]


@pytest.fixture
def fake() -> SecondPassReranker:
    """Return a compressor that needs no model."""
    return SecondPassReranker(reranker=FakeReranker())


@pytest.fixture(scope="module")
def store() -> InMemoryVectorStore:
    """Return a vector store with the documentation of a few modules."""
    store = InMemoryVectorStore(BgeEmbeddings())
    rows = [row for row in stdlib_corpus() if row["metadata"]["module"] in MODULES]
    store.add_documents([Document(row["text"], id=row["id"], metadata=dict(row["metadata"])) for row in rows])
    return store


@pytest.fixture
def retriever(store: InMemoryVectorStore, cross_encoder: SecondPassModel) -> ContextualCompressionRetriever:
    """Return a real retriever with a real reranker behind it."""
    return ContextualCompressionRetriever(
        base_compressor=SecondPassReranker(reranker=cross_encoder, top_n=3),
        base_retriever=store.as_retriever(search_kwargs={"k": 12}),
    )


class TestCompressing:
    """`compress_documents` and `acompress_documents`."""

    def test_best_first_with_scores(self, fake: SecondPassReranker) -> None:
        """The best `top_n` come back in order, equal ones in the retriever's, with Python floats."""
        result = fake.compress_documents(candidates(), QUERY)
        assert ids(result) == ["copy", "again", "move"]
        scores = [document.metadata["relevance_score"] for document in result]
        assert [type(score) for score in scores] == [float] * 3
        assert scores == sorted(FakeReranker().score(QUERY, [d.page_content for d in candidates()]), reverse=True)[:3]

    def test_ids_texts_and_metadata_are_kept(self, fake: SecondPassReranker) -> None:
        """Everything of a document comes back, and only an old score is replaced."""
        copied, again, moved = fake.compress_documents(candidates(), QUERY)
        assert (moved.id, moved.page_content, moved.metadata["source"]) == ("move", "move a file", "shutil")
        assert moved.metadata["relevance_score"] < 1
        assert again.metadata == copied.metadata

    def test_a_subclass_of_document_stays_one(self, fake: SecondPassReranker) -> None:
        """Documents of the user's own class keep it, with its fields."""

        class Page(Document):
            number: int = 0

        (page,) = fake.compress_documents([Page("copy", number=7)], QUERY)
        assert isinstance(page, Page) and page.number == 7 and page.metadata["relevance_score"] > 0

    def test_the_callers_documents_are_untouched(self, fake: SecondPassReranker) -> None:
        """Neither the list nor a document nor its metadata changes, and the copies share no metadata with them."""
        documents = candidates()
        before = copy.deepcopy(documents)
        result = fake.model_copy(update={"top_n": None}).compress_documents(documents, QUERY)
        for document in result:
            document.metadata["mine"] = True
        assert documents == before and len(result) == 5

    @pytest.mark.parametrize(("top_n", "expected"), [(None, 5), (1, 1), (4, 4), (100, 5)])
    def test_top_n(self, top_n: int | None, expected: int) -> None:
        """`top_n` limits the number; None and more than there are return all."""
        compressor = SecondPassReranker(reranker="fake", top_n=top_n)
        assert len(compressor.compress_documents(candidates(), QUERY)) == expected

    def test_threshold(self) -> None:
        """Only documents that score at least the threshold come back, be it none, and `top_n` still holds."""
        kept = SecondPassReranker(reranker="fake", threshold=0.6, top_n=None).compress_documents(candidates(), QUERY)
        assert ids(kept) == ["copy", "again", "move"]
        one = SecondPassReranker(reranker="fake", threshold=0.6, top_n=1).compress_documents(candidates(), QUERY)
        assert ids(one) == ["copy"]
        assert SecondPassReranker(reranker="fake", threshold=1).compress_documents(candidates(), QUERY) == []

    @pytest.mark.asyncio
    async def test_async_gives_the_same(self, fake: SecondPassReranker) -> None:
        """`acompress_documents` gives what `compress_documents` gives, also many at once."""
        expected = fake.compress_documents(candidates(), QUERY)
        results = await asyncio.gather(*(fake.acompress_documents(candidates(), QUERY) for _ in range(4)))
        assert results == [expected] * 4

    @pytest.mark.asyncio
    async def test_async_awaits_the_rerankers_own(self) -> None:
        """A reranker with an async method of its own is awaited in the caller's event loop."""

        class AsyncReranker(FakeReranker):
            async def arerank(self, *args: Any, **kwargs: Any) -> Any:
                loops.append(asyncio.get_running_loop())
                return self.rerank(*args, **kwargs)

        loops: list[Any] = []
        await SecondPassReranker(reranker=AsyncReranker()).acompress_documents(candidates(), QUERY)
        assert loops == [asyncio.get_running_loop()]

    @pytest.mark.asyncio
    async def test_no_documents(self, fake: SecondPassReranker) -> None:
        """An empty list gives an empty list, sync and async."""
        assert fake.compress_documents([], QUERY) == []
        assert await fake.acompress_documents([], QUERY) == []

    def test_bad_input(self, fake: SecondPassReranker) -> None:
        """What can't be reranked is refused with a message that says where it is."""
        with pytest.raises(InputError, match=r"documents\[1\] must be a LangChain Document, not a str"):
            fake.compress_documents([Document("a"), "b"], QUERY)  # type: ignore[list-item]
        with pytest.raises(InputError, match="must be a list of LangChain Documents, not a NoneType"):
            fake.compress_documents(None, QUERY)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="the query is empty"):
            fake.compress_documents(candidates(), " ")
        with pytest.raises(InputError, match="the query must be a str"):
            fake.compress_documents(candidates(), {"question": QUERY})  # type: ignore[arg-type]


class TestConstruction:
    """What the constructor takes and refuses, and the compressor as data."""

    def test_defaults(self) -> None:
        """Without arguments it is the embedded cross-encoder, three documents, no threshold."""
        compressor = SecondPassReranker()
        assert isinstance(compressor, BaseDocumentCompressor)
        assert repr(compressor.reranker) == "PassageReranker(CrossEncoderReranker('ms-marco-MiniLM-L12-v2'))"
        assert (compressor.top_n, compressor.threshold) == (3, None)

    def test_a_reranker_by_name_by_configuration_and_as_an_object(self) -> None:
        """All three ways lead to the same, and an object is taken as it is."""
        reranker = FakeReranker()
        assert SecondPassReranker(reranker=reranker).reranker is reranker
        by_name = SecondPassReranker(reranker="fake")
        by_config = SecondPassReranker(reranker={"type": "fake", "scale": "logit"})
        assert isinstance(by_name.reranker, FakeReranker) and by_config.reranker.scale == "logit"

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"reranker": "nope"}, RegistryError, "no 'nope'; there are: "),
            ({"reranker": "cross-encoder:nope"}, ModelNotFoundError, "no model 'nope'"),
            ({"reranker": {"type": "fake", "scalee": 1}}, ConfigError, "its settings are: scale, pointwise"),
            ({"reranker": 3}, ConfigError, "a reranker is a name"),
            ({"reranker": "fake", "top_n": 0}, ConfigError, "top_n is a whole number of at least 1"),
            ({"reranker": "fake", "top_n": "3"}, ConfigError, "or None for all, not '3'"),
            ({"reranker": "fake", "top_n": True}, ConfigError, "top_n is a whole number"),
            ({"reranker": "fake", "threshold": float("nan")}, ConfigError, "a threshold is a finite number"),
            ({"reranker": FakeReranker(scale="ordinal"), "threshold": 0.5}, CompositionError, "ordinal scores"),
            ({"reranker": "fake", "topn": 3}, ValidationError, "topn"),
        ],
    )
    def test_wrong_settings_fail_at_once(self, settings: Any, error: type[Exception], message: str) -> None:
        """A setting that can't be used is refused in the constructor, by an error of ours."""
        with pytest.raises(error, match=message) as caught:
            SecondPassReranker(**settings)
        assert type(caught.value) is error

    def test_a_name_scores_long_documents_whole(self) -> None:
        """By its name, the reranker reads windows of what is too long for it."""
        long = Document("Knead the dough. " * 400 + "To copy a file, use shutil.copy.", id="long")
        documents = [Document("os.remove deletes a file", id="short"), long]
        assert ids(SecondPassReranker(top_n=1).compress_documents(documents, "how do I copy a file")) == ["long"]
        by_pairs = SecondPassCrossEncoder().score([("how do I copy a file", one.page_content) for one in documents])
        assert by_pairs[1] > by_pairs[0]

    @pytest.mark.asyncio
    async def test_first_scores_are_passed_on_where_they_are_said_to_be(self) -> None:
        """Under the key that is set, if every document has a number there; by default nothing is looked for."""

        class Recording(FakeReranker):
            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                seen.extend(request.initial_scores for request in requests)
                return super()._score(requests)

        seen: list[Any] = []
        documents = [Document("a", metadata={"score": 1}), Document("b", metadata={"score": 0.5})]
        compressor = SecondPassReranker(reranker=Recording(), score_key="score")
        compressor.compress_documents(documents, QUERY)
        await compressor.acompress_documents(documents, QUERY)
        compressor.as_runnable().batch([{"query": QUERY, "documents": documents}])
        compressor.compress_documents([*documents, Document("c")], QUERY)
        SecondPassReranker(reranker=Recording()).compress_documents(documents, QUERY)
        assert seen == [(1.0, 0.5)] * 3 + [None] * 2

    def test_ordinal_scores_are_fine_without_a_threshold(self) -> None:
        """A reranker whose scores only give an order can be used with `top_n`."""
        compressor = SecondPassReranker(reranker=FakeReranker(scale="ordinal"), top_n=2)
        assert ids(compressor.compress_documents(candidates(), QUERY)) == ["copy", "again"]

    def test_within_pydantic_the_message_survives_and_the_input_does_not(self) -> None:
        """`model_validate` wraps our error with its message, and shows none of the configuration."""
        with pytest.raises(ValidationError, match="its settings are: scale, pointwise") as caught:
            SecondPassReranker.model_validate({"reranker": {"type": "fake", "token": "sk-123"}})
        assert "sk-123" not in str(caught.value)

    def test_serialization_round_trip(self) -> None:
        """`model_dump` writes the reranker as a configuration, from which an equal compressor is built."""
        compressor = SecondPassReranker(reranker=FakeReranker(scale="logit"), top_n=None, threshold=0.5)
        data = json.loads(compressor.model_dump_json())
        assert data == {
            "reranker": {"type": "fake", "scale": "logit", "pointwise": True},
            "top_n": None,
            "threshold": 0.5,
            "score_key": None,
        }
        for restored in (SecondPassReranker(**data), SecondPassReranker.model_validate(data)):
            assert restored.model_dump() == compressor.model_dump()
            assert restored.reranker.fingerprint == compressor.reranker.fingerprint

    def test_a_reranker_that_is_no_data_can_not_be_serialized(self) -> None:
        """A reranker without a registered name says so, and works nonetheless."""

        class Nameless(FakeReranker):
            registry_name = ""

        compressor = SecondPassReranker(reranker=Nameless())
        with pytest.raises(Exception, match="Nameless sets no registry_name"):
            compressor.model_dump()
        assert len(compressor.compress_documents(candidates(), QUERY)) == 3

    def test_pickle_and_copies(self, fake: SecondPassReranker) -> None:
        """Pickled, deep-copied and copied compressors give the same; a shallow copy shares the model."""
        expected = fake.compress_documents(candidates(), QUERY)
        shallow = fake.model_copy(update={"top_n": 1})
        assert shallow.reranker is fake.reranker and shallow.compress_documents(candidates(), QUERY) == expected[:1]
        for other in (pickle.loads(pickle.dumps(fake)), copy.deepcopy(fake), copy.copy(fake)):
            assert other.compress_documents(candidates(), QUERY) == expected

    def test_it_can_not_be_changed(self, fake: SecondPassReranker) -> None:
        """Settings are fixed, as they were checked together."""
        with pytest.raises(ValidationError, match="frozen"):
            fake.threshold = 0.5

    def test_schema_and_repr(self, fake: SecondPassReranker) -> None:
        """The class has a JSON schema, and its repr is that of its settings."""
        properties = SecondPassReranker.model_json_schema()["properties"]
        assert properties["reranker"]["anyOf"] == [{"type": "string"}, {"type": "object"}]
        assert repr(fake) == "SecondPassReranker(reranker=FakeReranker(), top_n=3, threshold=None, score_key=None)"

    def test_a_subclass_can_add_fields(self) -> None:
        """A user's own subclass takes its own settings along with ours."""

        class Labelled(SecondPassReranker):
            label: str = ""

        compressor = Labelled(reranker="fake", top_n=1, label="mine")
        assert (compressor.label, compressor.top_n) == ("mine", 1)


class TestRunnable:
    """`as_runnable`, in LCEL."""

    def test_invoke_batch_and_stream(self, fake: SecondPassReranker) -> None:
        """Each way of calling it gives what `compress_documents` gives."""
        step, value = fake.as_runnable(), {"query": QUERY, "documents": candidates()}
        expected = fake.compress_documents(candidates(), QUERY)
        assert step.invoke(value) == expected
        assert step.batch([value, {"query": "weather", "documents": []}]) == [expected, []]
        assert list(step.stream(value)) == [expected]
        assert step.batch([]) == []

    @pytest.mark.asyncio
    async def test_async(self, fake: SecondPassReranker) -> None:
        """The async calls give what the sync ones give."""
        step, value = fake.as_runnable(), {"query": QUERY, "documents": candidates()}
        expected = fake.compress_documents(candidates(), QUERY)
        assert await step.ainvoke(value) == expected
        assert await step.abatch([value, value]) == [expected] * 2
        assert [chunk async for chunk in step.astream(value)] == [expected]

    def test_a_chain(self, fake: SecondPassReranker) -> None:
        """It stands between a retriever and what comes next, which can also be streamed."""
        chain = (
            {"query": RunnablePassthrough(), "documents": FixedRetriever(documents=candidates())}
            | fake.as_runnable()
            | RunnableLambda(ids)
        )
        assert chain.invoke(QUERY) == ["copy", "again", "move"]
        assert list(chain.stream(QUERY)) == [["copy", "again", "move"]]

    @pytest.mark.asyncio
    async def test_batches_are_scored_in_one_call(self) -> None:
        """The inputs of a batch reach the reranker together, and the results are in their order."""
        reranker = CountingReranker()
        step = SecondPassReranker(reranker=reranker, top_n=1).as_runnable()
        values: list[Any] = [{"query": query, "documents": candidates()[:4]} for query in ("the weather", QUERY)]
        expected = [["weather"], ["copy"]]
        assert [ids(result) for result in step.batch(values)] == expected
        assert [ids(result) for result in await step.abatch(values)] == expected
        assert reranker.calls == [[4, 4], [4, 4]]

    @pytest.mark.asyncio
    async def test_one_bad_input_of_a_batch(self, fake: SecondPassReranker) -> None:
        """A bad input is raised, or stands in its place with the results of the others."""
        step, good = fake.as_runnable(), {"query": QUERY, "documents": candidates()}
        values: list[Any] = [good, {"query": " ", "documents": candidates()}, {"query": QUERY}, good]
        with pytest.raises(InputError, match="the query is empty"):
            step.batch(values)
        for results in (
            step.batch(values, return_exceptions=True),
            await step.abatch(values, return_exceptions=True),
        ):
            assert [type(result) for result in results] == [list, InputError, InputError, list]
            assert results[0] == results[3] == fake.compress_documents(candidates(), QUERY)

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("text", "must be a mapping with 'query' and 'documents', not a str"),
            ({"question": 1, "documents": []}, "not a dict with 'question', 'documents'"),
            ({}, "not a dict with nothing"),
            ({"query": QUERY, "documents": "text"}, "must be a list of LangChain Documents, not a str"),
        ],
    )
    def test_bad_input(self, fake: SecondPassReranker, value: Any, message: str) -> None:
        """An input of another shape is refused, with what came instead."""
        with pytest.raises(InputError, match=message):
            fake.as_runnable().invoke(value)

    def test_unknown_arguments_are_refused(self, fake: SecondPassReranker) -> None:
        """A setting that is passed to the call by mistake is not swallowed."""
        value = {"query": QUERY, "documents": candidates()}
        with pytest.raises(TypeError, match="top_n"):
            fake.as_runnable().invoke(value, top_n=1)
        with pytest.raises(TypeError, match="top_n"):
            fake.as_runnable().batch([value], top_n=1)

    def test_settings_can_be_left_to_the_call(self, fake: SecondPassReranker) -> None:
        """LangChain's configurable fields work on the step."""
        step = fake.as_runnable().configurable_fields(top_n=ConfigurableField("n"))
        value = {"query": QUERY, "documents": candidates()}
        assert len(step.invoke(value)) == 3
        assert len(step.invoke(value, {"configurable": {"n": 1}})) == 1

    def test_name_and_schemas(self, fake: SecondPassReranker) -> None:
        """Graphs and tools see its name, and what goes in and comes out."""
        step = fake.as_runnable()
        assert step.get_name() == "SecondPassReranker"
        schema = step.get_input_jsonschema()
        assert schema["$defs"]["RerankInput"]["required"] == ["query", "documents"]
        assert step.get_output_jsonschema()["type"] == "array"


class TestTracing:
    """The runs that callback handlers see."""

    def test_a_run_with_inputs_outputs_and_settings(self, fake: SecondPassReranker) -> None:
        """A handler sees one run, named after the compressor."""
        recorder, documents = Recorder(), candidates()
        result = fake.compress_documents(documents, QUERY, [recorder])
        assert recorder.started == ["SecondPassReranker"]
        assert recorder.inputs["SecondPassReranker"] == {"query": QUERY, "documents": documents}
        assert recorder.outputs["SecondPassReranker"] == result
        settings = {"reranker": "FakeReranker()", "top_n": 3, "threshold": None}
        assert settings.items() <= recorder.metadata["SecondPassReranker"].items()

    @pytest.mark.asyncio
    async def test_within_a_retriever(self, fake: SecondPassReranker) -> None:
        """A handler passed to the retriever sees the step as its child, sync and async."""
        retriever = ContextualCompressionRetriever(
            base_compressor=DocumentCompressorPipeline(transformers=[fake]),
            base_retriever=FixedRetriever(documents=candidates()),
        )
        sync, background = Recorder(), Recorder()
        result = retriever.invoke(QUERY, {"callbacks": [sync]})
        assert await retriever.ainvoke(QUERY, {"callbacks": [background]}) == result
        for recorder in (sync, background):
            assert recorder.started == ["ContextualCompressionRetriever", "FixedRetriever", "SecondPassReranker"]
            assert recorder.parents["SecondPassReranker"] == "ContextualCompressionRetriever"
            assert recorder.outputs["SecondPassReranker"] == result

    def test_within_a_chain(self, fake: SecondPassReranker) -> None:
        """The runnable nests under its chain, and so does a compressor that is called without callbacks."""

        def compress(value: dict[str, Any]) -> Sequence[Document]:
            return fake.compress_documents(value["documents"], value["query"])

        for step, parent in ((fake.as_runnable(), "RunnableSequence"), (RunnableLambda(compress), "compress")):
            recorder = Recorder()
            (step | RunnableLambda(ids)).invoke(
                {"query": QUERY, "documents": candidates()}, {"callbacks": [recorder], "metadata": {"user": 1}}
            )
            assert recorder.parents["SecondPassReranker"] == parent
            assert recorder.metadata["SecondPassReranker"]["user"] == 1

    @pytest.mark.asyncio
    async def test_a_batch_is_a_run_for_each_input(self, fake: SecondPassReranker) -> None:
        """Each input of a batch has a run of its own, a failed one with its error."""
        values: list[Any] = [{"query": QUERY, "documents": candidates()}, {"query": "", "documents": []}]
        sync, background = Recorder(), Recorder()
        fake.as_runnable().batch(values, {"callbacks": [sync]}, return_exceptions=True)
        await fake.as_runnable().abatch(values, {"callbacks": [background]}, return_exceptions=True)
        for recorder in (sync, background):
            assert recorder.started == ["SecondPassReranker"] * 2
            assert len(recorder.outputs["SecondPassReranker"]) == 3
            assert isinstance(recorder.errors["SecondPassReranker"], InputError)

    @pytest.mark.asyncio
    async def test_errors_are_reported_and_raised(self) -> None:
        """A failure reaches the handlers of the step and of the retriever, and then the caller, as it was."""
        retriever = ContextualCompressionRetriever(
            base_compressor=SecondPassReranker(reranker=BrokenReranker()),
            base_retriever=FixedRetriever(documents=candidates()),
        )
        sync, background = Recorder(), Recorder()
        with pytest.raises(ScoringError, match="on fire") as caught:
            retriever.invoke(QUERY, {"callbacks": [sync]})
        assert sync.errors["SecondPassReranker"] is sync.errors["ContextualCompressionRetriever"] is caught.value
        with pytest.raises(ScoringError, match="on fire") as caught:
            await retriever.ainvoke(QUERY, {"callbacks": [background]})
        assert background.errors["SecondPassReranker"] is caught.value
        assert sync.outputs.keys() == {"FixedRetriever"}


class TestPipeline:
    """Within `DocumentCompressorPipeline` and over retrievers that find nothing."""

    @pytest.mark.asyncio
    async def test_between_other_transformers(self, fake: SecondPassReranker) -> None:
        """It takes what the step before it leaves, and hands its scores to the next, sync and async."""

        class Drop(BaseDocumentTransformer):
            def transform_documents(self, documents: Sequence[Document], **kwargs: Any) -> Sequence[Document]:
                return [document for document in documents if document.id != "copy"]

        last = SecondPassReranker(reranker=FakeReranker(scale="logit"), top_n=1)
        pipeline = DocumentCompressorPipeline(transformers=[Drop(), fake, last])
        (only,) = pipeline.compress_documents(candidates(), QUERY)
        assert only.id == "again" and only.metadata["relevance_score"] > 1
        assert await pipeline.acompress_documents(candidates(), QUERY) == [only]

    @pytest.mark.asyncio
    async def test_nothing_found(self, fake: SecondPassReranker) -> None:
        """Nothing in is nothing out, through pipeline and retriever, sync and async."""
        strict = SecondPassReranker(reranker="fake", threshold=1.0)
        pipeline = DocumentCompressorPipeline(transformers=[strict, fake])
        assert pipeline.compress_documents([], QUERY) == []
        assert pipeline.compress_documents(candidates(), QUERY) == []
        assert await pipeline.acompress_documents(candidates(), QUERY) == []
        for documents in ([], candidates()):
            retriever = ContextualCompressionRetriever(
                base_compressor=pipeline, base_retriever=FixedRetriever(documents=documents)
            )
            assert retriever.invoke(QUERY) == []
            assert await retriever.ainvoke(QUERY) == []


class TestCrossEncoder:
    """`SecondPassCrossEncoder`."""

    def test_scores_in_input_order_in_one_call(self) -> None:
        """Pairs of several queries, mixed and repeated, get the scores that each would get alone."""
        reranker = CountingReranker()
        pairs = [
            (QUERY, "copy a file"),
            ("the weather", "copy the weather"),
            (QUERY, "the weather"),
            (QUERY, "copy a file"),
        ]
        scores = SecondPassCrossEncoder(reranker).score(pairs)
        assert reranker.calls == [[3, 1]]
        assert scores == [float(FakeReranker().score(query, [text])[0]) for query, text in pairs]
        assert [type(score) for score in scores] == [float] * 4

    def test_no_pairs(self) -> None:
        """No pairs give no scores."""
        assert SecondPassCrossEncoder("fake").score([]) == []

    def test_wrong_settings_and_pairs(self) -> None:
        """Errors are ours, and come as early as they can."""
        with pytest.raises(RegistryError, match="no 'nope'"):
            SecondPassCrossEncoder("nope")
        with pytest.raises(InputError, match="the query is empty"):
            SecondPassCrossEncoder("fake").score([("", "text")])

    def test_in_langchains_own_compressor(self) -> None:
        """LangChain's `CrossEncoderReranker` orders by it, and takes nothing for nothing."""
        compressor = CrossEncoderReranker(model=SecondPassCrossEncoder("fake"), top_n=2)
        assert ids(compressor.compress_documents(candidates(), QUERY)) == ["copy", "again"]
        assert list(compressor.compress_documents([], QUERY)) == []

    def test_pickle_and_repr(self) -> None:
        """It survives pickling, and says what it wraps."""
        encoder = pickle.loads(pickle.dumps(SecondPassCrossEncoder("fake")))
        assert repr(encoder) == "SecondPassCrossEncoder(FakeReranker())"
        assert encoder.score([(QUERY, "copy a file")])[0] > 0.99


# How long a docstring is depends on the Python version.
@pytest.mark.filterwarnings("ignore::secondpass.TruncationWarning")
class TestEndToEnd:
    """Real documents, a real vector store and the real models."""

    @pytest.mark.asyncio
    async def test_better_passages(
        self, store: InMemoryVectorStore, retriever: ContextualCompressionRetriever, cross_encoder: SecondPassModel
    ) -> None:
        """The answer moves to the top, with the model's own scores, sync and async; the store is as before."""
        found = store.as_retriever(search_kwargs={"k": 12}).invoke(PERMISSIONS)
        assert ids(found).index("shutil.copystat") > 0
        before = copy.deepcopy(store.store)
        result = retriever.invoke(PERMISSIONS)
        assert result[0].id == "shutil.copystat"
        assert result[0].metadata["module"] == "shutil"
        scores = cross_encoder.score(PERMISSIONS, [document.page_content for document in result])
        assert [document.metadata["relevance_score"] for document in result] == pytest.approx(scores.tolist())
        assert await retriever.ainvoke(PERMISSIONS) == result
        assert store.store == before

    def test_a_threshold_on_a_question_without_an_answer(
        self, store: InMemoryVectorStore, cross_encoder: SecondPassModel
    ) -> None:
        """A vector store always finds something; with a threshold, nothing is left of it."""
        base = store.as_retriever(search_kwargs={"k": 5})
        compressor = SecondPassReranker(reranker=cross_encoder, threshold=0.0)
        strict = ContextualCompressionRetriever(base_compressor=compressor, base_retriever=base)
        assert len(base.invoke("who won the world cup?")) == 5
        assert strict.invoke("who won the world cup?") == []
        assert ids(strict.invoke(PERMISSIONS))[0] == "shutil.copystat"

    @pytest.mark.asyncio
    async def test_in_an_agents_tool(self, retriever: ContextualCompressionRetriever) -> None:
        """An agent's retriever tool answers with the reranked documents, and their run is within the tool's."""

        class ScriptedModel(GenericFakeChatModel):
            def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
                return self

        call = {"name": "search_docs", "args": {"query": PERMISSIONS}, "id": "call-1"}
        tool = create_retriever_tool(
            retriever, "search_docs", "Searches Python's documentation.", response_format="content_and_artifact"
        )

        def agent() -> Any:
            script = [AIMessage("", tool_calls=[call]), AIMessage("Use shutil.copystat.")]
            return create_agent(ScriptedModel(messages=iter(script)), [tool])

        question: Any = {"messages": [("user", PERMISSIONS)]}
        sync, background = Recorder(), Recorder()
        states = [
            agent().invoke(question, {"callbacks": [sync]}),
            await agent().ainvoke(question, {"callbacks": [background]}),
        ]
        expected = retriever.invoke(PERMISSIONS)
        for state in states:
            (message,) = [message for message in state["messages"] if isinstance(message, ToolMessage)]
            assert message.artifact == expected
            assert message.content == "\n\n".join(document.page_content for document in expected)
            assert state["messages"][-1].content == "Use shutil.copystat."
        for recorder in (sync, background):
            assert recorder.parents["SecondPassReranker"] == "ContextualCompressionRetriever"


# The suite's only async test carries no mark, and may not be overridden to give it one.
pytest.mark.asyncio(RetrieversIntegrationTests.test_ainvoke_returns_documents)


class RerankingRetriever(ContextualCompressionRetriever):
    """A retriever with the `k` that the standard suite passes to constructors; it becomes our `top_n`."""

    def __init__(self, *, k: int = 3, **settings: Any) -> None:
        settings["base_compressor"] = settings["base_compressor"].model_copy(update={"top_n": k})
        super().__init__(**settings)


@pytest.mark.filterwarnings("ignore::secondpass.TruncationWarning")
class TestStandardSuite(RetrieversIntegrationTests):
    """LangChain's own suite for retrievers. The `k` of a call is the base retriever's, as LangChain passes it on."""

    @pytest.fixture(autouse=True)
    def _parts(self, store: InMemoryVectorStore, cross_encoder: SecondPassModel) -> None:
        self.parts = {
            "base_compressor": SecondPassReranker(reranker=cross_encoder),
            "base_retriever": store.as_retriever(search_kwargs={"k": 12}),
        }

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return RerankingRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return self.parts

    @property
    def retriever_query_example(self) -> str:
        return PERMISSIONS


class TestPackage:
    """The package as a whole."""

    def test_public_names(self) -> None:
        """What the package offers."""
        assert langchain_secondpass.__all__ == [
            "SecondPassCrossEncoder",
            "SecondPassReranker",
            "SecondPassVerificationMiddleware",
            "SecondPassVerifier",
        ]

    def test_without_langchain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without langchain-core, the import says what to install."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "langchain_secondpass"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "langchain_core", None)
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain\]"') as caught:
            importlib.import_module("langchain_secondpass")
        assert isinstance(caught.value.__cause__, ImportError)

    def test_it_needs_langchain_core_alone(self) -> None:
        """Importing it imports no other LangChain package, and no model backend."""
        code = (
            "import sys, langchain_secondpass\n"
            "loaded = {name.partition('.')[0] for name in sys.modules}\n"
            "sys.exit(str(loaded & {'langchain', 'langchain_classic', 'langgraph', 'torch', 'onnxruntime'}))"
        )
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert child.stderr.strip() == "set()"
