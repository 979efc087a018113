"""What a release is made of: distributions that PyPI takes, a page there whose links work, a workflow for tags."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from importlib.metadata import distributions, version
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.code_blocks import call_errors, find_blocks

_ROOT = Path(__file__).parents[1]


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


_NAMED = sorted(path.parent for path in (_ROOT / "packaging").glob("*/pyproject.toml"))


@pytest.mark.parametrize("folder", _NAMED, ids=lambda folder: folder.name)
def test_the_names_of_the_frameworks_are_in_step(folder: Path) -> None:
    """Each depends on this very version, by extras that there are, and shows how it is used."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = _project()
    assert (project["name"], project["version"]) == (folder.name, ours["version"])
    assert (project["requires-python"], project["license"]) == (ours["requires-python"], ours["license"])
    wanted = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    for requirement in map(Requirement, chain.from_iterable(wanted)):
        assert (requirement.name, str(requirement.specifier)) == ("secondpass", f"=={ours['version']}")
        assert requirement.extras and requirement.extras <= ours["optional-dependencies"].keys()
    readme = folder / "README.md"
    assert f"pip install {folder.name}" in readme.read_text(encoding="utf-8")
    blocks = [block for block in find_blocks(readme) if block.language == "python"]
    assert blocks and [error for block in blocks for error in call_errors(block)] == []


@pytest.mark.slow
def test_the_names_of_the_frameworks_install_the_rest(tmp_path: Path) -> None:
    """Each is built without code, PyPI takes it, and it installs where that version of secondpass is."""
    for folder in _NAMED:
        _run("build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(folder))
    wheels = [*map(str, tmp_path.glob("*.whl"))]
    assert _run("twine", "--no-color", "check", "--strict", *wheels).count("PASSED") == len(_NAMED) == 3
    _run("pip", "install", "--no-index", "--no-deps", "--target", str(tmp_path / "installed"), *wheels)
    installed = {each.name: each for each in distributions(path=[str(tmp_path / "installed")])}
    assert installed.keys() == {folder.name for folder in _NAMED}
    for each in installed.values():
        assert all(file.parts[0].endswith(".dist-info") for file in each.files or [])
        (requirement, *_) = map(Requirement, each.requires or [])
        assert requirement.specifier.contains(version("secondpass"))


@pytest.mark.slow
def test_pypi_takes_the_distributions(tmp_path: Path) -> None:
    """What the workflow builds passes `twine check --strict`, with licence and notice in both."""
    _run("build", "--no-isolation", "--outdir", str(tmp_path))
    (wheel,), (sdist,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    said = _run("twine", "--no-color", "check", "--strict", str(wheel), str(sdist))
    assert said.count("PASSED") == 2
    with zipfile.ZipFile(wheel) as files:
        licences = {Path(name).name for name in files.namelist() if "/licenses/" in name}
        metadata = message_from_bytes(files.read(next(name for name in files.namelist() if name.endswith("/METADATA"))))
    assert licences == {"LICENSE", "NOTICE"}
    assert metadata["License-Expression"] == "Apache-2.0"
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"NOTICE", "CHANGELOG.md", "docs/conf.py", "tests/test_release.py", "training/longrun.py"} <= inside
    assert not any(name.startswith((".ci", "build/", "docs/_build")) for name in inside)


def test_links_work_on_pypi() -> None:
    """The README's links are absolute: on PyPI there is no repository around it. Those to our files have a file."""
    links = re.findall(r"\]\(([^)]+)\)", (_ROOT / "README.md").read_text(encoding="utf-8"))
    ours = _project()["urls"]["Source"]
    assert links and all(link.startswith("https://") for link in links)
    paths = [link.partition("/main/")[2].partition("#")[0] for link in links if link.startswith(ours)]
    assert [path for path in paths if not (_ROOT / path).exists()] == []


def test_the_readme_is_short() -> None:
    """It sells; the site explains. About 600 words of text, tables and code aside."""
    text = re.sub(r"^```.*?^```", "", (_ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S | re.M)
    words = [word for line in text.splitlines() if not line.startswith("|") for word in line.split()]
    assert len(words) < 600


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: a heading for each version with a date, or Unreleased, and only the usual kinds of change."""
    lines = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0].startswith("## [Unreleased]")
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in versions[1:])
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_workflow_does_what_is_tested_here() -> None:
    """A tag starts it; it builds and checks by the same commands, and publishes without a stored token."""
    workflow = yaml.safe_load((_ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML reads "on" as true
    commands = "\n".join(step.get("run", "") for step in workflow["jobs"]["build"]["steps"])
    assert "for project in . packaging/*; do python -m build" in commands and "twine check --strict" in commands
    assert workflow["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert workflow["jobs"]["publish"]["needs"] == "build"
    assert "secrets." not in str(workflow)


def test_every_python_that_is_named_is_tested() -> None:
    """Those of the classifiers, and no others, are those of the workflow."""
    jobs = yaml.safe_load((_ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    usual = [
        step["with"]["python-version"] for step in jobs["test"]["steps"] if "python-version" in step.get("with", {})
    ]
    tested = {*usual, *jobs["other-pythons"]["strategy"]["matrix"]["python"]}
    named = {line.rpartition(" ")[2] for line in _project()["classifiers"] if ":: Python :: 3." in line}
    assert tested == named and min(named) == _project()["requires-python"].removeprefix(">=")


def test_the_site_is_built_by_the_command_of_the_documentation() -> None:
    """What puts the site on the web is what CONTRIBUTING.md says, and what the test of the site runs."""
    workflow = yaml.safe_load((_ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8"))
    commands = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step]
    assert len(commands) == 1
    assert commands[0] in (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_extra_is_explained() -> None:
    """All but those for developers stand in the table of extras, and all of these are in ``all``."""
    extras = _project()["optional-dependencies"]
    page = (_ROOT / "docs" / "reference" / "extras.md").read_text(encoding="utf-8")
    explained = {name for line in page.splitlines() if line.startswith("| `") for name in line.split("|")[1].split("`")}
    ours = extras.keys() - {"adapters", "bench", "docs", "test"}
    assert ours <= explained
    included = set(extras["all"][0].partition("[")[2].rstrip("]").split(","))
    assert ours - {"all", "demo", "langchain"} == included  # these two are parts, or made of parts


def test_floors_are_those_of_the_extras() -> None:
    """The versions that CI runs the adapters on are the lowest that the extras allow."""
    lines = (_ROOT / "constraints-floors.txt").read_text(encoding="utf-8").splitlines()
    floors = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = _project()["optional-dependencies"]
    frameworks = ("langchain-agents", "langchain", "llama-index", "haystack")
    declared = [entry for name in frameworks for entry in extras[name]]
    lowest = dict(entry.split(">=") for entry in declared if not entry.startswith("secondpass"))
    assert floors.keys() == lowest.keys()
    assert all(floors[name] in (low, f"{low}.0") for name, low in lowest.items())
    assert "-c constraints-floors.txt" in (_ROOT / ".ci" / "run").read_text(encoding="utf-8")
