"""ONNX Runtime and OpenVINO, imported so that they tell nobody that they are used, and that no thread hangs in them.

Both report it by default when they are imported: ONNX Runtime (from 1.29 on) to Microsoft, OpenVINO to Google
Analytics, from a child process that a thread forks. Both keep a number that identifies the machine in the home folder.
What the user has imported before stays as it is.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

from secondpass.forking import before_any_fork

__all__ = ["import_onnxruntime", "import_openvino"]

_importing = Lock()


def import_onnxruntime() -> Any:
    """Return the module; whoever wants it to report sets ``ORT_DISABLE_TELEMETRY=0``."""
    with _first_import("onnxruntime") as is_first:
        variable = "ORT_DISABLE_TELEMETRY"  # read once, by the import
        ours = is_first and variable not in os.environ
        if ours:
            os.environ[variable] = "1"
        try:
            import onnxruntime
        finally:
            if ours:
                del os.environ[variable]
    return onnxruntime


def import_openvino() -> Any:
    """Return the module.

    Raises:
        ImportError: it is not installed.
    """
    with _first_import("openvino") as is_first:
        name = "openvino_telemetry"
        before = sys.modules.get(name)
        if is_first:
            # As the import system knows what can't be imported: OpenVINO then has a stub of its own.
            sys.modules[name] = None  # type: ignore[assignment]
        try:
            import openvino
        finally:
            if is_first:
                del sys.modules[name]
                sys.modules |= {name: before} if before is not None else {}
        _fill_tables(openvino)
    return openvino


def _fill_tables(openvino: Any) -> None:
    """Let OpenVINO make its tables of types while no other thread of ours is in it.

    It makes them when they are first needed, holding the interpreter's lock, and gives that away in between: a second
    thread that needs them takes it, waits for the first one, and both hang for ever.
    """
    tensor = openvino.Tensor(np.zeros(1, dtype=np.int64), shared_memory=True)
    tensor.element_type.to_dtype()
    _ = tensor.data


@contextmanager
def _first_import(name: str) -> Iterator[bool]:
    """Let one thread import at a time, and say whether nobody has imported this before."""
    with before_any_fork(), _importing:
        yield name not in sys.modules
