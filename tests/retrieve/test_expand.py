"""Query expansion: each way to say it differently, and a first stage that searches for all of them."""

import logging
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import CompositionError, ConfigError, InputError, MissingExtraError, SecondPassWarning
from secondpass.retrieve import BM25Retriever, HybridRetriever, RetrieveRerank
from secondpass.retrieve.expand import (
    ExpandedRetriever,
    Expander,
    FeedbackExpander,
    FunctionExpander,
    SynonymExpander,
    TemplateExpander,
)
from secondpass.testing import FakeReranker
from secondpass.types import Ranking, Scale

_DOCUMENTS = [
    {"id": "copy", "text": "shutil.copy duplicates a file with its permissions."},
    {"id": "weather", "text": "The weather will be sunny all week."},
    {"id": "remove", "text": "os.remove deletes a file."},
    {"id": "move", "text": "Relocating documents keeps their permissions."},
    {"id": "dough", "text": "Knead the dough and let it rest for an hour."},
]


class _Recorder(BM25Retriever):
    """Notes what is searched for."""

    def __init__(self) -> None:
        super().__init__()
        self.searched: list[tuple[list[str], int]] = []

    def search(self, queries: Any, k: int = 10) -> Any:
        if not isinstance(queries, str):
            self.searched.append((list(queries), k))
        return super().search(queries, k)


def _fixed(*variants: str) -> FunctionExpander:
    return FunctionExpander(lambda query: list(variants))


def _expanded(*expanders: Any, **settings: Any) -> ExpandedRetriever:
    return ExpandedRetriever(_Recorder(), list(expanders), **settings).index(_DOCUMENTS)


def _searched(retriever: ExpandedRetriever) -> list[tuple[list[str], int]]:
    recorder = retriever.retriever
    assert isinstance(recorder, _Recorder)
    return recorder.searched


class TestSynonyms:
    def test_each_synonym_makes_a_variant(self) -> None:
        """One word at a time, in the order of the query, whole words in any case, phrases too."""
        expander = SynonymExpander({"file": ["document"], "copy": ["duplicate", "clone"], "python 3": ["CPython"]})
        assert expander.expand("Copy a file in Python 3, not profile", []) == [
            "duplicate a file in Python 3, not profile",
            "clone a file in Python 3, not profile",
            "Copy a document in Python 3, not profile",
            "Copy a file in CPython, not profile",
        ]
        assert expander.expand("nothing known", []) == []
        phrase = SynonymExpander({"new  york": ["NYC"]})
        assert phrase.expand("flats in New\tYork", []) == phrase.expand("flats in new york", []) == ["flats in NYC"]

    def test_signs_mean_themselves(self) -> None:
        """Neither words nor synonyms are patterns."""
        assert SynonymExpander({"c++": [r"\1 \g<0>"]}).expand("use c++ here", []) == [r"use \1 \g<0> here"]
        assert SynonymExpander({".": ["x"]}).expand("abc", []) == []

    @pytest.mark.parametrize("synonyms", [["a"], {"a": "b"}, {"a": [1]}, {"": ["b"]}, {"a": [" "]}, {1: ["b"]}])
    def test_bad_ones_are_refused(self, synonyms: Any) -> None:
        """A text in place of a list would be taken letter by letter."""
        with pytest.raises(ConfigError, match="synonyms"):
            SynonymExpander(synonyms)


class TestTemplates:
    def test_the_query_is_put_in(self) -> None:
        """Other braces stay, and what looks like a template in the query does too."""
        expander = TemplateExpander(["what is {query}?", "{x} {query} {0.__class__}"])
        assert expander.expand("{query!r} {x}", []) == ["what is {query!r} {x}?", "{x} {query!r} {x} {0.__class__}"]

    @pytest.mark.parametrize("templates", ["{query}", [], ["no place"], [None], 3])
    def test_bad_ones_are_refused(self, templates: Any) -> None:
        """Each needs a place for the query."""
        with pytest.raises(ConfigError, match="template"):
            TemplateExpander(templates)


