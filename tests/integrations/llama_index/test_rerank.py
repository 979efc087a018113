"""`SecondPassRerank` alone: nodes, scores, settings and data."""

import asyncio
import copy
import json
import pickle
import threading
from typing import Any

import pytest
from llama_index.core import QueryBundle
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.schema import ImageNode, IndexNode, MetadataMode, NodeWithScore, TextNode

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.composition.calibrated import CalibratedReranker
from secondpass.composition.prior import PriorReranker
from secondpass.errors import CompositionError, ConfigError, InputError, RegistryError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from tests.integrations.llama_index.nodes import BEST, QUESTION, TEXTS, Recording, both, fake, scored
from tests.integrations.llama_index.recording import Recorder


class FakeCrossEncoder(FakeReranker):
    """Gives what a cross-encoder gives: log-odds."""

    log_odds = True


class TestPrior:
    def test_the_nodes_order_counts_beside_a_cross_encoders_scores(self) -> None:
        """Also for a reranker that is given as it is; one setting, which may be changed later, switches it off."""
        reranker = FakeCrossEncoder(scale="logit")
        postprocessor = SecondPassRerank(reranker=reranker, top_n=None)
        expected = PriorReranker(reranker).rerank(QUESTION, TEXTS)
        assert [node.score for node in both(postprocessor, scored())] == [document.score for document in expected]
        alone = [document.score for document in reranker.rerank(QUESTION, TEXTS)]
        postprocessor.prior = False
        for other in (postprocessor, SecondPassRerank(reranker=reranker, top_n=None, prior=False)):
            assert [node.score for node in both(other, scored())] == alone
        with pytest.raises(ConfigError, match="prior must be True or False"):
            fake(prior="no")

    def test_equal_scores_of_the_retriever_say_nothing(self) -> None:
        """A filter that scores all nodes alike has not put them in an order."""
        reranker = FakeCrossEncoder(scale="logit")
        nodes = [node.model_copy(update={"score": 1.0}) for node in scored()]
        reranked = both(SecondPassRerank(reranker=reranker, top_n=None), nodes)
        assert [node.score for node in reranked] == [document.score for document in reranker.rerank(QUESTION, TEXTS)]


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

    def test_min_probability(self) -> None:
        """Nodes that are less probably relevant are left out, by whatever calibration the reranker has."""
        curve = {"type": "platt", "slope": 0.5, "intercept": 0.0}
        reranker = CalibratedReranker(FakeReranker(scale="logit"), calibrator=curve)
        best, second = (node.score for node in both(SecondPassRerank(reranker=reranker), scored()))
        assert best is not None and second is not None and best > 0.5 > second
        assert [n.score for n in both(SecondPassRerank(reranker=reranker, min_probability=0.5), scored())] == [best]
        assert both(SecondPassRerank(reranker=reranker, min_probability=1), scored()) == []

    def test_min_probability_of_the_default(self, cross_encoder: CrossEncoderReranker) -> None:
        """The embedded model needs no labels, with the retriever's prior and without it."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in ("Bread is baked.", "shutil.copy copies a file")]
        for prior in (True, False):
            rerank = SecondPassRerank(reranker=cross_encoder, min_probability=0.5, prior=prior)
            (kept,) = rerank.postprocess_nodes(nodes, query_str="how do I copy a file?")
            assert kept.text == "shutil.copy copies a file"
            assert rerank.postprocess_nodes(nodes, query_str="who won the world cup in 1990?") == []

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
    def test_long_texts_are_scored_whole(self, cross_encoder: CrossEncoderReranker) -> None:
        """The reranker reads windows of what is too long for it, however it is named, and its data says so."""
        postprocessor = SecondPassRerank(reranker="cross-encoder:ms-marco-MiniLM-L12-v2", top_n=1)
        nodes = scored(["knead the dough. " * 400 + BEST, "a tree has leaves"])
        assert [node.node_id for node in both(postprocessor, nodes)] == ["n0"]
        assert postprocessor.to_dict()["reranker"]["long_documents"] == "windows"
        same = SecondPassRerank(model="cross-encoder/ms-marco-MiniLM-L-12-v2", device="cpu", top_n=1)
        assert both(same, nodes) == both(postprocessor, nodes)
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

    def test_bad_min_probability(self) -> None:
        """It must be a number from 0 to 1, and something must calibrate the scores."""
        with pytest.raises(ConfigError, match="min_probability must be"):
            fake(min_probability=50)
        with pytest.raises(CompositionError, match="no calibrated probabilities"):
            fake(min_probability=0.5)

    def test_no_threshold_on_ordinal_scores(self) -> None:
        """It is refused where it is written, and without one such a reranker works."""
        with pytest.raises(CompositionError, match="ordinal"):
            SecondPassRerank(reranker=FakeReranker(scale="ordinal"), threshold=0.5)
        assert both(SecondPassRerank(reranker=FakeReranker(scale="ordinal")), scored())[0].text == BEST

    def test_bad_rerankers(self) -> None:
        """An unknown name, a wrong configuration and a wrong type are errors of ours."""
        with pytest.raises(RegistryError, match=r"there are the rerankers .* fake"):
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

    @pytest.mark.parametrize("wrong", ["a text", TextNode(text="a")])
    def test_what_is_no_node_with_a_score(self, wrong: Any) -> None:
        """It is refused with its place, by both ways of running."""
        message = rf"nodes\[1\] must be a NodeWithScore, not {type(wrong).__name__}"
        with pytest.raises(InputError, match=message):
            fake().postprocess_nodes([scored()[0], wrong], query_str=QUESTION)
        with pytest.raises(InputError, match=message):
            asyncio.run(fake().apostprocess_nodes([scored()[0], wrong], query_str=QUESTION))

    def test_bad_keep_retrieval_score(self) -> None:
        """It is True or False, and the error is ours."""
        with pytest.raises(ConfigError, match="keep_retrieval_score must be True or False, not 'yes'"):
            fake(keep_retrieval_score="yes")

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
            "min_probability": None,
            "keep_retrieval_score": True,
            "prior": True,
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
