"""`secondpass classify`, as a user runs it, on the embedded model: in a process of its own, but for most errors."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run

_TEXT = "The team won the match with two late goals."


def _run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return run("classify", *arguments, **settings)


@pytest.mark.usefixtures("cross_encoder")  # its graph is built
def test_lines_best_first() -> None:
    """Each label has its probability, best first; they sum to 1, and the best one is marked as chosen."""
    done = _run(_TEXT, "--labels", "football, cooking,the law")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    probabilities = [float(row[0]) for row in rows]
    assert {row[1] for row in rows} == {"football", "cooking", "the law"} and rows[0][1] == "football"
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) == pytest.approx(1, abs=2e-4)
    assert [row[2] for row in rows] == ["*", "", ""] and (done.returncode, done.stderr) == (0, "")


def test_json_multi_label_and_templates(tmp_path: Path) -> None:
    """Several labels are judged each for itself, with the templates averaged, on a text from a file."""
    (tmp_path / "text.txt").write_text(_TEXT, encoding="utf-8-sig")
    templates = ["--template", "This is about {}.", "--template", "The topic is {}."]
    arguments = ["@text.txt", "--labels", "football,sport,cooking", "--multi-label", *templates, "--json"]
    result = json.loads(_run(*arguments, cwd=tmp_path).stdout)
    assert result["text"] == _TEXT and result["multi_label"] is True and list(result["scores"])[-1] == "cooking"
    assert result["trace"]["counts"]["pairs"] == 6
    assert result["labels"] == [label for label, value in result["scores"].items() if value >= 0.5]
    everything = json.loads(_run(*arguments, "--threshold", "0", cwd=tmp_path).stdout)
    assert everything["labels"] == list(result["scores"])


def test_a_configuration_and_options_above_it(tmp_path: Path) -> None:
    """A tree of labels comes from a file; a threshold that nothing reaches gives no label, and no error."""
    config = tmp_path / "labels.yaml"
    config.write_text("type: zero-shot\nlabels: {sport: [football, tennis], food: [cooking, baking]}\n")
    result = json.loads(_run("-", "--config", str(config), "--json", stdin=_TEXT.encode()).stdout)
    assert result["path"][0] == "sport" and result["label"] == result["path"][1]
    none = json.loads(_run(_TEXT, "--config", str(config), "--threshold", "1", "--json").stdout)
    assert none["label"] is None and "below its threshold" in none["reason"]
    flat = json.loads(_run(_TEXT, "--config", str(config), "--labels", "a,b", "--json").stdout)
    assert set(flat["scores"]) == {"a", "b"} and flat["path"] == []


def test_hostile_labels_steer_nothing() -> None:
    """Control characters in a label are not printed, and a tab in it makes no column."""
    done = _run(_TEXT, "--labels", "foot\x1b[2J\tball,cooking")
    assert "\x1b" not in done.stdout and [line.count("\t") for line in done.stdout.splitlines()] == [2, 2]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["x"], b"", "ConfigError: there are no labels: give --labels a,b,c"),
        (["x", "--labels", "one"], b"", "ConfigError: 1 of at least 2 labels"),
        (["x", "--labels", "a,,b"], b"", "labels[1] must be a str that is not empty"),
        (["x", "--labels", "a,a"], b"", "the label 'a' occurs twice"),
        (["x", "--labels", "a,b", "--template", "no slot"], b"", "ConfigError: a template needs {}"),
        (["x", "--labels", "a,b", "--threshold", "2"], b"", "ConfigError: thresholds must be a number between 0 and 1"),
        (["x", "--labels", "a,b", "--model", "nope"], b"", "ModelNotFoundError: no model 'nope'"),
        (["@no/such", "--labels", "a,b"], b"", "InputError: no/such can't be read: no such file or directory"),
        (["-", "--labels", "a,b"], b"\xff", "InputError: standard input can't be read as UTF-8 text"),
        (["-", "--labels", "a,b"], b"", "InputError"),
    ],
)
def test_errors_are_one_message(arguments: list[str], stdin: bytes, message: str, stopped: Callable[..., Any]) -> None:
    """What is wrong is said on standard error, with exit status 1."""
    code, out, err = stopped(["classify", *arguments], stdin)
    assert (code, out) == (1, "") and message in err


def test_a_configuration_of_something_else_is_refused(tmp_path: Path) -> None:
    """A verifier's configuration is no classifier's."""
    config = tmp_path / "other.yaml"
    config.write_text("type: fact\n")
    done = _run("x", "--labels", "a,b", "--config", str(config))
    assert done.returncode == 1 and "must be a mapping of ZeroShotClassifier's settings" in done.stderr
    assert "Traceback" not in done.stderr