class TestFeedback:
    def test_words_are_weighed_by_share_and_rank(self) -> None:
        """By hand: alpha 1/4 + 1/8, gamma 1/2 + 1/16 (twice in the first), beta in one document only."""
        documents = ["gamma gamma alpha beta", "alpha delta gamma query", "delta"]
        # alpha: 1/4 + 1/8 = 0.375; gamma: 2/4 + 1/8 = 0.625; delta: 1/8 + 1/3 = 0.458; beta: one document.
        assert FeedbackExpander().expand("Query", documents) == ["Query gamma delta alpha"]
        assert FeedbackExpander(terms=1).expand("Query", documents) == ["Query gamma"]
        assert FeedbackExpander(min_documents=1).expand("Query", documents) == ["Query gamma delta alpha beta"]

    def test_words_that_say_nothing_are_left_out(self) -> None:
        """Stop words, numbers, single letters and the query's own words; ties are in order of the alphabet."""
        documents = ["the zebra and 2024 x ape Copy"] * 2
        assert FeedbackExpander().expand("copy", documents) == ["copy ape zebra"]
        assert FeedbackExpander(stop_words=["ape"]).expand("copy", documents) == ["copy and the zebra"]

    def test_nothing_found_gives_no_variant(self) -> None:
        """No documents, or none with words; a single one is enough for its words to count."""
        assert FeedbackExpander().expand("q", []) == FeedbackExpander().expand("q", ["", "!"]) == []
        assert FeedbackExpander().expand("q", ["only word"]) == ["q word"]

    @pytest.mark.parametrize("settings", [{"depth": 0}, {"terms": 1.5}, {"min_documents": True}])
    def test_bad_settings_are_refused(self, settings: dict[str, Any]) -> None:
        """Naming the setting."""
        with pytest.raises(ConfigError, match=f"{next(iter(settings))} must be a whole number"):
            FeedbackExpander(**settings)

    @pytest.mark.parametrize("stop_words", ["the a", 5, [["a"]], [None]])
    def test_stop_words_are_a_list(self, stop_words: Any) -> None:
        """A text would be taken letter by letter."""
        with pytest.raises(ConfigError, match="stop_words must be a list of words, or None"):
            FeedbackExpander(stop_words=stop_words)


class TestFunctions:
    def test_a_function_gives_variants(self) -> None:
        """The first `max_variants` of them, without blank ones."""
        assert FunctionExpander(lambda query: [query + "?", " ", "b", "c"], max_variants=2).expand("a", []) == [
            "a?",
            "b",
        ]

    def test_bad_settings_are_refused(self) -> None:
        """It must be a function, and the number one."""
        with pytest.raises(ConfigError, match="must be a function from a query"):
            FunctionExpander(3)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="max_variants"):
            FunctionExpander(len, max_variants=0)  # type: ignore[arg-type]


