"""Datasets of any size, scored offline by workers on Ray."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from secondpass.base import Reranker
from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.scale.cluster import require_ray
from secondpass.scale.formats import format_of
from secondpass.scale.plan import Source, files_of
from secondpass.scale.run import DatasetRun, ShardDone, run_task
from secondpass.scale.settings import ScaleOptions, ScaleSettings
from secondpass.scale.tasks import Pairs, Requests, Task, Verifications
from secondpass.validation import Text, must_be
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.verifier import FactVerifier

__all__ = ["rerank_dataset", "verify_dataset"]


def rerank_dataset(
    source: Source,
    output: str | os.PathLike[str],
    *,
    reranker: str | os.PathLike[str] | Mapping[str, Any] | Reranker = "cross-encoder",
    columns: Mapping[str, str] | None = None,
    on_done: Callable[[ShardDone], object] | None = None,
    **settings: Unpack[ScaleOptions],
) -> DatasetRun:
    """Score the rows of Parquet or JSONL files, on this machine or on a cluster, and write them with their scores.

    A row is a pair, with ``query`` and ``document``, and gets ``score``; or a query with its list of ``documents``
    (perhaps with ``initial_scores``), and gets ``scores`` and ``ranks``, in the order of the documents. Documents are
    texts, or objects with ``text``. Calibrated probabilities are in ``probability`` or ``probabilities``, null where
    nothing calibrates the reranker; ``unread`` says that the model does not read the language. All other columns stay.

    The files are cut into shards, always in the same way. A worker reads one, scores it, and writes it as a part,
    which is there whole or not at all. The shard of a worker that dies is done again. If all of it is killed, the same
    call goes on where it was; a folder with another run is refused. So each row is in the output exactly once.

    All nodes must see the files and the output by the same paths, and have the models. What runs is Ray's: the cluster
    that the caller is connected to or that ``RAY_ADDRESS`` names, or else one on this machine, on loopback only,
    without dashboard and usage statistics, for as long as the call takes.

    Args:
        source: a file, a folder of files, or a list of files, all ``.parquet`` or all ``.jsonl``.
        output: a folder: a new one, or that of the run that shall go on.
        reranker: a name, a folder or a configuration, from which each worker loads its own; of a `Reranker`, its
            configuration is taken.
        columns: what columns are called in the files, by our names: ``{"query": "question", "score": "ce_score"}``.
        on_done: told of each part that was written, in this thread.
        settings: workers and shards: see `ScaleSettings`.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: a setting can't be used, a column is missing or there already, or the folder holds something else.
        InputError: a file can't be read, or a row can't be used; the message says where it stands.
        SecondPassError: the model can't be loaded, or fails.
        ScoringError: Ray can't be started, or workers died again and again.
    """
    require_ray("rerank_dataset")
    options = ScaleSettings.of("rerank_dataset", settings)
    renamed = _columns(columns)
    kind = Requests if _has(source, renamed.get("documents", "documents")) else Pairs
    task = kind(_plain("reranker", reranker), renamed, options.batch_tokens, options.record_errors)
    return _run(task, source, output, options, on_done)


def verify_dataset(
    source: Source,
    output: str | os.PathLike[str],
    *,
    verifier: str | os.PathLike[str] | Mapping[str, Any] | FactVerifier | MonitoredVerifier = "secondpass-nli-minilm",
    columns: Mapping[str, str] | None = None,
    on_done: Callable[[ShardDone], object] | None = None,
    **settings: Unpack[ScaleOptions],
) -> DatasetRun:
    """Verify the answers in the rows of Parquet or JSONL files, and write the rows with the verdicts.

    A row has an ``answer``, its list of ``passages`` (texts, or objects with ``text``), and perhaps the ``question``.
    It gets ``passed``, ``answer_probability`` (of the whole answer) and ``claims``: for each its text, verdict,
    probability, where it stands in the answer, and the reason. All else is as in `rerank_dataset`.

    Args:
        source: a file, a folder of files, or a list of files, all ``.parquet`` or all ``.jsonl``.
        output: a folder: a new one, or that of the run that shall go on.
        verifier: a model's name or the settings of a `FactVerifier`, from which each worker makes its own; of a
            verifier, its settings are taken.
        columns: what columns are called in the files, by our names: ``{"answer": "response"}``.
        on_done: told of each part that was written, in this thread.
        settings: workers and shards: see `ScaleSettings`.

    Raises:
        SecondPassError: as in `rerank_dataset`.
    """
    require_ray("verify_dataset")
    options = ScaleSettings.of("verify_dataset", settings)
    task = Verifications(_plain("verifier", verifier), _columns(columns), options.batch_tokens, options.record_errors)
    return _run(task, source, output, options, on_done)


def _run(
    task: Task,
    source: Source,
    output: str | os.PathLike[str],
    options: ScaleSettings,
    on_done: Callable[[ShardDone], object] | None,
) -> DatasetRun:
    if not isinstance(output, str | os.PathLike) or not os.fspath(output):
        raise ConfigError(must_be("output", "the path of a folder", output))
    return run_task(task, source, Path(output).expanduser().absolute(), options, on_done)


def _has(source: Source, name: str) -> bool:
    first = files_of(source)[0]
    return name in format_of(first).names(first)


def _columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise ConfigError(must_be("columns", "a mapping from our names to those in the files", columns))
    return {ours: Text().checked(theirs, f"columns[{ours!r}]") for ours, theirs in columns.items()}


def _plain(name: str, given: Any) -> Any:
    """Return what a worker loads its model from: a name, or plain data.

    Raises:
        ConfigError: it is neither, or holds what no configuration can.
    """
    if isinstance(given, Configured):
        given = given.to_config()
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if not isinstance(given, str | Mapping) or not given:
        raise ConfigError(must_be(name, "a name, a folder or a configuration", given))
    try:
        return json.loads(json.dumps(given))
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"{name} must be plain data, from which each worker loads its own: {exc}") from exc
