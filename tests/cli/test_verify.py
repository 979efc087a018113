"""`secondpass verify`, as a user runs it, on the embedded model: in a process of its own, but for most errors."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run

_DATA = Path(__file__).parent / "data"
_CAT = "The cat sleeps on the red sofa."


def _run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return run("verify", *arguments, COLUMNS="160", **settings)


def _json(*arguments: str, stdin: str = "", cwd: Path | None = None) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(_run(*arguments, "--json", stdin=stdin, cwd=cwd).stdout)
    return result


def test_a_made_up_answer_gets_the_right_verdicts_with_the_right_evidence() -> None:
    """Of five sentences two are right, one has a wrong number, one is contradicted, one is about something else."""
    passages = str(_DATA / "zipfile-passages.jsonl")
    done = _run("--answer", f"@{_DATA / 'zipfile-answer.txt'}", "--passages", passages, "--json")
    result = json.loads(done.stdout)
    claims = result["claims"]
    assert [claim["verdict"] for claim in claims] == [
        "supported",
        "supported",
        "contradicted",
        "contradicted",
        "not_enough_info",
    ]
    assert [claim["evidence"][0]["id"] for claim in claims[:4]] == [
        "zipfile.ZipFile.testzip",
        "zipfile.compresslevel",
        "zipfile.compresslevel",
        "zipfile.ZipFile.testzip",
    ]
    for claim, words in zip(
        claims,
        ("checks their CRCs", "ZIP_LZMA it has no effect", "0 through 9", "raises a ValueError"),
        strict=False,
    ):
        assert words in claim["evidence"][0]["text"]
    assert ("number", "12", "9") in [(m["kind"], m["claim"], m["evidence"]) for m in claims[2]["mismatches"]]
    assert (result["passed"], result["supported_fraction"], result["contradicted"]) == (False, 0.4, True)
    assert done.returncode == 1


class TestOutput:
    def test_the_table_names_verdicts_evidence_and_the_share(self, tmp_path: Path) -> None:
        """Each claim has its verdict in words, and its evidence with file, id and offsets; the last line sums up."""
        (tmp_path / "pets.jsonl").write_text(json.dumps({"id": "cat", "text": _CAT}))
        answer = f"Hello! {_CAT} It is 14 years old."
        done = _run("--answer", answer, "--passages", "pets.jsonl", "--threshold", "0.01", cwd=tmp_path)
        assert "│ · not checkable" in done.stdout and "│ ✓ supported" in done.stdout
        assert f"pets.jsonl:1 (cat), 0-{len(_CAT)}: {_CAT}" in done.stdout
        last = done.stdout.splitlines()[-1]
        assert re.fullmatch(r"not passed: 1 of 2 checkable claims are supported \(50%\)", last)
        assert done.returncode == 1 and done.stderr == ""

    def test_an_answer_that_passes_has_exit_status_0(self, tmp_path: Path) -> None:
        """What is in the passage word for word passes where the threshold lets it."""
        done = _run(
            "--answer", "-", "--passage", _CAT, "--threshold", "0.01", "--html", "out.html", stdin=_CAT, cwd=tmp_path
        )
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1] == "passed: 1 of 1 checkable claims are supported (100%)"
        page = (tmp_path / "out.html").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>") and "(--passage 1)" in page and page.count(_CAT) >= 2

    def test_json_has_everything(self) -> None:
        """The offsets are those of the evidence in its passage, and of the claim in the answer."""
        text = f"It is late. {_CAT}"
        result = _json(
            "--answer", _CAT, "--passage", "Dogs bark.", "--passage", text, "--question", "Where is the cat?"
        )
        (claim,) = result["claims"]
        best = claim["evidence"][0]
        assert result["sources"] == ["--passage 1", "--passage 2"]
        assert (best["passage"], best["id"]) == (1, "--passage 2") and text[best["start"] : best["end"]] == best["text"]
        assert (claim["start"], claim["end"], claim["text"]) == (0, len(_CAT), _CAT)
        assert 0 < claim["probability"] < 1 and result["policy"] == "flag" and result["text"] == _CAT

    @pytest.mark.parametrize("form", [[], ["--json"], ["--html", "out.html"]])
    def test_hostile_text_steers_nothing(self, form: list[str], tmp_path: Path) -> None:
        """Control characters, markup and lone surrogates of answer, passage, id and question stay text."""
        evil = "The \x1b[2Jcat \x9b31m [red]sleeps[/red] <script>alert(1)</script> on the sofa."
        line = json.dumps({"text": f"{evil} \ud800", "id": "\x1b]0;owned\x07\udfff"})
        (tmp_path / "p.jsonl").write_text(line)
        done = _run("--answer", f"{evil}", "--passages", "p.jsonl", "--question", "\x1b[1m?", *form, cwd=tmp_path)
        assert done.returncode in (0, 1) and done.stderr == ""
        page = (tmp_path / "out.html").read_text(encoding="utf-8") if "--html" in form else ""
        assert not set("\x1b\x9b\x07") & set(done.stdout + page) and "<script" not in page
        if not form:
            assert "[red]sleeps[/red]" in done.stdout


class TestPassages:
    def test_several_files_behind_one_option_keep_their_order(self, tmp_path: Path) -> None:
        """Passages are numbered as they stand on the command line: text files whole, JSONL by lines, then texts."""
        (tmp_path / "a.txt").write_text("One paragraph.\n\nAnother one.\n")
        (tmp_path / "b.md").write_text("# Title\n\nText.\n")
        (tmp_path / "c.jsonl").write_text('{"text": "x"}\n\n{"text": "y\u2028z", "id": 7}\n', encoding="utf-8-sig")
        files = ["--passages", "c.jsonl", "a.txt", "--question", "q", "-p", "b.md", "--passages=a.txt", "b.md"]
        result = _json("--passage", "last", "--answer", "Cats [4] sleep.", *files, cwd=tmp_path)
        assert result["sources"] == ["c.jsonl:1", "c.jsonl:3", "a.txt", "b.md", "a.txt", "b.md", "--passage 1"]
        (citation,) = result["claims"][0]["citations"]
        assert (citation["number"], citation["passage"], citation["exists"]) == (4, 3, True)

    def test_what_rerank_prints_is_taken_from_standard_input(self) -> None:
        """`-` are passages as JSONL, one a line, and an id of their own is kept."""
        result = _json("--answer", _CAT, "--passages", "-", stdin=json.dumps({"text": _CAT, "id": 3, "score": 1.0}))
        assert result["sources"] == ["standard input:1"] and result["claims"][0]["evidence"][0]["id"] == 3

    def test_an_empty_file_supports_nothing(self, tmp_path: Path) -> None:
        """It is no error, and says why nothing is supported."""
        (tmp_path / "none.jsonl").write_text("\n")
        done = _run("--answer", _CAT, "--passages", "none.jsonl", cwd=tmp_path)
        assert done.returncode == 1 and "not enough info" in done.stdout and "no passages were given" in done.stdout


class TestSettings:
    def test_a_policy_changes_the_answer(self) -> None:
        """`abstain` gives its message; `raise` shows the table as the others do, with exit status 1."""
        done = _run("--answer", "Whales fly to Mars.", "--passage", "Bread is baked.", "--policy", "abstain")
        assert (
            "given out: The sources that were found do not support an answer." in done.stdout and done.returncode == 1
        )
        done = _run("--answer", "Whales fly to Mars.", "--passage", "Bread is baked.", "--policy", "raise")
        assert "not passed: 0 of 1" in done.stdout and done.returncode == 1 and done.stderr == ""

    def test_a_configuration_and_options_above_it(self, tmp_path: Path) -> None:
        """`--config` takes what `to_config` wrote, as YAML; an option overrides it."""
        config = tmp_path / "verifier.yaml"
        config.write_text("type: fact\npolicy: abstain\nmessage: Nothing found.\nwindows_per_claim: 1\n")
        arguments = ["--answer", "Whales fly to Mars.", "--passage", "Bread is baked.", "--config", str(config)]
        result = _json(*arguments)
        assert (result["policy"], result["text"]) == ("abstain", "Nothing found.")
        assert len(result["claims"][0]["evidence"]) == 1
        assert _json(*arguments, "--policy", "drop")["policy"] == "drop"


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["--answer", "a"], b"", "InputError: there are no passages: give --passages FILE, or --passage TEXT"),
        (["--answer", "-", "--passages", "-"], b"", "InputError: standard input can only be read once"),
        (
            ["--answer", "@no/such", "--passage", "p"],
            b"",
            "InputError: no/such can't be read: no such file or directory",
        ),
        (["--answer", "-", "--passage", "p"], b"\xff\xfe", "InputError: standard input can't be read as UTF-8 text"),
        (["--answer", "a", "--passages", "-"], b'{"text": "a"}\n[]\n', "standard input, line 2 is not a JSON object"),
        (["--answer", "a", "--passages", "-"], b"\nplain\n", "InputError: standard input, line 2 is not JSON"),
        (["--answer", "a", "--passage", "p", "--policy", "hope"], b"", "ConfigError: policy must be one of annotate"),
        (["--answer", "a", "--passage", "p", "--threshold", "2"], b"", "ConfigError: FactVerifier: threshold must be"),
        (["--answer", "a", "--passage", "p", "--model", "nope"], b"", "ModelNotFoundError: no model 'nope'"),
        (["--answer", "a", "--passage", "p", "--config", "no.yaml"], b"", "ConfigError: no.yaml can't be read"),
        (["--answer", "a", "--passage", "p", "--html", "no/such/out.html"], b"", "no/such/out.html can't be written"),
        (["--passage", "p"], b"", "Missing option '--answer'"),
        (["--answer", "a", "--passages"], b"", "Option '--passages' requires an argument"),
    ],
)
def test_bad_input_has_exit_status_2(
    arguments: list[str], stdin: bytes, message: str, stopped: Callable[..., Any]
) -> None:
    """What is wrong is said on standard error, and can be told from an answer that did not pass."""
    code, out, err = stopped(["verify", *arguments], stdin)
    assert (code, out) == (2, "") and message in err


def test_an_error_is_no_traceback() -> None:
    """In a process of its own, too, an error is one message, and the exit status is 2."""
    done = _run("--answer", "a", "--passages", "no/such")
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("error: InputError: no/such")
    assert "Traceback" not in done.stderr


def test_a_configuration_of_something_else_is_refused(tmp_path: Path) -> None:
    """A reranker's configuration is no verifier's, and neither is a list."""
    config = tmp_path / "other.yaml"
    for content in ("type: cross-encoder\n", "- fact\n"):
        config.write_text(content)
        done = _run("--answer", "a", "--passage", "p", "--config", str(config))
        assert done.returncode == 2 and "must be a mapping of FactVerifier's settings" in done.stderr
