"""What becomes of an answer: marks, dropped sentences, the message, and when it passes."""

from dataclasses import replace

import pytest

from secondpass.errors import ConfigError
from secondpass.verify.policy import POLICIES, find_policy, has_passed
from secondpass.verify.types import CheckedClaim, Citation, Claim, Verdict

S, C, N, X, E = Verdict


def checked(answer: str, *parts: tuple[str, Verdict], citations: dict[int, str] | None = None) -> list[CheckedClaim]:
    """Return a checked claim for each part of an answer; parts with one number are of one sentence."""
    claims, at = [], 0
    for number, (part, verdict) in enumerate(parts):
        start = answer.index(part, at)
        at = start + len(part)
        marker = (citations or {}).get(number)
        found = ()
        if marker:
            begin = answer.index(marker, at)
            found = (Citation(marker, begin, begin + len(marker), 1, 0, True, True),)
        claims.append(CheckedClaim(Claim(part, start, at, number, verdict is not X), verdict, citations=found))
    return claims


def applied(policy: str, answer: str, claims: list[CheckedClaim], passed: bool = False) -> str:
    """Return the text that a policy makes."""
    return POLICIES[policy](answer, claims, passed, "MESSAGE")


def test_annotate_marks_each_sentence_that_is_not_supported() -> None:
    """The mark stands behind the full stop, names the worst verdict, and supported sentences stay as they are."""
    answer = "A is b. C is d. E is f! Hello? G is h."
    claims = checked(answer, ("A is b.", S), ("C is d.", C), ("E is f!", N), ("Hello?", X), ("G is h.", E))
    marked = "A is b. C is d. [contradicted] E is f! [unsupported] Hello? G is h. [unverified]"
    assert applied("annotate", answer, claims) == marked


def test_annotate_puts_the_mark_behind_citations_and_emphasis() -> None:
    """Citation markers and emphasis around a sentence stay with it."""
    answer = "**C is d.** [1] More."
    claims = checked(answer, ("C is d.", C), ("More.", S), citations={0: "[1]"})
    assert applied("annotate", answer, claims) == "**C is d.** [1] [contradicted] More."
    answer = "So **C is d** here."
    assert applied("annotate", answer, checked(answer, ("C is d", N))) == "So **C is d** [unsupported] here."


def test_annotate_puts_the_mark_into_a_tables_last_cell() -> None:
    """Behind a row's last bar GitHub's markdown shows nothing; a bar that is escaped ends no row."""
    answer = "| Paris | capital of Italy |\n|Rome|big [1]|\n| Ulm | |\n| Oslo | small\n| Bonn | a \\|"
    rows = answer.split("\n")
    claims = checked(answer, *zip(rows, (N, C, E, N, N), strict=True), citations={})
    assert applied("annotate", answer, claims).split("\n") == [
        "| Paris | capital of Italy [unsupported] |",
        "|Rome|big [1] [contradicted]|",
        "| Ulm | [unverified] |",
        "| Oslo | small [unsupported]",
        "| Bonn | a \\| [unsupported]",
    ]


def test_flag_and_raise_leave_the_answer() -> None:
    """Neither changes a character."""
    answer = "C is d."
    assert applied("flag", answer, checked(answer, (answer, C))) == answer
    assert applied("raise", answer, checked(answer, (answer, C))) == answer


def test_drop_leaves_unsupported_sentences_out() -> None:
    """Only supported sentences, and those without a fact, are left, with single blanks between them."""
    answer = "Sure. A is b. C is d. E is f."
    claims = checked(answer, ("Sure.", X), ("A is b.", S), ("C is d.", C), ("E is f.", N))
    assert applied("drop", answer, claims) == "Sure. A is b."
    claims = checked(answer, ("Sure.", X), ("A is b.", C), ("C is d.", C), ("E is f.", S))
    assert applied("drop", answer, claims) == "Sure. E is f."


def test_drop_takes_a_sentence_with_one_wrong_half() -> None:
    """A sentence goes as a whole if one of its claims is not supported."""
    answer = "A is b and c is d. E is f."
    halves = checked(answer, ("A is b", S), ("c is d.", C), ("E is f.", S))
    claims = [
        CheckedClaim(Claim(c.text, c.claim.start, c.claim.end, number), c.verdict)
        for c, number in zip(halves, (0, 0, 1), strict=True)
    ]
    assert applied("drop", answer, claims) == "E is f."


def test_drop_keeps_the_list() -> None:
    """An item without its text goes with its bullet and its line; the others, and blank lines, stay."""
    answer = "Facts:\n\n- A is b.\n- C is d. [2]\n- E is f.\n\n1. G is h.\n2. I is j.\n"
    claims = checked(
        answer,
        ("Facts:", X),
        ("A is b.", S),
        ("C is d.", C),
        ("E is f.", S),
        ("G is h.", N),
        ("I is j.", S),
        citations={2: "[2]"},
    )
    assert applied("drop", answer, claims) == "Facts:\n\n- A is b.\n- E is f.\n\n2. I is j.\n"


def test_drop_takes_emphasis_along() -> None:
    """Marks of emphasis around what is dropped don't stay behind."""
    answer = "A is b. **C is d.** E is f."
    assert applied("drop", answer, checked(answer, ("A is b.", S), ("C is d.", C), ("E is f.", S))) == "A is b. E is f."


