"""`SecondPassReranker` as a step of chains and pipelines, and in traces."""

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_classic.retrievers.document_compressors import DocumentCompressorPipeline
from langchain_core.documents import BaseDocumentTransformer, Document
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from pydantic import ValidationError

from langchain_secondpass import SecondPassReranker
from secondpass import InputError, ScoringError
from secondpass.testing import FakeReranker
from tests.integrations.langchain.candidates import QUERY, BrokenReranker, CountingReranker, candidates, ids
from tests.integrations.langchain.doubles import FixedRetriever, Recorder


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
        with pytest.raises(InputError, match="top_n must be a whole number of at least 1"):
            step.invoke(value, {"configurable": {"n": 0}})

    def test_no_error_shows_a_key(self, fake: SecondPassReranker) -> None:
        """A configuration where a reranker belongs is refused without what is in it."""
        step = fake.as_runnable().configurable_fields(reranker=ConfigurableField("reranker"))
        wrong: Any = {"type": "remote", "url": "http://host", "api_key": "sk-123"}
        with pytest.raises(ValidationError, match="instance of Reranker") as caught:
            step.with_config({"configurable": {"reranker": wrong}}).invoke({"query": QUERY, "documents": candidates()})
        assert "sk-123" not in str(caught.value)

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
        settings = {"reranker": "FakeReranker()", "top_n": 3, "threshold": None, "min_probability": None}
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
