"""The claims of whole answers: markdown, offsets, coverage, and the same claims however an answer is streamed."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.verify.claims.split import ClaimStream, split_claims
from secondpass.verify.types import Claim

_ANSWER = """# The tower of Paris

Sure! Here are the facts:

I think the tower is 330 m tall. It was finished in 1889. [1] Its architect was **Stephen Sauvestre** [2, 3]. Open?

- **Height**: 330 m [1]
- It has *three* levels; see [the site](https://example.org/a).
  Lifts go to each.
1. First comes the lawn. Then the `Champ.de.Mars`.

| City | Tower |
|------|------:|
| Paris | 330 m [1] |
| Tokyo | 333 m |

```python
x = y[1]  # Not. A. Claim.
```

> It is quoted here.
> It is quoted there.

Title
=====

Let me know if you need more!
"""

_CLAIMS = [
    (0, "The tower of Paris", "it is a heading"),
    (1, "Sure!", "it is a greeting, thanks or a closing"),
    (2, "Here are the facts:", "it only introduces what follows"),
    (3, "The tower is 330 m tall.", ""),
    (4, "It was finished in 1889.", ""),
    (5, "Its architect was Stephen Sauvestre.", ""),
    (6, "Open?", "it is a question"),
    (7, "Height: 330 m.", ""),
    (8, "It has three levels; see the site.", ""),
    (9, "Lifts go to each.", ""),
    (10, "First comes the lawn.", ""),
    (11, "Then the Champ.de.Mars.", ""),
    (12, "City Tower", "it is the header of a table"),
    (13, "City: Paris; Tower: 330 m", ""),
    (14, "City: Tokyo; Tower: 333 m", ""),
    (15, "```python\nx = y[1]  # Not. A. Claim.\n```", "it is code"),
    (16, "It is quoted here.", ""),
    (17, "It is quoted there.", ""),
    (18, "Title", "it is a heading"),
    (19, "Let me know if you need more!", "it is an offer or a request to the reader"),
]


def streamed(chunks: list[str]) -> tuple[Claim, ...]:
    """Return the claims of an answer that comes in pieces."""
    stream = ClaimStream()
    claims = [claim for chunk in chunks for claim in stream.feed(chunk)]
    return (*claims, *stream.finish())


def letters_outside(answer: str, claims: tuple[Claim, ...]) -> str:
    """Return the letters of an answer that stand in no claim."""
    covered = bytearray(len(answer))
    for claim in claims:
        covered[claim.start : claim.end] = b"\1" * (claim.end - claim.start)
    return "".join(letter for letter, inside in zip(answer, covered, strict=True) if letter.isalpha() and not inside)


class TestMarkdown:
    def test_every_kind_of_block(self) -> None:
        """Headings, lists, tables, code and quotations become the claims that they are."""
        claims = split_claims(_ANSWER)
        assert [(claim.sentence, claim.text, claim.reason) for claim in claims] == _CLAIMS
        assert all(claim.checkable is not bool(claim.reason) for claim in claims)
        assert _ANSWER[claims[4].start : claims[4].end] == "It was finished in 1889. [1]"
        assert _ANSWER[claims[7].start : claims[7].end] == "**Height**: 330 m [1]"
        assert _ANSWER[claims[13].start : claims[13].end] == "| Paris | 330 m [1] |"
        assert _ANSWER[claims[17].start : claims[17].end] == "It is quoted there."

    @pytest.mark.parametrize(
        ("answer", "texts"),
        [
            ("Take `x[1]` and **kwargs**.", ["Take x[1] and kwargs."]),
            ("Call `**kwargs` or `a_b_c`.", ["Call **kwargs or a_b_c."]),
            ("It is 2 * 3 * 4 or a_b_c or __init__.", ["It is 2 * 3 * 4 or a_b_c or __init__."]),
            ("It is <b>big</b> &amp; old<br>now.", ["It is big & old now."]),
            ("It is old.<br>It is big<br/>**Size:** 3 m", ["It is old.", "It is big.", "Size: 3 m."]),
            ("<p>It is old.</p><ul><li>It is <b>big</b></li><li>Free</li></ul>", ["It is old.", "It is big.", "Free"]),
            ("<table><tr><td>Size</td><td>$3</td></tr></table>", ["Size $3."]),
            ("Use the <h1> tag, and <td>.", ["Use the <h1> tag, and <td>."]),
            ("A ![picture](a.png) of ~~it~~ <https://example.org>.", ["A picture of it https://example.org."]),
            ("- [x] It is done.", ["It is done."]),
            ("1. It is.\n2) It was.\n\u2022 It will be.", ["It is.", "It was.", "It will be."]),
            ("| a |\nIt is so.", ["a", "It is so."]),
            ("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |", ["a b", "a: 1", "a: 1; b: 2; 3"]),
            ("| a | b |\n|---|---|\n| `x|y` | p \\| q |", ["a b", "a: x|y; b: p | q"]),
            ("> > It is deep.\n> It is less.", ["It is deep.", "It is less."]),
            ("It is one.\r\n\r\nIt is two.\r\n", ["It is one.", "It is two."]),
            ("It is broken\nin the middle.", ["It is broken in the middle."]),
            ("[1]: https://example.org/a\n[^2]: It is a note.", ["[1]: https://example.org/a", "It is a note."]),
            ("~~~\ncode", ["~~~\ncode"]),
            ("---\n***\n- - -\n|--|\n===", ["--"]),
        ],
    )
    def test_texts_are_plain(self, answer: str, texts: list[str]) -> None:
        """Markdown goes, what code and names hold stays."""
        assert [claim.text for claim in split_claims(answer)] == texts

    @pytest.mark.parametrize(
        ("row", "headers"),
        [
            ("|---|---|", True),
            ("--- | ---", False),  # a row begins with a bar
            ("|:-:|-:", True),
            ("| :--- | ---: |  ", True),
            ("|-", True),
            ("|---|---||", True),
            ("| - - |", False),
            ("|::-|", False),
            ("|-x-|", False),
            ("| |-|", False),
        ],
    )
    def test_what_delimits_a_header(self, row: str, headers: bool) -> None:
        """Cells of dashes, with a colon on either side if need be, make the row before them the header."""
        reasons = [claim.reason for claim in split_claims(f"| a | b |\n{row}\n| 1 | 2 |")]
        assert ("it is the header of a table" in reasons) is headers

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            ("## The tower ##", "The tower"),
            ("# C# and F#", "C# and F#"),
            ("# The tower \t#\t", "The tower"),
            ("#", "#"),
            ("# a # b", "a # b"),
        ],
    )
    def test_the_marks_of_a_heading_go(self, answer: str, text: str) -> None:
        """Signs at its beginning, and at its end behind a blank, are no part of it."""
        assert [claim.text for claim in split_claims(answer)] == [text]

    def test_twenty_thousand_blanks(self) -> None:
        """A row that almost delimits a table, and a heading, are read in a time that blanks don't square."""
        blanks = " " * 20_000
        assert [claim.text for claim in split_claims(f"| a | b |\n|{blanks}x- |\n")] == ["a; b", "x-"]
        assert next(claim.text for claim in split_claims(f"| a | b |\n|{'-' * 20_000}x |\n")) == "a; b"
        assert [claim.text for claim in split_claims(f"# a{blanks}b")] == ["a b"]

    def test_indented_code_is_code_and_indented_prose_is_not(self) -> None:
        """An answer that is indented as a whole is checked; lines that begin like code are not."""
        claims = split_claims(
            "    Paris is in Spain. It is\n    very big.\n\n    x = paris()\n    more here\n\nIt is so."
        )
        assert [(claim.text, claim.reason) for claim in claims] == [
            ("Paris is in Spain.", ""),
            ("It is very big.", ""),
            ("x = paris()\n    more here", "it is code"),
            ("It is so.", ""),
        ]

    @pytest.mark.parametrize("marks", ["> " * 40, "- " * 40, "1. " * 40])
    def test_deep_nesting_hides_nothing(self, marks: str) -> None:
        """Markdown is read twenty levels deep, and what stands deeper is checked all the same."""
        assert "It is so." in split_claims(f"{marks}It is so.\n\nIt was.")[0].text
        assert split_claims(f"{marks}It is so.\n\nIt was.")[-1].text == "It was."

    @pytest.mark.parametrize(
        ("answer", "texts"),
        [
            ("- It is one.\n\n  It is two.\n- It is three.", ["It is one.", "It is two.", "It is three."]),
            ("> - It is one.\n>   It is two.\n\nIt is so.", ["It is one.", "It is two.", "It is so."]),
            (
                "- It is one.\n\n  ```\n  x = 1\n\n  y = 2\n  ```\n- It is so.",
                ["It is one.", "```\n  x = 1\n\n  y = 2\n  ```", "It is so."],
            ),
            ("It is one. It is two.\n---", ["It is one.", "It is two."]),
            ("A <table> of *it* is here.", ["A <table> of it is here."]),
        ],
    )
    def test_containers(self, answer: str, texts: list[str]) -> None:
        """Items and quotations hold paragraphs and code; a heading is one sentence, and HTML is prose."""
        assert [claim.text for claim in split_claims(answer)] == texts
        assert streamed(list(answer)) == split_claims(answer)

    @pytest.mark.parametrize(
        ("answer", "texts"),
        [
            (
                "You may return it if:\n\n- it is unused,\n- The box is closed.\n- You have a receipt [1]\n\nIt is so.",
                [
                    "You may return it if it is unused.",
                    "You may return it if the box is closed.",
                    "You may return it if you have a receipt.",
                    "It is so.",
                ],
            ),
            (
                "It failed because:\n1. Paris was dark.\n2. iOS was off.",
                ["It failed because Paris was dark.", "It failed because iOS was off."],
            ),
            (
                "The box contains the following parts:\n* a cable\n* a screw",
                ["The box contains a cable.", "The box contains a screw."],
            ),
            ("Follow these steps:\n1. Remove the cover.\n2. Wait.", ["Remove the cover.", "Wait."]),
            ("It can be:\n- old\n\nIt is big.\n- It is new.", ["It can be old.", "It is big.", "It is new."]),
            ("You must not:\n- feed them\n- keep two", ["You must not feed them.", "You must not keep two."]),
            (
                "To bleed the radiator:\n1. Turn the key.\n2. Water is hot.",
                ["To bleed the radiator, turn the key.", "Water is hot."],
            ),
            ("To dry it, follow these steps:\n- Open the lid.", ["To dry it, open the lid."]),
            (
                "Before a race, riders:\n- must not eat\n- May drink",
                ["Before a race, riders must not eat.", "Before a race, riders may drink."],
            ),
            ("Safety:\n- Do not open it.\n- three days", ["Do not open it.", "three days."]),
            ("What you need:\n- a key", ["A key."]),
            ("What is included:\n- It has a key.", ["It has a key."]),
            ("The steps are:\n1. Open it.\n2. Wait.", ["Open it.", "Wait."]),
            (
                "**Not included:**\n- Theft\n- Damage that was seen. It is so.",
                ["Not included: Theft.", "Not included: Damage that was seen.", "It is so."],
            ),
            ("Pro has all of that, plus:\n- support", ["Pro has all of that, plus support."]),
            ("Avoid:\n- heat", ["Avoid heat."]),
            ("Foods to avoid:\n- salt", ["salt"]),
            ("To enter, you must:\n- Pay 5 euros", ["To enter, you must pay 5 euros."]),
        ],
    )
    def test_items_go_on_with_their_lead_in(self, answer: str, texts: list[str]) -> None:
        """A condition or a part of a list says something with its lead-in only; a whole sentence says it alone."""
        assert [claim.text for claim in split_claims(answer) if claim.checkable] == texts
        assert streamed(list(answer)) == split_claims(answer)

    @pytest.mark.parametrize(
        "sources",
        [
            "Sources:\n[1] Handbook of Pumps, 2020\n[2] https://a.b/c",
            "## References\n1. Handbook of Pumps\n2. https://a.b/c",
        ],
    )
    def test_a_list_of_sources_is_no_claim(self, sources: str) -> None:
        """What was used is not said of anything; a sentence among it is checked."""
        answer = f"It is so. [1]\n\n{sources}\n\nIt is old."
        assert [claim.text for claim in split_claims(answer) if claim.checkable] == ["It is so.", "It is old."]
        claims = split_claims("Sources:\n- The tower is old.")
        assert [claim.text for claim in claims if claim.checkable] == ["The tower is old."]

    def test_raised_figures_stay_raised(self) -> None:
        """10<sup>6</sup> is not 106."""
        assert [claim.text for claim in split_claims("It has 10<sup>6</sup> cells.")] == ["It has 10\u2076 cells."]

    def test_a_marker_alone_is_no_claim(self) -> None:
        """A line of nothing but citation markers has no words."""
        assert [(claim.text, claim.reason) for claim in split_claims("It is.\n\n[1][2]")] == [
            ("It is.", ""),
            ("[1][2]", "there are no words in it"),
        ]

    def test_another_pattern_of_markers(self) -> None:
        """Markers of one's own are taken off, and belong to the sentence before."""
        answer = "It is big. (source 1) It is old (source 2)."
        claims = split_claims(answer, pattern=r"\(source \d+\)")
        assert [claim.text for claim in claims] == ["It is big.", "It is old."]
        assert answer[claims[0].start : claims[0].end] == "It is big. (source 1)"


class TestInput:
    @pytest.mark.parametrize("answer", ["", " \n\t\n ", "\r\n"])
    def test_a_blank_answer_has_no_claims(self, answer: str) -> None:
        """Nothing comes of nothing."""
        assert split_claims(answer) == ()

    def test_only_text_is_taken(self) -> None:
        """Anything but a str is refused, and so is more after the end."""
        with pytest.raises(InputError, match="must be a str, not bytes"):
            split_claims(b"It is.")  # type: ignore[arg-type]
        stream = ClaimStream()
        with pytest.raises(InputError, match="must be a str, not NoneType"):
            stream.feed(None)  # type: ignore[arg-type]
        assert stream.finish() == []
        assert stream.finish() == []
        with pytest.raises(InputError, match="finished"):
            stream.feed("It is.")
        with pytest.raises(ConfigError, match="pattern"):
            ClaimStream(pattern="(")

    def test_lone_surrogates_keep_offsets(self) -> None:
        """What no encoding can hold is replaced, one for one."""
        answer = "It is \ud800 big. It \udfff\ud83d is old."
        claims = split_claims(answer)
        assert [claim.text for claim in claims] == ["It is \ufffd big.", "It \ufffd\ufffd is old."]
        assert answer[claims[1].start : claims[1].end] == "It \udfff\ud83d is old."


_PIECES = [
    *("Paris is big. ", "It was founded in 1999. [1] ", "He was a and is b. ", '"It works. It does." ', "`a.b. c` "),
    *(
        "``x`",
        "(see above. Below.) ",
        "(",
        "[",
        "]",
        "[1]",
        "[1](http://x)",
        "\n",
        "\n\n",
        "\n- ",
        "\n1. ",
        "| a | b |\n",
    ),
    *("|---|---|\n", "```\n", "~~~py\n", "# Head\n", "    x = 1\n", "\t", "> quote. ", "\n> ", "---\n", "===\n", "***"),
    *(
        "**bold.** ",
        "*it* ",
        "e.g. ",
        "i.e. No. 5 ",
        "U.S. ",
        "3.5 ",
        "...",
        "\u2026",
        "?!",
        "\u3002",
        "\u4e2d\u6587\u3002",
    ),
    *("\u300c\u8a9e\u3002\u300d ", "\ud800", "\U0001f600 ", "\u201cQuote. me\u201d ", ":\n", "  \n", "\\\n", "\r\n"),
    *("[1]: http://x.org\n", "[^1]: Note. ", "- ", "Did you know that X is Y? ", "Hi! ", "word word ", "x" * 60, "; "),
    *("Let me know. ", ">", " " * 90, "-" * 99, "\u2028"),
    "<br>",
    "</li><li>",
    "<h2>",
    "</h2>\n",
    "<p class='a'>",
]

_BLOCK_TAG = re.compile(r"</?(?:br|li|h2|p class='a')>")


class TestProperties:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join) | st.text(max_size=80))
    def test_claims_cover_the_answer_in_order(self, answer: str) -> None:
        """Whatever the text, claims are in order, stand where they say, and leave no letter out."""
        claims = split_claims(answer)
        assert [claim.start for claim in claims] == sorted(claim.start for claim in claims)
        assert all(0 <= claim.start < claim.end <= len(answer) and claim.text for claim in claims)
        assert all(claim.checkable is not bool(claim.reason) for claim in claims)
        assert sorted({claim.sentence for claim in claims}) == list(range(len({claim.sentence for claim in claims})))
        assert letters_outside(_BLOCK_TAG.sub(lambda tag: " " * len(tag[0]), answer), claims) == ""

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.sampled_from(_PIECES), max_size=25).map("".join) | st.text(max_size=80) | st.just(_ANSWER),
        st.randoms(use_true_random=False),
    )
    def test_a_stream_gives_the_same_claims(self, answer: str, rng: random.Random) -> None:
        """However an answer is cut into pieces, its claims are those of the whole."""
        cuts = sorted(rng.choices(range(len(answer) + 1), k=rng.randint(0, 40)))
        chunks = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
        assert streamed(chunks) == split_claims(answer)
        assert streamed(list(answer)) == split_claims(answer)

    @pytest.mark.parametrize(
        "piece", ["a", " ", '"', "\u201c", "(()", "[a](", "`` ` ", "*a ", "__ a", "<b ", "<p ", "\\*", "\ud800"]
    )
    def test_a_hundred_thousand_signs(self, piece: str) -> None:
        """Nothing is lost of an answer of signs that begin what never ends, and the time is linear."""
        answer = (piece * (100_000 // len(piece) + 1))[:100_000]
        assert letters_outside(answer, split_claims(answer)) == ""

    @pytest.mark.parametrize(
        "piece",
        [
            "\n",
            "[1] ",
            "|",
            "| a\n",
            "- a\n",
            "> ",
            "```\n",
            "No. ",
            "X is a b and is c d, ",
            "I think ",
            "\u4e2d\u3002",
        ],
    )
    def test_thousands_of_claims(self, piece: str) -> None:
        """Nothing is lost of an answer of ten thousand claims, or of one that has ten thousand parts."""
        answer = (piece * (20_000 // len(piece) + 1))[:20_000]
        assert letters_outside(answer, split_claims(answer)) == ""


class TestStream:
    def test_a_claim_comes_as_soon_as_its_sentence_has_ended(self) -> None:
        """It comes with the first word of the next sentence, or the end of its paragraph or row."""
        stream = ClaimStream()
        came = {}
        text = "It is big. [1] It is old.\n\n| a |\n|---|\n| It is so. |\nIt is over."
        for at, letter in enumerate(text):
            for claim in stream.feed(letter):
                came[claim.text] = text[: at + 1]
        assert came == {
            "It is big.": "It is big. [1] It ",
            "It is old.": "It is big. [1] It is old.\n\n",
            "a": "It is big. [1] It is old.\n\n| a |\n|---|\n",
            "a: It is so.": "It is big. [1] It is old.\n\n| a |\n|---|\n| It is so. |\n",
        }
        assert [claim.text for claim in stream.finish()] == ["It is over."]

    def test_what_has_been_given_is_not_kept(self) -> None:
        """A stream holds no more than the text of what has not ended, however long the answer."""
        stream = ClaimStream()
        for _ in range(2000):
            stream.feed("It is a short sentence of some words. ")
            assert len(stream._text) < 100
        assert len(stream.finish()) == 1


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("\u2705 Entry is free\n\u274c Dogs are not allowed", ["Entry is free.", "Dogs are not allowed."]),
        (
            "\u26a0\ufe0f The pool is closed.\n\u26a0\ufe0f The bar is open.",
            ["The pool is closed.", "The bar is open."],
        ),
        ("\u2192 Entry is free\n\u2192 Dogs stay outside", ["Entry is free.", "Dogs stay outside."]),
        ("The pool is open! \U0001f389", ["The pool is open!"]),
        ("Press A \u2192 B to save.", ["Press A \u2192 B to save."]),
        ("From what I can see, the pool is closed.", ["The pool is closed."]),
        ("As far as I can tell the pool is closed.", ["The pool is closed."]),
    ],
)
def test_pictures_as_bullets_and_views_before_a_claim(answer: str, claims: list[str]) -> None:
    """A sign before each line makes a list, one behind a sentence is no claim, and whose view it is stays out."""
    assert [claim.text for claim in split_claims(answer)] == claims


_TITLED = [
    ("Come.\n\n**Opening hours**\n\nWe open at 9.", [("Opening hours", "it is a heading"), ("We open at 9.", "")]),
    ("Come.\n\n**Prices**\n- Entry costs $5.", [("Prices", "it is a heading"), ("Entry costs $5.", "")]),
    ("**Renting a boat**\n\nIt costs $5.", [("Renting a boat", "it is a heading"), ("It costs $5.", "")]),
    ("**Prices.** Entry costs $5.", [("Prices: Entry costs $5.", "")]),
    ("**Prices**\nIt is $5.\n\n**Hours**\nWe open at 9.", [("Prices: It is $5.", ""), ("Hours: We open at 9.", "")]),
    ("- **Late fee.** It is $2.", [("Late fee: It is $2.", "")]),
    (
        "1. **Setup**\n   - Dry it.\n2. **Use**\n\n   Row it.",
        [("Setup", "it is a heading"), ("Dry it.", ""), ("Use", "it is a heading"), ("Row it.", "")],
    ),
    (
        "Follow these steps:\n\n* **Setup**\n  1. Dry it.",
        [("Setup", "it is a heading"), ("Dry it.", "")],
    ),
    # Answers, and not titles.
    ("It includes:\n\n* **Paddles**\n  - They are short.", [("It includes Paddles.", ""), ("They are short.", "")]),
    ("1. **The skipper**\n2. **The owner**", [("The skipper.", ""), ("The owner.", "")]),
    ("**The skipper**\n\nHe pays for damage.", [("The skipper.", ""), ("He pays for damage.", "")]),
    ("**Canoes**", [("Canoes", "")]),
    ("Rent a boat.\n\n**Canoes**", [("Rent a boat.", ""), ("Canoes", "")]),
    ("It is paid by:\n\n**The skipper**\n\nHe has to.", [("The skipper.", ""), ("He has to.", "")]),
    ("Come.\n\n**Canoes are free**\n\nTry one.", [("Canoes are free.", ""), ("Try one.", "")]),
    ("**Not included.** Bring a towel.", [("Not included.", ""), ("Bring a towel.", "")]),
    ("**Canoes are free.** Bring a towel.", [("Canoes are free.", ""), ("Bring a towel.", "")]),
    ("**Canoes**\nare free.", [("Canoes are free.", "")]),
]


_KEYS = [
    ("Weight: 2.3 kg\nHeight: 30 cm", ["Weight: 2.3 kg.", "Height: 30 cm."]),
    ("**Weight:** 2.3 kg\n**Net height**: 30 cm\nweek: 5", ["Weight: 2.3 kg.", "Net height: 30 cm week: 5."]),
    ("weight: 2.3 kg\n  height: 30 cm", ["weight: 2.3 kg.", "height: 30 cm."]),
    ("> Weight: 2.3 kg\n> Height: 30 cm", ["Weight: 2.3 kg.", "Height: 30 cm."]),
    ("Parts: oars,\na mast\nCost: $5", ["Parts: oars, a mast.", "Cost: $5."]),
    # One claim, as the first line begins with no key, the next one goes on, or a time has the colon.
    ("He saw three cities in\nItaly: Rome, Milan and Turin.", ["He saw three cities in Italy: Rome, Milan and Turin."]),
    ("Rule: no dogs\nor cats: ever.", ["Rule: no dogs or cats: ever."]),
    ("Hours: from\n10:30 to noon", ["Hours: from 10:30 to noon."]),
]


@pytest.mark.parametrize(("answer", "claims"), _KEYS)
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_keys_below_one_another(answer: str, claims: list[str], step: int) -> None:
    """Lines of a key and its value are claims each, however the answer comes."""
    stream = ClaimStream()
    found = [claim for at in range(0, len(answer), step) for claim in stream.feed(answer[at : at + step])]
    assert [claim.text for claim in (*found, *stream.finish())] == claims


@pytest.mark.parametrize(("answer", "claims"), _TITLED)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_bold_titles(answer: str, claims: list[tuple[str, str]], step: int) -> None:
    """A bold line before others is a heading, a bold beginning is read with its sentence; bold answers are checked."""
    stream = ClaimStream()
    found = [claim for at in range(0, len(answer), step) for claim in stream.feed(answer[at : at + step])]
    found += stream.finish()
    assert [(claim.text, claim.reason) for claim in found][-len(claims) :] == claims
    assert found == list(split_claims(answer))


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        (
            "If it leaks:\n- Bail it out.\n- You can call us.",
            ["If it leaks, bail it out.", "If it leaks, you can call us."],
        ),
        ("For members:\n- Entry is free.", ["For members, entry is free."]),
        ("On weekends:\n1. **Hours:** 9 to 5", ["Hours: 9 to 5."]),
        ("For example:\n- Entry is free.", ["Entry is free."]),
        ("In summary:\n- Entry is free.", ["Entry is free."]),
        ("If the boat leaks:\n\nIt is not yours.", ["It is not yours."]),
        ("To bail it out:\n- Use the bucket.", ["To bail it out, use the bucket."]),
        ("**It is free if**\n- you row,\n- or you sail.", ["It is free if you row.", "It is free if you sail."]),
        ("It is free if\n\n- You row\n- And you sing", ["It is free if you row.", "It is free if you sing."]),
    ],
)
def test_items_hold_under_the_condition_that_leads_to_them(answer: str, claims: list[str]) -> None:
    """A lead-in that says when, or for whom, goes before each item of its list, but not before one with a label."""
    assert [claim.text for claim in split_claims(answer) if claim.checkable] == claims


