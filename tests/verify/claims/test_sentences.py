"""Sentences of a paragraph: where they end, and that they end there however the text comes."""

import pytest

from secondpass.verify.claims.sentences import SentenceScanner


def sentences(text: str, size: int | None = None) -> list[str]:
    """Return the sentences of a paragraph that comes in pieces of a size, or whole."""
    scanner = SentenceScanner(0)
    pieces = [text] if size is None else [text[at : at + size] for at in range(0, len(text), size)]
    spans = [span for piece in pieces for span in scanner.feed(piece)] + scanner.finish()
    return [text[start:end] for start, end in spans]


_CASES = [
    ["Dr. Smith met Mr. Jones at 5 p.m. in the U.S. Senate.", "He left."],
    ["See e.g. the docs, i.e. No. 5, Vol. 2 and Fig. 3.", "It uses v3.11 and runs 3.5 km.", "Done."],
    ["The pipe is approx. 3 m long.", "It is old."],
    ["Use `os.path.join. It` to join.", "Then call os.path.exists().", "Or call it."],
    ["Visit https://example.org/a.html?x=1.", "Then leave."],
    ["Well... it works.", "Hmm...", "Maybe not."],
    ['He said "It works. It does."', "Then he left.", "\u201cYes. No.\u201d", "She agreed."],
    ["It was founded in 1999. [1]", "It grew fast.[2][3]", "Then it died [4].", "The end."],
    ["The value is 3.14.", "5 is prime.", "Yes!"],
    ["J. K. Rowling wrote it.", "Python 3.", "It is new."],
    ["It is (see above. And below.) fine.", "(It is.)", "OK."],
    ["**Bold.", "And bold.**", "Next one.", "*Italic!*", "Then."],
    ["A line ends here:", "and this is another."],
    ["Mixed \U0001f600 signs.", "Another \U0001f600!", "Over."],
    ["He is 5 ft. 3 in. tall.", "Yes."],
    ["It is 31 mm.[1]", "Falk described it.", "It weighs 5 kg.", "The box is red."],
    ["An open ( bracket.", "It is never closed."],
    [
        "The lock closes at 5 p.m. Friday.",
        "It opens at 9 a.m. EST in Boston.",
        "At 7 p.m. it rains.",
        "It closed at 7 p.m.",
        "They left.",
    ],
    ["Max. load is 120 kg.", "The temp. max. is 40 deg. C here.", "It is 5 kg max.", "The rest is free."],
    ["The handbook, ed. by K. Marsh, is old.", "Add 2 tbsp. of oil and 1 tsp. salt.", "Stir."],
    ["Sec. 12 of the Act, as amended by Pub. L. No. 104-191, applies.", "It is law."],
    [
        "It opened in May.\u00b9",
        "It grew.\u30101\u2020source\u3011",
        "It fell. [2](https://a.b/c-d_e)",
        "It ended.<sup>3</sup>",
        "So.",
    ],
    ["It was in Ann. Rev. Biol. for years.", "Then J. Amer. Chem. Soc. took it.", "Say No.", "Then go."],
    ['"Look out!" he cried.', "\u201cWhy?\u201d she asked.", '"Go."', "They went."],
    ["no end"],
]


@pytest.mark.parametrize("expected", _CASES)
@pytest.mark.parametrize("size", [None, 1, 7])
def test_sentences_end_where_they_do(expected: list[str], size: int | None) -> None:
    """Abbreviations, decimals, addresses, code, quotations, brackets and citation markers do not mislead it."""
    text = "\n".join(expected) if expected[0].endswith(":") else " ".join(expected)
    assert sentences(text, size) == expected


def test_scripts_without_spaces() -> None:
    """A full stop of Chinese or Japanese needs no space after it."""
    assert sentences(
        "\u4e2d\u6587\u53e5\u5b50\u3002\u7b2c\u4e8c\u53e5\uff01\u300c\u4e00\u3002\u4e8c\u3002\u300d\u3002"
    ) == [
        "\u4e2d\u6587\u53e5\u5b50\u3002",
        "\u7b2c\u4e8c\u53e5\uff01",
        "\u300c\u4e00\u3002\u4e8c\u3002\u300d\u3002",
    ]


def test_a_sentence_is_given_with_the_first_word_of_the_next() -> None:
    """It is held back until the next word is there, and no longer."""
    scanner = SentenceScanner(10)
    assert scanner.feed("It opened in 1889. ") == []
    assert scanner.feed("Then") == []
    assert scanner.feed(" ") == [(10, 28)]
    assert scanner.feed("it closed.") == []
    assert scanner.finish() == [(29, 44)]


def test_a_paragraph_of_blanks_has_none() -> None:
    """Nothing but blanks is no sentence."""
    assert sentences(" \n\t ") == []
    assert sentences("") == []


