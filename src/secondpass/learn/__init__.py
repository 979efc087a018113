"""Training data, hard negatives, fine-tuning, and versions of models behind a gate.

```python
from secondpass.evaluate import stdlib_dataset
from secondpass.learn import ModelStore, from_dataset, split

examples = split(from_dataset(stdlib_dataset()))
store = ModelStore("models")
```
"""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.learn.data.answers import from_answers
    from secondpass.learn.data.augmentation import Augmenter, BackTranslation, Deletion, Swap, Synonyms, augment
    from secondpass.learn.data.balancing import oversample, sample_weights, undersample, weighted_sample
    from secondpass.learn.data.example import (
        LabelledPair,
        LabelledText,
        TrainingExample,
        data_hash,
        read_examples,
        write_examples,
    )
    from secondpass.learn.data.feedback import from_clicks, from_feedback
    from secondpass.learn.data.findings import DataReport, Finding
    from secondpass.learn.data.judged import from_dataset
    from secondpass.learn.data.judgements import as_dataset, read_judged
    from secondpass.learn.data.labelled import from_labelled_texts, labelled_texts
    from secondpass.learn.data.leakage import Leak, LeakReport, find_leaks
    from secondpass.learn.data.pseudo import from_pseudo_labels
    from secondpass.learn.data.quality import check_data
    from secondpass.learn.data.shapes import as_lists, as_pairs, as_triplets, as_tuples
    from secondpass.learn.data.splits import Split, split
    from secondpass.learn.data.synthetic import synthetic_queries
    from secondpass.learn.diagnosis.diagnose import diagnose
    from secondpass.learn.diagnosis.probe import Probe, probe
    from secondpass.learn.diagnosis.shift import Shift, text_shift
    from secondpass.learn.distillation import distil, fewer_layers
    from secondpass.learn.exporting import Export, export
    from secondpass.learn.incremental import UpdateAdvice, kept_quality, retrain_or_update, with_replay
    from secondpass.learn.negatives import Mined, Rejected, mine_negatives
    from secondpass.learn.pipeline import Learned, learn
    from secondpass.learn.progressive import fit_exits, unlabelled_requests
    from secondpass.learn.store.gate import Gate, GateDecision, decide
    from secondpass.learn.store.registry import StoreError
    from secondpass.learn.store.store import ModelStore, Promotion
    from secondpass.learn.training.run import TrainingRun, train
    from secondpass.learn.training.settings import TrainSettings, preset
    from secondpass.models.sources.store import ModelVersion

