"""Training data, hard negatives, and versions of models behind a gate.

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
    from secondpass.learn.data.example import (
        LabelledPair,
        LabelledText,
        TrainingExample,
        data_hash,
        read_examples,
        write_examples,
    )
    from secondpass.learn.data.judged import from_dataset
    from secondpass.learn.data.shapes import as_lists, as_pairs, as_triplets, as_tuples
    from secondpass.learn.data.splits import Split, split
    from secondpass.learn.store.gate import Gate, GateDecision, decide
    from secondpass.learn.store.registry import StoreError
    from secondpass.learn.store.store import ModelStore, Promotion
    from secondpass.models.sources.store import ModelVersion

_LAZY = {
    "Gate": "secondpass.learn.store.gate",
    "GateDecision": "secondpass.learn.store.gate",
    "LabelledPair": "secondpass.learn.data.example",
    "LabelledText": "secondpass.learn.data.example",
    "ModelStore": "secondpass.learn.store.store",
    "ModelVersion": "secondpass.models.sources.store",
    "Promotion": "secondpass.learn.store.store",
    "Split": "secondpass.learn.data.splits",
    "StoreError": "secondpass.learn.store.registry",
    "TrainingExample": "secondpass.learn.data.example",
    "as_lists": "secondpass.learn.data.shapes",
    "as_pairs": "secondpass.learn.data.shapes",
    "as_triplets": "secondpass.learn.data.shapes",
    "as_tuples": "secondpass.learn.data.shapes",
    "data_hash": "secondpass.learn.data.example",
    "decide": "secondpass.learn.store.gate",
    "from_answers": "secondpass.learn.data.answers",
    "from_dataset": "secondpass.learn.data.judged",
    "read_examples": "secondpass.learn.data.example",
    "split": "secondpass.learn.data.splits",
    "write_examples": "secondpass.learn.data.example",
}

__all__ = [
    "Gate",
    "GateDecision",
    "LabelledPair",
    "LabelledText",
    "ModelStore",
    "ModelVersion",
    "Promotion",
    "Split",
    "StoreError",
    "TrainingExample",
    "as_lists",
    "as_pairs",
    "as_triplets",
    "as_tuples",
    "data_hash",
    "decide",
    "from_answers",
    "from_dataset",
    "read_examples",
    "split",
    "write_examples",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
