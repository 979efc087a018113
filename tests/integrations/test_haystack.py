"""The Haystack adapter: `SecondPassRanker`, alone and in real pipelines."""

import asyncio
import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytest

# Read when haystack is imported: a test run sends nothing to anyone.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

import haystack
from haystack import Document, Pipeline, SuperComponent, tracing
from haystack.components.builders import PromptBuilder
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ByteStream
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tracing import Span, Tracer

from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    MissingExtraError,
    RegistryError,
    TruncationWarning,
)
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.load import load_embedding_model
from secondpass.registry import rerankers
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

QUERY = "copy a file"
FAKE = {"type": "fake"}
# Of the two modules' documentation: a question, and what answers it. BM25 puts something else first.
QUESTIONS = [
    ("what happens to a file's owner and group when it is copied", "shutil.copystat"),
    ("how do I remove a directory with everything in it", "os.rmdir"),
]
# Since Haystack 3 every pipeline runs asynchronously as well; before, that was a class of its own.
AsyncPipeline: type[Any] = getattr(haystack, "AsyncPipeline", Pipeline)
# Some docstrings are longer than the model reads, and it says so.
cuts_are_fine = pytest.mark.filterwarnings(f"ignore::{TruncationWarning.__module__}.{TruncationWarning.__name__}")


def make_documents() -> list[Document]:
    """Return five documents, the third of which is the best for ``QUERY``, the first the next best."""
    return [
        Document(id="a", content="how to open a file", meta={"page": 1, "relevance_score": 99.0}, score=0.9),
        Document(id="b", content="bread and butter", meta={"page": 2}, score=0.8, embedding=[0.5, 1.5]),
        Document(id="c", content="copy a file with shutil", meta={"page": 3, "tags": ["x"]}, score=0.1),
        Document(id="d", content="", meta={"title": "copy a file"}),
        Document(id="e", content="sunny all week"),
    ]


def ids(output: dict[str, list[Document]]) -> list[str]:
    """Return the ids of what a component gave."""
    return [document.id for document in output["documents"]]


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


# Mapping documents


def test_documents_come_back_by_score() -> None:
    """The best come first, and the score is the reranker's, as a Python float."""
    reranker = FakeReranker()
    output = SecondPassRanker(reranker).run(QUERY, make_documents())
    expected = reranker.rerank(QUERY, [document.content for document in make_documents()])
    assert ids(output)[:2] == ["c", "a"]
    assert [document.score for document in output["documents"]] == [ranked.score for ranked in expected]
    assert all(type(document.score) is float for document in output["documents"])


def test_everything_but_the_score_is_kept() -> None:
    """Ids, content, meta (with an old relevance_score) and embeddings are those that came in."""
    output = SecondPassRanker(FakeReranker()).run(QUERY, make_documents())
    before = {document.id: document for document in make_documents()}
    assert sorted(ids(output)) == sorted(before)
    for document in output["documents"]:
        expected = before[document.id].to_dict() | {"score": document.score}
        assert document.to_dict() == expected
    assert {d.id: d for d in output["documents"]}["a"].meta == {"page": 1, "relevance_score": 99.0}


def test_the_callers_documents_stay_as_they_are() -> None:
    """Neither the run nor a later change to a returned meta touches the originals."""
    documents = make_documents()
    output = SecondPassRanker(FakeReranker()).run(QUERY, documents)
    output["documents"][0].meta["added"] = True
    assert documents == make_documents()
    assert not {id(document) for document in documents} & {id(document) for document in output["documents"]}


def test_a_subclass_of_document_stays_one() -> None:
    """A document of a class of its own comes back as that class."""

    class Page(Document):
        pass

    (document,) = SecondPassRanker(FakeReranker()).run(QUERY, [Page(content="copy a file")])["documents"]
    assert type(document) is Page


def test_generated_ids_are_kept() -> None:
    """An id that Haystack derived from a document's fields survives the new score."""
    document = Document(content="copy a file", meta={"page": 1})
    assert ids(SecondPassRanker(FakeReranker()).run(QUERY, [document])) == [document.id]


