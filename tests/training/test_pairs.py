"""Pairs from files."""

from pathlib import Path

from training.pairs import HELD_OUT, NOT_SHIPPED, SOURCES, read_folder, read_table


def test_only_named_sources_are_read(tmp_path: Path) -> None:
    """Sources that are held out or not shipped, and unknown ones, are left alone."""
    line = '{"premise": "A cat sleeps.", "hypothesis": "An animal sleeps.", "label": "entailment", "meta": "x"}\n'
    for name in ("mnli_dev_rest", "fib_xsum", "qa_infotabs", "unknown"):
        (tmp_path / f"{name}.jsonl").write_text(line)

    pairs = list(read_folder(tmp_path))

    assert [pair.source for pair in pairs] == ["mnli_dev_rest"]
    assert pairs[0].label == "entailment" and pairs[0].kind == "x"
    assert not (HELD_OUT | NOT_SHIPPED) & set(SOURCES)


def test_parts_of_one_source_are_one_source(tmp_path: Path) -> None:
    """Numbered files count as one."""
    for n in range(2):
        (tmp_path / f"wikifactcheck_{n}.tsv").write_text(
            f"sentence\tnegated\nIt opened in {n}.\tIt did not open in {n}.\n"
        )

    pairs = list(read_folder(tmp_path))

    assert {pair.source for pair in pairs} == {"wikifactcheck"}
    assert len(pairs) == 4


def test_rewrites(tmp_path: Path) -> None:
    """A rewrite is the premise as often as the sentence that it refutes."""
    path = tmp_path / "wikifactcheck_0.tsv"
    rows = [f"The shop sells {n} kinds of tea.\tThe shop does not sell {n} kinds of tea." for n in range(100, 140)]
    path.write_text("sentence\tnegated\n" + "\n".join(rows))

    pairs = list(read_table(path, "wikifactcheck"))

    negated = [pair for pair in pairs if " not " in pair.premise and pair.label == "contradiction"]
    assert len(pairs) == 80
    assert 10 < len(negated) < 30
    assert all((pair.premise == pair.hypothesis) == (pair.label == "entailment") for pair in pairs)


def test_tables(tmp_path: Path) -> None:
    """Columns are found by their names, behind a byte-order mark too, and may hold three hypotheses."""
    one, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
    one.write_text("\ufeffPremise\tHypothesis\tLabel\nA.\tB.\tneutral\n", encoding="utf-8")
    other.write_text("premise\tentailment\tneutral\tcontradiction\nP.\tE.\tN.\tC.\n")

    assert [(pair.hypothesis, pair.label) for pair in read_table(one, "x")] == [("B.", "neutral")]
    assert [(pair.hypothesis, pair.label) for pair in read_table(other, "x")] == [
        ("E.", "entailment"),
        ("N.", "neutral"),
        ("C.", "contradiction"),
    ]
