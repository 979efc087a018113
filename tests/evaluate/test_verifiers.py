"""A verifier's figures, by a verifier that says what it is told to."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import secondpass as sp
from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.claims import LabelledClaim, read_claims
from secondpass.evaluate.verifiers import evaluate_verifier
from secondpass.verify.types import CheckedClaim, Claim, Evidence
from tests.browser import Browser
from tests.evaluate.example import HOSTILE
from tests.evaluate.test_page import Page
from tests.evaluate.test_reading import Frame


class Told:
    """Reads the probability at the end of a claim's sentences: supported from .5, contradicted below .1."""

    policy = "annotate"

    def verify_many(self, items: Iterable[Any]) -> list[sp.Verification]:
        return [self._verified(answer, passages) for answer, passages, _ in items]

    def _verified(self, answer: str, passages: Any) -> sp.Verification:
        evidence = (Evidence(0, None, 0, 5, str(passages[0]), 0.9, 0.1, 0.0),)
        claims = tuple(
            CheckedClaim(Claim(part, 0, len(part), at), self._verdict(part), self._probability(part), evidence)
            for at, part in enumerate(answer.split(". "))
        )
        return sp.Verification(answer, claims, False)

    @staticmethod
    def _probability(text: str) -> float:
        return 0.0 if text.endswith("!") else float(text.split()[-1])

    def _verdict(self, text: str) -> sp.Verdict:
        if text.endswith("!"):
            return sp.Verdict.NOT_CHECKABLE
        p = self._probability(text)
        if p >= 0.5:
            return sp.Verdict.SUPPORTED
        return sp.Verdict.CONTRADICTED if p < 0.1 else sp.Verdict.NOT_ENOUGH_INFO


def _rows(text: str = "") -> list[dict[str, Any]]:
    """Return six claims of two sources: of the supported ones, one is missed and one contradicted."""
    said = [("0.9", 1, "a"), ("0.3", 1, "a"), ("0.2", 0, "a"), ("0.05", 1, "b"), ("0.8", 0, "b"), ("0.01", 0, "b")]
    return [
        {"claim": f"{text} it is {p}", "passages": [f"proof {text}"], "label": label, "source": source}
        for p, label, source in said
    ]


def test_the_figures_by_hand() -> None:
    """Of nine pairs of claims six are in order; one supported claim of three is found, and one contradicted."""
    report = evaluate_verifier(Told(), _rows(), n_samples=200)
    of = report.overall
    assert (of.n, of.n_supported) == (6, 3)
    values = [each.value if each else None for each in of.estimates[:4]]
    assert values == pytest.approx([6 / 9, (1 / 3 + 2 / 3) / 2, 1 / 3, 1 / 3])
    assert of.brier is not None
    assert of.brier.value == pytest.approx((0.1**2 + 0.7**2 + 0.2**2 + 0.95**2 + 0.8**2 + 0.01**2) / 6)
    assert all(each is not None and each.low <= each.high for each in of.estimates)
    assert report.sources.keys() == {"a", "b"} and report.sources["a"].auc is not None
    assert report.sources["a"].auc.value == 1.0 and report.sources["b"].n == 3


def test_the_worst_cases_are_the_furthest_from_their_labels() -> None:
    """With their row, verdict and evidence."""
    report = evaluate_verifier(Told(), _rows(), n_samples=200, n_worst=2)
    assert [(case.row, case.label, case.probability) for case in report.worst] == [(3, True, 0.05), (4, False, 0.8)]
    assert (report.worst[0].verdict, report.worst[0].evidence) == ("contradicted", "proof")


def test_an_answer_is_as_good_as_its_weakest_claim() -> None:
    """What is not checkable does not count, unless there is nothing else."""
    rows = [
        {"claim": "it is 0.9. but 0.2. Hello!", "passages": "x", "label": 0},
        {"claim": "it is 0.9. Hello!", "passages": "x", "label": 1},
        {"claim": "Hello!", "passages": "x", "label": 0},
    ]
    report = evaluate_verifier(Told(), rows, n_samples=200, n_worst=3)
    assert [case.probability for case in sorted(report.worst, key=lambda case: case.row)] == [0.2, 0.9, 0.0]
    assert report.overall.recall is not None and report.overall.recall.value == 1.0 and report.sources == {}
    assert {case.row: case.weakest for case in report.worst} == {0: "but 0.2", 1: "it is 0.9", 2: None}