@pytest.mark.parametrize(
    "told",
    [
        "It is 5 max. |It is new.",
        "It is 5 max. it is new.",
        "It is 5 max. 5 more.",
        "It is vol. 5 of it.",
        "It is vol. |Five of it.",
        "See no. 5 here.",
        "She said no. Five left.",
        "Use approx. Five of it.",
        "It is Pub. L. No. 5 now.",
        "It is by J. No. 5 now.",
        "It is 5 km. |The end.",
        "It is 5 km. |the end.",
        "It is 5 km. long in all.",
        "Take 5 mg. before meals. |Stop then.",
        "Take 5 ml. per day.[1] |Stop then.",
        "It is 3 m/s. |Gusts came.",
        "Call tel. 5 now.",
        "Tel. 555-123 is it.",
        "It is 5 miles. |The end.",
        "It ended at 5 p.m. Friday it was.",
        "It ended at 5 p.m. |It was.",
        "It ended at 5 p.m. it was.",
        "It ended at 5 p.m. EST. |It was.",
        "It is old, EST. 1990 in it.",
        "It is $5/mo. |The end.",
        "It is 5 bn. in it. |The end.",
        "It is 5 bn. |The end.",
        "It is 20 \u00b0C. |Mix it.",
        "It is 20 \u00b0 F. |Mix it.",
        "It is 20 \u00b0C. mix it.",
        "1. The first one. |2. The next.",
        "A. The first. |B. The next.",
        "- 1. The first.",
        "(1. The first)",
        "Planets. \u2014 The next.",
        "Planets. - The next.",
        "Planets... |Rockets.",
        "Planets\u2026 |Rockets.",
        "Planets\u2026 rockets.",
        "Planets?! |Rockets.",
        "Planets? |rockets.",
        "Planets! |rockets.",
        "Planets. |rockets.",
        "Planets.) |Rockets.",
        'Planets." |Rockets.',
        'He said "Planets." |Rockets left.',
        'He said "Planets." rockets left.',
        'He said "Planets!" |Rockets.',
        '"Planets." |Rockets.',
        "(Planets.) |Rockets.",
        "x (Planets.) Rockets.",
        "x (Planets. Rockets.) Comets.",
        "(Planets. Rockets.) |Comets.",
        "(Planets. Rockets). |Comets.",
        "((((((((Planets. Rockets.)))))))) Comets.",
        "(Planets. |Rockets.",
        '5" pipe. |And 6" pipe. |Rockets.',
        "`Planets. |Rockets. |Comets.",
        "[Planets. Rockets.] |Comets.",
        "\u00abPlanets. Rockets.\u00bb |Comets.",
        "Planets.[1] |Rockets.",
        "Planets. [1] |Rockets.",
        "Planets.[1] |rockets.",
        "Planets mm.[1] |Rockets.",
        "Planets. [1][2] |Rockets.",
        "Planets. |[a] Rockets.",
        "Planets.[1](https://a.b/c) |Rockets.",
        "Planets:\n|Rockets.",
        "Planets: Rockets.",
        "Planets.\n|Rockets.",
        "Planets\nRockets.",
        "Planets  \n|Rockets.",
        "Planets \nRockets.",
        "Planets\\\n|Rockets.",
        "Planets  \r\n|Rockets.",
        "\u4e00\u3002|Rockets. |Comets",
        "\u4e00\u3002|\u4e8c",
        "Planets\u3002",
        "It is the U.S. |It is.",
        "e.g. Planets. |Rockets.",
        "It is e.g. Planets.",
        "Is it? |Yes. |No!",
        "Planets.Rockets Comets.",
        "v1.2 is. |It",
        "**See the planets.** |Rockets.",
        "**Planets. |Rockets.** |Comets.",
        "_Planets._ |Rockets.",
        "Planets. |<b>Rockets</b>.",
        "Planets.<ref>1</ref> |Rockets.",
        "Planets.<cite>1</cite> |Rockets.",
        "Planets.\u00b9 |Rockets.",
        "Planets.\u00b9\u00b2 |Rockets.",
        "Planets.\u30101\u2020source\u3011 |Rockets.",
        "Planets. |(1) Rockets.",
        "Planets.(1) Rockets.",
        "It is 5 sq. ft. |The end.",
        "The dept. |The end.",
        "The dept. the end.",
        "Planets. |2 are.",
        "Planets. |'Rockets' it.",
        'Planets. |"Rockets" it.',
        "Planets. |(Rockets) it.",
        "Planets.  |Rockets.",
        "Planets.\u00a0|Rockets.",
        "Planets.<br>|Rockets.",
        "Planets<br/>|Rockets<br />\n<br>|Comets",
        "Two lines<br>of planets.",
        "Planets.</p>\n<ul class='a'><li>|Rockets</li>  <li>|Comets</li></ul>",
        "It is <b>old</b>. |The <li> tag, and the <br>, are.",
        "Between <p> and </p>.",
        "<h2>Planets</h2><p>|Rockets.</p><h3>|Comets</h3>".replace("<h3>|", "|<h3>"),
        "`Planets<br>Rockets` |Comets.".replace(" |", " "),
        "Is 3 <5 and <p",
    ],
)
@pytest.mark.parametrize("size", [None, 1])
def test_where_the_next_one_begins(told: str, size: int | None) -> None:
    """A sentence begins at a bar: behind what ends one, with its quotation marks, brackets and citations."""
    text = told.replace("|", "")
    found, at = "", 0
    for sentence in sentences(text, size):
        begin = text.index(sentence, at)
        found += text[at:begin] + "|" * bool(at) + sentence
        at = begin + len(sentence)
    assert found + text[at:] == told