class TestSearch:
    def test_a_synonym_finds_what_the_query_does_not(self) -> None:
        """The document without any word of the query comes back, with who found it and at which rank."""
        retriever = _expanded(SynonymExpander({"move": ["relocating"]}))
        assert [hit.id for hit in retriever.retriever.search("move file")] == ["remove", "copy"]
        ranking = retriever.search("move file")
        assert {hit.id for hit in ranking} == {"remove", "copy", "move"}
        by_id = {hit.id: hit for hit in ranking}
        assert by_id["move"].explanation == {"found_by": {"relocating file": 1}}
        assert by_id["remove"].explanation == {"found_by": {"move file": 1, "relocating file": 2}}
        assert by_id["move"].document is _DOCUMENTS[3] and by_id["move"].index == 3
        assert ranking.query == "move file" and ranking.scale is Scale.ORDINAL
        assert ranking.trace.name == "ExpandedRetriever" and ranking.trace.latency_s > 0
        assert ranking.trace.counts["variants"] == 2 and ranking.trace.stages[0].name == "_Recorder"

    def test_reciprocal_rank_fusion(self) -> None:
        """By hand: the sum of 1 / (60 + rank) over the variants."""
        ranking = _expanded(_fixed("relocating file")).search("move file")
        scores = {hit.id: hit.score for hit in ranking}
        expected = {"remove": 1 / 61 + 1 / 62, "copy": 1 / 62 + 1 / 63, "move": 1 / 61}
        assert scores == pytest.approx(expected)
        assert [hit.id for hit in ranking] == ["remove", "copy", "move"]
        assert [hit.rank for hit in ranking] == [1, 2, 3]

    def test_maximum(self) -> None:
        """A document's best score over the variants, as the retriever gave it."""
        retriever = _expanded(_fixed("relocating file"), fusion="max")
        single = [retriever.retriever.search(query) for query in ("move file", "relocating file")]
        best: dict[int, float] = {}
        for hit in (*single[0], *single[1]):
            best[hit.index] = max(best.get(hit.index, 0), hit.score)
        assert {hit.index: hit.score for hit in retriever.search("move file")} == best

    def test_ties_go_to_the_better_rank_and_then_to_the_first_in_the_corpus(self) -> None:
        """Two variants that each find one document at rank 1: the order is that of the corpus."""
        ranking = _expanded(_fixed("dough", "weather"), include_original=False).search("xyz")
        assert [(hit.id, hit.score) for hit in ranking] == [("weather", 1 / 61), ("dough", 1 / 61)]

    def test_equal_variants_are_searched_once(self) -> None:
        """Those of several expanders and of several queries, white space aside, in one search."""
        retriever = _expanded(_fixed("sunny", "dough"), _fixed(" sunny ", "weather", "sunny"))
        first, second = retriever.search(["weather", "dough"], 2)
        assert _searched(retriever) == [(["weather", "sunny", "dough"], 2)]
        assert first.trace.counts["variants"] == second.trace.counts["variants"] == 3

    def test_feedback_searches_first_and_not_twice(self) -> None:
        """The query's own results serve the feedback and the fusion; only what is new is searched then."""
        retriever = _expanded(FeedbackExpander(depth=4, min_documents=1, terms=2))
        ranking = retriever.search("deletes file", 2)
        (first, depth), (second, second_depth) = _searched(retriever)
        assert (first, depth, second_depth) == (["deletes file"], 4, 2)
        assert len(second) == 1 and second[0].startswith("deletes file ")
        assert len(ranking) == 2 and len(ranking.trace.stages) == 2
        assert all(rank <= 2 for hit in ranking for rank in hit.explanation["found_by"].values())

    def test_each_expander_sees_as_many_documents_as_it_wants(self) -> None:
        """One that wants none gets none, even when another one wants some."""

        class Seen(Expander):
            def __init__(self, depth: int) -> None:
                self.depth, self.seen = depth, -1

            def expand(self, query: str, documents: Sequence[str]) -> list[str]:
                self.seen = len(documents)
                return []

        expanders = [Seen(0), Seen(1), Seen(2)]
        _expanded(*expanders).search("file")
        assert [expander.seen for expander in expanders] == [0, 1, 2]

    def test_depth_and_k(self) -> None:
        """`depth` documents by each variant, `k` in all."""
        retriever = _expanded(_fixed("permissions"), depth=1)
        assert len(retriever.search("file", 5)) == 2
        assert len(retriever.search("file", 1)) == 1
        assert len(_expanded(_fixed("permissions")).search("file", None)) == 3
        assert {k for _, k in _searched(retriever)} == {1}

    def test_without_the_original(self) -> None:
        """Only the variants are searched; where there is none, the query is."""
        retriever = _expanded(SynonymExpander({"meteorology": ["weather"]}), include_original=False)
        assert [hit.id for hit in retriever.search("meteorology file")] == ["weather", "remove", "copy"]
        assert _searched(retriever) == [(["weather file"], 5)]
        assert [hit.id for hit in retriever.search("dough")] == ["dough"]

    def test_no_more_variants_than_allowed(self) -> None:
        """The rest is counted and noted; the query itself is first."""
        retriever = _expanded(TemplateExpander([f"{{query}} {number}" for number in range(9)]), max_variants=3)
        ranking = retriever.search("file")
        assert _searched(retriever) == [(["file", "file 0", "file 1"], 5)]
        assert ranking.trace.counts["variants_left_out"] == 7
        assert ranking.trace.notes == ("7 variants were left out: max_variants is 3",)

    def test_the_same_every_time(self) -> None:
        """Two instances give the same rankings, explanations and all."""
        expanders = [FeedbackExpander(min_documents=1), SynonymExpander({"file": ["document", "folder"]})]
        one, other = (_expanded(*expanders).search("copy file").documents for _ in range(2))
        assert one == other

    @given(st.lists(st.text(max_size=12), max_size=6), st.text(min_size=1, max_size=12).filter(str.strip))
    def test_any_texts_are_searched(self, variants: list[str], query: str) -> None:
        """Blank, broken and foreign variants and queries never fail, and no document comes back twice."""
        retriever = _PROPERTY
        synonyms = SynonymExpander({"a": [variant for variant in variants if variant.strip()]})
        retriever.expanders = (_fixed(*variants), FeedbackExpander(), synonyms)
        ranking = retriever.search(query, 3)
        found = [hit.index for hit in ranking]
        assert len(found) == len(set(found)) <= 3 and ranking.trace.counts["expanders_failed"] == 0


