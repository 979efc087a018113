"""Answers of language models: what is read from them, what is refused, what is counted."""

import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.llm.parsing import best, grade, permutation, probability_of_yes, visible
from secondpass.llm.types import Answer, CompletionError, TokenChoice


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", "[1]"),
        ("<think>[2] is good</think>\n[1]", "[1]"),
        ("[2] is good</think>[1]", "[1]"),
        ("</think>[1]", "[1]"),
        ("<think>a</think><think>b</think> c", "c"),
        ("<think>it went on for ever", ""),
        ("", ""),
    ],
)
def test_thoughts_are_no_answer(text: str, expected: str) -> None:
    """What stands in or before the end of a think block is left out, and so is one that never ends."""
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("text", "order", "counts"),
    [
        ('{"ranking": [3, 1, 2]}', [2, 0, 1], {}),
        ("[3, 1, 2]", [2, 0, 1], {}),
        ('```json\n{"ranking": [3, 1, 2]}\n```', [2, 0, 1], {}),
        ('Sure! {"ranking": ["3", "[1]", 2]} is it.', [2, 0, 1], {}),
        ('{"reasoning": "[1] is off topic, [2] answers", "ranking": [3, 1, 2]}', [2, 0, 1], {}),
        ('I read [1] and {some}. {"ranking": [3, 1, 2]}', [2, 0, 1], {}),
        ('{"read": [1, 2]} {"broken": } {"ranking": [3, 1, 2]', [2, 0, 1], {}),
        ('{"reasoning": "[1] is off topic, [2] answers"}', None, {}),
        ('{"reasoning": "[1] is off topic, [2] ans', None, {}),
        ('{"ranking": "[3] > [1] > [2]"}', [2, 0, 1], {}),
        ('{"note": "[2]"} [3] > [1] > [2]', [2, 0, 1], {}),
        ("I read [1]. [3, 1, 2]", [2, 0, 1], {}),
        ("[3]", [2, 0, 1], {"missing_ids": 2}),
        ("[3] > [1] > [2]", [2, 0, 1], {}),
        ("Of the 3 documents: [3] > [1] > [2]", [2, 0, 1], {}),
        ("3, 1, 2", [2, 0, 1], {}),
        ("3 > 1", [2, 0, 1], {"missing_ids": 1}),
        ('<think>[1] > [2] > [3]</think>{"ranking": [3, 2, 1]}', [2, 1, 0], {}),
        ('{"ranking": [3, 3, 1, 7, 0, -1]}', [2, 0, 1], {"unknown_ids": 3, "repeated_ids": 1, "missing_ids": 1}),
        ('{"ranking": [3, null, true, 1.5, {"id": 1}]}', [2, 0, 1], {"unknown_ids": 4, "missing_ids": 2}),
        ('{"ranking": [3.0, "1.0", "**2**",]}', [2, 0, 1], {}),
        ('{"ranking": [2, 3, 1', [1, 2, 0], {"missing_ids": 1}),  # the 1 may be the beginning of a 12
        ('{"ranking": [2, 3, ', [1, 2, 0], {"missing_ids": 1}),
        ('{"ranking": [7, 8]}', None, {"unknown_ids": 2}),
        ('{"ranking": []}', None, {}),
        ('{"order": [1, 2]}', None, {}),
        ('{"ranking": "3 1 2', None, {}),
        ("the third is best", None, {}),
        ("", None, {}),
        ("[" * 100_000, None, {}),
        ("9" * 5_000, None, {"unknown_ids": 1}),
        ('{"ranking": [' + "9" * 5_000 + "]}", None, {}),
    ],
)
def test_an_order_is_read_whatever_its_form(text: str, order: list[int] | None, counts: dict[str, int]) -> None:
    """JSON, fenced, in words, in brackets, cut off: what can be read is, and what is wrong with it counted."""
    counted: Counter[str] = Counter()
    assert permutation(text, 3, lambda name, times: counted.update({name: times})) == order
    assert dict(counted) == counts