@pytest.mark.parametrize(
    "sources",
    ["[1] https://a.b/c", "[1] https://a.b\n[2] <https://c.d>", "Source: https://a.b", "**Sources:** www.a.b"],
)
def test_addresses_of_sources_are_no_claims_without_a_heading(sources: str) -> None:
    """Behind a number, or the word, an address says where the answer is from; alone it may be the answer."""
    claims = split_claims(f"Paris is big.\n\n{sources}")
    assert [claim.reason for claim in claims] == ["", "it is an entry in a list of sources"]
    assert [claim.checkable for claim in split_claims("https://a.b/c")] == [True]
    assert [claim.checkable for claim in split_claims("[1] BBC opened https://a.b")] == [True]


def test_a_backslash_that_breaks_a_line_is_no_text() -> None:
    """It belongs to the sentence that it stands behind, and not to what this says."""
    answer = "Paris is big.\\\nRome is old\\\nOslo is new"
    claims = split_claims(answer)
    assert [claim.text for claim in claims] == ["Paris is big.", "Rome is old.", "Oslo is new."]
    assert answer[claims[0].start : claims[0].end] == "Paris is big.\\"


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            "[cite_start]The mill dates from 1783[cite: 1]. [cite_start]It ground rye. [cite: 2]",
            ["The mill dates from 1783.", "It ground rye."],
        ),
        ("The mill <co: 0>dates from 1783</co: 0>. It ground rye.", ["The mill dates from 1783.", "It ground rye."]),
        (
            '<cite index="1-2">The mill dates from 1783</cite>. It ground rye.',
            ["The mill dates from 1783.", "It ground rye."],
        ),
        ("The mill dates from 1783. {{cite: 1}} It ground rye.", ["The mill dates from 1783.", "It ground rye."]),
    ],
)
def test_marks_around_cited_words_are_no_part_of_a_claim(answer: str, texts: list[str]) -> None:
    """What opens or closes around the words that are cited for is taken off, however the answer comes."""
    assert [claim.text for claim in split_claims(answer)] == texts
    assert streamed(list(answer)) == split_claims(answer)