_PROPERTY = ExpandedRetriever(BM25Retriever(), [len]).index(_DOCUMENTS)


class TestFailures:
    @pytest.mark.parametrize(
        ("function", "reason"),
        [
            (lambda query: 1 / 0, "ZeroDivisionError: division by zero"),
            (lambda query: "a text", "SecondPassError: variants of a query must be a list of texts, not a str"),
            (lambda query: None, "SecondPassError: variants of a query must be a list of texts, not a NoneType"),
            (lambda query: ["a", 3], "SecondPassError: a variant of a query must be a text, not a int"),
        ],
    )
    def test_a_failing_expander_is_left_out(self, function: Any, reason: str, caplog: pytest.LogCaptureFixture) -> None:
        """The others go on; the trace counts it and says why, and it is logged with its traceback."""
        retriever = _expanded(function, _fixed("weather"))
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = retriever.search("file")
        assert {hit.id for hit in ranking} == {"copy", "remove", "weather"}
        assert ranking.trace.counts["expanders_failed"] == 1
        assert ranking.trace.notes[0].endswith(f"failed and was left out: {reason}")
        (record,) = (record for record in caplog.records if record.name == "secondpass.retrieve.expand")
        assert record.exc_info is None and "was left out" in record.getMessage()

    @pytest.mark.parametrize("error", [ConfigError("no key"), MissingExtraError("no package"), SecondPassWarning("no")])
    def test_what_is_not_set_up_is_told(self, error: Exception) -> None:
        """What no query can mend is raised, as is a warning that the caller made an error."""

        def function(query: str) -> list[str]:
            raise error

        with pytest.raises(type(error)):
            _expanded(function, _fixed("weather")).search("file")

    def test_when_all_fail_the_query_is_searched(self) -> None:
        """Even where the original was not to be included."""
        ranking = _expanded(lambda query: 1 / 0, include_original=False).search("dough")
        assert [hit.id for hit in ranking] == ["dough"] and ranking.trace.counts["expanders_failed"] == 1

    def test_bad_input_is_refused_before_any_expander_is_asked(self) -> None:
        """An expander may cost money."""
        asked: list[str] = []
        retriever = ExpandedRetriever(BM25Retriever(), lambda query: asked.append(query) or [])
        with pytest.raises(InputError, match="ExpandedRetriever has no documents yet"):
            retriever.search("q")
        retriever.index(_DOCUMENTS)
        for queries, k in [(["good", " "], 1), ([None], 1), (3, 1), ("q", 0)]:
            with pytest.raises(InputError):
                retriever.search(queries, k)  # type: ignore[call-overload]
        assert asked == [] and retriever.search([]) == []

    @pytest.mark.parametrize(
        ("build", "error", "message"),
        [
            (lambda: ExpandedRetriever(FakeReranker(), len), CompositionError, "wraps a Retriever, not a FakeReranker"),
            (lambda: _expanded(), ConfigError, "at least one expander"),
            (lambda: _expanded("sunny"), ConfigError, "must be a function from a query"),
            (lambda: _expanded(len, fusion="sum"), ConfigError, "fusion must be 'rrf' or 'max', not 'sum'"),
            (
                lambda: _expanded(len, depth=0),
                ConfigError,
                "depth must be a whole number of at least 1, or None, not 0",
            ),
            (lambda: _expanded(len, max_variants=0), ConfigError, "max_variants must be a whole number of at least 1"),
            (lambda: _expanded(len, max_variants=None), ConfigError, "max_variants must be .*, not None"),
        ],
    )
    def test_bad_settings_are_refused(self, build: Any, error: type[Exception], message: str) -> None:
        """At construction."""
        with pytest.raises(error, match=message):
            build()


