"""How a verification is shown: nothing in it can steer a terminal or a page."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.types import Trace
from secondpass.verify.reasons import Data, described, relevant, telling, told, what_was_done
from secondpass.verify.report import page
from secondpass.verify.types import CheckedClaim, Citation, Claim, Evidence, Mismatch, Span, Verdict, Verification
from tests.browser import Browser

HOSTILE = "<script>alert('x')</script> \" & \x1b[31m\x9b \ud800"
VOID = {"br", "col", "hr", "img"}
OPTIONAL_END = {"td", "th", "tr", "li"}


class Page(HTMLParser):
    """Collects tags, ids and links, and checks that tags which must be closed are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in ("style", "id", "href", "title") for name, _ in attrs)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def example(text: str = "It is so.", evidence: str = "proof", identity: object = None) -> Verification:
    """Return a verification of three claims."""
    found = Evidence(0, identity, 2, 7, evidence, 0.9, 0.08, 0.02)
    claims = (
        CheckedClaim(Claim(text, 0, len(text), 0), Verdict.SUPPORTED, 0.93, (found,), reason=evidence),
        CheckedClaim(Claim("Second.", len(text) + 1, len(text) + 8, 1), Verdict.CONTRADICTED, 0.1, (found,), (found,)),
        CheckedClaim(Claim("Hello!", len(text) + 9, len(text) + 15, 2, False, "a greeting"), Verdict.NOT_CHECKABLE),
    )
    return Verification(f"{text} Second. Hello!", claims, False, "flag", "", Trace(notes=(evidence,)))


def test_the_text_says_everything_at_a_glance() -> None:
    """The first line sums up; each claim has a line with verdict, probability and evidence or reason."""
    lines = repr(example(evidence="see there")).splitlines()
    assert lines[:2] == [
        "Verification: not passed; 1 of 2 checkable claims supported",
        "  policy: flag: the answer is as it was",
    ]
    assert re.fullmatch(r"  ✓ supported +0\.93 +It is so\.", lines[2])
    assert [line.strip() for line in lines[3:5]] == ["see there", "✓ supports, passage 1: see there"]
    assert re.fullmatch(r"  ✗ contradicted +0\.10 +Second\.", lines[5])
    assert [line.strip() for line in lines[6:8]] == [
        "passage 1 says otherwise",
        "✗ contradicts, passage 1: see there",
    ]
    assert re.fullmatch(r"  · not checkable +Hello!", lines[8]) and lines[9].strip() == "a greeting"


def claim(
    text: str, verdict: Verdict, found: Sequence[Evidence] = (), against: Sequence[Evidence] = (), **more: Any
) -> Data:
    """Return a checked claim as data."""
    return CheckedClaim(Claim(text, 0, len(text), 0), verdict, 0.5, tuple(found), tuple(against), **more).to_dict()


class TestReasons:
    def test_what_the_source_says_instead(self) -> None:
        """The words that differ, where the rest of the sentence is the same; else that a passage says otherwise."""
        text = "asyncio.timeout() came in Python 3.11. The factory was added in Python 3.12."
        window = Evidence(0, None, 0, len(text), text, 0.02, 0.04, 0.94)
        against = claim("The factory was added in Python 3.11.", Verdict.CONTRADICTED, [window], [window])
        assert told(against) == "the source says “3.12”, not “3.11”"
        assert text[slice(*telling(text, against["text"]))] == "The factory was added in Python 3.12."
        other = claim("Nobody knows who wrote the factory at all.", Verdict.CONTRADICTED, [window], [window])
        assert told(other) == "passage 1 says otherwise"
        span = Span(0, 4, "number", "12", "9")
        assert told(claim("12 levels.", Verdict.CONTRADICTED, spans=(span,))) == "the source says “9”, not “12”"

    def test_windows_about_something_else_are_no_evidence(self) -> None:
        """What only came nearest is not shown, and the missing words are named."""
        far = Evidence(2, None, 0, 5, "Bread", 0.1, 0.85, 0.05)
        span = Span(0, 5, "name", "Guido")
        lacking = claim("Guido wrote it.", Verdict.NOT_ENOUGH_INFO, [far], spans=(span,))
        assert told(lacking) == "no evidence in the passages; not in the sources: “Guido”"
        near = replace(far, entailment=0.6)
        assert relevant(claim("Guido.", Verdict.NOT_ENOUGH_INFO, [near, far])) == [near.to_dict()]

    def test_what_citations_are_worth(self) -> None:
        """Each that there is, in its own words."""
        cited = [Citation("[1]", 0, 3, 1, 0, True, True), Citation("[9]", 3, 6, 9, None, False, False)]
        checked = claim("So.", Verdict.NOT_ENOUGH_INFO, reason="it cites [9]", citations=tuple(cited))
        assert told(checked) == "it cites [9]; [1] supports it"

    @pytest.mark.parametrize(
        ("mismatch", "words"),
        [
            (Mismatch("number", "12", "9"), "the source says 9, not 12"),
            (Mismatch("name", "Guido"), "the source does not say Guido of this"),
            (Mismatch("negation", "It is.", "It is not."), "the source says the opposite"),
        ],
    )
    def test_mismatches_in_words(self, mismatch: Mismatch, words: str) -> None:
        """As a person would say it."""
        assert described(mismatch.to_dict()) == words

    @pytest.mark.parametrize(
        ("policy", "text", "words"),
        [
            ("flag", "a", "flag: the answer is as it was"),
            ("drop", "", "drop: the answer is as it was"),
            ("drop", "b", "drop: sentences that are not supported are left out"),
            ("mine", "b", "mine: the answer was changed"),
        ],
    )
    def test_what_the_policy_did(self, policy: str, text: str, words: str) -> None:
        """In words, of the text that came of it."""
        assert what_was_done({"policy": policy, "text": text, "answer": "a"}) == words


