"""What each task adds to rows: the very scores and verdicts that a call has."""

from collections.abc import Sequence
from typing import Any

import pytest

import secondpass as sp
from secondpass.errors import ConfigError, InputError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.scale.tasks import Answered, Pairs, Requests, Task, Verifications, task_of
from secondpass.testing import FakeReranker
from tests.scale.rows import pairs


def _place(at: int) -> str:
    return f"row {at + 1}"


def _loaded(task: Task) -> Task:
    task.load()
    return task


def _columns(answered: Answered) -> dict[str, Sequence[Any]]:
    return {column.name: column.values for column in answered.columns}


@pytest.mark.parametrize("batch_tokens", [1, 60, 1_000_000])
def test_pairs_have_the_scores_of_calls(batch_tokens: int, cross_encoder: CrossEncoderReranker) -> None:
    """To the bit, whatever shares a batch with them."""
    rows = pairs(9)
    answered = _loaded(Pairs("cross-encoder", {}, batch_tokens, False)).answer(rows, _place)
    found = [cross_encoder.rerank(row["query"], [row["document"]])[0] for row in rows]
    assert _columns(answered) == {
        "score": [document.score for document in found],
        "probability": [document.probability for document in found],
        "unread": [False] * 9,
    }
    assert (answered.pairs, answered.errors) == (9, 0) and answered.tokens > 90


