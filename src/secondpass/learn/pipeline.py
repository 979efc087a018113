"""From a corpus and judged queries to a version of a model: mine, train, export, calibrate, measure, decide."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from secondpass.bars import shows_bars
from secondpass.base import Reranker
from secondpass.calibration.examples import score_examples
from secondpass.calibration.quality import ProbabilityQuality, probability_quality
from secondpass.calibration.saved import CALIBRATION
from secondpass.composition.calibrated import CalibratedReranker
from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.comparison import checked_measures, compare
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.results import Comparison
from secondpass.evaluate.statistics import Difference
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.data.findings import DataReport, Finding
from secondpass.learn.diagnosis.diagnose import diagnose
from secondpass.learn.exporting import Export, export
from secondpass.learn.negatives import mine_negatives
from secondpass.learn.parts import Parts, judged_candidates, judged_lists, opened_retriever, parts_of, with_candidates
from secondpass.learn.progressive import unlabelled_requests
from secondpass.learn.pseudo import pseudo_labelled, teacher_of, unlabelled_queries, with_targets
from secondpass.learn.store.gate import GateDecision, decide
from secondpass.learn.store.store import ModelStore, Promotion
from secondpass.learn.training.run import TrainingRun, train
from secondpass.learn.training.settings import TrainSettings
from secondpass.models.sources.resolve import model_name
from secondpass.models.sources.store import DEFAULT_ALIAS, ModelVersion
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.retrieve.base import Retriever
from secondpass.types import Document, document_text
from secondpass.validation import Whole, shown

__all__ = ["Learned", "learn"]

_START, _TUNED = "start", "tuned"
_MODEL, _TRAINING, _REPORT = "model", "training", "report.html"


@dataclass(frozen=True, slots=True, repr=False)
class Learned:
    """What `learn` made, and what it is worth.

    Attributes:
        folder: where everything is: ``training``, ``model`` and ``report.html``.
        run: the training.
        export: the model that was written, with what its precision costs.
        comparison: the start and the tuned model on queries that nothing was trained or chosen by.
        calibration: how good the tuned model's probabilities are on these queries; None where they can't be measured.
        findings: what is wrong with the training, by name.
        decision: whether the tuned model may take the place of the one before, and why.
        n_queries: how many queries there were to ``train``, to choose (``dev``) and to measure (``test``) by; with
            synthetic ones, how many of these (``synthetic``).
        version: the version in the store; None without a store.
        promoted: whether the store's alias points to it now.
        seconds: what each step took, by name.
    """

    folder: Path
    run: TrainingRun
    export: Export
    comparison: Comparison
    calibration: ProbabilityQuality | None
    findings: DataReport
    decision: GateDecision
    n_queries: Mapping[str, int]
    version: ModelVersion | None = None
    promoted: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """The folder of the tuned model, with its calibration: what `CrossEncoderReranker` and the adapters take."""
        return self.export.folder

    @property
    def report(self) -> Path:
        """The page with all of it."""
        return self.folder / _REPORT

    def __repr__(self) -> str:
        from secondpass.learn.report import as_text

        return as_text(self)


def learn(
    dataset: Dataset,
    folder: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] = "ms-marco-MiniLM-L12-v2",
    store: ModelStore | str | os.PathLike[str] | None = None,
    settings: TrainSettings | Mapping[str, Any] | None = None,
    retriever: Retriever | str = "bm25",
    depth: int = 50,
    negatives: int = 4,
    dev: float = 0.15,
    test: float = 0.35,
    synthetic: int | Iterable[str] | Callable[[str], Iterable[str]] = 0,
    teacher: str | Mapping[str, Any] | Reranker | None = None,
    guards: Mapping[str, Dataset] | None = None,
    replay: Sequence[TrainingExample] = (),
    measure: str = "nDCG@10",
    processes: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> Learned:
    """Tune a reranker on judged queries, and say whether that made it better.

    Queries are shared among three parts: to train on, to choose by (early stopping, calibration), and to measure on.
    Killed at any time, it goes on from there when it is called again with the same arguments.

    Args:
        dataset: corpus, queries and judgements, as `secondpass.evaluate.Dataset.of` and `read_beir` return them;
            with candidates, or the retriever finds them.
        folder: where everything is written.
        model: what it begins with: a name of the catalogue, a folder, or ``store:FOLDER#production`` to go on with
            what was learned before.
        store: where the version goes to; its alias ``production`` moves on if the gate lets it. None for no store.
        settings: of the training; by default for so many examples, and gently: see `reranker_settings`.
        retriever: what finds candidates, or its name: what will find them where the reranker is used.
        depth: how many candidates there are for a query.
        negatives: hard negatives of each training query, at most.
        dev: share of the queries to choose by.
        test: share of the queries to measure on.
        synthetic: queries that nobody judged, to learn a teacher's scores on (generative pseudo-labelling: Wang et al.
            2022, arXiv:2112.07577): how many sentences of the documents stand for queries, see `synthetic_queries`; or
            queries, such as a log's; or a function from a document's text to queries, such as a language model's.
        teacher: the reranker, or its name, whose scores these are; by default the model that it begins with, averaged
            with a bi-encoder. Judged queries to train on have its scores as well then, in the order of the
            judgements.
        guards: by name, datasets on which the model must not get worse; with candidates, or the retriever, if it is a
            name, finds them.
        replay: examples from before, which are trained on as well, so that they are not forgotten.
        measure: in the words of ir-measures.
        processes: how many train together, by torchrun.
        seed: of the split, the training and the intervals.
        progress: show what is being done, and on a terminal or in a notebook bars.

    Raises:
        InputError: the data can't be learned from; says why.
        ConfigError: a setting can't be used, or the folder holds something else.
        ModelError: the model can't be found, or not be trained.
        MissingExtraError: the extra ``learn`` is not installed.
    """
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"the dataset must be a Dataset, as Dataset.of and read_beir return it, not {shown(dataset)}")
    path, start = Path(folder), model_name(model)
    n_candidates = Whole(at_least=2).checked(depth, "depth")
    n_negatives = Whole(at_least=1).checked(negatives, "negatives")
    versions = store if store is None or isinstance(store, ModelStore) else ModelStore(store)
    # What can't be used is named before anything is computed, and not hours later.
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} can't be made a folder: there is a file of that name")
    import secondpass.learn.training.trainer  # noqa: F401  # raises what the extra is called

    if not isinstance(settings, TrainSettings):
        TrainSettings.of(TrainSettings().to_dict() | dict(settings or {}))
    checked_measures((measure,), None, n_candidates)
    Whole(at_least=1).checked(processes, "processes")
    _refuse_other_losses(synthetic, settings)
    old = _checked_guards(guards or {}, retriever)
    clock, bars = _Clock(progress), progress and shows_bars()
    before = CrossEncoderReranker(start, smoke_test=False)
    with clock.step("find candidates"):
        finder = opened_retriever(retriever)
        parts = parts_of(with_candidates(dataset, finder, n_candidates, bars), dev, test, seed)
        # Another corpus needs an index of its own.
        old = {
            name: with_candidates(guard, opened_retriever(retriever), n_candidates, bars) for name, guard in old.items()
        }
    with clock.step("mine hard negatives"):
        if not len(finder):
            finder.index(dataset.documents, progress=bars)
        mined = _mined(parts.examples, dataset.documents, finder, before, n_negatives, n_candidates, seed)
        examples = [*mined, *replay]
    of_dev = judged_lists(parts.dev)
    if not of_dev:
        raise InputError(
            "the candidates of no query to choose by have a relevant document among them: take a deeper search, or "
            "another retriever"
        )
    held_out = [*parts.dev.queries.values(), *parts.test.queries.values()]
    asked = unlabelled_queries(synthetic, dataset.documents, held_out, seed)
    if asked:
        with clock.step("label synthetic queries"):
            texts = [document_text(each, at) for at, each in enumerate(dataset.documents)]
            requests = unlabelled_requests(asked, texts, depth=max(4, 2 * n_negatives), retriever=finder, seed=seed)
            judge = teacher_of(teacher, before, requests)
            examples = [*with_targets(examples, judge), *pseudo_labelled(requests, judge)]
    chosen = (
        settings if isinstance(settings, TrainSettings) else reranker_settings(examples, seed=seed, **(settings or {}))
    )
    with clock.step("train"):
        run = train(
            start,
            examples,
            path / _TRAINING,
            dev=of_dev,
            settings=chosen,
            measure=measure,
            processes=processes,
            progress=bars,
        )
    with clock.step("export"):
        shutil.rmtree(path / _MODEL, ignore_errors=True)  # whole or not there: it is made anew from the training
        exported = export(run.checkpoint, path / _MODEL, examples=of_dev, measure=measure, seed=seed)
    tuned = CrossEncoderReranker(os.fspath(exported.folder), smoke_test=False)
    with clock.step("calibrate"):
        quality, found = _calibrate(tuned, parts, exported.folder)
    with clock.step("measure"):
        settings_of_comparison: dict[str, Any] = {"measures": (measure,), "depth": n_candidates, "seed": seed}
        systems = {_START: before, _TUNED: tuned}
        comparison = compare(systems, parts.test, **settings_of_comparison)
        incumbent, one_before = _incumbent(versions, start, before)

        def gained(data: Dataset) -> Difference:
            found = compare({_START: one_before, _TUNED: tuned}, data, **settings_of_comparison)
            return found[_TUNED].differences[measure]

        against = {name: gained(guard) for name, guard in old.items()}
        on_test = comparison[_TUNED].differences[measure] if one_before is before else gained(parts.test)
    decision = decide(_TUNED, incumbent, dev=on_test, guards=against)
    diagnosed = diagnose(run, examples, of_dev, queries=parts.test.queries.values(), against=against)
    findings = DataReport.of([*diagnosed, *found], diagnosed.n_examples)
    learned = Learned(
        folder=path,
        run=run,
        export=exported,
        comparison=comparison,
        calibration=quality,
        findings=findings,
        decision=decision,
        n_queries={name: len(getattr(parts, name).judged) for name in ("train", "dev", "test")}
        | ({"synthetic": len(asked)} if asked else {}),
        seconds=clock.seconds,
    )
    if versions is not None:
        with clock.step("register"):
            learned = _registered(learned, versions, start, measure)
    from secondpass.learn.report import write_report

    write_report(learned, path / _REPORT)
    return learned


def reranker_settings(examples: Sequence[TrainingExample], **settings: Any) -> TrainSettings:
    """Return gentle settings for a reranker that is good already: a loss of whole lists, and a low rate.

    A cross-entropy of single pairs begins by pulling a reranker's logits to where it wants them, which costs it more
    of what it knows than some hundred examples can teach. A loss of lists only asks for their order.
    """
    n = sum(len(example.documents) for example in examples)
    gentle = {"loss": "lambda", "batch": 4, "learning_rate": 1e-5, "dropout": 0.0, "epochs": 3 if n < 5_000 else 1}
    if all(example.scores is not None for example in examples):
        # A teacher's margins say how far apart, so a higher rate does no harm; what the words mean stays as it is.
        gentle |= {"loss": "margin-mse", "learning_rate": 4e-5, "epochs": 1, "frozen_layers": 1, "evaluations": 2}
    return TrainSettings.of(TrainSettings().to_dict() | gentle | settings)


def _mined(
    examples: Sequence[TrainingExample],
    documents: Sequence[Document],
    retriever: Retriever,
    judge: CrossEncoderReranker,
    n: int,
    depth: int,
    seed: int,
) -> list[TrainingExample]:
    """Return examples with negatives that the start finds hard, but not as good as what is relevant.

    Where it likes all candidates better than that, as it may if it knows little of the subject, the judgements have
    to be believed: the retriever's first ones are the negatives.
    """
    settings: dict[str, Any] = {"retriever": retriever, "n": n, "depth": depth, "seed": seed}
    judged = mine_negatives(examples, documents, reranker=judge, **settings).examples
    if all(example.negatives for example in judged):
        return list(judged)
    found = retriever.search([example.query for example in examples], depth)
    return [
        one if one.negatives else _with_first(one, [hit.text for hit in hits], n)
        for one, hits in zip(judged, found, strict=True)
    ]


def _checked_guards(guards: Mapping[str, Dataset], retriever: Retriever | str) -> dict[str, Dataset]:
    for name, guard in guards.items():
        if not isinstance(guard, Dataset):
            raise ConfigError(f"guards[{name!r}] must be a Dataset, as Dataset.of and read_beir return it")
        if guard.candidates is None and not isinstance(retriever, str):
            raise ConfigError(
                f"guards[{name!r}] has no candidates, and the retriever has an index of other documents: give the "
                f"dataset candidates, or the retriever by its name"
            )
    return dict(guards)


def _refuse_other_losses(synthetic: object, settings: TrainSettings | Mapping[str, Any] | None) -> None:
    loss = settings.loss if isinstance(settings, TrainSettings) else (settings or {}).get("loss", "auto")
    if synthetic != 0 and loss not in ("auto", "margin-mse"):
        raise ConfigError(
            f"synthetic queries have a teacher's scores and no labels, and the loss {loss!r} learns from labels: leave "
            f"the loss out, or the synthetic queries"
        )


def _with_first(example: TrainingExample, candidates: Sequence[str], n: int) -> TrainingExample:
    others = tuple(text for text in candidates if text not in example.documents)[:n]
    return replace(example, documents=(*example.documents, *others), labels=(*example.labels, *(0.0 for _ in others)))


def _calibrate(
    tuned: CrossEncoderReranker, parts: Parts, folder: Path
) -> tuple[ProbabilityQuality | None, tuple[Finding, ...]]:
    """Fit the tuned model's calibration on the queries to choose by, save it, and measure it on those to measure on."""
    of_dev, of_test = (judged_candidates(part) for part in (parts.dev, parts.test))
    if len({relevant for _, _, relevant in of_dev}) < 2:
        return None, ()
    try:
        calibrated = CalibratedReranker(tuned).fit(of_dev, folds=0)
    except InputError as exc:  # a model that tells nothing apart is an outcome too, after all that was computed for it
        advice = "see what else is wrong with the training; without a calibration its scores are not probabilities"
        return None, (Finding("not_calibrated", f"no calibration could be fitted: {exc}", advice),)
    calibrated.save(folder / CALIBRATION)
    if len({relevant for _, _, relevant in of_test}) < 2:
        return None, ()
    scored = score_examples(calibrated, of_test)
    return probability_quality(scored.probabilities, scored.relevant, scored.queries), ()


