"""What a citation marker is, form by form, and what only looks like one."""

import pytest

from secondpass.verify.claims.citations import (
    CitationMarker,
    check_citations,
    find_citations,
    strip_citations,
)


@pytest.mark.parametrize(
    ("answer", "found", "stripped"),
    [
        ("a [1].", [("[1]", (1,))], "a."),
        ("a[1].", [], "a[1]."),
        ("a [2021].", [], "a [2021]."),
        ("a [1200].", [("[1200]", (1200,))], "a."),
        ("a [Source 1, 2021].", [("[Source 1, 2021]", (1,))], "a."),
        ("a [2020, 2021].", [("[2020, 2021]", (2020, 2021))], "a."),
        ("a (Article 5).", [], "a (Article 5)."),
        ("a (see articles 5 and 6).", [], "a (see articles 5 and 6)."),
        ("a [Article 5].", [("[Article 5]", (5,))], "a."),
        ("x[1]", [], "x[1]"),
        ("sys.argv[1]", [], "sys.argv[1]"),
        ("f(x)[1]", [], "f(x)[1]"),
        ("U.S.[1]", [("[1]", (1,))], "U.S."),
        ("1999.[1][2]", [("[1]", (1,)), ("[2]", (2,))], "1999."),
        ("is [1, 2]", [], "is [1, 2]"),
        ("interval [1, 2]", [], "interval [1, 2]"),
        ("a [[1, 2]]", [("[[1, 2]]", (1, 2))], "a"),
        ("a [0, 1]", [], "a [0, 1]"),
        ("ID [ID:0]", [("[ID:0]", (1,))], "ID"),
        ("a (ID: 0) it", [("(ID: 0)", (1,))], "a it"),
        ("a [Source 1, Source 3].", [("[Source 1, Source 3]", (1, 3))], "a."),
        ("a [1-3].", [("[1-3]", (1, 2, 3))], "a."),
        ("a [3-1].", [("[3-1]", (3, 1))], "a."),
        ("a [1-52].", [("[1-52]", (1, 52))], "a."),
        ("a [1\u20133; 5].", [("[1\u20133; 5]", (1, 2, 3, 5))], "a."),
        ("a [1, 1].", [("[1, 1]", (1,))], "a."),
        ("a [123456].", [], "a [123456]."),
        ("a [2-2].", [("[2-2]", (2,))], "a."),
        ("m\u00b2", [], "m\u00b2"),
        ("word\u00b2", [("\u00b2", (2,))], "word"),
        ("10\u00b3", [], "10\u00b3"),
        ("1999\u00b3", [("\u00b3", (3,))], "1999"),
        ("1499\u00b3", [], "1499\u00b3"),
        ("word<sup>2</sup>", [("<sup>2</sup>", (2,))], "word"),
        ("m<sup>2</sup>", [], "m<sup>2</sup>"),
        ("ten (10).", [], "ten (10)."),
        ("word (10).", [("(10)", (10,))], "word."),
        ("word (100).", [], "word (100)."),
        ("(see passage 2)", [("(see passage 2)", (2,))], ""),
        ("(cf. [1], [2])", [("(cf. [1], [2])", (1, 2))], ""),
        ("word^1.", [("^1", (1,))], "word."),
        ("wor^1.", [], "wor^1."),
        ("word {1}.", [("{1}", (1,))], "word."),
        ("word {{1}}.", [("{{1}}", (1,))], "word."),
        ("a \u30101\u2020source\u3011.", [("\u30101\u2020source\u3011", (1,))], "a."),
        ("a \u3010abc\u3011.", [], "a."),
        ("a \u30102\u3011.", [("\u30102\u3011", (2,))], "a."),
        ("<cite>1</cite>", [("<cite>1</cite>", (1,))], ""),
        ('<ref name="x"/>', [], ""),
        ("<cite id=3/>", [], ""),
        ("cite\ue202turn0search1\ue201", [], ""),
        ("  [1]: x", [], "  [1]: x"),
        ("    [1]: x", [], "    [1]: x"),
        ("a [1]: x", [("[1]", (1,))], "a: x"),
        ("a [1](https://a.b/2).", [("[1](https://a.b/2)", (1,))], "a."),
        ("a [1](b).", [], "a [1](b)."),
        ("a [1]b.", [], "a [1]b."),
        ("[1]", [("[1]", (1,))], ""),
        ("a [^1].", [("[^1]", (1,))], "a."),
        ("a [S1].", [("[S1]", (1,))], "a."),
        ("a [1 ] and [ 2].", [("[1 ]", (1,)), ("[ 2]", (2,))], "a."),
        ("`a [1]` [2]", [("[2]", (2,))], "`a`"),
        ("=[1]", [("[1]", (1,))], "="),
        ("=[1, 2]", [], "=[1, 2]"),
        ("equals [1, 2]", [], "equals [1, 2]"),
        ("equal [1, 2]", [], "equal [1, 2]"),
        ("a, [1, 2]", [("[1, 2]", (1, 2))], "a,"),
        ("[Doc 3]", [("[Doc 3]", (3,))], ""),
        ("[id 0]", [("[id 0]", (0,))], ""),
        ("(1)", [], "(1)"),
        ("a (1) b", [], "a (1) b"),
        ("a (1).", [("(1)", (1,))], "a."),
        ("a [web:2].", [("[web:2]", (2,))], "a."),
        ("dam\u207d\u00b9,\u00b3\u207e.", [("\u207d\u00b9,\u00b3\u207e", (1, 3))], "dam."),
        ("f\u207d\u00b2\u207e", [], "f\u207d\u00b2\u207e"),
        ("in 2009 ^1^.", [("^1^", (1,))], "in 2009."),
        ("done.^2,3^", [("^2,3^", (2, 3))], "done."),
        ("10^6^ m^2^", [], "10^6^ m^2^"),
        ("a [p. 1].", [], "a."),
        ("a [1; para. 2].", [("[1; para. 2]", (1,))], "a."),
        ("a (2, p. 4).", [("(2, p. 4)", (2,))], "a."),
        ("a (Source 2, page 4).", [("(Source 2, page 4)", (2,))], "a."),
        ("a [3: dams.txt].", [("[3: dams.txt]", (3,))], "a."),
        ("a [Source 3: Dams in 2019].", [("[Source 3: Dams in 2019]", (3,))], "a."),
        ("a [doc2 \u2013 Dams].", [("[doc2 \u2013 Dams]", (2,))], "a."),
        ("x[1: n]", [], "x[1: n]"),
        ("a (pp. 3\u20134).", [], "a."),
        ("a (p = 3).", [], "a (p = 3)."),
        ("a [dams (final).pdf, page 4] b", [], "a b"),
        ("a [dams.pdf](x.md)", [], "a [dams.pdf](x.md)"),
        ("a (Source: Ministry of Works).", [], "a."),
        ("a [Source: dams.pdf, page 4].", [], "a."),
        ("a [O'Neil, 2010].", [], "a."),
        ("a [Ito et al., 2016; Lee and Poe 2011a, p. 4].", [], "a."),
        ("a (Ito & Lee, 2016).", [], "a."),
        ("a (see Ito et al., 2016; Lee, 2011, p. 4).", [], "a."),
        ("a (Apollo, 1969).", [], "a (Apollo, 1969)."),
        ("a (Lee and Poe, 1969).", [], "a (Lee and Poe, 1969)."),
        ("a [May 2019].", [], "a [May 2019]."),
        ("a \\cite{ito16}.", [], "a."),
        ("a~\\citep[p. 4]{ito16,lee11}.", [], "a."),
        ("a [@ito16; @lee11, p. 4].", [], "a."),
        ("a  [1].", [("[1]", (1,))], "a."),
        ("{1}.", [], "{1}."),
        ("a {{cite:1}} b", [("{{cite:1}}", (1,))], "a b"),
        ("a {cite: 1, 2}, b", [("{cite: 1, 2}", (1, 2))], "a, b"),
        ("a {{1}}{{2}}.", [("{{1}}{{2}}", (1, 2))], "a."),
        ("the set is {1, 2}.", [], "the set is {1, 2}."),
        ("a <|cite_2|>.", [("<|cite_2|>", (2,))], "a."),
        ("a</co: 0, 2>.", [("</co: 0, 2>", (1, 3))], "a."),
        ("a :cite[2].", [(":cite[2]", (2,))], "a."),
        ("a ^[1, 2]^.", [("^[1, 2]^", (1, 2))], "a."),
        ("dams$^{2}$.", [("$^{2}$", (2,))], "dams."),
        ("10$^{3}$ m", [], "10$^{3}$ m"),
        ("a [ref]2[/ref].", [("[ref]2[/ref]", (2,))], "a."),
        ("a <sources>[1]</sources>.", [("<sources>[1]</sources>", (1,))], "a."),
        ("a \uff3b1\uff3d.", [("\uff3b1\uff3d", (1,))], "a."),
        ("a [Doc 1 and Doc 2].", [("[Doc 1 and Doc 2]", (1, 2))], "a."),
        ("a (based on source 1).", [("(based on source 1)", (1,))], "a."),
        ("a (passages 2 and 3).", [("(passages 2 and 3)", (2, 3))], "a."),
        ("a [1, 2, and 4].", [("[1, 2, and 4]", (1, 2, 4))], "a."),
        ("a (see [1] and [2]).", [("(see [1] and [2])", (1, 2))], "a."),
        ("a (as stated in passage 2).", [("(as stated in passage 2)", (2,))], "a."),
        ("dams, according to source 2.", [(", according to source 2", (2,))], "dams."),
        ("dams as noted in [3].", [(" as noted in [3]", (3,))], "dams."),
        ("dams as noted in [3] burst.", [("[3]", (3,))], "dams as noted in burst."),
        ("a [search result 2].", [("[search result 2]", (2,))], "a."),
        ("a [source_id: 2].", [("[source_id: 2]", (2,))], "a."),
        ("a \\[1\\].", [("\\[1\\]", (1,))], "a."),
        ("a [\u00b2].", [("[\u00b2]", (2,))], "a."),
        ("dams (1, 2).", [("(1, 2)", (1, 2))], "dams."),
        ("at the point (1, 2).", [], "at the point (1, 2)."),
        ("the range (1, 2).", [], "the range (1, 2)."),
        ("dams (0, 1).", [], "dams (0, 1)."),
        ("a ([dams.org](https://dams.org/x)).", [], "a."),
        ("a ([Dams](https://a.b), [Locks](https://c.d)).", [], "a."),
        ("a [source](https://a.b).", [], "a."),
        ("a [[source]](https://a.b).", [], "a."),
        ("a [Dams](https://a.b).", [], "a [Dams](https://a.b)."),
        ("a (Passage A).", [], "a."),
        ("a [^dams].", [], "a."),
        ("a (dams.pdf, p. 3).", [], "a."),
        ("a (dams.yaml).", [], "a (dams.yaml)."),
        ("a **[1]**.", [("[1]", (1,))], "a."),
        ("a *(Source 1)* b", [("(Source 1)", (1,))], "a b"),
        ("**a** [1].", [("[1]", (1,))], "**a**."),
        ("a [[citation:1]].", [("[[citation:1]]", (1,))], "a."),
        ("a ([1](https://a.b)).", [("[1](https://a.b)", (1,))], "a."),
        ("a ([1](https://a.b), [Dams](https://c.d)).", [], "a."),
        ("a [dams.pdf#page=3].", [], "a."),
        ("a [dams.pdf:3].", [], "a."),
        ("a [see Doc 1].", [("[see Doc 1]", (1,))], "a."),
        ("a [per 100].", [], "a [per 100]."),
        ("a [Doc 1 p. 3].", [("[Doc 1 p. 3]", (1,))], "a."),
        ("a (Document 1: page 3).", [("(Document 1: page 3)", (1,))], "a."),
        ("the height is [1](https://a.b/0).", [("[1](https://a.b/0)", (1,))], "the height is."),
        ("it is [source 1 and 2].", [("[source 1 and 2]", (1, 2))], "it is."),
        ("the [link](https://a.b) is old", [], "the [link](https://a.b) is old"),
        ("a [link](https://a.b) is old", [], "a [link](https://a.b) is old"),
        ("read the [source](https://a.b).", [], "read the [source](https://a.b)."),
        ("it fell [link](https://a.b).", [], "it fell."),
    ],
)
def test_forms_of_markers(answer: str, found: list[tuple[str, tuple[int, ...]]], stripped: str) -> None:
    """Each with its numbers, and the text without it; indices, intervals, powers, words and addresses are none."""
    markers = find_citations(answer)
    assert [(marker.text, marker.numbers) for marker in markers] == found
    assert [answer[marker.start : marker.end] for marker in markers] == [marker.text for marker in markers]
    assert strip_citations(answer) == stripped


