"""Requests, rankings and traces."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.types import RankedDocument, Ranking, Request, Scale, Trace, is_blank, printable


def _ranking(scale: Scale = Scale.LOGIT) -> Ranking:
    documents = ["second", {"text": "first", "id": 7, "metadata": {"page": 3}}, "third"]
    ranked = [(1, 2.5), (0, 0.5), (2, -1.0)]
    return Ranking(
        "q",
        tuple(RankedDocument(at, rank, score, documents[at]) for rank, (at, score) in enumerate(ranked, start=1)),
        scale,
    )


class TestRequest:
    def test_texts_are_read_from_strings_and_mappings(self) -> None:
        """A document is a text or a mapping with one, and both may stand in one request."""
        assert Request("q", ["a", {"text": "b", "id": 1}]).texts == ("a", "b")

    @given(st.text(alphabet=st.characters(), min_size=1), st.lists(st.text(alphabet=st.characters())))
    def test_texts_can_always_be_encoded_and_keep_their_length(self, query: str, documents: list[str]) -> None:
        """Lone surrogates are replaced one for one, everything else stays, and the documents themselves too."""
        if not query.strip():
            return
        request = Request(query, documents)
        assert [len(text) for text in request.texts] == [len(document) for document in documents]
        for text, document in zip([request.query, *request.texts], [query, *documents], strict=True):
            text.encode("utf-8")
            assert text == re.sub("[\ud800-\udfff]", "\ufffd", document)
        assert list(request.documents) == documents

    @pytest.mark.parametrize(
        ("query", "documents", "k", "message"),
        [
            (None, ["a"], None, "query must be a str, not NoneType"),
            (3, ["a"], None, "query must be a str, not int"),
            ("", ["a"], None, "query is empty"),
            ("\t ", ["a"], None, "query is empty"),
            ("q", "a text", None, "not str"),
            ("q", {"text": "a"}, None, "not dict"),
            ("q", {"a", "b"}, None, "not a set: without an order"),
            ("q", None, None, "not NoneType"),
            ("q", ["a", None], None, r"documents\[1\] is of type NoneType"),
            ("q", [b"bytes"], None, r"documents\[0\] is of type bytes"),
            ("q", [{"content": "a"}], None, r"documents\[0\] is a mapping without a str under 'text'"),
            ("q", ["a"], 0, "k must be a whole number of at least 1, or None, not 0"),
            ("q", ["a"], 2.0, "k must be a whole number of at least 1, or None, not 2.0"),
            ("q", ["a"], True, r"k must be .* not True \(a bool\)"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, query: object, documents: object, k: object, message: str) -> None:
        """Each kind of wrong input gets an error that says what and where."""
        with pytest.raises(InputError, match=message):
            Request(query, documents, k)  # type: ignore[arg-type]

    def test_any_iterable_of_documents_will_do(self) -> None:
        """A generator is read once, in order."""
        assert Request("q", (letter for letter in "abc")).texts == ("a", "b", "c")  # type: ignore[arg-type]
        assert Request("q", dict.fromkeys("abc").keys()).texts == ("a", "b", "c")  # type: ignore[arg-type]


class TestRanking:
    def test_it_is_a_sequence(self) -> None:
        """It has a length, indices, slices, an iterator and membership."""
        ranking = _ranking()
        assert len(ranking) == 3
        assert ranking[0].text == "first" and ranking[-1].index == 2
        assert [document.rank for document in ranking] == [1, 2, 3]
        assert ranking[:2] == ranking.documents[:2]
        assert ranking[1] in ranking
        assert ranking.texts == ["first", "second", "third"]

    def test_documents_show_what_was_passed(self) -> None:
        """Id and metadata come from a mapping, and are empty for a text."""
        first, second, _ = _ranking()
        assert (first.id, first.metadata) == (7, {"page": 3})
        assert (second.id, second.metadata) == (None, {})

    def test_top_and_above_keep_the_best(self) -> None:
        """`top` counts, `above` includes the threshold itself, and None keeps all."""
        ranking = _ranking()
        assert ranking.top(2).texts == ["first", "second"]
        assert ranking.above(0.5).texts == ["first", "second"]
        assert ranking.top(None).texts == ranking.above(None).texts == ranking.texts
        assert len(ranking.above(99)) == 0

    def test_ordinal_scores_take_no_threshold(self) -> None:
        """A number means nothing on an ordinal scale, so `above` refuses."""
        with pytest.raises(ConfigError, match="use k"):
            _ranking(Scale.ORDINAL).above(0.5)

    def test_it_is_plain_data(self) -> None:
        """`to_dict` is JSON, without empty fields."""
        plain = json.loads(json.dumps(_ranking().to_dict()))
        assert plain["documents"][0] == {
            "rank": 1,
            "index": 1,
            "score": 2.5,
            "text": "first",
            "id": 7,
            "metadata": {"page": 3},
        }
        assert plain["documents"][1] == {"rank": 2, "index": 0, "score": 0.5, "text": "second"}
        assert plain["scale"] == "logit"

    def test_it_prints_as_a_table(self) -> None:
        """The text shows rank, score and index; long texts and long lists are cut with a mark."""
        assert "   1     2.5000  [1] first" in repr(_ranking())
        many = Ranking("q", tuple(RankedDocument(at, at + 1, 0.0, "x " * 500) for at in range(12)), Scale.LOGIT)
        assert "and 2 more" in repr(many) and "…" in repr(many)
        assert max(map(len, repr(many).splitlines())) < 120

    def test_html_escapes_hostile_documents(self) -> None:
        """A retrieved document can't put markup into a notebook."""
        hostile = Ranking("<b>", (RankedDocument(0, 1, 0.0, "<img src=x onerror=alert(1)>"),), Scale.LOGIT)
        html = hostile._repr_html_()
        assert "<img" not in html and "&lt;img" in html and "&lt;b&gt;" in html

    def test_documents_cannot_steer_a_terminal(self) -> None:
        """Escape sequences are shown as what they are not: replaced."""
        hostile = Ranking("q", (RankedDocument(0, 1, 0.0, "\x1b]0;owned\x1b\\ \x9b31m red"),), Scale.LOGIT)
        assert "\x1b" not in repr(hostile) and "\x9b" not in repr(hostile)

    def test_nothing_that_is_shown_steers_a_screen_or_turns_the_text(self) -> None:
        """In a notebook, query and documents lose their controls, those that reverse what stands behind them too."""
        hostile = Ranking("a\x1b[2J\u202eb\u2066c", (RankedDocument(0, 1, 0.0, "d\x07\u202ee"),), Scale.LOGIT)
        shown = hostile._repr_html_()
        assert not set("\x1b\x07\u202e\u2066") & set(shown)
        assert "a\ufffd[2J\ufffdb\ufffdc" in shown and "d\ufffd\ufffde" in shown
        long = Ranking("q" * 1000, (), Scale.LOGIT)
        assert len(long._repr_html_()) < 500

    @given(st.text())
    def test_what_is_printable_keeps_its_length(self, text: str) -> None:
        """Each character is itself or U+FFFD, so that offsets stay right; letters are never touched."""
        shown = printable(text)
        assert len(shown) == len(text)
        assert all(new in (old, "\ufffd") for old, new in zip(text, shown, strict=True))
        assert all(new == old for old, new in zip(text, shown, strict=True) if old.isalnum())

    def test_a_threshold_is_a_number(self) -> None:
        """One of numpy's is one, NaN and a text are not."""
        import numpy as np

        assert len(_ranking().above(np.float32(0.5))) == 2
        for bad in (float("nan"), "x", True):
            with pytest.raises(ConfigError, match="finite number"):
                _ranking().above(bad)  # type: ignore[arg-type]


