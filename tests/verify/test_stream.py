"""Verifying an answer while it is generated: the verdicts of the whole, as early as they can be had."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError, SecondPassWarning
from secondpass.verify.claims import citations
from secondpass.verify.claims.citations import CitationStream
from secondpass.verify.claims.split import ClaimStream
from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier
from tests.verify.towers import PASSAGES, Make

SENTENCES = (
    "The tower was built in 1889 [1].",
    "The tower is 300 metres tall.",
    "The museum is not closed on Sunday [2].",
    "The museum sells coffee, and the tower was built by a company.",
    "Shall I go on?",
)


def chunked(text: str, size: int) -> Iterator[str]:
    """Yield a text in pieces of some characters."""
    return (text[at : at + size] for at in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_verdicts_are_those_of_the_whole(make: Make, size: int) -> None:
    """However a long answer is cut, its claims are checked as in one piece: verdicts, probabilities, evidence."""
    answer = "Here it is:\n\n" + "\n".join(f"- {SENTENCES[at % 5]}" for at in range(60)) + "\n\n" + " ".join(SENTENCES)
    verifier = make()
    whole = verifier.verify(answer, PASSAGES, question="What is there?").claims
    assert tuple(verifier.stream(chunked(answer, size), PASSAGES, question="What is there?")) == whole
    assert len(whole) > 70 and {claim.verdict for claim in whole} > {Verdict.SUPPORTED, Verdict.CONTRADICTED}


def test_a_claim_comes_when_its_sentence_ends(make: Make) -> None:
    """The first verdict is there before the second sentence has ended, and passages are cut once."""
    read: list[str] = []

    def generated() -> Iterator[str]:
        for sentence in SENTENCES:
            for word in sentence.split():
                read.append(word)
                yield f"{word} "

    claims = make().stream(generated(), PASSAGES)
    assert read == []
    first = next(claims)
    assert first.verdict is Verdict.SUPPORTED and len(read) <= len(f"{SENTENCES[0]} {SENTENCES[1]}".split())
    assert len(list(claims)) == 5


def test_citations_are_checked_on_the_way(make: Make) -> None:
    """A claim comes with its citation markers."""
    claims = list(make().stream(chunked(" ".join(SENTENCES), 3), PASSAGES))
    assert [[c.number for c in claim.citations] for claim in claims[:3]] == [[1], [], [2]]


def test_bad_input_is_refused(make: Make) -> None:
    """Passages are looked at when it is called; a chunk that is no text when it comes."""
    with pytest.raises(InputError, match="passages must be a list"):
        make().stream(["a"], "text")  # type: ignore[arg-type]
    for chunks in ("text", b"text", 3):
        with pytest.raises(InputError, match="chunks must be an iterable"):
            make().stream(chunks, PASSAGES)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"chunks\[1\]"):
        list(make().stream(["a", 3], PASSAGES))  # type: ignore[list-item]


def test_one_claim_that_fails_takes_no_other_with_it(make: Make, fake_nli: Any) -> None:
    """An error is yielded in its place, and the stream goes on."""
    verifier = make(model=fake_nli(fails_on="coffee"))
    answer = "The tower was built in 1889. The museum sells coffee. The museum is closed on Sunday."
    with pytest.warns(SecondPassWarning):
        claims = list(verifier.stream(chunked(answer, 9), PASSAGES))
    assert [claim.verdict for claim in claims] == [Verdict.SUPPORTED, Verdict.ERROR, Verdict.SUPPORTED]


def test_an_empty_answer_gives_nothing(make: Make) -> None:
    """No chunks, or blank ones, give no claims."""
    assert list(make().stream([], PASSAGES)) == list(make().stream(["", " ", "\n"], PASSAGES)) == []


PIECES = [
    *SENTENCES, "\n\n", " ", "\n", "e.g. ", "- ", "**", "3.5 ", "[1]", "\n\n[1] [2]\n\n", "<b>5</b> [1]\n",
    "[5](https://a.b) [2]\n", '"the museum is closed" ', '"', "`x[1]` ", "```\n", "> ", "| a | [2] |\n", "|---|---|\n",
    "# ", "[1]: ", "\u3002", "(ref 2) ",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=14), st.data(), st.sampled_from([None, r"\(ref (\d)\)", r"\w*\[\d\]"])
)
def test_any_cut_gives_what_the_whole_gives(
    fake_nli: Any, parts: list[str], data: st.DataObject, pattern: str | None
) -> None:
    """Pieces of markdown in any order, cut anywhere: claims, verdicts, citations and quotations are all the same."""
    answer = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    chunks = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    verifier = FactVerifier(fake_nli(), citation_pattern=pattern)
    assert tuple(verifier.stream(chunks, PASSAGES)) == verifier.verify(answer, PASSAGES).claims


def test_markers_in_a_line_of_their_own_come_with_their_claim(make: Make) -> None:
    """A claim waits for the markers that follow it in the next paragraph, but for nothing else."""
    fed: list[str] = []

    def generated(after: str) -> Iterator[str]:
        for piece in (
            "The tower was built in 1889.",
            "\n\n",
            after[:3],
            after[3:],
            " The museum sells coffee.",
            "\n\n",
        ):
            fed.append(piece)
            yield piece

    first, *_ = make().stream(generated("[1]\n\n"), PASSAGES)
    assert [citation.supports for citation in first.citations] == [True]
    fed.clear()
    first = next(make().stream(generated("The museum is closed."), PASSAGES))
    assert len(fed) == 3 and first.citations == ()


@pytest.mark.parametrize("marker", ["[2]", "(ref 2)", "\u30102\u2020source\u3011"])
def test_letters_of_a_marker_are_not_those_of_the_next_sentence(make: Make, marker: str) -> None:
    """A named marker that follows in the next paragraph comes with its claim, as in the whole answer."""
    answer = f"The tower was built in 1889 [1].\n\n{marker} > "
    claims = list(make().stream([answer], PASSAGES))
    assert [[citation.number for citation in claim.citations] for claim in claims] == [[1, 2], []]
    assert tuple(claims) == make().verify(answer, PASSAGES).claims


def test_an_answer_is_read_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many claims have ended, what was read for citations and quotations is not read again."""
    read: list[int] = []
    for name in ("find_citations", "find_quotes"):
        usual = getattr(citations, name)

        def counted(text: str, *rest: Any, usual: Any = usual) -> Any:
            read.append(len(text))
            return usual(text, *rest)

        monkeypatch.setattr(citations, name, counted)
    answer = " ".join(SENTENCES * 40)
    assert len(list(make().stream(chunked(answer, 5), PASSAGES))) > 200
    assert sum(read) <= 2 * len(answer)


@given(st.lists(st.sampled_from(["[1]\n\n", "It is tall [1].\n\n", "5\n\n"]), max_size=8), st.booleans())
def test_held_claims_are_given_out_in_order(parts: list[str], final: bool) -> None:
    """A stream of citations loses no claim, and holds none twice."""
    answer = "".join(parts)
    stream, held = ClaimStream(), CitationStream()
    ended = [*stream.feed(answer), *(stream.finish() if final else [])]
    released = [*held.feed(answer, ended), *held.feed(answer, [])]
    assert [*released, *held.finish()] == ended
    assert held.finish() == []
