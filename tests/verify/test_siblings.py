"""Windows that speak of another thing than the claim does."""

import time
from collections.abc import Callable

import pytest

from secondpass.verify import FactVerifier
from secondpass.verify.siblings import is_of_a_sibling, lends_only_its_name


@pytest.mark.parametrize(
    ("claim", "text", "is_sibling"),
    [
        ("Probe K-12 weighs 3 kg.", "Probe K-13 weighs 4 kg.", True),
        ("The LX200 has two ports.", "The LX300 has four ports.", True),
        ("Sales rose in Q2.", "In Q1 sales fell.", True),
        ("POST /v1/orders needs a key.", "`POST /v1/invoices` needs a key.", True),
        # One of those that the claim names, or nothing of the kind.
        ("Probe K-12 weighs 3 kg.", "Probes K-12 and K-13 weigh 3 kg.", False),
        ("Probe K-12 is lighter than K-13.", "Probe K-13 weighs 4 kg.", False),
        ("Probe K-12 weighs 3 kg.", "The probe weighs 3 kg.", False),
        ("Probe K-12 weighs 3 kg.", "Model LX300 weighs 3 kg.", False),
        ("It weighs 3 kg and costs $5.", "It weighs 4 kg and costs $6.", False),
        ("It was sold from 1990 to 1995.", "It was sold from 1991 to 1996.", False),
        ("GET /v1/orders/{id} is free.", "Call GET /v1/orders/:order_id.", False),
        ("Use read and/or write.", "See /etc/hosts.", False),
    ],
)
def test_codes_and_paths_of_siblings(claim: str, text: str, is_sibling: bool) -> None:
    """A text is of a sibling if it names one of the same kind, and none that the claim names."""
    assert is_of_a_sibling(claim, text) is is_sibling


_DECIDED = "Treasurer Rosa Lind closed the old mill. The closure came into force in May."


@pytest.mark.parametrize(
    ("claim", "lender", "other", "lends"),
    [
        ("Mayor Ida Berg closed the old mill.", "Mayor Ida Berg opened a school.", _DECIDED, True),
        ("According to deputy mayor Ida Berg, the old mill closed.", "Deputy mayor Ida Berg came.", _DECIDED, True),
        ("Ida Berg, the mayor, closed the old mill.", "The mayor is Ida Berg.", _DECIDED, True),
        # It lends more than a name, somebody else is not named, or a pronoun may be of whom it names.
        ("Mayor Ida Berg closed the old mill with a speech.", "Ida Berg gave a speech.", _DECIDED, False),
        ("Mayor Ida Berg closed the old mill.", "Ida Berg is mayor.", "The mayor closed the old mill.", False),
        ("Ida Berg closed the old mill.", "Ida Berg met Rosa Lind.", "With Rosa Lind she closed the mill.", False),
        ("Rosa Lind closed the old mill in May.", "Ida Berg came in May.", _DECIDED, False),
        ("The old mill was closed.", "Ida Berg came.", _DECIDED, False),
    ],
)
def test_a_name_is_not_lent(claim: str, lender: str, other: str, lends: bool) -> None:
    """What one text says of Lind is not said of Berg because another one names her."""
    assert lends_only_its_name(claim, lender, other) is lends


def test_it_takes_linear_time() -> None:
    """Long paths, names and codes as well."""
    start = time.perf_counter()
    for piece in ("/a", "A-", "Ab Cd ", "x1", "{", "/{a", "ab "):
        text = piece * 2_000
        is_of_a_sibling(text, f"{text}!")
        lends_only_its_name(text, f"{text} Ida Berg", text)
    assert time.perf_counter() - start < 10


def test_no_evidence_is_joined_of_siblings(make: Callable[..., FactVerifier]) -> None:
    """The window of another sample is not shown for a claim of this one."""
    passages = [
        "The laboratory found 7 mg of iron and 2 mg of lead in the water of probe K-13.",
        "The laboratory found 9 mg of iron and 1 mg of lead in the water of probe K-12.",
    ]
    (claim,) = make().verify("The water of probe K-12 had 9 mg of iron and 1 mg of lead.", passages).claims
    assert {evidence.passage for evidence in claim.evidence} == {1}
