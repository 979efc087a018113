"""`SecondPassRanker` alone: documents, settings and errors."""

import asyncio
from typing import Any

import pytest
from haystack import Document
from haystack.dataclasses import ByteStream

from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from secondpass.composition.prior import PriorReranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from tests.integrations.haystack.documents import QUERY, ids, make_documents


def test_documents_come_back_by_score() -> None:
    """The best come first, and the score is the reranker's, as a Python float."""
    reranker = FakeReranker()
    output = SecondPassRanker(reranker).run(QUERY, make_documents())
    expected = reranker.rerank(QUERY, [document.content for document in make_documents()])
    assert ids(output)[:2] == ["c", "a"]
    assert [document.score for document in output["documents"]] == [ranked.score for ranked in expected]
    assert all(type(document.score) is float for document in output["documents"])


class FakeCrossEncoder(FakeReranker):
    """Gives what a cross-encoder gives: log-odds."""

    log_odds = True


def test_the_order_counts_beside_a_cross_encoders_scores() -> None:
    """Synchronously and not, also for a reranker that is given as it is; one setting switches it off."""
    reranker = FakeCrossEncoder(scale="logit")
    texts = [document.content for document in make_documents()]
    expected = [ranked.score for ranked in PriorReranker(reranker).rerank(QUERY, texts)]
    ranker = SecondPassRanker(reranker)
    waited = asyncio.run(ranker.run_async(QUERY, make_documents()))
    for output in (ranker.run(QUERY, make_documents()), waited):
        assert [document.score for document in output["documents"]] == expected
    alone = SecondPassRanker(reranker, prior=False).run(QUERY, make_documents())
    assert [document.score for document in alone["documents"]] == [d.score for d in reranker.rerank(QUERY, texts)]
    with pytest.raises(ConfigError, match="prior must be True or False"):
        SecondPassRanker(reranker, prior=None)  # type: ignore[arg-type]


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
        Document(id="z", content="same", meta={"from": "bm25"}, score=float("nan")),
        Document(id="z", content="same", meta={"from": "dense"}, score=-3.0),
        Document(id="z", content="same", meta={"from": "web"}, score=float("nan")),
    ]
    output = SecondPassRanker(FakeReranker()).run(QUERY, documents)
    assert [(d.id, d.meta["from"]) for d in output["documents"]] == [("x", "dense"), ("y", "bm25"), ("z", "dense")]


def test_equal_texts_with_different_ids_all_stay() -> None:
    """Documents that differ in their id only all come back, in the first stage's order."""
    documents = [Document(id=name, content="copy a file") for name in ("3", "1", "2")]
    assert ids(SecondPassRanker(FakeReranker()).run(QUERY, documents)) == ["3", "1", "2"]


def test_no_documents_need_no_model() -> None:
    """An empty list gives an empty list, before anything is loaded."""
    ranker = SecondPassRanker("no-such-reranker")
    assert ranker.run(QUERY, []) == {"documents": []}
    assert asyncio.run(ranker.run_async(QUERY, [])) == {"documents": []}


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


def test_min_probability() -> None:
    """What is less probably relevant is left out, by whatever calibration the reranker has."""
    curve = {"type": "platt", "slope": 0.5, "intercept": 0.0}
    reranker = {"type": "calibrated", "wrapped": {"type": "fake", "scale": "logit"}, "calibrator": curve}
    ranker = SecondPassRanker(reranker, min_probability=0.9)
    assert ids(ranker.run(QUERY, make_documents())) == ["c"]
    assert ids(asyncio.run(ranker.run_async(QUERY, make_documents()))) == ["c"]
    assert SecondPassRanker(reranker, min_probability=1).run(QUERY, make_documents())["documents"] == []
    assert SecondPassRanker.from_dict(ranker.to_dict()).min_probability == 0.9


def test_min_probability_of_the_default(cross_encoder: CrossEncoderReranker) -> None:
    """The embedded model needs no labels, with the retriever's prior and without it."""
    documents = [Document(content="Bread is baked."), Document(id="copy", content="shutil.copy copies a file")]
    for prior in (True, False):
        ranker = SecondPassRanker(cross_encoder, min_probability=0.5, prior=prior)
        assert ids(ranker.run("how do I copy a file?", documents)) == ["copy"]
        assert ids(ranker.run("who won the world cup in 1990?", documents)) == []