def test_duplicates_are_one_as_in_haystacks_rankers() -> None:
    """Of documents with one id the one with the highest retrieval score stays, in the place of the first."""
    documents = [
        Document(id="x", content="same", meta={"from": "bm25"}, score=0.2),
        Document(id="y", content="same", meta={"from": "bm25"}),
        Document(id="x", content="same", meta={"from": "dense"}, score=0.7),
        Document(id="x", content="same", meta={"from": "web"}),
        Document(id="y", content="same", meta={"from": "dense"}),
    ]
    output = SecondPassRanker(FakeReranker()).run(QUERY, documents)
    assert [(d.id, d.meta["from"]) for d in output["documents"]] == [("x", "dense"), ("y", "bm25")]


def test_equal_texts_with_different_ids_all_stay() -> None:
    """Documents that differ in their id only all come back, in the first stage's order."""
    documents = [Document(id=name, content="copy a file") for name in ("3", "1", "2")]
    assert ids(SecondPassRanker(FakeReranker()).run(QUERY, documents)) == ["3", "1", "2"]


def test_no_documents_need_no_model() -> None:
    """An empty list gives an empty list, before anything is loaded."""
    ranker = SecondPassRanker("no-such-reranker")
    assert ranker.run(QUERY, []) == {"documents": []}
    assert asyncio.run(ranker.run_async(QUERY, [])) == {"documents": []}


# Settings


@pytest.mark.parametrize(("top_k", "length"), [(1, 1), (2, 2), (5, 5), (1000, 5), (None, 5)])
def test_top_k_of_the_component(top_k: int | None, length: int) -> None:
    """The setting limits the number; None and more than there are give all."""
    assert len(SecondPassRanker(FakeReranker(), top_k=top_k).run(QUERY, make_documents())["documents"]) == length


def test_top_k_is_ten_by_default_and_can_be_set_for_a_run() -> None:
    """Ten come back unless the component or the run says otherwise."""
    documents = [Document(content=f"copy {number}") for number in range(30)]
    ranker = SecondPassRanker(FakeReranker())
    assert len(ranker.run(QUERY, documents)["documents"]) == 10
    assert len(ranker.run(QUERY, documents, top_k=20)["documents"]) == 20


def test_score_threshold() -> None:
    """What scores below the threshold is left out; a run's own goes before the component's; 0 is a threshold."""
    ranker = SecondPassRanker(FakeReranker(), score_threshold=0.9)
    assert ids(ranker.run(QUERY, make_documents())) == ["c"]
    assert ids(ranker.run(QUERY, make_documents(), score_threshold=0.5)) == ["c", "a"]
    assert len(ranker.run(QUERY, make_documents(), score_threshold=0)["documents"]) == 5
    assert ids(ranker.run(QUERY, make_documents(), score_threshold=1)) == []
    assert ids(ranker.run(QUERY, make_documents(), top_k=1, score_threshold=0.5)) == ["c"]


def test_meta_fields_are_put_before_the_content() -> None:
    """The reranker reads the named values in their order, then the content; absent and empty ones leave no trace."""
    seen: list[str] = []

    class Recording(FakeReranker):
        def _score(self, requests: Any) -> Any:
            seen.extend(requests[0].texts)
            return super()._score(requests)

    documents = [
        Document(content="text", meta={"title": "Copying", "page": 0}),
        Document(content="bare", meta={"title": "", "page": None}),
        Document(meta={"title": "A picture"}, blob=ByteStream(b"png")),
    ]
    ranker = SecondPassRanker(Recording(), meta_fields_to_embed=["page", "title"], embedding_separator=" | ")
    output = ranker.run(QUERY, documents)
    assert seen == ["0 | Copying | text", "bare", "A picture"]
    assert sorted(document.content or "" for document in output["documents"]) == ["", "bare", "text"]


