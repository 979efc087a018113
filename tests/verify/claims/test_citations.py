"""Citation markers and quotations: where they stand, what they belong to, and what is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.verify.claims.citations import (
    CitationMarker,
    check_citations,
    citations_of,
    find_citations,
    find_quotes,
    quote_in,
    strip_citations,
)
from secondpass.verify.claims.split import split_claims
from secondpass.verify.types import Verdict
from tests.verify.towers import PASSAGES, Make


class TestFindCitations:
    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            ("It opened in 1889 [1].", [("[1]", (1,))]),
            ("It opened in 1889. [1]", [("[1]", (1,))]),
            ("It opened [1, p. 3] in [2, pp. 4-6, 7].", [("[1, p. 3]", (1,))]),
            ("It opened [Source 2, section 4.1].", [("[Source 2, section 4.1]", (2,))]),
            ("It opened in 1964^2.", [("^2", (2,))]),
            ("It opened [1\u2020L3-L5].[^2^]", [("[1\u2020L3-L5]", (1,)), ("[^2^]", (2,))]),
            ("It opened \u27e62\u27e7.", [("\u27e62\u27e7", (2,))]),
            ("It opened[1][2].", [("[1]", (1,)), ("[2]", (2,))]),
            ("It opened [2, 3] and closed [1-3].", [("[2, 3]", (2, 3)), ("[1-3]", (1, 2, 3))]),
            ("It opened [3\u20135; 9].", [("[3\u20135; 9]", (3, 4, 5, 9))]),
            ("A range that is none [5-2].", [("[5-2]", (5, 2))]),
            ("The same twice [2, 2].", [("[2, 2]", (2,))]),
            ("A footnote [^4].", [("[^4]", (4,))]),
            ("In the U.S.[1] as in (1990)[2].", [("[1]", (1,)), ("[2]", (2,))]),
            ("Far too wide [1-9999].", [("[1-9999]", (1, 9999))]),
            ("It opened [Source 2].", [("[Source 2]", (2,))]),
            ("It opened [doc1][Doc 2, Doc 4].", [("[doc1]", (1,)), ("[Doc 2, Doc 4]", (2, 4))]),
            ("It opened [ID:0]. It closed [ID: 3].", [("[ID:0]", (1,)), ("[ID: 3]", (4,))]),
            ("It opened (Source 3).", [("(Source 3)", (3,))]),
            ("It opened in 1889 (1).", [("(1)", (1,))]),
            ("It opened in 1889 {1}.", [("{1}", (1,))]),
            ("It opened in 1889 {{2}}.", [("{{2}}", (2,))]),
            ("It opened in spring^2.", [("^2", (2,))]),
            ("It has 20 m^2.", []),
            ("It opened in 1889 (see passage 2).", [("(see passage 2)", (2,))]),
            ("It opened\u30101\u2020source\u3011.", [("\u30101\u2020source\u3011", (1,))]),
            ("It opened [[1]] and closed [[2]](https://a.b/c).", [("[[1]]", (1,)), ("[[2]](https://a.b/c)", (2,))]),
            ("See [1](https://example.org/a2).", [("[1](https://example.org/a2)", (1,))]),
            ("It opened.\u00b9 It closed\u00b2.", [("\u00b9", (1,)), ("\u00b2", (2,))]),
            ("It opened<sup>1</sup>. It closed<sup>[2]</sup>.", [("<sup>1</sup>", (1,)), ("<sup>[2]</sup>", (2,))]),
            ("It opened<cite>2</cite>.", [("<cite>2</cite>", (2,))]),
            ("It opened [cite: 1, 2].", [("[cite: 1, 2]", (1, 2))]),
            ("As [1, 2] say.", [("[1, 2]", (1, 2))]),
        ],
    )
    def test_finds_markers_with_their_numbers(self, answer: str, found: list[tuple[str, tuple[int, ...]]]) -> None:
        """Single, listed, ranged and adjoining markers are found, each with the numbers it names."""
        markers = find_citations(answer)
        assert [(marker.text, marker.numbers) for marker in markers] == found
        assert all(answer[marker.start : marker.end] == marker.text for marker in markers)

    @pytest.mark.parametrize(
        "answer",
        [
            "See [the site](https://example.org/a).",
            "The interval is [0, 1], and [2, 7] is another.".replace("[2, 7]", "CI [2, 7]"),
            "The default vector is [1, 2, 9].",
            "It covers 5 m\u00b2 and 10\u00b3 of them, x\u00b2 or 10<sup>6</sup>.",
            "Return it within ten (10) days, or within ten (10).",
            "f(1) and steps (a), (b)",
            "<cite>A Book</cite> and \u3010note\u3011",
            "[1]: https://example.org/a",
            "text\n  [2]: a definition",
            "Take `x[1]` of it.",
            "```\nfoo [1]\n```",
            "~~~\nfoo [1]\n~~~",
            "the value of x[1] is",
            "the value of sys.argv[1] is",
            "the value of my_list[1] is",
            "the value of f(x)[1] is",
            "a grid[0][1]".replace("grid", "g"),
            "[note] and [a1] and []",
            "no marker",
            "",
        ],
    )
    def test_what_is_no_marker(self, answer: str) -> None:
        """Links, definitions of footnotes, code and indices are no citations."""
        assert find_citations(answer) == ()

    def test_markers_after_code_count(self) -> None:
        """Where code ends, markers count again."""
        answer = "```\na [1]\n```\nIt is so [2], as `b[3]` says [4]."
        assert [marker.numbers for marker in find_citations(answer)] == [(2,), (4,)]

    @pytest.mark.parametrize(
        ("pattern", "answer", "numbers"),
        [
            (r"\(source (\d+)\)", "It is so (source 12).", [(12,)]),
            (re.compile(r"\u3010(\d+)[^\u3011]{0,20}\u3011"), "It is so\u30103\u2020file\u3011.", [(3,)]),
            (r"\{\d+(?:,\d+)*\}", "It is so {1,2}. [3]", [(1, 2)]),
        ],
    )
    def test_the_pattern_is_a_setting(
        self, pattern: str | re.Pattern[str], answer: str, numbers: list[tuple[int, ...]]
    ) -> None:
        """Another pattern finds other markers, and takes the numbers from its first group if it has one."""
        assert [marker.numbers for marker in find_citations(answer, pattern)] == numbers

    @pytest.mark.parametrize("pattern", ["[", "a*", b"a", 3])
    def test_a_pattern_that_is_none_is_refused(self, pattern: object) -> None:
        """What is no regular expression, or matches nothing at all, is a ConfigError."""
        with pytest.raises(ConfigError, match="pattern of citation markers"):
            find_citations("text", pattern)  # type: ignore[arg-type]

    def test_only_text_is_taken(self) -> None:
        """Anything but a str is an InputError."""
        with pytest.raises(InputError, match="must be a str, not bytes"):
            find_citations(b"[1]")  # type: ignore[arg-type]
        with pytest.raises(InputError, match="must be a str, not NoneType"):
            find_quotes(None)  # type: ignore[arg-type]

    @given(st.text(st.sampled_from("[]()1234567890,-^ab` \n~:\ud800"), max_size=60))
    def test_offsets_are_exact(self, answer: str) -> None:
        """Every marker stands where it says, in order, and has numbers."""
        markers = find_citations(answer)
        assert all(answer[marker.start : marker.end] == marker.text and marker.numbers for marker in markers)
        assert [marker.start for marker in markers] == sorted(marker.start for marker in markers)


def test_stripping_takes_the_blanks_before() -> None:
    """Without its markers a sentence reads as if there had been none."""
    assert strip_citations("It opened [1] in 1889 [2][3].") == "It opened in 1889."
    assert strip_citations("x[1] stays.") == "x[1] stays."


@pytest.mark.parametrize(
    "marker",
    [
        "[ID:0]", "\u30101\u2020source\u3011", "\u30104:0\u2020file.pdf\u3011", "[Source 1]", "[doc1]", "[[1]]",
        "[[1]](https://example.org/a)", "[2](https://example.org/b)", "(Source 3)", "<sup>1</sup>", '<inref id="a"/>',
        "<cite>2</cite>", "\ue200cite\ue202turn0search1\ue201", "[Doc 1, Doc 2]", "[cite: 1, 2]", "[^3]", "[S1]",
        "[#2]", "(Source 1, Source 2)", "(see [3])", "(cf. [1], [2])", "[Quelle 1]",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", ["It opened in May {}. It is so.", "It opened in May. {} It is so.", "It opened in May.{} It is so."]
)
def test_a_marker_is_never_part_of_a_claim(marker: str, form: str) -> None:
    """Whatever its form, before or behind the full stop, it is not read by the model."""
    answer = form.format(marker)
    claims = split_claims(answer)
    assert [claim.text for claim in claims] == ["It opened in May.", "It is so."]
    assert marker in answer[claims[0].start : claims[0].end]


class TestBelonging:
    def numbers(self, answer: str) -> list[list[int]]:
        markers = citations_of(split_claims(answer), find_citations(answer))
        return [[number for marker in own for number in marker.numbers] for own in markers]

    def test_a_marker_belongs_to_its_sentence(self) -> None:
        """It is the sentence that it stands in, or that it directly follows."""
        assert self.numbers("It opened in 1889 [1]. It grew. [2] Then [3] it closed.[4] It is gone.") == [
            [1],
            [2],
            [3, 4],
            [],
        ]

    def test_a_marker_at_the_end_is_for_both_parts(self) -> None:
        """Of a sentence that was split, a part without a marker takes the next."""
        assert self.numbers("Rome was founded in 753 BC and is the capital of Italy [1].") == [[1], [1]]
        assert self.numbers("Rome was founded in 753 BC [1] and is the capital of Italy [2].") == [[1], [2]]
        assert self.numbers("Rome was founded in 753 BC [1] and is the capital of Italy.") == [[1], []]

    def test_a_line_of_markers_belongs_to_what_it_follows(self) -> None:
        """Markers alone in a line are for the claim before."""
        assert self.numbers("It opened in 1889.\n\n[1] [2]") == [[1, 2], []]

    def test_rows_and_items_have_their_own(self) -> None:
        """So it is in tables and lists."""
        answer = "- One thing [1]\n- Another thing [2]\n\n| a | b |\n|---|---|\n| x [3] | y |\n| z | w [4] |\n"
        assert self.numbers(answer) == [[1], [2], [], [3], [4]]

    def test_parts_of_a_decomposer_are_all_cited_for(self) -> None:
        """Claims of one place share its markers."""
        answer = "It opened in 1889 [1]. It closed [2]."
        first, second = split_claims(answer)
        found = citations_of([first, first, second], find_citations(answer))
        assert [own[0].numbers for own in found] == [(1,), (1,), (2,)]

    def test_a_marker_of_no_claim_is_left_out(self) -> None:
        """While an answer is generated, the markers of what is not yet a claim belong to none."""
        answer = "It opened in 1889 [1]. It closed [2]."
        (own,) = citations_of(split_claims(answer)[:1], find_citations(answer))
        assert [marker.numbers for marker in own] == [(1,)]
        assert citations_of([], find_citations(answer)) == []


class TestQuotes:
    @pytest.mark.parametrize(
        ("answer", "texts"),
        [
            ('She wrote "the sea is calm" in 1889.', ["the sea is calm"]),
            ("She wrote \u201cthe sea is calm\u201d there.", ["the sea is calm"]),
            ("She wrote \u201ethe sea is calm\u201c there.", ["the sea is calm"]),
            ("She wrote \u00abthe sea is calm\u00bb there.", ["the sea is calm"]),
            ('Only "two words" here.', []),
            ('A 5" pipe and a 6" pipe of lead.', []),
            ('`print("the sea is calm")` prints it.', []),
            ('Open "the sea is calm', []),
            ('"One two three." "Four five six."', ["One two three.", "Four five six."]),
        ],
    )
    def test_finds_quotations_of_three_words(self, answer: str, texts: list[str]) -> None:
        """Quotation marks of several styles are known; short ones, inches and code are no quotations."""
        quotes = find_quotes(answer)
        assert [quote.text for quote in quotes] == texts
        assert [answer[quote.start : quote.end] for quote in quotes] == texts

    @pytest.mark.parametrize(
        ("quote", "passage", "span"),
        [
            ("the sea is calm", "Tonight the sea is calm.", (8, 23)),
            ("The sea is calm", "Tonight the sea is calm.", (8, 23)),
            ("the sea is calm.", "Tonight the sea is calm, he said.", (8, 23)),
            ("the sea  is\ncalm", "Tonight the\tsea is calm.", (8, 23)),
            ("it's \u201cvery\u201d calm", 'Now it\u2019s "very" calm.', (4, 20)),
            ("the sea is Calm", "Tonight the sea is calm.", None),
            ("art of war and", "part of war and", None),
            ("the sea was calm", "Tonight the sea is calm.", None),
            ("a.b*c d e", "say a.b*c d e", (4, 13)),
            ("...", "anything ...", None),
        ],
    )
    def test_a_quotation_is_word_for_word(self, quote: str, passage: str, span: tuple[int, int] | None) -> None:
        """Blanks, quotation marks, the first letter's case and the last full stop may differ, and nothing else."""
        assert quote_in(quote, passage) == span

    @given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
    def test_what_is_there_is_found(self, before: str, quote: str, after: str) -> None:
        """A passage that holds a quotation between blanks is found to hold it, wherever that is."""
        span = quote_in(quote, f"{before} {quote} {after}")
        words = quote.strip().rstrip(".,;:!?\u2026").rstrip()
        assert (span is None) == (not words)
        if span is not None:
            found = f"{before} {quote} {after}"[slice(*span)]
            assert found.split()[-1][-1:].casefold() == words.split()[-1][-1:].casefold()


