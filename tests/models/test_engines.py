"""ONNX Runtime and OpenVINO tell nobody that they are used, nor hang: each test has a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from secondpass.models.engines import import_onnxruntime, import_openvino

_PROGRAM = """
import json, os, sys, threading
events = []
forbidden = {"os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo", "urllib.Request"}
sys.addaudithook(lambda event, _: events.append(event) if event in forbidden else None)
FIRST
import secondpass as sp
reranker = sp.CrossEncoderReranker(backend=BACKEND)
assert reranker.rerank("copy a file", ["the moon", "shutil.copy copies a file"])[0].index == 1
print(json.dumps({
    "events": events,
    "threads": [thread.name for thread in threading.enumerate() if "secondpass" not in thread.name],
    "telemetry": sorted(name for name in sys.modules if "telemetry" in name and "openvino" in name),
    "environment": os.environ.get("ORT_DISABLE_TELEMETRY"),
    "files": [at[0] for at in os.walk(os.environ["HOME"]) if at[2]],
}))
"""
_NOTHING = {
    "events": [],
    "threads": ["MainThread"],
    "environment": None,
    "files": [],
}
_STUBS = [f"openvino.tools.ovc.telemetry_{name}" for name in ("params", "stub", "utils")]


def _found_after(home: Path, *, backend: str, first: str = "", **environment: str) -> dict[str, Any]:
    """Rerank in a new process, where nothing says that it is a test (these report nothing by themselves)."""
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    environment |= {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "LOCALAPPDATA": str(home), "USERPROFILE": str(home)}
    environment["SECONDPASS_CACHE_DIR"] = str(home.with_name("cache"))
    code = _PROGRAM.replace("FIRST", first).replace("BACKEND", repr(backend))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("backend", "telemetry"), [("onnx", []), ("openvino", _STUBS)])
def test_nobody_is_told(backend: str, telemetry: list[str], tmp_path: Path) -> None:
    """No request, no child process, no thread and no file in the home folder, and the environment stays as it is."""
    (home := tmp_path / "home").mkdir()
    assert _found_after(home, backend=backend) == _NOTHING | {"telemetry": telemetry}


def test_what_is_imported_before_us_stays(tmp_path: Path) -> None:
    """The module that a user has loaded is there again."""
    pytest.importorskip("openvino_telemetry")
    (home := tmp_path / "home").mkdir()
    found = _found_after(home, backend="openvino", first="import openvino_telemetry")
    assert "openvino_telemetry" in found.pop("telemetry")
    assert found == _NOTHING


def test_whoever_wants_to_tell_may(tmp_path: Path) -> None:
    """A choice in the environment is the user's: it is neither changed nor taken away."""
    (home := tmp_path / "home").mkdir()
    assert _found_after(home, backend="onnx", ORT_DISABLE_TELEMETRY="true")["environment"] == "true"


def test_an_engine_that_is_missing_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The marks around an import that fails are taken away again."""
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    names = ("onnxruntime", "openvino", "openvino_telemetry")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    for load in (import_onnxruntime, import_openvino):
        with pytest.raises(ImportError):
            load()
    assert not any(name in sys.modules for name in names)
    assert "ORT_DISABLE_TELEMETRY" not in os.environ


_AT_ONCE = """
import faulthandler, sys, threading
faulthandler.dump_traceback_later(100, exit=True)  # nothing else ends a thread that waits outside Python
from secondpass.models.engines import import_openvino
openvino = import_openvino()
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)
def act():
    barrier.wait()
    openvino.Type.i64.to_dtype()
threads = [threading.Thread(target=act) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(3))
def test_no_threads_hang_that_use_openvino_for_the_first_time(attempt: int) -> None:
    """Its tables of types are made by the import; threads that make them at once may wait for each other for ever."""
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