def test_batches_are_as_large_as_their_tokens_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a pair that is larger is a batch of its own."""
    task = _loaded(Pairs("fake", {}, 10, False))
    sizes: list[int] = []
    monkeypatch.setattr(FakeReranker, "_score", lambda self, requests: sizes.append(len(requests)) or _fake(requests))
    task.answer([{"query": "a b", "document": text} for text in ["c d e", "c d e", "c d e", "c " * 20, "c d"]], _place)
    assert sizes == [2, 1, 1, 1]


def _fake(requests: Sequence[sp.Request]) -> list[sp.Scores]:
    return [sp.Scores([0.5] * len(request)) for request in requests]  # type: ignore[arg-type]


def test_a_language_that_is_not_read_is_told() -> None:
    """As the score says nothing then, and there is no probability."""
    row = {"query": "wie kopiere ich eine Datei in einen anderen Ordner?", "document": "Die Datei wird kopiert."}
    with pytest.warns(sp.LanguageWarning):
        answered = _loaded(Pairs("cross-encoder", {}, 100, False)).answer([row], _place)
    assert _columns(answered) == {"score": [0.0], "probability": [None], "unread": [True]}


def test_requests_have_scores_and_ranks_in_the_order_of_their_documents() -> None:
    """Blank documents as well; initial scores are handed on to who uses them."""
    documents = ["delete a file", {"text": "copy a file", "id": "b"}, "", "sunny all week"]
    row = {"query": "copy a file", "documents": documents, "initial_scores": None}
    columns = _columns(_loaded(Requests({"type": "fake"}, {}, 100, False)).answer([row], _place))
    assert columns["scores"] == [FakeReranker().score("copy a file", documents).tolist()]
    assert columns["ranks"] == [[2, 1, 4, 3]]
    assert columns["probabilities"] == [[None, None, 0.0, None]] and columns["unread"] == [False]
    blended = {"type": "blended", "wrapped": {"type": "fake"}}
    initial = [0.0, 9.0, 4.0, 1.0]
    columns = _columns(_loaded(Requests(blended, {}, 100, False)).answer([row | {"initial_scores": initial}], _place))
    ranking = sp.load(blended).rerank("copy a file", documents, initial_scores=initial)
    assert columns["scores"] == [[document.score for document in sorted(ranking, key=lambda each: each.index)]]


def test_answers_have_the_verdicts_of_calls() -> None:
    """Claim by claim, with the probability of the whole."""
    passages = ["The tower is 330 metres tall and was finished in 1889."]
    rows = [
        {"answer": "The tower is 330 metres tall. It was finished in 1887.", "passages": passages, "question": None},
        {
            "answer": "It was finished in 1889.",
            "passages": [{"text": passages[0], "id": None}],
            "question": "When was it finished?",
        },
    ]
    answered = _loaded(Verifications("secondpass-nli-minilm", {}, 1000, False)).answer(rows, _place)
    columns = _columns(answered)
    assert columns["passed"] == [False, True] and answered.pairs == 2 and answered.tokens > 0
    verifier = sp.FactVerifier(policy="flag")
    for row, probability, claims in zip(rows, columns["answer_probability"], columns["claims"], strict=True):
        found = verifier.verify(row["answer"], passages, question=row["question"])  # type: ignore[arg-type]
        assert probability == pytest.approx(found.probability)
        assert [claim["verdict"] for claim in claims] == [str(claim.verdict) for claim in found.claims]
        assert [claim["start"] for claim in claims] == [claim.claim.start for claim in found.claims]


@pytest.mark.parametrize(
    ("task", "bad", "said"),
    [
        (Pairs("fake", {}, 100, True), {"query": " ", "document": "a"}, "the query is empty"),
        (Pairs("fake", {}, 100, True), {"query": "a", "document": 3}, "is of type int"),
        (Requests("fake", {}, 100, True), {"query": "a", "documents": "b"}, "documents must be a list, not 'b'"),
        (
            Pairs({"type": "cross-encoder", "on_foreign": "raise"}, {}, 100, True),
            {"query": "wie kopiere ich eine Datei in einen Ordner?", "document": "Die Datei wird kopiert."},
            "does not read the language",
        ),
    ],
)
def test_a_row_that_can_not_be_used_ends_the_run_or_has_its_error(task: Task, bad: dict[str, Any], said: str) -> None:
    """As was asked; the others have their scores, also those that shared a batch with it."""
    good = {"query": "copy", "document": "copy a file", "documents": ["copy a file"]}
    _loaded(task)
    answered = task.answer([good, bad, good], _place)
    columns = _columns(answered)
    assert answered.errors == 1 and said in columns["error"][1] and columns["error"][::2] == [None, None]
    values = columns["score" if isinstance(task, Pairs) else "scores"]
    assert values[1] is None and values[0] == values[2] is not None
    task.record_errors = False
    with pytest.raises(InputError, match="row 2: .*" + said[:20]):
        task.answer([good, bad, good], _place)


def test_scores_that_depend_on_other_documents_need_these() -> None:
    """A pair alone has none."""
    with pytest.raises(ConfigError, match="give it rows with a query and its list of 'documents'"):
        Pairs({"type": "ensemble", "members": ["fake", {"type": "fake", "scale": "logit"}]}, {}, 100, False).load()


def test_a_policy_that_raises_is_refused() -> None:
    """It would end the run at the first wrong answer."""
    with pytest.raises(ConfigError, match="use 'flag'"):
        Verifications({"policy": "raise"}, {}, 100, False).load()


def test_columns_are_checked_before_anything_is_read() -> None:
    """What is missing, what is there already, and what is none of ours."""
    task = Pairs("fake", {"query": "question", "score": "ce"}, 100, False)
    task.require_columns({"question", "document", "score"})
    with pytest.raises(ConfigError, match=r"no column 'question', only document, query: say which .*question"):
        task.require_columns({"query", "document"})
    with pytest.raises(ConfigError, match=r"have a column 'ce' already, .* by columns=\{\"score\": ...\}"):
        task.require_columns({"question", "document", "ce"})
    with pytest.raises(ConfigError, match="columns: 'querry' is none of document, error, probability, query, score"):
        Pairs("fake", {"querry": "q"}, 100, False).require_columns({"query", "document"})
    with pytest.raises(ConfigError, match="have a column 'error' already"):
        Pairs("fake", {}, 100, True).require_columns({"query", "document", "error"})


@pytest.mark.parametrize("kind", [Pairs, Requests, Verifications])
def test_a_task_is_plain_data(kind: type[Task]) -> None:
    """That is how it comes to a worker."""
    task = kind("fake", {"query": "question"}, 7, True)
    assert type(task_of(task.to_dict())) is kind and task_of(task.to_dict()).to_dict() == task.to_dict()