def _incumbent(store: ModelStore | None, start: str, before: CrossEncoderReranker) -> tuple[str, CrossEncoderReranker]:
    """Return what is to be beaten: what the store's alias points to, else the model that the training began with."""
    name = store.aliases.get(DEFAULT_ALIAS) if store is not None else None
    if store is None or name is None:
        return start, before
    if start in (store.uri(), store.uri(name)):
        return name, before
    return name, CrossEncoderReranker(store.uri(name), smoke_test=False)


def _registered(learned: Learned, store: ModelStore, base: str, measure: str) -> Learned:
    mean = learned.comparison[_TUNED].means[measure].value
    metrics = {measure: mean} | ({"ECE": learned.calibration.ece} if learned.calibration else {})
    version = store.add(
        learned.model,
        base=base,
        data_hash=learned.run.data,
        settings=learned.run.settings.to_dict(),
        metrics=metrics,
    )
    decision = replace(learned.decision, candidate=version.name)
    promotion: Promotion = store.promote(version.name, DEFAULT_ALIAS, gate=decision)
    return replace(learned, version=version, promoted=promotion.promoted, decision=decision)


class _Clock:
    """Times the steps, and says which one is at work."""

    def __init__(self, shown: bool) -> None:
        self.seconds: dict[str, float] = {}
        self._shown = shown

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        if self._shown:
            from tqdm import tqdm

            tqdm.write(f"{len(self.seconds) + 1}. {name} ...", file=sys.stderr)
        yield
        self.seconds[name] = time.monotonic() - begun
