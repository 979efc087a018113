"""`SecondPassReranker` as a compressor, and its settings."""

import asyncio
import copy
import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ValidationError

from langchain_secondpass import SecondPassCrossEncoder, SecondPassReranker
from secondpass import (
    BlendedReranker,
    CalibratedReranker,
    CompositionError,
    ConfigError,
    CrossEncoderReranker,
    InputError,
    ModelNotFoundError,
    PriorReranker,
    RegistryError,
    Request,
    Scores,
)
from secondpass.testing import FakeReranker
from tests.integrations.langchain.candidates import QUERY, candidates, ids


class FakeCrossEncoder(FakeReranker):
    """Gives what a cross-encoder gives: log-odds."""

    log_odds = True


class TestPrior:
    """The order in which the documents came."""

    def test_it_counts_beside_a_cross_encoders_scores(self) -> None:
        """However the compressor is called, and also for one that is given as it is."""
        reranker = FakeCrossEncoder(scale="logit")
        compressor = SecondPassReranker(reranker=reranker, top_n=None)
        texts = [document.page_content for document in candidates()]
        expected = PriorReranker(reranker).rerank(QUERY, texts)
        waited = asyncio.run(compressor.acompress_documents(candidates(), QUERY))
        (batched,) = compressor.as_runnable().batch([{"query": QUERY, "documents": candidates()}])
        for result in (compressor.compress_documents(candidates(), QUERY), waited, batched):
            assert [document.metadata["relevance_score"] for document in result] == [d.score for d in expected]
            assert [document.page_content for document in result] == expected.texts

    def test_one_setting_switches_it_off(self) -> None:
        """Also on a copy; a reranker whose scores are not a cross-encoder's never gets it."""
        reranker = FakeCrossEncoder(scale="logit")
        alone = [d.score for d in reranker.rerank(QUERY, [document.page_content for document in candidates()])]
        switched = SecondPassReranker(reranker=reranker, top_n=None, prior=False)
        copied = SecondPassReranker(reranker=reranker, top_n=None).model_copy(update={"prior": False})
        other = SecondPassReranker(reranker=FakeReranker(scale="logit"), top_n=None)
        for compressor in (switched, copied, other):
            result = compressor.compress_documents(candidates(), QUERY)
            assert [document.metadata["relevance_score"] for document in result] == alone
        with pytest.raises(ConfigError, match="prior must be True or False"):
            SecondPassReranker(reranker=reranker, prior=1)  # type: ignore[arg-type]


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

    def test_min_probability(self) -> None:
        """Only what is relevant with that probability comes back, by whatever calibration the reranker has."""
        curve = {"type": "platt", "slope": 0.5, "intercept": -1.0}
        reranker = CalibratedReranker(FakeReranker(scale="logit"), calibrator=curve)
        kept = SecondPassReranker(reranker=reranker, min_probability=0.5, top_n=None)
        assert ids(kept.compress_documents(candidates(), QUERY)) == ["copy", "again", "move"]
        assert kept.min_probability == 0.5
        assert SecondPassReranker(reranker=reranker, min_probability=1).compress_documents(candidates(), QUERY) == []

    def test_min_probability_of_the_default(self, cross_encoder: CrossEncoderReranker) -> None:
        """The embedded model needs no labels, with the retriever's prior and without it."""
        documents = [Document("Bread is baked in an oven."), Document("shutil.copy copies a file", id="copy")]
        for prior in (True, False):
            compressor = SecondPassReranker(reranker=cross_encoder, min_probability=0.5, prior=prior)
            assert ids(compressor.compress_documents(documents, "how do I copy a file?")) == ["copy"]
            assert compressor.compress_documents(documents, "who won the world cup in 1990?") == []

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
        assert repr(compressor.reranker) == "CrossEncoderReranker('ms-marco-MiniLM-L12-v2')"
        assert (compressor.top_n, compressor.threshold) == (3, None)

    def test_a_reranker_by_name_by_configuration_and_as_an_object(self) -> None:
        """All three ways lead to the same, and an object is taken as it is."""
        reranker = FakeReranker()
        assert SecondPassReranker(reranker=reranker).reranker is reranker
        by_name = SecondPassReranker(reranker="fake")
        by_config = SecondPassReranker(reranker={"type": "fake", "scale": "logit"})
        assert isinstance(by_name.reranker, FakeReranker) and by_config.reranker.scale == "logit"

    def test_a_model_and_its_device_as_other_packages_have_it(self) -> None:
        """By the name that most code has, and what does not fit together is refused."""
        compressor = SecondPassReranker(model="cross-encoder/ms-marco-MiniLM-L-12-v2", device="cpu", top_n=5)
        assert compressor.reranker.to_config()["device"] == "cpu" and compressor.top_n == 5
        assert SecondPassReranker(reranker="ms-marco-MiniLM-L12-v2").reranker.to_config()["type"] == "cross-encoder"

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"reranker": "nope"}, RegistryError, "'nope' is neither a reranker nor a cross-encoder; there are"),
            ({"reranker": "cross-encoder:nope"}, ModelNotFoundError, "no model 'nope'"),
            ({"reranker": {"type": "fake", "scalee": 1}}, ConfigError, "its settings are: scale, pointwise"),
            ({"reranker": 3}, ConfigError, "a reranker must be a name"),
            ({"reranker": "fake", "top_n": 0}, ConfigError, "top_n must be a whole number of at least 1"),
            ({"reranker": "fake", "top_n": "3"}, ConfigError, "or None, not '3'"),
            ({"reranker": "fake", "top_n": True}, ConfigError, "top_n must be a whole number"),
            ({"reranker": "fake", "threshold": float("nan")}, ConfigError, "threshold must be a finite number"),
            ({"reranker": FakeReranker(scale="ordinal"), "threshold": 0.5}, CompositionError, "are ordinal, so they"),
            ({"reranker": "fake", "min_probability": 0.5}, CompositionError, "no calibrated probabilities"),
            ({"reranker": "fake", "min_probability": 50}, ConfigError, "min_probability must be"),
            ({"reranker": "fake", "topn": 3}, ConfigError, "no setting 'topn' .did you mean 'top_n'"),
            ({"reranker": "fake", "model": "fake"}, ConfigError, "pass reranker or model, not both"),
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

    def test_scores_that_are_needed_and_missing(self) -> None:
        """The error says which setting of the compressor brings them."""
        compressor = SecondPassReranker(reranker=BlendedReranker(FakeReranker()))
        with pytest.raises(InputError, match="in LangChain, score_key says where in the metadata"):
            compressor.compress_documents(candidates(), QUERY)

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
            "min_probability": None,
            "score_key": None,
            "prior": True,
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
        settings = "top_n=3, threshold=None, min_probability=None, score_key=None, prior=True"
        assert repr(fake) == f"SecondPassReranker(reranker=FakeReranker(), {settings})"

    def test_a_subclass_can_add_fields(self) -> None:
        """A user's own subclass takes its own settings along with ours."""

        class Labelled(SecondPassReranker):
            label: str = ""

        compressor = Labelled(reranker="fake", top_n=1, label="mine")
        assert (compressor.label, compressor.top_n) == ("mine", 1)