@pytest.mark.parametrize("piece", ["[", "[1", "[1]", "```\n", "` ", '"', '"a b c" ', "(x[1] ", "\u201c"])
def test_hostile_answers_take_linear_time(piece: str) -> None:
    """Two hundred thousand characters of nothing but signs are read, and hold no more than they can."""
    answer = (piece * (200_000 // len(piece) + 1))[:200_000]
    assert len(find_citations(answer)) <= len(answer) // 3
    assert len(find_quotes(answer)) <= len(answer) // 3
    assert quote_in("word for word", answer) is None


def test_each_citation_is_checked(make: Make) -> None:
    """A marker's passage exists or not, and supports the claim or not; others that do are suggested."""
    answer = (
        "The tower was built in 1889 [1]. The tower was built by a company [2]. "
        "The museum is closed on Sunday [7]. The museum opens on Monday."
    )
    right, wrong, absent, bare = make().verify(answer, PASSAGES).claims
    assert [(c.number, c.passage, c.exists, c.supports) for c in right.citations] == [(1, 0, True, True)]
    assert right.suggested == () and right.reason == ""
    assert [(c.number, c.exists, c.supports) for c in wrong.citations] == [(2, True, False)]
    assert wrong.verdict is Verdict.SUPPORTED and wrong.suggested == (1,)
    assert "no cited passage ([2]) supports it" in wrong.reason
    assert [(c.number, c.passage, c.exists, c.supports) for c in absent.citations] == [(7, None, False, False)]
    assert "it cites [7], but there are 2 passages" in absent.reason
    assert bare.citations == () and bare.suggested == (2,)


def test_a_cited_passage_is_scored_even_if_it_is_not_retrieved(make: Make) -> None:
    """With one window for each claim, a citation of another passage is still checked, and changes no verdict."""
    answer = "The tower was built in 1889 [2]."
    (checked,) = make(windows_per_claim=1).verify(answer, PASSAGES).claims
    assert checked.verdict is Verdict.SUPPORTED and [evidence.passage for evidence in checked.evidence] == [0]
    assert checked.citations[0].probability is not None and not checked.citations[0].supports


def test_a_number_that_differs_is_no_support_by_a_citation(make: Make) -> None:
    """A cited passage with another number does not support, and its probability does not look so."""
    (checked,) = make().verify("The tower is 300 metres tall [1].", PASSAGES).claims
    (citation,) = checked.citations
    assert not citation.supports and citation.probability is not None and citation.probability <= 0.5


def test_quotations_must_be_verbatim(make: Make) -> None:
    """Words in quotation marks that the cited passage does not have are told of."""
    answer = 'The museum "is closed on Sunday" [2]. The tower "was built in 1889 by Paris" [1].'
    right, wrong = make().verify(answer, PASSAGES).claims
    assert "has the words" not in right.reason
    assert "no cited passage has the words 'was built in 1889 by Paris'" in wrong.reason


@pytest.mark.parametrize(
    ("quote", "cited", "told"),
    [
        ("rejected the plan in May", {0}, ""),
        ("rejected the plan in May", {1}, "are in [1], not in [2]"),
        ("rejected the plan in May", set(), ""),
        ("The council rejected the costs were far too high", {0}, "are put together of what stands apart in [1]"),
        ("a shameless waste of money", {0}, "no cited passage has the words 'a shameless waste of money'"),
        ("a shameless waste of money", set(), "no passage has the words 'a shameless waste of money'"),
    ],
)
def test_whose_words_a_quotation_has(quote: str, cited: set[int], told: str) -> None:
    """Another passage's, several places' of one, or nobody's."""
    texts = [
        "The council rejected the plan in May. It said that the costs were far too high.",
        "Nobody objected.",
    ]
    markers = [CitationMarker(0, 3, f"[{at + 1}]", (at + 1,)) for at in cited]
    found = check_citations(markers, [quote], texts, lambda _: (0.9, True), [0, 1], True).reason
    assert told in found and bool(told) == ("words" in found)


@pytest.mark.parametrize("piece", ["ab ", "a b c "])
def test_long_quotations_take_linear_time(piece: str) -> None:
    """A quotation of what a passage has thousands of times is looked up soon."""
    texts = [piece * 30_000]
    check_citations([], [piece * 30 + "x"], texts, lambda _: (0.9, True), [0], True)


def test_the_pattern_can_be_set(make: Make) -> None:
    """Another form of markers is found by another pattern, and a pattern that can't be used is refused."""
    answer = "The tower was built in 1889 (source 1)."
    (checked,) = make(citation_pattern=r"\(source (\d+)\)").verify(answer, PASSAGES).claims
    assert [citation.marker for citation in checked.citations] == ["(source 1)"]
    assert checked.text == "The tower was built in 1889."
    with pytest.raises(ConfigError):
        make(citation_pattern="(")


def test_markers_are_told_of_without_passages(make: Make) -> None:
    """A claim that can't be checked still has its citations, which don't exist."""
    (checked,) = make().verify("The tower was built in 1889 [1].", []).claims
    assert [(c.exists, c.supports) for c in checked.citations] == [(False, False)]


def test_many_markers_bound_the_work(make: Make) -> None:
    """A claim that cites a hundred passages has eight of them scored besides its own windows."""
    passages = [f"The house {at} is old." for at in range(100)]
    answer = "The tower was built" + "".join(f"[{at}]" for at in range(1, 101)) + "."
    result = make(windows_per_claim=2).verify(answer, passages)
    assert result.trace.total("pairs") <= 2 + 8 + 1
    assert len(result.claims[0].citations) == 100
