"""Peak memory: of a process of its own for each system, so that none is charged with what another one loaded."""

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from secondpass.base import Reranker, from_config, inner_rerankers
from secondpass.errors import SecondPassError
from secondpass.evaluate.systems import Question
from secondpass.loading import load
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from secondpass.retrieve.base import Retriever, retrievers
from secondpass.retrieve.two_stage import RetrieveRerank
from secondpass.types import document_text

__all__ = ["peak_memory_mb"]

_ASKED = 3  # queries: those with the most text to read
_LIMIT_S = 600


def peak_memory_mb(system: Any, questions: Sequence[Question]) -> float:
    """Return the most memory that a process takes which only loads a system and answers the longest queries.

    Python and the libraries are included, some 100 MB; an index is loaded, not built.

    Args:
        system: a reranker, its name or configuration, a retriever, or both in one.
        questions: with their candidates.

    Raises:
        SecondPassError: it can't be measured; the message says why.
    """
    system = load(system) if not isinstance(system, Reranker | Retriever | RetrieveRerank) else system
    with tempfile.TemporaryDirectory(prefix="secondpass-") as folder:
        task = {**_task(system, Path(folder)), "questions": [_plain(each) for each in _longest(questions)]}
        path = Path(folder) / "task.json"
        try:
            path.write_text(json.dumps(task), encoding="utf-8")
        except (TypeError, ValueError) as exc:
            raise SecondPassError(f"it holds what is no plain data: {exc}") from exc
        command = [sys.executable, "-P", "-m", "secondpass.evaluate.memory", str(path)]
        try:
            child = subprocess.run(  # noqa: S603  # this Python, on this module
                command, capture_output=True, text=True, timeout=_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise SecondPassError(f"its process took more than {_LIMIT_S} s") from exc
        if child.returncode != 0:
            raise SecondPassError(f"its process failed: {child.stderr.strip()[-300:]}")
        return float(child.stdout.split()[-1])


def _task(system: Reranker | Retriever | RetrieveRerank, folder: Path) -> dict[str, Any]:
    if isinstance(system, Reranker):
        if _asks_servers(system):
            raise SecondPassError("it asks a server, and the process would do so again")
        return {"reranker": system.to_config()}
    if isinstance(system, Retriever):
        system.save(folder / "index")
        return {"retriever": system.registry_name, "index": str(folder / "index")}
    settings = {"depth": system.depth, "prior": system.prior}
    return {**_task(system.retriever, folder), **_task(system.reranker, folder), "settings": settings}


def _asks_servers(reranker: Reranker) -> bool:
    return isinstance(reranker, RemoteReranker | LLMReranker) or any(map(_asks_servers, inner_rerankers(reranker)))


def _longest(questions: Sequence[Question]) -> list[Question]:
    def length(question: Question) -> int:
        return sum(len(document_text(document, 0)) for document in question.documents)

    return sorted(questions, key=length, reverse=True)[:_ASKED]


def _plain(question: Question) -> dict[str, Any]:
    texts = [document_text(document, 0) for document in question.documents]
    scores = list(question.scores) or None
    return {"text": question.text, "documents": texts, "scores": scores, "depth": question.depth, "k": question.k}


def _answer(task: dict[str, Any]) -> None:
    """Do in a process of its own what the system does."""
    reranker = from_config(task["reranker"]) if "reranker" in task else None
    search: Any = retrievers.get(task["retriever"]).load(task["index"]) if "retriever" in task else None
    if search is not None and reranker is not None:
        search = RetrieveRerank(search, reranker, **task["settings"])
    for question in task["questions"]:
        if search is not None:
            search.search(question["text"], question["depth"])
        elif reranker is not None:
            scores = question["scores"]
            reranker.rerank(question["text"], question["documents"], k=question["k"], initial_scores=scores)


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # Linux, where resource's figure is inherited from the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    _answer(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stdout.write(f"\n{_peak_mb():.1f}\n")
