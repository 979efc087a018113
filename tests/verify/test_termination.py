"""Every reader of text comes to an end, after a number of steps that grows with the text and no faster."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.language import check_languages
from secondpass.verify.claims.citations import citations_of, find_citations, find_quotes, strip_citations
from secondpass.verify.claims.split import ClaimStream, split_claims
from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.kinds import DATES
from tests.verify.steps import TooManyStepsError, steps

SIGNS = list("0123456789.,:;-\u2013/\\'\u2019\"()[]{}<>|#*_~`^&=+%$\u20ac\u00a3\u00b0\u00b9\u00bd\u2003\u00ad\t\n ")
WORDS = (
    "2020.11.19 12.05.2020 3/4/2020 1,000 1.5 .05 1e6 10:30 5:1 10-19 1'500 km $ \u20ac % ms GB May 1990 AD BC 's th "
    "million half a third one no. p.m. e.g. a. Mr. [1] [^1] [1]: (1) **a** `b` <sup>1</sup> <b> &amp; v2.1 not no n't "
    "Python Al Smith U.S. because and but ; the ]( http://a.b \u3010 \u3011 | --- > - 1."
)
PIECES = [*WORDS.split(), "```\n", "\n\n", "\n> ", "\n- ", "\n1. ", "[2, 3]", "|\n", '{"a":\n', "[\n", '{"a": 1}\n']
TEXTS = st.lists(st.sampled_from(SIGNS) | st.sampled_from(PIECES), max_size=60).map("".join)
FRAGMENTS = st.lists(st.sampled_from(SIGNS) | st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)

READERS: dict[str, Callable[[str], object]] = {
    "facts": read_facts,
    "claims": split_claims,
    "citations": find_citations,
    "citations of claims": lambda text: citations_of(split_claims(text), find_citations(text)),
    "quotations": find_quotes,
    "text without citations": strip_citations,
}
# A reader may execute this many lines for each character, and for each text.
PER_CHARACTER, PER_TEXT = 2_000, 20_000


@pytest.fixture(autouse=True, scope="module")
def language_model() -> None:
    """Load the detector of languages, which takes many steps, before any are counted."""
    check_languages(None)


def stream(text: str, size: int) -> None:
    """Read the claims of a text that comes in pieces of some size."""
    claims = ClaimStream()
    for at in range(0, len(text), size):
        claims.feed(text[at : at + size])
    claims.finish()


def most(text: str) -> int:
    """Return how many lines a reader may execute for a text."""
    return PER_TEXT + PER_CHARACTER * len(text)


def grows_linearly(read: Callable[[str], object], fragment: str) -> None:
    """Assert that twice as many repetitions cost about twice as many lines, and not four times as many."""
    # Long enough for what looks ahead by a fixed number of characters, 300 at most, to do so all the time.
    times = 1_200 // len(fragment) + 1
    short, long = fragment * times, fragment * (2 * times)
    n_short, n_long = (steps(lambda text=text: read(text), most=most(text)) for text in (short, long))  # type: ignore[misc]
    # What looks back by up to some thousand characters, as for the beginning of JSON, does so more in the longer one.
    assert n_long <= 2.8 * n_short + 500, (fragment, n_short, n_long)


def test_a_loop_without_end_is_stopped() -> None:
    """What counts the steps ends a call that does not end by itself."""

    def loop() -> None:
        while True:
            pass

    with pytest.raises(TooManyStepsError, match="loop"):
        steps(loop, most=1_000)


@pytest.mark.parametrize("text", ["bioRxiv 2020.11.19.389916", "Build 2024.01.15.3", "12.05.2020.7", "3/4/2020,50"])
def test_a_date_within_a_longer_number_ends(text: str) -> None:
    """A number that goes on after a date is read as a whole, and is not a date."""
    steps(lambda: read_facts(text), most=most(text))
    assert DATES.of(read_facts(text)) == []


@pytest.mark.parametrize("reader", READERS)
@given(text=TEXTS)
def test_any_text_is_read(reader: str, text: str) -> None:
    """A random text is read within the bound on steps."""
    steps(lambda: READERS[reader](text), most=most(text))


@given(claim=TEXTS, evidence=TEXTS)
def test_any_texts_are_compared(claim: str, evidence: str) -> None:
    """The facts of two random texts are compared within the bound on steps."""
    ours, theirs = read_facts(claim), read_facts(evidence)
    steps(lambda: check_facts(ours, theirs), most=most(claim + evidence) * 10)


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=40)
@given(fragment=FRAGMENTS)
def test_repetitions_are_read_in_linear_time(reader: str, fragment: str) -> None:
    """A random fragment, repeated twice as often, is twice the work."""
    grows_linearly(READERS[reader], fragment)


@pytest.mark.parametrize("size", [1, 7])
@settings(max_examples=25)
@given(fragment=FRAGMENTS)
def test_repetitions_in_a_stream_are_read_in_linear_time(size: int, fragment: str) -> None:
    """The same holds for an answer that comes in pieces."""
    grows_linearly(lambda text: stream(text, size), fragment)


@given(data=st.data())
def test_mutated_texts_are_read(data: st.DataObject) -> None:
    """Prose with figures in which signs are lost, doubled and exchanged is read within the bound on steps."""
    text = (
        "On 12.05.2020 the Basic plan rose by 2.5 % to $1,200.50 (v2.1.3) [1]. About 3/4 of 1.2 million users - "
        "between 10 and 15 km away - paid at 10:30 p.m.\n\n| a | b |\n|---|---|\n| 1 | 2.5e6 |\n\n> 1. *Not* `x[1]`.\n"
    )
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    letters = list(text)
    for _ in range(chance.randint(1, 30)):
        at = chance.randrange(len(letters))
        letters[at : at + chance.randint(0, 2)] = chance.choice([*SIGNS, *PIECES, letters[at] * 2])
    text = "".join(letters)
    for read in READERS.values():
        steps(lambda read=read: read(text), most=most(text))  # type: ignore[misc]
