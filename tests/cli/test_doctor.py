"""`secondpass doctor` and `secondpass explain`, as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import run


def test_a_healthy_model_has_exit_status_0() -> None:
    """With a text for people, and JSON for programs, which has the profile as well."""
    done = run("doctor", "--query", "copy a file", "--document", "shutil.copy copies a file", "--json", "--profile")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["healthy"] is True and found["pair"]["query_tokens"] == 3
    assert found["profile"]["pairs"] == 40 and found["profile"]["models"][0]["name"] == "ms-marco-MiniLM-L12-v2"


def test_a_fault_has_exit_status_1(tmp_path: Path) -> None:
    """A reranker, or a verifier, from a file; what is found stands on top."""
    config = tmp_path / "reranker.yaml"
    config.write_text("type: fake\nscale: logit\n", encoding="utf-8")
    long = run("doctor", "-c", str(config), "-q", "copy", "-d", "-", stdin="copy a file", COLUMNS="200")
    assert long.returncode == 0 and long.stdout.startswith("FakeReranker()") and "query and document" in long.stdout
    config.write_text(
        "type: cross-encoder\nmax_length: 16\non_foreign: score\nlong_documents: truncate\n", encoding="utf-8"
    )
    foreign = "Wie kopiere ich unter Linux eine Datei mit ihren Metadaten auf einen anderen Rechner?"
    done = run("doctor", "-c", str(config), "-q", foreign, "-d", foreign, COLUMNS="200")
    assert done.returncode == 1
    assert "  fault: foreign-language:" in done.stdout and "  warning: truncated:" in done.stdout
    config.write_text("type: monitored\nwrapped: {type: fact}\nsinks: [window]\n", encoding="utf-8")
    verifier = run("doctor", "-c", str(config))
    assert verifier.returncode == 0 and "secondpass-nli-minilm" in verifier.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctor", "--query", "q"], "looks at a query and a document together"),
        (["doctor", "-m", "a", "-c", "b.yaml"], "pass --model or --config, not both"),
        (["doctor", "-m", "no-such-model"], "ModelNotFoundError"),
        (["explain"], "there is nothing to explain"),
        (["explain", "-d", "text"], "whose score is it"),
        (["explain", "-m", "a", "-c", "b.yaml", "q", "-d", "text"], "pass --model or --config, not both"),
    ],
)
def test_what_can_not_be_used_is_said(
    stopped: Callable[[list[str], bytes], tuple[int | str | None, str, str]], arguments: list[str], said: str
) -> None:
    """On standard error, with an exit status."""
    code, shown, errors = stopped(arguments, b"")
    assert code in (1, 2) and shown == "" and said in " ".join(errors.split())


def test_explain_writes_text_json_and_pages(tmp_path: Path) -> None:
    """Of a score, and of verdicts."""
    text = "Knead the dough. shutil.copy copies a file."
    score = run("explain", "copy a file", "-d", text, "--html", str(tmp_path / "score.html"), "--json")
    assert score.returncode == 0 and len(json.loads(score.stdout)["sentences"]) == 2
    assert "shutil.copy" in (tmp_path / "score.html").read_text(encoding="utf-8")
    answer, passage = "It was built in 1987.", "It was built in 1932."
    page = str(tmp_path / "verdict.html")
    verdicts = run("explain", "-a", answer, "--passage", passage, "--html", page, COLUMNS="200")
    assert verdicts.returncode == 0 and "the claim has the date '1987', and it has '1932'" in verdicts.stdout
    assert "1932" in (tmp_path / "verdict.html").read_text(encoding="utf-8")