@pytest.mark.parametrize(
    ("line", "checkable"),
    [
        ("Source: Passage 1.", False),
        ("*Source: Document 2, page 3*", False),
        ("**Sources:** Passages 1 and 2, report.pdf, p. 4", False),
        ("Sources: milk and eggs.", True),
        ("Source: Passage 1 says that it is red.", True),
    ],
)
def test_a_line_that_only_names_its_source_is_not_a_claim(line: str, checkable: bool) -> None:
    """It is an entry in a list of sources, unless it says more than where something is from."""
    assert [claim.checkable for claim in split_claims(f"The pump is old.\n\n{line}")] == [True, checkable]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        (
            "The plan covers:\n- Medical costs:\n  - care abroad\n- Luggage:\n  - bags\n- dental care",
            ["The plan covers care abroad.", "The plan covers bags.", "The plan covers dental care."],
        ),
        (
            "You can return it if:\n1. It is unused.\n   - Open boxes are accepted.\n2. it is complete",
            ["You can return it if it is unused.", "Open boxes are accepted.", "You can return it if it is complete."],
        ),
        (
            "The plan includes:\n- For children:\n  - a free ticket\n- backups",
            ["For children, the plan includes a free ticket.", "The plan includes backups."],
        ),
        (
            "1. If it is red:\n- call us\n- unplug it\n2. If it is green:\n- wait",
            ["If it is red, call us.", "If it is red, unplug it.", "If it is green, wait."],
        ),
    ],
)
def test_items_of_a_list_in_a_list_take_the_lead_that_is_theirs(answer: str, claims: list[str]) -> None:
    """Below a label or a few words it is that of the outer list, below a sentence none, and it comes back behind."""
    assert [claim.text for claim in split_claims(answer) if claim.checkable] == claims
    assert streamed(list(answer)) == split_claims(answer)


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("- **Kettle:**\n  - 3 years\n- **Cable:**\n  - 6 months", ["Kettle: 3 years.", "Cable: 6 months."]),
        ("Deposit:\n- \u20ac1,200\n\nDiscount:\n- 15%", ["Deposit: \u20ac1,200.", "Discount: 15%."]),
        ("Kettle:\n- The cable lasts 6 months.", ["The cable lasts 6 months."]),
    ],
)
def test_a_bare_value_goes_on_with_the_label_above_it(answer: str, claims: list[str]) -> None:
    """It is of what the label names; a sentence below it says its own."""
    assert [claim.text for claim in split_claims(answer) if claim.checkable] == claims
    assert streamed(list(answer)) == split_claims(answer)