@given(st.text() | st.lists(st.integers() | st.text(max_size=3)).map(lambda x: json.dumps({"ranking": x})))
def test_an_order_holds_every_document_once_or_is_none(text: str) -> None:
    """No text makes it fail, lose or double a document."""
    order = permutation(text, 5, lambda name, times: None)
    assert order is None or sorted(order) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"grade": 2}', 2),
        ("2", 2),
        ("[3]", 3),
        ("```json\n[3]\n```", 3),
        ('Document [1] answers the query completely. {"grade": 3}', 3),
        ('{"document": 1} {"grade": 3}', 3),
        ("Document [1] answers the query completely.", None),
        ("[1] is good, so [3]", None),
        ("[3", None),
        ('<think>maybe 1</think> {"grade": 0}', 0),
        ('{"grade": 2, "reason": "cut o', None),
        ('{"grade": 2,', 2),
        ('{"grade": 1', None),  # may be the beginning of a 10
        ('{"grade": 4}', None),
        ('{"grade": -1}', None),
        ('{"grade": 2.0}', 2),
        ('{"grade": 2.5}', None),
        ('{"grade": 1e400}', None),
        ('{"grade": true}', None),
        ('{"grade": "3"}', 3),
        ('{"grade": "3.0"}', 3),
        ('{"grade": " [3] "}', 3),
        ('{"grade": "**3**"}', 3),
        ('{"grade": "three"}', None),
        ('{"grade": "3 or 2"}', None),
        ('{"grade": "3', None),  # may be the beginning of a 30
        ('{"grade": 3,}', 3),
        ('{"grade": 3 , }', 3),
        ('{"grade": 3,} since [1] says so, in all', 3),
        ('{"why": "a,}", "grade": 3,\n}', 3),
        ('{"of": [1, 2,], "grade": 3}', 3),
        ('{"grade": 3,,}', None),
        ('{"why": "a \\", }{[", "grade": 3,', 3),
        ('{"why": "ends in \\\\", "grade": 3,', 3),
        ('{"why": "x", "all": [1, {"a": 2}], "grade": 3,', 3),
        ('{"why": "x"]}, "grade": 3}', None),
        ("**3**", 3),
        ("3.0", 3),
        ("3.", 3),
        ("`3`", 3),
        ('"3"', 3),
        ("```\n3.0\n```", 3),
        ("3.5", None),
        ("1.03", None),
        ("**[2]**", 2),
        ('{"grade": NaN}', None),
        ("I'd say 3", None),
        ("Grade: 3", 3),
        ("**Grade:** 3", 3),
        ("The grade is 3.", 3),
        ("grade = [2]", 2),
        ("3/3", 3),
        ("Grade: 2 / 3", 2),
        ("2/10", None),  # on another scale
        ("Document: 3", None),
        ("The grade isn't 3", None),
        ("Grade: 3, as [1] asks for", None),
        ("{'grade': 3}", 3),
        ("```json\n{'grade': 3,}\n```", 3),
        ("{'grade': 1", None),
        ('{"Grade": 3.0}', 3),
        ("", None),
    ],
)
def test_a_grade_keeps_the_schema_or_is_none(text: str, expected: int | None) -> None:
    """A number outside is refused, not clipped; other types are no grades."""
    assert grade(text, 3) == expected


def test_the_best_is_one_of_those_shown() -> None:
    """Numbers count from 1 in the prompt and from 0 here."""
    assert [best(f'{{"best": {number}}}', 3) for number in (0, 1, 3, 4)] == [None, 0, 2, None]
    assert best('Comparing with [1], the second is better. {"best": 2}', 2) == 1
    assert best("Comparing with [1], the second is better.", 2) is None
    assert (best("Best: [2]", 2), best("{'best': 1}", 2), best("Grade: 2", 2)) == (1, 0, None)