_LAZY = {
    "Augmenter": "secondpass.learn.data.augmentation",
    "BackTranslation": "secondpass.learn.data.augmentation",
    "DataReport": "secondpass.learn.data.findings",
    "Deletion": "secondpass.learn.data.augmentation",
    "Export": "secondpass.learn.exporting",
    "Finding": "secondpass.learn.data.findings",
    "Gate": "secondpass.learn.store.gate",
    "GateDecision": "secondpass.learn.store.gate",
    "LabelledPair": "secondpass.learn.data.example",
    "LabelledText": "secondpass.learn.data.example",
    "Leak": "secondpass.learn.data.leakage",
    "LeakReport": "secondpass.learn.data.leakage",
    "Learned": "secondpass.learn.pipeline",
    "Mined": "secondpass.learn.negatives",
    "ModelStore": "secondpass.learn.store.store",
    "ModelVersion": "secondpass.models.sources.store",
    "Probe": "secondpass.learn.diagnosis.probe",
    "Promotion": "secondpass.learn.store.store",
    "Rejected": "secondpass.learn.negatives",
    "Shift": "secondpass.learn.diagnosis.shift",
    "Split": "secondpass.learn.data.splits",
    "StoreError": "secondpass.learn.store.registry",
    "Swap": "secondpass.learn.data.augmentation",
    "Synonyms": "secondpass.learn.data.augmentation",
    "TrainSettings": "secondpass.learn.training.settings",
    "TrainingExample": "secondpass.learn.data.example",
    "TrainingRun": "secondpass.learn.training.run",
    "UpdateAdvice": "secondpass.learn.incremental",
    "as_dataset": "secondpass.learn.data.judgements",
    "as_lists": "secondpass.learn.data.shapes",
    "as_pairs": "secondpass.learn.data.shapes",
    "as_triplets": "secondpass.learn.data.shapes",
    "as_tuples": "secondpass.learn.data.shapes",
    "augment": "secondpass.learn.data.augmentation",
    "check_data": "secondpass.learn.data.quality",
    "data_hash": "secondpass.learn.data.example",
    "decide": "secondpass.learn.store.gate",
    "diagnose": "secondpass.learn.diagnosis.diagnose",
    "distil": "secondpass.learn.distillation",
    "export": "secondpass.learn.exporting",
    "fewer_layers": "secondpass.learn.distillation",
    "find_leaks": "secondpass.learn.data.leakage",
    "fit_exits": "secondpass.learn.progressive",
    "from_answers": "secondpass.learn.data.answers",
    "from_clicks": "secondpass.learn.data.feedback",
    "from_dataset": "secondpass.learn.data.judged",
    "from_feedback": "secondpass.learn.data.feedback",
    "from_labelled_texts": "secondpass.learn.data.labelled",
    "from_pseudo_labels": "secondpass.learn.data.pseudo",
    "kept_quality": "secondpass.learn.incremental",
    "labelled_texts": "secondpass.learn.data.labelled",
    "learn": "secondpass.learn.pipeline",
    "mine_negatives": "secondpass.learn.negatives",
    "oversample": "secondpass.learn.data.balancing",
    "preset": "secondpass.learn.training.settings",
    "probe": "secondpass.learn.diagnosis.probe",
    "read_examples": "secondpass.learn.data.example",
    "read_judged": "secondpass.learn.data.judgements",
    "retrain_or_update": "secondpass.learn.incremental",
    "sample_weights": "secondpass.learn.data.balancing",
    "split": "secondpass.learn.data.splits",
    "synthetic_queries": "secondpass.learn.data.synthetic",
    "text_shift": "secondpass.learn.diagnosis.shift",
    "train": "secondpass.learn.training.run",
    "undersample": "secondpass.learn.data.balancing",
    "unlabelled_requests": "secondpass.learn.progressive",
    "weighted_sample": "secondpass.learn.data.balancing",
    "with_replay": "secondpass.learn.incremental",
    "write_examples": "secondpass.learn.data.example",
}

__all__ = [
    "Augmenter",
    "BackTranslation",
    "DataReport",
    "Deletion",
    "Export",
    "Finding",
    "Gate",
    "GateDecision",
    "LabelledPair",
    "LabelledText",
    "Leak",
    "LeakReport",
    "Learned",
    "Mined",
    "ModelStore",
    "ModelVersion",
    "Probe",
    "Promotion",
    "Rejected",
    "Shift",
    "Split",
    "StoreError",
    "Swap",
    "Synonyms",
    "TrainSettings",
    "TrainingExample",
    "TrainingRun",
    "UpdateAdvice",
    "as_dataset",
    "as_lists",
    "as_pairs",
    "as_triplets",
    "as_tuples",
    "augment",
    "check_data",
    "data_hash",
    "decide",
    "diagnose",
    "distil",
    "export",
    "fewer_layers",
    "find_leaks",
    "fit_exits",
    "from_answers",
    "from_clicks",
    "from_dataset",
    "from_feedback",
    "from_labelled_texts",
    "from_pseudo_labels",
    "kept_quality",
    "labelled_texts",
    "learn",
    "mine_negatives",
    "oversample",
    "preset",
    "probe",
    "read_examples",
    "read_judged",
    "retrain_or_update",
    "sample_weights",
    "split",
    "synthetic_queries",
    "text_shift",
    "train",
    "undersample",
    "unlabelled_requests",
    "weighted_sample",
    "with_replay",
    "write_examples",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
