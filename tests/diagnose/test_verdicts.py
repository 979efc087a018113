"""Which evidence and which fact decided a verdict."""

import json
from pathlib import Path

import pytest

import secondpass as sp
from secondpass.diagnose import diagnose, explain_verification
from secondpass.monitor import WindowSink
from secondpass.verify import MonitoredVerifier
from tests.browser import Browser

_PASSAGES = [
    {"text": "The bridge was built in 1932 by a Danish company. The bridge is made of steel.", "id": "bridge"},
    "The museum sells coffee.",
]
_ANSWER = "The bridge was built in 1987. It is made of steel. Hello there! The bridge carries trains."


@pytest.fixture(scope="module")
def verifier() -> sp.FactVerifier:
    """Return the embedded verifier."""
    return sp.FactVerifier()


def test_the_deciding_evidence_and_fact_are_named(verifier: sp.FactVerifier) -> None:
    """A wrong year, put right, is supported; a right claim is not, once its evidence is gone."""
    found = explain_verification(verifier, _ANSWER, _PASSAGES)
    wrong, right, greeting, unsaid = found.claims
    assert wrong.verdict is sp.Verdict.CONTRADICTED and wrong.fact is not None
    assert (wrong.fact.kind, wrong.fact.claim, wrong.fact.evidence) == ("date", "1987", "1932")
    assert wrong.corrected == "The bridge was built in 1932." and wrong.with_correction is not None
    assert wrong.with_correction.verdict is sp.Verdict.SUPPORTED
    assert "the claim has the date '1987', and it has '1932'; with that the claim would be supported" in wrong.why
    assert right.verdict is sp.Verdict.SUPPORTED and right.evidence is not None and right.evidence.id == "bridge"
    assert right.without is not None and right.without.verdict is not sp.Verdict.SUPPORTED
    assert "without it the claim would be not enough info" in right.why
    assert greeting.verdict is sp.Verdict.NOT_CHECKABLE and "greeting" in greeting.why and greeting.evidence is None
    assert unsaid.verdict is sp.Verdict.NOT_ENOUGH_INFO and unsaid.fact is None
    assert json.loads(json.dumps(found.to_dict()))["claims"][0]["corrected"] == wrong.corrected
    assert repr(found).startswith("not passed\n  contradicted    0.") and wrong.why in repr(found)


def test_it_is_the_same_under_any_policy_and_monitoring(verifier: sp.FactVerifier) -> None:
    """The policy "raise" raises nothing here, and no event tells of what was only tried out."""
    window = WindowSink()
    raising = sp.FactVerifier(verifier.nli, policy="raise")
    expected = explain_verification(verifier, _ANSWER, _PASSAGES).claims
    assert explain_verification(raising, _ANSWER, _PASSAGES).claims == expected
    assert explain_verification(MonitoredVerifier(verifier, [window]), _ANSWER, _PASSAGES).claims == expected
    assert len(window) == 0


def test_without_passages_there_is_nothing_to_go_by(verifier: sp.FactVerifier) -> None:
    """Each claim says so; passages that are no list are refused."""
    (claim,) = explain_verification(verifier, "The bridge was built in 1987.", []).claims
    assert claim.evidence is None and claim.without is None and claim.why
    with pytest.raises(sp.InputError, match="passages must be a list of documents"):
        explain_verification(verifier, "The bridge was built in 1987.", "a text")
    with pytest.raises(sp.ConfigError, match="what verifies must be a FactVerifier, not 'fact'"):
        explain_verification("fact", "The bridge was built in 1987.", [])  # type: ignore[arg-type]
    with pytest.raises(sp.ConfigError, match="looked at for a reranker only"):
        diagnose(verifier, "When was it built?", "In 1987.")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_a_browser_shows_it(
    verifier: sp.FactVerifier, browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    """Everything can be read, nothing runs, nothing is asked for, and a phone need not scroll sideways."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    passages = [f"The bridge {hostile} was built in 1932. {'averyverylongword' * 20}"]
    found = explain_verification(verifier, f"The bridge {hostile} was built in 1987.", passages)
    page = tmp_path / "verdict.html"
    page.write_text(found.to_html(), encoding="utf-8")
    browser.open(page, width=width, dark=dark)
    assert browser.requests == [page.as_uri()] and browser.errors == [] and browser.overflow <= 0
    assert "alert(1)" in browser.text and len(browser.all("script, img")) == 0 and len(browser.all("section")) >= 1
