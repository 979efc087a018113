"""Weights in a file: read again when it changes, and never a bad version."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

import secondpass as sp
from secondpass.testing import FakeReranker


def _write(path: Path, content: object) -> None:
    """Replace the file as a careful program does: its identity changes even within one tick of the clock."""
    partial = path.with_suffix(".tmp")
    partial.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    partial.replace(path)


def _test(path: Path, **settings: Any) -> sp.ABTestReranker:
    arms = {"control": FakeReranker(), "treatment": FakeReranker()}
    return sp.ABTestReranker(arms, plan=path, check_every_s=0, **settings)


def _shares(test: sp.ABTestReranker) -> float:
    return sum(test.arm_of(f"user {at}") == "treatment" for at in range(1000)) / 10


def test_a_change_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Weights, then a rollback by one setting, then what was set where the file says nothing; each is logged."""
    plan = tmp_path / "plan.json"
    _write(plan, {"weights": {"control": 90, "treatment": 10}})
    test = _test(plan)
    assert 5 < _shares(test) < 15
    _write(plan, {"weights": {"control": 20, "treatment": 80}})
    assert 75 < _shares(test) < 85
    _write(plan, {"weights": {"control": 20, "treatment": 80}, "rollback": True})
    assert _shares(test) == 0
    _write(plan, {})
    assert 45 < _shares(test) < 55
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said[0] == "the experiment's shares are now: control 20, treatment 80 (before: control 90, treatment 10)"
    assert "rollback" in said[1] and len(said) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"weights": {"control": 90, "treatment": 20}}, "must sum to 100"),
        ({"weight": {}}, "has no setting 'weight' (did you mean 'weights'?)"),
        ({"rollback": "yes"}, "rollback must be True or False"),
        ("[1, 2", "can't be read"),
        ([1], "must be a mapping with weights or rollback"),
    ],
)
def test_a_bad_version_is_logged_once_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: object, said: str
) -> None:
    """What was in force stays, also when the file goes away; at the start it is an error."""
    plan = tmp_path / "plan.json"
    _write(plan, {"rollback": True})
    test = _test(plan)
    _write(plan, content)
    assert _shares(test) == _shares(test) == 0
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and said in record.getMessage()
    with pytest.raises(sp.ConfigError, match=r"ABTestReranker: .*plan\.json"):
        _test(plan)
    plan.unlink()
    assert _shares(test) == 0 and len(caplog.records) == 2


def test_yaml_is_read_and_the_file_is_looked_at_now_and_then(tmp_path: Path) -> None:
    """Within ``check_every_s`` a change is not seen, as each look costs a call of the operating system."""
    plan = tmp_path / "plan.yaml"
    _write(plan, "weights: {control: 0, treatment: 100}\n")
    arms = {"control": FakeReranker(), "treatment": FakeReranker()}
    test = sp.ABTestReranker(arms, plan=os.fspath(plan), check_every_s=3600)
    _write(plan, "rollback: true\n")
    assert _shares(test) == 100
    _write(plan, "weights: [\n")
    with pytest.raises(sp.ConfigError, match=r"plan\.yaml can't be read"):
        sp.ABTestReranker(arms, plan=plan)
    with pytest.raises(sp.ConfigError, match="can't be read"):
        sp.ABTestReranker(arms, plan="a\0b")
    _write(plan, "rollback: &a [*a]\n")
    with pytest.raises(sp.ConfigError, match="contains itself"):
        sp.ABTestReranker(arms, plan=plan)