def test_no_min_probability_without_calibration() -> None:
    """It is refused at construction for a reranker, and by warm_up for a configuration."""
    with pytest.raises(CompositionError, match="no calibrated probabilities"):
        SecondPassRanker(FakeReranker(), min_probability=0.5)
    with pytest.raises(CompositionError, match="no calibrated probabilities"):
        SecondPassRanker({"type": "fake"}, min_probability=0.5).warm_up()


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


def test_a_document_without_text_comes_last() -> None:
    """Content None says as little as a blank one: it does not fail the run, and keeps what it holds."""
    documents = [Document(id="image-7", blob=ByteStream(b"png")), Document(id="text", content="unrelated")]
    output = SecondPassRanker(FakeReranker()).run(QUERY, documents)
    assert ids(output) == ["text", "image-7"]
    assert output["documents"][1].blob == ByteStream(b"png") and output["documents"][1].score == 0.0


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
        ({"documents": None}, "documents must be a list, not NoneType"),
        ({"documents": Document(content="a")}, "documents must be a list, not Document"),
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
        ({"reranker": 3}, "a reranker must be a name .* not int"),
        ({"model": FakeReranker()}, "model must be a model's name or folder, not FakeReranker"),
        ({"reranker": FakeReranker}, "not ABCMeta"),
        ({"top_k": 0}, "top_k must be a whole number"),
        ({"top_k": "5"}, "top_k must be a whole number"),
        ({"score_threshold": float("nan")}, "finite number, or None, not nan"),
        ({"score_threshold": "0.5"}, "finite number, or None, not '0.5'"),
        ({"score_threshold": True}, "finite number, or None, not True"),
        ({"reranker": FakeReranker(), "score_threshold": float("inf")}, "finite number, or None, not inf"),
        ({"min_probability": 50}, "min_probability must be"),
        ({"meta_fields_to_embed": "title"}, r"must be a list: \['title'\]"),
        ({"meta_fields_to_embed": ["title", 3]}, r"meta_fields_to_embed must be a list of names .* not \['title', 3\]"),
        ({"meta_fields_to_embed": 3}, "meta_fields_to_embed must be a list of names of fields, not 3"),
        ({"embedding_separator": 3}, "embedding_separator must be a str, not 3"),
    ],
)
def test_bad_settings_are_refused_at_construction(settings: dict[str, Any], message: str) -> None:
    """What can be seen to be wrong is refused before a pipeline is built of it."""
    with pytest.raises(ConfigError, match=message):
        SecondPassRanker(**settings)


def test_no_threshold_on_ordinal_scores() -> None:
    """It is refused at construction for a reranker, by warm_up for a configuration, by a run for its own."""
    ordinal = {"type": "fake", "scale": "ordinal"}
    with pytest.raises(CompositionError, match="are ordinal, so they can't be compared with a threshold"):
        SecondPassRanker(FakeReranker(scale="ordinal"), score_threshold=0.5)
    with pytest.raises(CompositionError, match="are ordinal, so"):
        SecondPassRanker(ordinal, score_threshold=0.5).warm_up()
    ranker = SecondPassRanker(ordinal)
    with pytest.raises(CompositionError, match="are ordinal, so"):
        ranker.run(QUERY, make_documents(), score_threshold=0.5)
    assert ids(ranker.run(QUERY, make_documents(), top_k=1)) == ["c"]


def test_a_runs_own_threshold_is_checked() -> None:
    """A threshold that is not a finite number is refused before anything is scored, by the name that it has here."""
    with pytest.raises(ConfigError, match="score_threshold must be a finite number, or None, not nan"):
        SecondPassRanker(FakeReranker()).run(QUERY, make_documents(), score_threshold=float("nan"))


def test_settings_are_keyword_only() -> None:
    """Only the reranker can be given by position."""
    with pytest.raises(TypeError, match="positional"):
        SecondPassRanker(FakeReranker(), 5)  # type: ignore[misc]