def test_the_page_says_what_was_asked_of_which_model() -> None:
    """And what is given out, where the policy changed it."""
    data = {**example().to_dict(), "question": "Is it so?", "model": "nli", "policy": "drop", "text": "It is so."}
    words = Page(page(data).partition("<body>")[2].removesuffix("</body></html>")).words
    assert "question: Is it so?" in words and "model: nli; policy: drop: sentences that" in words
    assert "what is given out" in words


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_into_its_window(width: int, browser: Browser, tmp_path: Path) -> None:
    """On a telephone and on a desk: headers above their columns, evidence beside its colour, no sideways scrolling."""
    long = replace(example("word" * 60 + "."), question="?" * 300, model="nli")
    (tmp_path / "page.html").write_text(page(long.to_dict()), encoding="utf-8")
    browser.open(tmp_path / "page.html", width=width)
    assert browser.overflow == 0 and browser.errors == []
    lefts = "return [...document.querySelectorAll(arguments[0])].map(cell => cell.getBoundingClientRect().left)"
    heads, cells = browser.run(lefts, "th"), browser.run(lefts, "td")
    assert len(heads) == 2 and cells == heads * 3


def test_hostile_texts_do_not_steer_the_terminal() -> None:
    """Control characters and lone surrogates of answers and passages are replaced."""
    shown = repr(example(HOSTILE, HOSTILE))
    assert "\x1b" not in shown and "\x9b" not in shown
    shown.encode()


def test_the_html_is_well_formed_and_runs_nothing() -> None:
    """Markup in answers, passages, ids and notes is escaped; every link leads to one id of the page."""
    shown = Page(example(HOSTILE, HOSTILE, identity="<b onclick='x'>").to_html())
    assert "script" not in shown.tags and not shown.open
    assert len(shown.ids) == len(set(shown.ids))
    assert {link.removeprefix("#") for link in shown.links} <= set(shown.ids)
    assert "<script>alert('x')</script>" in shown.words


def test_an_id_of_any_kind_is_shown() -> None:
    """A passage's id may be a list or a mapping, as JSON has them."""
    assert "passage 1 (['docs', 3])" in Page(example(identity=["docs", 3]).to_html()).words


def test_two_reports_on_one_page_share_no_id() -> None:
    """A notebook shows the same verification twice."""
    result = example()
    assert not set(Page(result.to_html()).ids) & set(Page(result._repr_html_()).ids)


def test_the_html_links_claims_to_their_evidence() -> None:
    """The answer stands in it once, each claim with its verdict in words, and with its evidence, for it or against."""
    shown = Page(example().to_html())
    assert "It is so. Second. Hello!" in shown.words
    assert "✓ supports, passage 1, 2-7:proof" in shown.words and "✗ contradicts, passage 1, 2-7:proof" in shown.words
    assert "not passed" in shown.words and "a greeting" in shown.words


def test_colours_work_on_dark_and_light_pages() -> None:
    """Text keeps the page's own colour, and backgrounds are half transparent."""
    shown = example().to_html()
    assert "color:inherit" in shown and "rgba(60,170,90,.25)" in shown
    assert not re.search(r"[^-]color:(?!inherit)", shown)


def test_claims_that_share_words_show_the_answer_once() -> None:
    """Overlapping claims, as of a decomposer, don't double the text."""
    claims = tuple(CheckedClaim(Claim(f"Part {at}", 0, 9, 0), Verdict.SUPPORTED) for at in range(2))
    shown = Page(Verification("It is so.", claims, True).to_html())
    assert shown.words.count("It is so.") == 1


def test_an_empty_verification_is_shown() -> None:
    """Without claims there is still a line, and a page."""
    empty = Verification("", (), False)
    assert repr(empty) == (
        "Verification: not passed; 0 of 0 checkable claims supported\n  policy: annotate: the answer is as it was"
    )
    assert "not passed" in Page(empty.to_html()).words


@given(st.text(), st.text())
def test_any_text_can_be_shown(answer: str, evidence: str) -> None:
    """Whatever the texts, both forms can be encoded, and the page stays well-formed."""
    result = example(answer, evidence)
    repr(result).encode()
    shown = Page(result.to_html())
    assert not shown.open and shown.tags.count("tr") == 4