def test_a_source_of_one_class_has_what_can_be_said_of_it() -> None:
    """No area under a curve, no calibration; recall if there are supported claims."""
    rows = [*_rows(), {"claim": "it is 0.7", "passages": [], "label": True, "source": "c"}]
    rows[-1]["passages"] = ["x"]
    of = evaluate_verifier(Told(), rows, n_samples=200).sources["c"]
    assert of.auc is of.balanced_accuracy is of.ece is of.brier is None
    assert of.recall is not None and of.recall.value == 1.0


def test_it_is_shown_as_text_html_and_data() -> None:
    """A row for all and for each source, then the worst cases; nothing hostile gets through."""
    report = evaluate_verifier(Told(), _rows(HOSTILE), n_samples=200)
    lines = repr(report).splitlines()
    assert lines[0].startswith("Verifier: 6 claims, 3 of them supported; ") and lines[0].endswith("; 95 % intervals")
    assert [line.split()[0] for line in lines[3:6]] == ["all", "a", "b"] and "AUC" in lines[2]
    assert any(line.startswith("  row 3: supported, but contradicted at 0.05:") for line in lines)
    page = Page(report._repr_html_())
    assert "script" not in page.tags and page.tags.count("table") == 2 and "<script>alert" in " ".join(page.words)
    assert "\x1b" not in repr(report) + report._repr_html_()
    assert json.loads(json.dumps(report.to_dict()))["worst"][0]["row"] == 3


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (390, False)])
def test_its_page_is_complete_and_asks_for_nothing(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """Figures, sources, and worst cases that open; nothing hostile gets through, and it fits a telephone."""
    report = evaluate_verifier(Told(), _rows(HOSTILE), n_samples=200)
    report.to_html(tmp_path / "report.html")
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    browser.open(tmp_path / "report.html", width=width, dark=dark)
    assert browser.requests == [(tmp_path / "report.html").as_uri()] and browser.errors == []
    assert browser.overflow <= 0 and "Figures by source" in browser.text and "0.667" in browser.text
    worst = browser.all("details")
    assert len(worst) == 6 and "contradicted at 0.05" in worst[0].text and "proof" not in worst[0].text
    worst[0].find_element("css selector", "summary").click()
    assert "proof" in worst[0].text and browser.errors == []
    with pytest.raises(InputError, match="can't be written"):
        report.to_html(tmp_path / "no" / "report.html")


def test_rows_come_from_files_mappings_and_frames(tmp_path: Path) -> None:
    """With the same result."""
    (tmp_path / "rows.jsonl").write_text('{"claim": "c", "passages": "p", "label": true, "question": "q"}\n')
    expected = [LabelledClaim("c", ("p",), True, "q")]
    frame = Frame(claim=["c"], passages=[["p"]], label=[1], question=["q"])
    for source in (tmp_path / "rows.jsonl", [{"claim": "c", "passages": ["p"], "label": 1, "question": "q"}], frame):
        assert read_claims(source) == expected
    assert read_claims(expected) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no claims"),
        ([{"claim": "c", "label": 1}], "row 0 has no 'passages'"),
        ([{"claim": "c", "passages": "p", "label": "entailment"}], "row 0: the label must be 1 .* 0, not 'entailment'"),
        ([{"claim": "c", "passages": "p", "label": 2}], "the label must be 1"),
        ([{"claim": " ", "passages": "p", "label": 1}], "row 0: the claim must be a text"),
        ([{"claim": "c", "passages": [3], "label": 1}], r"row 0: documents\[0\] is of type int"),
        ([{"claim": "c", "passages": 3, "label": 1}], "row 0: passages must be a text or a list"),
        ([{"claim": "c 0.5", "passages": "p", "label": 1}], "all 1 claims are labelled as supported"),
        (7, "claims come from a .jsonl file, mappings or a DataFrame, not 7"),
    ],
)
def test_rows_that_can_not_be_used_are_named(rows: Any, message: str) -> None:
    """By their number."""
    with pytest.raises(InputError, match=message):
        evaluate_verifier(Told(), rows)


def test_a_verifier_that_raises_can_not_be_measured() -> None:
    """The first false claim would end it."""
    verifier = Told()
    verifier.policy = "raise"
    with pytest.raises(ConfigError, match='policy is "raise"'):
        evaluate_verifier(verifier, _rows())
    with pytest.raises(ConfigError, match="verifier must be a FactVerifier, or another object with verify_many, not 3"):
        evaluate_verifier(3, _rows())  # type: ignore[arg-type]
