"""How a verification is shown: nothing in it can steer a terminal or a page."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from secondpass.types import Trace
from secondpass.verify.types import CheckedClaim, Claim, Evidence, Verdict, Verification

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
    assert lines[0] == "Verification: not passed; 1 of 2 checkable claims supported (policy: flag)"
    assert re.fullmatch(r"  supported +0\.93 +It is so\. +see there", lines[1])
    assert re.fullmatch(r"  contradicted +0\.10 +Second\. +passage 1: see there", lines[2])
    assert re.fullmatch(r"  not checkable +Hello! +a greeting", lines[3])


def test_hostile_texts_do_not_steer_the_terminal() -> None:
    """Control characters and lone surrogates of answers and passages are replaced."""
    shown = repr(example(HOSTILE, HOSTILE))
    assert "\x1b" not in shown and "\x9b" not in shown
    shown.encode()


def test_the_html_is_well_formed_and_runs_nothing() -> None:
    """Markup in answers, passages, ids and notes is escaped; every link leads to one id of the page."""
    page = Page(example(HOSTILE, HOSTILE, identity="<b onclick='x'>").to_html())
    assert "script" not in page.tags and not page.open
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "<script>alert('x')</script>" in page.words


def test_an_id_of_any_kind_is_shown() -> None:
    """A passage's id may be a list or a mapping, as JSON has them."""
    assert "(['docs', 3])" in Page(example(identity=["docs", 3]).to_html()).words


def test_two_reports_on_one_page_share_no_id() -> None:
    """A notebook shows the same verification twice."""
    result = example()
    assert not set(Page(result.to_html()).ids) & set(Page(result._repr_html_()).ids)


def test_the_html_links_claims_to_their_evidence() -> None:
    """The answer stands in it once, each claim with its verdict in words, and evidence that is shared once."""
    page = Page(example().to_html())
    assert "It is so. Second. Hello!" in page.words
    assert page.tags.count("li") == 1 and page.words.count("passage 1, 2-7") == 3
    assert "not passed" in page.words and "a greeting" in page.words


def test_colours_work_on_dark_and_light_pages() -> None:
    """Text keeps the page's own colour, and backgrounds are half transparent."""
    shown = example().to_html()
    assert "color:inherit" in shown and "rgba(60,170,90,.25)" in shown
    assert not re.search(r"[^-]color:(?!inherit)", shown)


def test_claims_that_share_words_show_the_answer_once() -> None:
    """Overlapping claims, as of a decomposer, don't double the text."""
    claims = tuple(CheckedClaim(Claim(f"Part {at}", 0, 9, 0), Verdict.SUPPORTED) for at in range(2))
    page = Page(Verification("It is so.", claims, True).to_html())
    assert page.words.count("It is so.") == 1


def test_an_empty_verification_is_shown() -> None:
    """Without claims there is still a line, and a page."""
    empty = Verification("", (), False)
    assert repr(empty) == "Verification: not passed; 0 of 0 checkable claims supported (policy: annotate)"
    assert "not passed" in Page(empty.to_html()).words


@given(st.text(), st.text())
def test_any_text_can_be_shown(answer: str, evidence: str) -> None:
    """Whatever the texts, both forms can be encoded, and the page stays well-formed."""
    result = example(answer, evidence)
    repr(result).encode()
    page = Page(result.to_html())
    assert not page.open and page.tags.count("tr") == 4