def test_a_meta_field_can_decide() -> None:
    """A document whose title answers the query is last without its title and first with it."""
    documents = [Document(id="t", content="", meta={"title": "copy a file"}), Document(id="u", content="a word")]
    assert ids(SecondPassRanker(FakeReranker()).run(QUERY, documents)) == ["u", "t"]
    assert ids(SecondPassRanker(FakeReranker(), meta_fields_to_embed=["title"]).run(QUERY, documents)) == ["t", "u"]


# Errors


def test_a_document_without_text_is_an_input_error() -> None:
    """Content None can't be ranked; the message names the document and what to do."""
    documents = [Document(content="text"), Document(id="image-7", blob=ByteStream(b"png"))]
    with pytest.raises(InputError, match=r"'image-7' has no content.*meta_fields_to_embed"):
        SecondPassRanker(FakeReranker()).run(QUERY, documents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": " "}, "the query is empty"),
        ({"query": None}, "the query must be a str"),
        ({"top_k": 0}, "top_k must be a whole number of at least 1, or None, not 0"),
        ({"top_k": -3}, "top_k must be"),
        ({"top_k": 1.5}, "top_k must be"),
        ({"top_k": True}, "top_k must be"),
        ({"documents": ["a text"]}, r"documents\[0\] must be a haystack Document, not str"),
    ],
)
def test_bad_input_is_an_input_error(arguments: dict[str, Any], message: str) -> None:
    """What a run can't use is refused with what is wrong, by both ways of running."""
    ranker = SecondPassRanker(FakeReranker())
    good = {"query": QUERY, "documents": make_documents()}
    with pytest.raises(InputError, match=message):
        ranker.run(**(good | arguments))
    with pytest.raises(InputError, match=message):
        asyncio.run(ranker.run_async(**(good | arguments)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reranker": 3}, "a reranker is a name .* not int"),
        ({"reranker": None}, "not NoneType"),
        ({"reranker": FakeReranker}, "not ABCMeta"),
        ({"top_k": 0}, "top_k must be a whole number"),
        ({"top_k": "5"}, "top_k must be a whole number"),
        ({"score_threshold": float("nan")}, "finite number or None, not nan"),
        ({"score_threshold": "0.5"}, "finite number or None, not '0.5'"),
        ({"score_threshold": True}, "finite number or None, not True"),
        ({"reranker": FakeReranker(), "score_threshold": float("inf")}, "finite number or None, not inf"),
        ({"meta_fields_to_embed": "title"}, r"must be a list: \['title'\]"),
    ],
)
def test_bad_settings_are_refused_at_construction(settings: dict[str, Any], message: str) -> None:
    """What can be seen to be wrong is refused before a pipeline is built of it."""
    with pytest.raises(ConfigError, match=message):
        SecondPassRanker(**settings)


def test_no_threshold_on_ordinal_scores() -> None:
    """It is refused at construction for a reranker, by warm_up for a configuration, by a run for its own."""
    ordinal = {"type": "fake", "scale": "ordinal"}
    with pytest.raises(CompositionError, match="no threshold can be put on the ordinal scores"):
        SecondPassRanker(FakeReranker(scale="ordinal"), score_threshold=0.5)
    with pytest.raises(CompositionError, match="no threshold"):
        SecondPassRanker(ordinal, score_threshold=0.5).warm_up()
    ranker = SecondPassRanker(ordinal)
    with pytest.raises(CompositionError, match="no threshold"):
        ranker.run(QUERY, make_documents(), score_threshold=0.5)
    assert ids(ranker.run(QUERY, make_documents(), top_k=1)) == ["c"]


def test_a_runs_own_threshold_is_checked() -> None:
    """A threshold that is no finite number is refused before anything is scored."""
    with pytest.raises(ConfigError, match="finite number"):
        SecondPassRanker(FakeReranker()).run(QUERY, make_documents(), score_threshold=float("nan"))


def test_settings_are_keyword_only() -> None:
    """Only the reranker can be given by position."""
    with pytest.raises(TypeError, match="positional"):
        SecondPassRanker(FakeReranker(), 5)  # type: ignore[misc]