def test_a_range_has_fifty_more_numbers_at_most() -> None:
    """What is longer is taken for two numbers."""
    (marker,) = find_citations("a [1-51].")
    assert marker.numbers == tuple(range(1, 52))


@pytest.mark.parametrize(
    ("pattern", "answer", "found"),
    [
        (r"#\d+", "a #1 #2-3", [("#1", (1,)), ("#2", (2,))]),
        (r"<(\d-\d)>", "a <2-4>", [("<2-4>", (2, 3, 4))]),
        (r"#(\d+)?x\d*", "a #x #1x7 #x8", [("#1x7", (1,)), ("#x8", (8,))]),
    ],
)
def test_numbers_of_another_pattern(pattern: str, answer: str, found: list[tuple[str, tuple[int, ...]]]) -> None:
    """They are read from its first group, or from all of it where that has none; without a number it is no marker."""
    assert [(marker.text, marker.numbers) for marker in find_citations(answer, pattern)] == found


WORDS = [f"w{at}" for at in range(101)]


@pytest.mark.parametrize(
    ("quote", "passage", "told"),
    [
        ("a b c d", "a b x c d", "are put together"),
        ("A B c d", "a b x C D", "are put together"),
        ("a b c d e", "a b c x c d e", "are put together"),
        ("a b c d e f g h", "a b x c d x e f x g h", "are put together"),
        ("a b c d e f g h i j", "a b x c d x e f x g h x i j", "no passage has"),  # of too many pieces
        ("a b c", "a b x c", "no passage has"),  # one word is no piece
        ("a b z", "a b c", "no passage has"),
        ("a b c d", "a b c d", ""),
        ("a b a b c", "a b q a b c", "are put together"),
        (" ".join(WORDS[:100]), " ".join([*WORDS[:50], "x", *WORDS[50:]]), "are put together"),
        (" ".join(WORDS), " ".join([*WORDS[:50], "x", *WORDS[50:]]), "no passage has"),  # of too many words
    ],
)
def test_a_quotation_that_is_put_together(quote: str, passage: str, told: str) -> None:
    """Of up to four pieces of at least two words each, all of one passage."""
    reason = check_citations([], [quote], ["Nothing.", passage], lambda _: None, [], False).reason
    assert told in reason and ("[2]" in reason) == ("together" in told) and bool(reason) == bool(told)