def test_a_cell_that_says_that_the_sources_are_silent_is_left_out() -> None:
    """The others of its row are checked."""
    claims = split_claims("| Owner | Task | Due |\n|---|---|---|\n| Mei | Write it | not specified |\n| Jo | - | N/A |")
    assert [claim.text for claim in claims if claim.checkable] == ["Owner: Mei; Task: Write it", "Owner: Jo; Task: -"]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        (
            "| | Team | Business |\n|---|---|---|\n| Price | $9 per user | $19 [1] |\n| SSO | No | \u2705 |",
            [
                "The Price of Team is $9 per user.",
                "The Price of Business is $19.",
                "Team is without SSO.",
                "Business is with SSO.",
            ],
        ),
        (
            "| Feature | A1 | B2 |\n|---|---|---|\n| Sleep | It goes off by itself | not specified |",
            ["A1: Sleep: It goes off by itself"],
        ),
        (
            "| Feature | Description | Default |\n|---|---|---|\n| a | b c | d |",
            ["Feature: a; Description: b c; Default: d"],
        ),
        ("| | A1 |\n|---|---|\n| Weight | 390 g |\n|", ["Weight; A1: 390 g"]),
        ("| Day | Band | Time |\n|---|---|---|\n| Friday | Foxes | 9 pm |", ["Day: Friday; Band: Foxes; Time: 9 pm"]),
    ],
)
def test_each_cell_of_a_comparison_is_a_claim(answer: str, claims: list[str]) -> None:
    """What stands in a row of one is said of several things; a row of another table is said of one."""
    found = split_claims(answer)
    assert [claim.text for claim in found if claim.checkable] == claims
    assert streamed(list(answer)) == found
    rows = answer.split("\n")[2:]
    assert all(answer[claim.start : claim.end] in rows for claim in found if claim.checkable)
