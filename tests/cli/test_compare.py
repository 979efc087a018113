"""`secondpass compare` and `choose`, as a user runs them, on the fake reranker: in a process of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a BEIR folder in it, a run of it, and a reranker as YAML."""
    data = tmp_path / "data"
    data.mkdir()
    corpus, queries, qrels, candidates = [], [], [], []
    for at in range(8):
        queries.append(json.dumps({"_id": f"q{at}", "text": f"word{at} here"}))
        corpus += [json.dumps({"_id": f"d{at}-{n}", "text": "filler" if n else f"word{at} here"}) for n in range(3)]
        qrels.append(f"q{at} 0 d{at}-0 1")
        candidates += [f"q{at} Q0 d{at}-{n} {3 - n} {n + 1}.5 bad" for n in range(3)]
    for name, lines in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.txt", qrels)):
        (data / name).write_text("\n".join(lines))
    (tmp_path / "bad.run").write_text("\n".join(candidates))
    (tmp_path / "fake.yaml").write_text("type: fake\nscale: logit\n")
    return tmp_path


def test_a_table_and_a_page(folder: Path) -> None:
    """Of a run's documents as they come and reranked, with what follows from it."""
    arguments = ["--candidates", "bad.run", "--systems", "first-stage", "fake", "again=fake.yaml", "--depths", "1,3"]
    done = run("compare", "data", *arguments, "--html", "out.html", "-m", "MRR@10", "-m", "P@1", cwd=folder)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Comparison: 3 systems, 8 queries, 24 documents; candidates of the dataset, depth 100")
    assert lines[3].split()[:2] == ["first-stage", "0.333"] and lines[5].split()[:2] == ["again", "1.000"]
    assert "Use fake." in lines and any("going deeper than 3" in line or "at a depth of 3" in line for line in lines)
    assert (folder / "out.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json_and_every_kind_of_system(folder: Path) -> None:
    """Retrievers, both stages in one, and a run; a sample of the queries."""
    systems = ["bm25", "bm25+fake", "bad.run", "fake"]
    done = run("compare", "data", "-s", *systems, "--json", "--queries", "5", "--depth", "10", cwd=folder)
    found = json.loads(done.stdout)
    kinds = ["retriever", "two-stage", "run", "reranker"]
    assert [(each["name"], each["kind"]) for each in found["systems"]] == list(zip(systems, kinds, strict=True))
    assert found["n_queries"] == 5 and found["candidates"] == "bm25"
    assert done.returncode == 0 and done.stderr == ""  # no bars where no terminal is


def test_choose_measures_and_recommends(folder: Path) -> None:
    """A table with a star, and what to use; the same as JSON."""
    arguments = ["--candidates", "bad.run", "--reranker", "fake", "--depths", "1,3", "-k", "3"]
    done = run("choose", "data", *arguments, cwd=folder)
    assert done.returncode == 0 and done.stdout.startswith("Choice: 3 options on 8 queries, 3 wanted, no limit")
    assert "\nUse fake at 3, on what candidates finds. nDCG@3 is 1.000" in done.stdout
    found = json.loads(run("choose", "data", *arguments, "--json", "--queries", "7", cwd=folder).stdout)
    assert found["chosen"]["plan"] == {"retriever": "candidates", "reranker": "fake", "depth": 3}
    assert found["n_queries"] == 7


def test_costs_groups_and_failures(folder: Path) -> None:
    """Prices and memory are columns, a file groups the queries, and failures are written as training data."""
    (folder / "groups.tsv").write_text("".join(f"q{at}\t{'a' if at < 5 else 'b'}\n" for at in range(8)))
    arguments = ["--candidates", "bad.run", "-s", "first-stage", "fake", "--depth", "10", "--memory", "--json"]
    more = ["--price", "fake=0.5/query", "--groups", "groups.tsv", "--failures", "first-stage=train.jsonl"]
    done = run("compare", "data", *arguments, *more, cwd=folder)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and "8 of 8 failures of first-stage are in train.jsonl" in done.stderr
    assert found["systems"][1]["cost"] == 500 and found["systems"][1]["memory_mb"] > 10
    assert found["groups"]["category"]["q6"] == "b"
    first = json.loads((folder / "train.jsonl").read_text().splitlines()[0])
    assert first == {"query": "word0 here", "documents": ["word0 here", "filler", "filler"], "labels": [1, 0, 0]}


def test_what_was_measured_is_printed_whatever_becomes_of_the_page(folder: Path) -> None:
    """Here a folder stands in its place."""
    (folder / "out.html").mkdir()
    arguments = ["--candidates", "bad.run", "-s", "first-stage", "fake", "--html", "out.html", "--json"]
    done = run("compare", "data", *arguments, cwd=folder)
    assert done.returncode == 1 and "out.html can't be written" in done.stderr
    assert json.loads(done.stdout)["n_queries"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "-s", "bm25", "fake"], "corpus.jsonl is missing"),
        (["data", "-s", "fake"], "compare needs at least two systems"),
        (["data", "-s", "fake", "fake"], "two systems are named 'fake'"),
        (["data", "-s", "bm25", "fakt"], "'fakt' is neither a reranker nor a cross-encoder"),
        (["data", "-s", "bm25", "no.yaml"], "no.yaml can't be read: there is no such file"),
        (["data", "-s", "bm25", "bm25+no.yaml"], "no.yaml can't be read: there is no such file"),
        (["data", "-s", "bm25", "fake+bm25"], "RetrieveRerank takes a Retriever and a Reranker"),
        (["data", "-s", "bm25", "fake", "--depths", "ten"], "--depths must be whole numbers"),
        (["data", "-s", "bm25", "fake", "--measure", "nope"], "not all measures of ir-measures"),
        (["data", "-s", "bm25", "fake", "--price", "0.1/call"], "--price must be a system's name, = and a value"),
        (["data", "-s", "bm25", "fake", "--price", "fake=1/year"], "a price must be an amount and its unit"),
        (["data", "-s", "bm25", "fake", "--failures", "train.jsonl"], "--failures must be a system's name, ="),
        (
            ["data", "-s", "bm25", "fake", "--failures", "fakt=train.jsonl"],
            "there is no system 'fakt', only: bm25, fake",
        ),
        (["data", "-s", "bm25", "fake", "--failures", "fake=no/train.jsonl"], "there is no folder no"),
        (["data", "-s", "bm25", "fake", "--html", "no/out.html"], "out.html can't be written: there is no folder no"),
        (["data", "-s", "bm25", "fake", "--groups", "no.tsv"], "no.tsv can't be read: no such file or directory"),
        (["data", "-s", "bm25", "fake", "--candidates", "no.run"], "no.run can't be read: no such file or directory"),
    ],
)
def test_what_can_not_be_compared_is_one_line(
    arguments: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped: Callable[..., tuple[Any, str, str]],
) -> None:
    """On standard error, with exit status 1 and nothing on standard output."""
    monkeypatch.chdir(folder)
    status, shown, error = stopped(["compare", *arguments], b"")
    assert status == 1 and shown == "" and message in error.replace("\n", " ")