class TestTrace:
    def test_total_sums_over_the_stages(self) -> None:
        """A count of a whole pipeline is that of all its parts."""
        inner = Trace("inner", counts={"pairs": 3})
        assert Trace("outer", counts={"pairs": 2}, stages=(inner, inner)).total("pairs") == 8
        assert inner.total("nothing") == 0

    def test_it_is_plain_data(self) -> None:
        """`to_dict` nests the stages."""
        plain = Trace("outer", 0.5, {"pairs": 1}, ("note",), (Trace("inner"),)).to_dict()
        assert json.loads(json.dumps(plain))["stages"][0]["name"] == "inner"
        assert plain["notes"] == ["note"] and plain["counts"] == {"pairs": 1}


@pytest.mark.parametrize(
    "text",
    [
        *("", " \n\t", "\u200b\ufeff\u2060", "\x00\x1f", "...", "\u2014 \u2013 _", "\u3164\u2800\uffa0", "\u0301"),
        *(
            "|  |  |\n|:--|--:|\n|  |  |",
            "+---+===+\n|   |   |",
            "=====\n~~~~~",
            "\u250c\u2500\u2510",
            "\u25e6 \u25aa \u2022",
        ),
    ],
)
def test_what_shows_nothing_is_blank(text: str) -> None:
    """Spaces, what has no width, controls, punctuation, fillers, lone marks, and what draws lines and bullets."""
    assert is_blank(text) and Request("q", [text, "a"]).blank == (True, False)


@pytest.mark.parametrize(
    "text", ["a", " é.", "7", "½", "日", "ไทย", "$", "+", "- 1 +", "\u2192", "🙂", "\ud800", "\u3164a"]
)
def test_a_letter_a_digit_or_a_symbol_is_not_blank(text: str) -> None:
    """One is enough; what can't be encoded stands for something, too."""
    assert Request("q", [text]).blank == (False,)


def test_a_request_without_its_blank_documents() -> None:
    """Ids, scores and k stay; a request that has none is itself."""
    request = Request("q", ["", {"text": "a", "id": 7}, "b"], k=2, initial_scores=[3, 2, 1])
    kept = request.without_blanks()
    assert (kept.documents, kept.k, kept.initial_scores) == (({"text": "a", "id": 7}, "b"), 2, (2.0, 1.0))
    assert kept.without_blanks() is kept


@pytest.mark.parametrize("scores", [[10**400], ["a"], [float("nan")], [1.0, 2.0], 3])
def test_initial_scores_are_a_finite_number_for_each_document(scores: object) -> None:
    """Also a whole number that no float can hold is an error of ours."""
    with pytest.raises(InputError, match="initial_scores must be"):
        Request("q", ["a"], initial_scores=scores)  # type: ignore[arg-type]
