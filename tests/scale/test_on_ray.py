"""On Ray itself: nothing lost and nothing doubled when processes are killed, and the server's answers."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import secondpass as sp
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.serve import create_app
from tests.scale.on_ray import BODY, REQUESTS, SERVED, VARYING
from tests.scale.rows import pairs, read, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_ROWS = 600
_ANSWERS = [
    {"said": "The tower is 330 metres tall.", "passages": ["The tower is 330 metres tall."]},
    {"said": "The tower is 310 metres tall.", "passages": [{"text": "The tower is 330 metres tall."}]},
    {"said": "Hello!", "passages": [], "note": "kept"},
]


def _run(what: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Workers of a low priority, as Ray has them by default, would take long where other programs run.
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "RAY_worker_niceness": "0"}
    command = [sys.executable, str(Path(__file__).with_name("on_ray.py")), what, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the input, and with the output of a process that was killed and of one that went on."""
    made = tmp_path_factory.mktemp("ray")
    write(made / "rows.parquet", pairs(_ROWS), group_rows=70)
    write(made / "answers.jsonl", _ANSWERS)
    write(made / "bad.jsonl", [*pairs(2), {"query": "", "document": "a"}])
    assert _run("killed", made).returncode == -signal.SIGKILL
    done = _run("whole", made)
    assert done.returncode == 0, done.stderr[-5000:]
    return made


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    """Return what the second process found."""
    found: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    return found


def test_each_pair_is_scored_once(result: dict[str, Any], cross_encoder: CrossEncoderReranker) -> None:
    """Although first the whole run was killed and then a worker; in order, with the scores of a call here."""
    run = result["reranked"]
    assert run["before"] >= 100 and run["pairs"] == _ROWS - run["before"] and run["rows"] == _ROWS
    assert run["killed"] and run["workers"] >= 3, "the worker that was killed has a successor"
    rows = read(map(Path, run["parts"]))
    assert [row["id"] for row in rows] == list(range(_ROWS))
    requests = [sp.Request(row["query"], [row["document"]]) for row in pairs(_ROWS)]
    assert [row["score"] for row in rows] == [scores.values[0] for scores in cross_encoder.score_many(requests)]


def test_what_is_done_is_not_done_again(result: dict[str, Any], folder: Path) -> None:
    """A third call finds all parts, and nothing else lies among them."""
    assert result["reranked"]["again"] == 0
    names = {path.name for path in (folder / "scored").iterdir() if not path.name.startswith(".writing-")}
    assert names == {f"part-{at:06d}.parquet" for at in range(12)} | {"_run.json", "_model.json", "_attempts"}


def test_answers_are_verified(result: dict[str, Any]) -> None:
    """From JSONL to JSONL, with another name of a column."""
    rows = read(map(Path, result["verified"]["parts"]))
    assert [row["said"] for row in rows] == [row["said"] for row in _ANSWERS] and rows[2]["note"] == "kept"
    assert [row["passed"] for row in rows] == [True, False, False] and result["verified"]["pairs"] == 2
    assert [[claim["verdict"] for claim in row["claims"]] for row in rows[:2]] == [["supported"], ["contradicted"]]


def test_a_row_that_can_not_be_used_is_named(result: dict[str, Any]) -> None:
    """By the error that a worker met, where the call was made."""
    assert "bad.jsonl, row 3: the query is empty" in result["refused"]


def test_ray_serve_answers_as_the_plain_server_does(result: dict[str, Any]) -> None:
    """In each dialect, errors and the description included; and requests at the same time as well."""
    with TestClient(create_app(SERVED)) as client:
        alone = client.post("/v2/rerank", json=BODY).json()["results"]
        expected = [client.request(method, path, json=body) for method, path, body in REQUESTS]
    answers = result["served"]["answers"]
    assert [status for status, _ in answers] == [answer.status_code for answer in expected]
    for (_, body), answer, (_, path, _) in zip(answers, expected, REQUESTS, strict=True):
        assert _lasting(body) == _lasting(answer.json()), path
    assert result["served"]["at_once"] == [alone] * 40


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(inner) for key, inner in value.items() if key not in VARYING}
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value


def test_nobody_else_can_reach_it_and_nobody_is_told(result: dict[str, Any]) -> None:
    """A Ray that is started here listens on loopback, sends no statistics, and is gone afterwards."""
    assert {ip.removeprefix("::ffff:") for ip in result["listening"]} == {"127.0.0.1"}
    assert result["statistics"] is False and result["left"] == 0