def test_without_haystack_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the adapter where haystack is missing gives the command that installs it."""
    package = "haystack_integrations.components.rankers.secondpass"
    monkeypatch.setitem(sys.modules, "haystack", None)  # makes its import fail
    for name in (package, f"{package}.ranker"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[haystack\]"') as caught:
        __import__(package)
    assert isinstance(caught.value.__cause__, ImportError)


# Loading


class Slow(FakeReranker):
    """A reranker that takes a while to build, and counts how often that happens."""

    registry_name: ClassVar[str] = "haystack-adapter-slow"
    built: ClassVar[list[int]] = []

    def __init__(self, *, scale: str = "probability", pointwise: bool = True) -> None:
        super().__init__(scale=scale, pointwise=pointwise)
        self.built.append(threading.get_ident())
        threading.Event().wait(0.1)


@pytest.fixture
def slow() -> Iterator[str]:
    """Register `Slow`, with nothing built yet, and return its name."""
    rerankers.register(Slow.registry_name, Slow)
    Slow.built.clear()
    yield Slow.registry_name
    Slow.built.clear()


def test_construction_loads_nothing(slow: str) -> None:
    """A name and a configuration are loaded by warm_up, once however often it is called."""
    for reranker in (slow, {"type": slow}):
        Slow.built.clear()
        ranker = SecondPassRanker(reranker, score_threshold=0.5)
        assert Slow.built == []
        ranker.warm_up()
        ranker.warm_up()
        ranker.run(QUERY, make_documents())
        assert len(Slow.built) == 1


def test_run_loads_by_itself(slow: str) -> None:
    """Without a warm_up the first run loads, and the second does not."""
    ranker = SecondPassRanker(slow)
    assert ids(ranker.run(QUERY, make_documents()))[0] == "c"
    assert ids(ranker.run(QUERY, make_documents()))[0] == "c"
    assert len(Slow.built) == 1


def test_threads_load_once(slow: str) -> None:
    """Eight threads that run a cold ranker at once load one model and get the same."""
    ranker = SecondPassRanker(slow)
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda _: ids(ranker.run(QUERY, make_documents())), range(8)))
    assert outputs == [outputs[0]] * 8 and outputs[0][0] == "c"
    assert len(Slow.built) == 1


def test_tasks_load_once_outside_of_the_event_loop(slow: str) -> None:
    """Tasks that run a cold ranker at once load one model, in a thread that is not the loop's."""
    ranker = SecondPassRanker(slow)

    async def several() -> list[list[str]]:
        outputs = await asyncio.gather(*(ranker.run_async(QUERY, make_documents()) for _ in range(8)))
        return [ids(output) for output in outputs]

    outputs = asyncio.run(several())
    assert outputs == [outputs[0]] * 8 and outputs[0][0] == "c"
    assert len(Slow.built) == 1 and Slow.built[0] != threading.get_ident()


def test_an_unknown_name_is_reported_by_warm_up() -> None:
    """A name that nobody registered is refused with those that there are, and again on the next try."""
    ranker = SecondPassRanker("no-such-reranker")
    for _ in range(2):
        with pytest.raises(RegistryError, match=r"no 'no-such-reranker'; there are: .*cross-encoder"):
            ranker.warm_up()