def test_what_is_told_is_bounded() -> None:
    """Three numbers, three quotations and three suggestions; the best supporting passages first."""
    markers = [CitationMarker(0, 3, "[9]", (7, 9, 8, 6, 5, 1))]
    worth = {0: (0.1, False), 1: (0.8, True), 2: (0.9, True), 3: (0.7, True), 4: None}
    found = check_citations(markers, ["a b c", "d e f", "g h i", "k l m"], ["x"] * 5, worth.get, [4, 3, 2, 1, 0], True)
    assert found.suggested == (3, 2, 4)
    assert found.reason.startswith(
        "it cites [6], [7], [8] and 1 more, but there are 5 passages; no cited passage ([1], [5])"
    )
    assert found.reason.count("no cited passage has the words") == 3
    assert [(each.number, each.exists, each.passage, each.supports, each.probability) for each in found.citations] == [
        (7, False, None, False, None),
        (9, False, None, False, None),
        (8, False, None, False, None),
        (6, False, None, False, None),
        (5, True, 4, False, None),
        (1, True, 0, False, 0.1),
    ]


def test_who_is_not_supported_gets_no_suggestion() -> None:
    """Nor is it told that the passages that it cites don't support it."""
    found = check_citations([CitationMarker(0, 3, "[1]", (1,))], [], ["x", "y"], lambda _: (0.9, True), [0, 1], False)
    assert (found.suggested, found.reason) == ((), "")
    supported = check_citations(
        [CitationMarker(0, 3, "[1]", (1,))], [], ["x", "y"], lambda _: (0.9, True), [0, 1], True
    )
    assert (supported.suggested, supported.reason) == ((2,), "")


@pytest.mark.parametrize(
    ("answer", "stripped"),
    [
        ("Dams burst ([1]).", "Dams burst."),
        ("Dams burst ([1], [2]).", "Dams burst."),
        ("Dams burst (Sources: [1], [2]).", "Dams burst."),
        ("Dams burst [Sources: [1]].", "Dams burst."),
        ("Dams burst [1], [2], and [3].", "Dams burst."),
        ("Dams burst [1],[2].", "Dams burst."),
        ("Dams burst [1]-[3].", "Dams burst."),
        ("Dams [1] and [2] burst.", "Dams burst."),
        ("Dams [1] and locks [2] burst.", "Dams and locks burst."),
        ("Dams (old [1]) burst.", "Dams (old) burst."),
        ("Dams burst. [1]. So", "Dams burst. So"),
        ("Dams ([1] says so) burst.", "Dams ( says so) burst."),
    ],
)
def test_what_joins_markers_goes_with_them(answer: str, stripped: str) -> None:
    """Commas, words and brackets between and around nothing but markers are left by none of them."""
    assert strip_citations(answer) == stripped
