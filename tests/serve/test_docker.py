"""The Dockerfile and the compose file, as far as they can be checked without Docker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from secondpass.serve import ServeSettings, create_app
from tests.serve.conftest import FAKES, listening

_FOLDER = Path(__file__).parents[2] / "docker"


def _instructions() -> list[tuple[str, str]]:
    text = (_FOLDER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


@pytest.mark.parametrize("name", ["serve.yaml", "serve-redis.yaml"])
def test_what_is_served_can_be_used(name: str) -> None:
    """With the settings' own checks, and the compositions' where no server is needed."""
    settings = ServeSettings.from_config(yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8")))
    assert list(settings.rerankers) == ["default"] and list(settings.classifiers) == ["default", "decisions"]


def test_the_image_does_not_run_as_root_and_needs_no_network() -> None:
    """Each instruction after the last USER, and the process itself, runs as that user."""
    instructions = _instructions()
    users = [value for name, value in instructions if name == "USER"]
    assert users and all(value not in ("0", "root") for value in users)
    assert [name for name, _ in instructions][-1] == "ENTRYPOINT"
    environment = " ".join(value for name, value in instructions if name == "ENV")
    assert "HF_HUB_OFFLINE=1" in environment
    bases = [value.split()[0] for name, value in instructions if name == "FROM"]
    assert len(bases) == 2 and all(base.endswith("-slim") for base in bases)
    for name, value in instructions:
        if name == "COPY" and "--from" not in value:
            *sources, _ = value.split()
            assert all((_FOLDER.parent / source).exists() for source in sources)


def test_the_health_check_tells_a_server_from_none() -> None:
    """As it stands in the Dockerfile, but for the interpreter and the port."""
    ((_, said),) = [each for each in _instructions() if each[0] == "HEALTHCHECK"]
    _, flag, code = json.loads(said.partition("CMD ")[2])
    with listening(create_app(FAKES)) as url:
        alive = [sys.executable, flag, code.replace("http://127.0.0.1:8000", url)]
        assert subprocess.run(alive, check=False).returncode == 0
    assert subprocess.run(alive, check=False, stderr=subprocess.DEVNULL).returncode != 0


def test_the_compose_file_needs_its_secrets() -> None:
    """Keys and the password come from the environment; Redis can't be reached from outside."""
    composed: dict[str, Any] = yaml.safe_load((_FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    served, redis = composed["services"]["secondpass"], composed["services"]["redis"]
    assert all(":?" in value for value in served["environment"].values())
    assert "ports" not in redis and redis["networks"] == ["inside"] and composed["networks"]["inside"]["internal"]
    mounted = [volume.split(":")[0] for volume in served["volumes"]]
    assert all((_FOLDER / name).is_file() for name in mounted)