def test_importing_the_adapter_loads_no_model_runtime() -> None:
    """Importing and constructing the ranker imports no ONNX Runtime, and no PyTorch unless Haystack itself does."""
    code = (
        "import sys, haystack, haystack.core.component; from haystack import Document; before = set(sys.modules);"
        "from haystack_integrations.components.rankers.secondpass import SecondPassRanker; SecondPassRanker();"
        "sys.exit(str(sorted({'onnxruntime', 'tokenizers', 'torch', 'transformers'} & (set(sys.modules) - before))))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert child.stderr.strip() == "[]"


# Long documents and first scores


def test_a_name_scores_long_documents_whole() -> None:
    """By its name, the reranker reads windows of what is too long for it; a configuration is taken as it is."""
    documents = [Document(id="long", content="Bread. " * 600 + "To copy a file, use shutil.copy.")]
    documents.append(Document(id="short", content="The weather is fine."))
    by_name, by_config = SecondPassRanker(), SecondPassRanker({"type": "cross-encoder"})
    assert ids(by_name.run("how do I copy a file", documents)) == ["long", "short"]
    with pytest.warns(TruncationWarning):
        by_config.run("how do I copy a file", documents)


def test_first_scores_are_passed_on_if_all_have_one() -> None:
    """A reranker that combines scores gets them; one missing, or not a number, and it gets none."""

    class Recording(FakeReranker):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            seen.extend(request.initial_scores for request in requests)
            return super()._score(requests)

    seen: list[Any] = []
    ranker = SecondPassRanker(Recording())
    ranker.run(QUERY, make_documents()[:3])
    asyncio.run(ranker.run_async(QUERY, make_documents()[:2]))
    ranker.run(QUERY, make_documents())
    ranker.run(QUERY, [Document(content="a", score=float("nan"))])
    assert seen == [(0.9, 0.8, 0.1), (0.9, 0.8), None, None]


# Copies and data


def test_copies_rank_as_the_original() -> None:
    """A pickled or copied ranker, cold or warm, gives what the original gives."""
    warm = SecondPassRanker(FAKE, top_k=2)
    expected = warm.run(QUERY, make_documents())
    for ranker in (warm, SecondPassRanker(FAKE, top_k=2)):
        for twin in (pickle.loads(pickle.dumps(ranker)), copy.deepcopy(ranker), copy.copy(ranker)):
            assert twin.run(QUERY, make_documents()) == expected


def test_to_dict_names_every_setting() -> None:
    """The data holds the type and the settings, the reranker as its name."""
    ranker = SecondPassRanker(top_k=3, score_threshold=0.5, meta_fields_to_embed=["title"], embedding_separator=" ")
    assert ranker.to_dict() == {
        "type": "haystack_integrations.components.rankers.secondpass.ranker.SecondPassRanker",
        "init_parameters": {
            "reranker": "cross-encoder:ms-marco-MiniLM-L12-v2",
            "top_k": 3,
            "score_threshold": 0.5,
            "meta_fields_to_embed": ["title"],
            "embedding_separator": " ",
        },
    }


@pytest.mark.parametrize("reranker", [FAKE, FakeReranker(scale="logit"), "fake"])
def test_data_builds_it_again(reranker: Any) -> None:
    """`to_dict`, through JSON and `from_dict`, ranks the same and gives the same data, cold or warm."""
    ranker = SecondPassRanker(reranker, top_k=None, score_threshold=0.1, meta_fields_to_embed=["title"])
    data = ranker.to_dict()
    restored = SecondPassRanker.from_dict(json.loads(json.dumps(data)))
    assert restored.run(QUERY, make_documents()) == ranker.run(QUERY, make_documents())
    assert restored.to_dict()["init_parameters"]["top_k"] is None
    assert restored.to_dict() == ranker.to_dict() == data


def test_a_reranker_is_written_as_its_configuration() -> None:
    """An instance becomes data with which `from_dict` builds an equal one."""
    data = SecondPassRanker(FakeReranker(scale="logit")).to_dict()
    assert data["init_parameters"]["reranker"] == {"type": "fake", "scale": "logit", "pointwise": True}


def test_a_reranker_that_is_no_data_cannot_be_written() -> None:
    """The error of `to_config` comes through."""

    class Unnamed(FakeReranker):
        registry_name: ClassVar[str] = ""

    with pytest.raises(ConfigError, match="sets no registry_name"):
        SecondPassRanker(Unnamed()).to_dict()


def test_a_later_change_to_the_callers_settings_has_no_effect() -> None:
    """The component keeps copies of the mapping and the list that it was given."""
    config, fields = {"type": "fake"}, ["title"]
    ranker = SecondPassRanker(config, meta_fields_to_embed=fields)
    config["type"] = "gone"
    fields.append("page")
    assert ranker.to_dict()["init_parameters"]["reranker"] == FAKE
    assert ranker.meta_fields_to_embed == ["title"]


# Pipelines


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
    expected = cross_encoder.rerank(question, [document.content for document in retrieved], k=3)
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