class TestAsARetriever:
    def test_the_second_stage_gets_the_original_query(self) -> None:
        """In `RetrieveRerank` the candidates of all variants are scored against what was asked."""
        first = ExpandedRetriever(BM25Retriever(), SynonymExpander({"move": ["relocating"]}))
        search = RetrieveRerank(first, FakeReranker(), depth=5).index(_DOCUMENTS)
        (ranking,) = search.search(["move documents"])
        expected = FakeReranker().score("move documents", [_DOCUMENTS[hit.index] for hit in ranking])
        assert [hit.score for hit in ranking] == expected.tolist() and ranking[0].id == "move"
        assert ranking.query == "move documents"
        assert [stage.name for stage in ranking.trace.stages] == ["ExpandedRetriever", "FakeReranker"]

    def test_the_index_is_the_wrapped_ones(self, tmp_path: Path) -> None:
        """Indexing, length, settings and saving are its; a saved one is loaded and wrapped again."""
        retriever = _expanded(_fixed("weather"))
        assert len(retriever) == len(retriever.retriever) == 5 and retriever.settings == retriever.retriever.settings
        again = ExpandedRetriever(BM25Retriever().index(_DOCUMENTS), _fixed("weather"))
        again.save(tmp_path / "index")
        loaded = ExpandedRetriever(BM25Retriever.load(tmp_path / "index"), _fixed("weather"))
        assert loaded.search("file").documents == retriever.search("file").documents
        with pytest.raises(ConfigError, match="load the retriever that was wrapped"):
            ExpandedRetriever.load(tmp_path / "index")

    def test_what_could_not_be_loaded_is_not_saved(self, tmp_path: Path) -> None:
        """A retriever that searches with an expanded one among others says so, and leaves nothing behind."""
        both = HybridRetriever([_expanded(_fixed("weather")), BM25Retriever()]).index(_DOCUMENTS)
        with pytest.raises(ConfigError, match="expanders are not saved: save the retriever that is wrapped"):
            both.save(tmp_path / "index")
        assert list(tmp_path.iterdir()) == []

    def test_they_nest(self) -> None:
        """An expanded retriever can be expanded, by its own kind."""
        inner = _expanded(_fixed("weather"))
        found = ExpandedRetriever(inner, _fixed("dough")).search("file")
        assert isinstance(found, Ranking) and {hit.id for hit in found} == {"copy", "remove", "weather", "dough"}

    def test_expanders_that_are_data_can_be_pickled(self) -> None:
        """And expand as before."""
        for expander in (SynonymExpander({"move": ["go"]}), TemplateExpander(["x {query}"]), FeedbackExpander()):
            restored = pickle.loads(pickle.dumps(expander))
            assert restored.expand("move", ["one word"]) == expander.expand("move", ["one word"]) != []

    def test_it_says_what_it_is(self) -> None:
        """The retriever, the expanders and the fusion."""
        shown = repr(ExpandedRetriever(BM25Retriever(), [FeedbackExpander(), len]))
        assert shown.startswith("ExpandedRetriever(BM25Retriever(") and "FunctionExpander(len)" in shown
        assert shown.endswith("fusion='rrf')")
