"""The student of a reranker, with a tiny teacher."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("bm25s")

import secondpass as sp  # noqa: E402
from training import export  # noqa: E402
from training.longrun import Settings  # noqa: E402
from training.student import Asked, StudentTrainer, main, requests_of_kinds  # noqa: E402

THINGS = ["red door", "green roof", "blue gate", "black fence", "white wall", "brown shed", "pink bench", "grey path"]


def _pairs() -> list[Asked]:
    return [
        Asked(f"where is the {one}", f"House number {n + 2} in that street has a {other} at the front.")
        for n, one in enumerate(THINGS)
        for other in THINGS
    ]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of a random BERT of four layers with word pieces for these texts, and a head for logits."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("teacher")
    text = folder / "text.txt"
    text.write_text("\n".join(" ".join(pair) for pair in _pairs()))
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train([str(text)], vocab_size=500, special_tokens=special, show_progress=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=4, num_attention_heads=2,
        intermediate_size=64, num_labels=1, initializer_range=0.1,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def trainer(teacher: Path, tmp_path: Path) -> StudentTrainer:
    """Return a student of two layers beside its teacher."""
    start = sp.learn.fewer_layers(teacher, tmp_path / "start", 2, keep="first")
    settings = Settings(batch=16, part_tokens=400, bfloat16=False, max_length=32)
    return StudentTrainer(str(teacher), start, _pairs(), tmp_path / "run", settings)


def test_taught(trainer: StudentTrainer, teacher: Path) -> None:
    """What the teacher gives are the logits of transformers."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(teacher).eval()
    wanted = []
    for encoded in trainer.tokenizer.encode_batch(_pairs()[:3]):
        with torch.no_grad():
            row = model(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits
        wanted.append(row.item())

    assert trainer.taught(_pairs()[:3]).tolist() == pytest.approx(wanted, abs=1e-4)


def test_loss(trainer: StudentTrainer) -> None:
    """The loss of a part is the sum over its pairs, so padding says nothing."""
    pairs = [Asked("door", "A door."), Asked("where is the red door", "House number 2 in that street has a red door.")]
    encoded = trainer.tokenizer.encode_batch(pairs)
    together = trainer.gradients(list(zip(pairs, encoded, strict=True)))[0]
    alone = [trainer.gradients([one])[0] for one in zip(pairs, encoded, strict=True)]

    assert together == pytest.approx(sum(alone), rel=1e-4)


def test_requests_of_kinds(tmp_path: Path) -> None:
    """A kind's queries get documents of the kind, and further questions those of all kinds."""
    for kind in ("houses", "ships"):
        rows = [
            {"premise": f"{kind} are described on page {n} of a long book about {kind} that " + "w" * 90 + str(n),
             "hypothesis": f"page {n} of {kind}"}
            for n in range(40)
        ]  # fmt: skip
        (tmp_path / f"{kind}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    kinds = [str(tmp_path / f"{kind}.jsonl") for kind in ("houses", "ships")]
    *of_kinds, (question, documents) = requests_of_kinds(kinds, ["what are houses and ships"], 10, random.Random(0))

    assert question == "what are houses and ships"
    assert {text.split()[0] for text in documents} == {"houses", "ships"}
    assert len(of_kinds) == 20
    assert all(len({text.split()[0] for text in texts}) == 1 for _, texts in of_kinds)


@pytest.mark.slow
def test_learns(teacher: Path, tmp_path: Path) -> None:
    """After some steps, stopped and taken up again, the exported student's scores go with the teacher's."""
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, _pairs())))
    common = ["--teacher", str(teacher), "--pairs", str(tmp_path / "pairs.jsonl"), "--start", str(tmp_path / "start")]
    common += ["--layers", "2", "--learning-rate", "5e-3"]

    main([*common, "--out", str(tmp_path / "run"), "--steps", "60"])
    main([*common, "--out", str(tmp_path / "run"), "--steps", "60"])
    main([*common, "--out", str(tmp_path / "end"), "--from", str(tmp_path / "run" / "state"), "--decay", "60"])
    export.export(tmp_path / "end", tmp_path / "onnx")

    scores = []
    for model in (teacher, tmp_path / "start", tmp_path / "onnx"):
        reranker = sp.CrossEncoderReranker(str(model), smoke_test=False, long_documents="truncate")
        scores.append([reranker.score(query, [text])[0] for query, text in _pairs()])
    before, after = (np.corrcoef(scores[0], each)[0, 1] for each in scores[1:])
    assert json.loads((tmp_path / "run" / "state" / "place.json").read_text())["step"] == 120
    assert after > 0.8 > before
