"""Citations in an answer: whether the passage is there, supports the claim, and has the words."""

from collections.abc import Callable

import pytest

from secondpass.errors import ConfigError
from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier

Make = Callable[..., FactVerifier]
S = Verdict.SUPPORTED
PASSAGES = [
    "The tower was built in 1889 by a company in Paris. It is 330 metres tall.",
    {"text": "The museum opens on Monday at nine. It is closed on Sunday.", "id": "m", "metadata": {"a": 1}},
]


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
    assert wrong.verdict is S and wrong.suggested == (1,)
    assert "no cited passage ([2]) supports it" in wrong.reason
    assert [(c.number, c.passage, c.exists, c.supports) for c in absent.citations] == [(7, None, False, False)]
    assert "it cites [7], but there are 2 passages" in absent.reason
    assert bare.citations == () and bare.suggested == (2,)


def test_a_cited_passage_is_scored_even_if_it_is_not_retrieved(make: Make) -> None:
    """With one window for each claim, a citation of another passage is still checked, and changes no verdict."""
    answer = "The tower was built in 1889 [2]."
    (checked,) = make(windows_per_claim=1).verify(answer, PASSAGES).claims
    assert checked.verdict is S and [evidence.passage for evidence in checked.evidence] == [0]
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