@pytest.mark.parametrize(
    "text", ['{"a"' * 50_000, '{"a":' * 40_000, '{"ranking":[1,' * 14_000, ('{"a": "' + "x" * 193) * 1000]
)
def test_objects_without_end_are_tried_only_so_often(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try reads to the end of the text, so that thousands would take minutes."""
    closed: list[str] = []
    monkeypatch.setattr("secondpass.llm.parsing._closed", lambda fragment: closed.append(fragment) or fragment)
    assert permutation(text, 3, lambda name, times: None) is None and len(closed) == 20
    assert grade(text, 3) is None and len(closed) == 40


def test_any_number_of_objects_may_stand_before_the_answer() -> None:
    """What can be read is read once, and so not counted."""
    text = '{"document": 1, "note": "[1]"}\n' * 500
    assert permutation(text + '{"ranking": [2, 1]}', 2, lambda name, times: None) == [1, 0]


def _choice(token: str, **probabilities: float) -> TokenChoice:
    return TokenChoice(token, tuple((name, math.log(p)) for name, p in probabilities.items()))


class TestProbabilityOfYes:
    def test_forms_of_yes_add_up(self) -> None:
        """Blanks, capitals and tokenizers' marks make no other word."""
        token = _choice(" Yes", **{" Yes": 0.3, "yes": 0.1, "\u2581YES": 0.2, "No": 0.2, "\u0120no": 0.1})
        assert probability_of_yes(Answer("Yes", (token,))) == pytest.approx(0.6 / 0.9)

    def test_the_deciding_token_comes_after_thoughts(self) -> None:
        """A yes within the thoughts decides nothing; thoughts without an end decide nothing at all."""
        thoughts = [_choice("<think>", x=0.9), _choice("yes", yes=0.9, no=0.1)]
        answer = [_choice("</think>", x=0.9), _choice("\n", x=0.9), _choice("No", Yes=0.2, No=0.8)]
        assert probability_of_yes(Answer("No", (*thoughts, *answer))) == pytest.approx(0.2)
        assert probability_of_yes(Answer("", tuple(thoughts))) is None
        at_once = [*thoughts, _choice("</think>", x=0.9), _choice("Yes", Yes=0.75, No=0.25), _choice(".", x=1.0)]
        assert probability_of_yes(Answer("Yes.", tuple(at_once))) == pytest.approx(0.75)

    def test_the_end_of_thoughts_may_be_cut_into_tokens(self) -> None:
        """Wherever that is, what comes right after it decides, and nothing later."""
        for pieces in (["</think>"], ["</think", ">"], ["<", "/think>"], ["so</", "think", ">"], ["</think>\n"]):
            for token in (_choice("Y", y=0.9, yes=0.1), _choice("Yes", Yes=0.75, No=0.25)):
                tokens = [_choice("yes", yes=0.9, no=0.1), *(_choice(piece, x=0.9) for piece in pieces), token]
                later = _choice("No", Yes=0.1, No=0.9)
                wanted = 0.75 if token.token == "Yes" else 0.1
                assert probability_of_yes(Answer("", (*tokens, later))) == pytest.approx(wanted)

    def test_no_probability_is_above_one(self) -> None:
        """Though a server's log-probability is."""
        token = TokenChoice("Yes", (("Yes", 0.4), ("No", math.log(0.5))))
        assert probability_of_yes(Answer("Yes", (token,))) == pytest.approx(2 / 3)

    def test_what_is_no_log_probability_says_nothing(self) -> None:
        """As of a function that stands for a model: the others decide, or nothing does."""
        token = TokenChoice("Yes", (("Yes", math.nan), ("yes", math.log(0.6)), ("No", math.log(0.2))))
        assert probability_of_yes(Answer("Yes", (token,))) == pytest.approx(0.75)
        assert probability_of_yes(Answer("Yes", (TokenChoice("Yes", (("Yes", math.nan),)),))) is None

    def test_a_missing_side_is_at_most_what_is_left(self) -> None:
        """No is not listed: it can have no more than the least listed one, and no more than the rest of 1."""
        assert probability_of_yes(Answer("Yes", (_choice("Yes", Yes=0.9, a=0.06),))) == pytest.approx(0.9 / 0.94)
        assert probability_of_yes(Answer("Yes", (_choice("Yes", Yes=0.9, a=0.01),))) == pytest.approx(0.9 / 0.91)

    def test_another_first_word_is_read_by_its_odds(self) -> None:
        """A model that starts otherwise still had its odds there; without any of both there is no score."""
        assert probability_of_yes(Answer("Well", (_choice("Well", Well=0.8, Yes=0.03, No=0.01),))) == pytest.approx(
            0.75
        )
        assert probability_of_yes(Answer("Well", (_choice("Well", Well=0.8, Hm=0.1),))) is None

    def test_no_answer_is_none_but_no_logprobs_an_error(self) -> None:
        """An empty or refused answer has no score; an answer without log-probabilities is the server's fault."""
        assert probability_of_yes(Answer("")) is None
        assert probability_of_yes(Answer("no way", refused=True)) is None
        for tokens in (None, (TokenChoice("Yes"),)):
            with pytest.raises(CompletionError, match="no log-probabilities"):
                probability_of_yes(Answer("Yes", tokens))
