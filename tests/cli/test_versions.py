"""``secondpass versions``: what is in a store, and what is in use, by commands."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondpass.cli.app import app
from secondpass.errors import ConfigError, ModelNotFoundError
from secondpass.learn import ModelStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the folder of a store with three versions, none of which is a model that could be loaded."""
    monkeypatch.setattr("secondpass.learn.store.store.find_model", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "160")
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.safetensors").write_text("weights")
    opened = ModelStore(tmp_path / "models")
    for at in range(3):
        opened.add(source, base="tiny", metrics={"nDCG@10": 0.5 + at / 10}, note=f"try {at}\x1b[31m")
    return str(opened.folder)


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["versions", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return " ".join(done.output.split())


def test_promoted_listed_rolled_back_and_pruned(store: str) -> None:
    """Each command says what it did; a note can't steer the terminal."""
    assert _run("promote", store, "v1") == "production is v1"
    assert _run("promote", store, "v3", "--reason", "better") == "production is v3, before v1"
    listed = _run("list", store)
    assert "v2 rerank" in listed and "tiny nDCG@10 0.6 try 1" in listed and "v3 production rerank" in listed
    assert "\x1b[31m" not in listed
    assert _run("prune", store, "--keep", "0") == "removed v2"
    assert _run("rollback", store) == "production is v1"
    assert ModelStore(store).events[-3]["reason"] == "better"


def test_what_is_not_there_is_an_error_of_ours(store: str) -> None:
    """The command line shows it as one line."""
    with pytest.raises(ModelNotFoundError, match="no version or alias 'v9'"):
        _run("promote", store, "v9")
    with pytest.raises(ConfigError, match="there is no such alias"):
        _run("rollback", store, "--alias", "staging")
    assert _run("prune", store, "--keep", "5") == "removed nothing"
