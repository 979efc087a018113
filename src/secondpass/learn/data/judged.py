"""Training examples from judgements: a dataset's qrels and corpus."""

from secondpass.errors import InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.learn.data.example import TrainingExample
from secondpass.types import document_text
from secondpass.validation import shown

__all__ = ["from_dataset"]


def from_dataset(dataset: Dataset) -> list[TrainingExample]:
    """Return an example for each query with a relevant document: all documents that were judged, with their grades.

    Grades below 0, which some collections have, count as 0.

    Args:
        dataset: as `Dataset.of` and `read_beir` return it. They read files, mappings and DataFrames, and refuse qrels
            of documents that the corpus does not have.

    Raises:
        InputError: it is not a dataset.
    """
    if not isinstance(dataset, Dataset):
        raise InputError(f"the dataset must be a Dataset, as Dataset.of and read_beir return it, not {shown(dataset)}")
    texts = {
        each["id"]: document_text(each, at) for at, each in enumerate(dataset.documents) if not isinstance(each, str)
    }
    return [
        TrainingExample(
            dataset.queries[query],
            tuple(texts[name] for name in dataset.qrels[query]),
            tuple(float(max(0, grade)) for grade in dataset.qrels[query].values()),
        )
        for query in dataset.judged
    ]