def test_drop_gives_the_message_where_no_claim_is_left() -> None:
    """A greeting alone is no answer; neither is nothing."""
    answer = "Sure! C is d."
    assert applied("drop", answer, checked(answer, ("Sure!", X), ("C is d.", C))) == "MESSAGE"
    assert applied("drop", "", []) == "MESSAGE"
    assert applied("drop", "Hello!", checked("Hello!", ("Hello!", X))) == "Hello!"


def test_abstain_gives_the_message_unless_it_passed() -> None:
    """The message takes the place of the whole answer."""
    answer = "C is d."
    claims = checked(answer, (answer, C))
    assert applied("abstain", answer, claims, passed=False) == "MESSAGE"
    assert applied("abstain", answer, claims, passed=True) == answer


@pytest.mark.parametrize(
    ("verdicts", "min_supported", "passed"),
    [
        ((S, S), 1.0, True),
        ((S, X), 1.0, True),
        ((S, N), 1.0, False),
        ((S, N), 0.5, True),
        ((S, S, N), 2 / 3, True),
        ((S, C), 0.0, False),
        ((S, E), 0.0, False),
        ((N, N), 0.0, True),
        ((X, X), 0.0, False),
        ((), 0.0, False),
    ],
)
def test_when_an_answer_passes(verdicts: tuple[Verdict, ...], min_supported: float, passed: bool) -> None:
    """Contradictions and errors never pass, nor does what has nothing that could be checked."""
    answer = " ".join(f"Claim {at}." for at in range(len(verdicts)))
    claims = checked(answer, *((f"Claim {at}.", verdict) for at, verdict in enumerate(verdicts)))
    assert has_passed(claims, min_supported, allow_unchecked=False) is passed


def test_an_answer_without_facts_passes_where_that_is_allowed() -> None:
    """A refusal passes with ``allow_unchecked``; an empty answer still does not."""
    assert has_passed(checked("I don't know.", ("I don't know.", X)), 1.0, allow_unchecked=True)
    assert not has_passed([], 1.0, allow_unchecked=True)


def test_policies_are_found_by_name_or_taken_as_functions() -> None:
    """An unknown name is a ConfigError that lists the known ones."""

    def shout(answer: str, claims: object, passed: bool, message: str) -> str:
        return answer.upper()

    assert find_policy("drop") == ("drop", POLICIES["drop"])
    assert find_policy(shout) == ("shout", shout)
    with pytest.raises(ConfigError, match="annotate, cite, flag, drop, abstain, raise"):
        find_policy("explode")


def test_long_answers_take_linear_time() -> None:
    """Hundreds of thousands of blanks and stars are no trouble."""
    answer = "A is b." + " " * 200_000 + "*" * 200_000 + "C is d." + "\t" * 200_000
    claims = checked(answer, ("A is b.", S), ("C is d.", C))
    assert applied("drop", answer, claims).startswith("A is b.")
    assert applied("annotate", answer, claims).count("[contradicted]") == 1


def test_cite_writes_numbers_into_what_is_supported() -> None:
    """They stand before the full stop; what cites something stays, and what is not supported is marked."""
    answer = "A is b. C is d [1]. E is f! Hello? G is h."
    claims = checked(
        answer, ("A is b.", S), ("C is d", S), ("E is f!", N), ("Hello?", X), ("G is h.", S), citations={1: "[1]"}
    )
    suggested = {0: (3, 1), 1: (2,), 2: (2,), 4: ()}
    claims = [replace(claim, suggested=suggested.get(at, ())) for at, claim in enumerate(claims)]
    assert applied("cite", answer, claims) == "A is b [1, 3]. C is d [1]. E is f! [unsupported] Hello? G is h."
    row = "| Paris | capital |"
    (claim,) = checked(row, (row, S))
    assert applied("cite", row, [replace(claim, suggested=(2,))]) == "| Paris | capital [2] |"


def test_a_backslash_that_breaks_a_line_stays_at_its_end() -> None:
    """The mark and the citation go before it: with something behind, a reader would see the backslash."""
    answer = "C is d\\\nG is h\\\nI is j"
    claims = checked(answer, ("C is d\\", C), ("G is h\\", N), ("I is j", S))
    assert applied("annotate", answer, claims) == "C is d [contradicted]\\\nG is h [unsupported]\\\nI is j"


def test_any_bullet_goes_with_its_item() -> None:
    """Of an item that is left out, no sign is left at the beginning of its line."""
    answer = "\u2705 A is b.\n\u274c C is d.\n\u2714\ufe0f E is f."
    claims = checked(answer, ("A is b.", S), ("C is d.", C), ("E is f.", N))
    assert applied("drop", answer, claims) == "\u2705 A is b.\n"


def test_a_citation_stands_before_a_wide_full_stop() -> None:
    """As it does before a narrow one."""
    answer = "\u4e00\u4e8c\u3002"
    claims = [replace(claim, suggested=(2,)) for claim in checked(answer, (answer, S))]
    assert applied("cite", answer, claims) == "\u4e00\u4e8c [2]\u3002"
