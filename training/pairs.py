"""Pairs of a premise and a hypothesis from files, and what is known of the files that they come from."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["HELD_OUT", "NOT_SHIPPED", "SOURCES", "Label", "Pair", "Source", "read_folder", "read_jsonl", "read_table"]

Label = Literal["entailment", "neutral", "contradiction", "not_entailment"]
"""What a premise says of a hypothesis; ``not_entailment`` where a source only tells entailed from not entailed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A premise, a hypothesis and what the first says of the second.

    Attributes:
        premise: the evidence.
        hypothesis: the claim.
        label: what holds.
        source: the file it came from, or the rule that made it.
        group: pairs about one text share it, so that twins can be drawn together.
        kind: what its source says of how it was made.
    """

    premise: str
    hypothesis: str
    label: Label
    source: str
    group: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """How a source is used.

    Attributes:
        share: of the draws, before they are made to sum to one.
        smoothing: of its labels: more where they are assumed and not judged.
        padded: how often other sentences of the same source are put around a premise.
    """

    share: float
    smoothing: float = 0.04
    padded: float = 0.0


NOT_SHIPPED = frozenset({"climate_fever", "qa_infotabs", "qa_policyqa", "qa_qed_nq"})
"""Sources whose licence leaves a doubt: weights that are given away are not trained on them."""

HELD_OUT = frozenset(
    {
        *("fib_xsum", "sum_gofigure_xsum", "sum_gofigure_human_xsum", "sum_xsumfaith"),  # summaries of XSum
        *("scitldr_positive", "sum_qmsum"),  # documents of SummEdits
        "pubmedqa_positive",  # a part of HaluBench
        *("sum_begin_wow", "qa_wow_dialogue", "begin_dev_wow"),  # dialogue of BEGIN
        "conjnli_dev",
    }
)
"""Sources of the same origin as development sets that are to stay of an unseen kind, and one that is measured on."""

SOURCES = {
    # Sentences, three labels.
    "mnli_dev_rest": Source(9, padded=0.1),
    "snli_subsets": Source(4),
    "snli_dev_rest": Source(2),
    "snli_counterfactual": Source(3),
    "san_wiki": Source(4, padded=0.25),
    "conjnli_adversarial_train": Source(3.5, padded=0.3),
    "written": Source(5, padded=0.3),
    "wikifactcheck": Source(2.5, padded=0.4),
    "sem_anto_neg": Source(1),
    "scone_negation": Source(1.2),
    "help_monotonicity": Source(0.8),
    "curriculum_monotonicity_infer": Source(0.6),
    "curriculum_lexical": Source(0.4),
    "curriculum_coreference": Source(1),
    "curriculum_boolean": Source(0.3),
    "curriculum_comparative": Source(0.3),
    "curriculum_conditional": Source(0.3),
    "curriculum_counting": Source(0.3),
    "curriculum_negation": Source(0.3),
    "curriculum_quantifier": Source(0.3),
    "entailmentbank": Source(2, padded=0.2),
    "wiki_split_positive": Source(1.5, padded=0.3),
    # Claims against evidence.
    "factcheck_gpt_rest": Source(5),
    "expertqa_rest": Source(5, smoothing=0.08),
    "wice_dev": Source(4),
    "fool_me_twice_dev": Source(5, padded=0.2),
    "fever_symmetric_dev": Source(2.5, padded=0.15),
    # Passages, stories, tables.
    "curriculum_cosmoqa": Source(1.5, smoothing=0.1),
    "curriculum_drop": Source(2.5, smoothing=0.08),
    "curriculum_ester": Source(0.7, smoothing=0.1),
    "curriculum_temporal": Source(0.4, smoothing=0.08),
    "curriculum_kg_relations": Source(0.6, smoothing=0.1),
    "qa_condaqa": Source(2.5),
    "qa_fairytaleqa": Source(1.5, smoothing=0.08),
    "qa_fetaqa": Source(3),
    "qa_folio": Source(0.4),
    "qa_strategyqa": Source(0.6, smoothing=0.1),
    "qa_tabfact": Source(1.8),
    "qa_tatqa": Source(1.8, smoothing=0.08),
    # Summaries and notes.
    "sum_aci_bench": Source(1.5, smoothing=0.08),
    "sum_convosumm_email": Source(1.5, smoothing=0.08),
    "sum_evidence_inference": Source(2.5),
    "sum_gofigure_cnndm": Source(2.5, smoothing=0.08),
    "sum_legal_plain": Source(1, smoothing=0.08),
    "sum_mts_dialog": Source(2.5, smoothing=0.08),
    "sum_squality_units": Source(0.4, smoothing=0.08),
    "sum_summeval_op": Source(1),
    # Made by rules.
    "made_windows": Source(16),
    "made_scenes": Source(40, padded=0.3),
    "made_notation": Source(2.5),
    "made_siblings": Source(3.5),
}
"""The sources that are trained on, with their shares of the draws (in hundredths, nearly)."""

_TABLE_COLUMNS = (("Premise", "Hypothesis", "Label"), ("premise", "hypothesis", "label"), ("sentence", "negated", ""))
_TABLE_LABELS: dict[str, Label] = {
    "entailment": "entailment",
    "neutral": "neutral",
    "contradiction": "contradiction",
    "0": "entailment",
    "1": "contradiction",
}


def read_folder(folder: Path) -> Iterator[Pair]:
    """Yield the pairs of a folder's ``*.jsonl`` and ``*.tsv`` files, of those that `SOURCES` names."""
    for path in sorted(folder.iterdir()):
        name = path.stem.rstrip("0123456789").rstrip("_") if path.stem.startswith("wikifactcheck") else path.stem
        if name not in SOURCES:
            continue
        if path.suffix == ".jsonl":
            yield from read_jsonl(path, name)
        elif path.suffix == ".tsv":
            yield from read_table(path, name)


def read_jsonl(path: Path, source: str) -> Iterator[Pair]:
    """Yield pairs from lines of JSON with ``premise``, ``hypothesis``, ``label`` and perhaps ``meta``."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            premise, hypothesis = row["premise"].strip(), row["hypothesis"].strip()
            if premise and hypothesis:
                yield Pair(premise, hypothesis, row["label"], source, premise, str(row.get("meta", "")))


def read_table(path: Path, source: str) -> Iterator[Pair]:
    """Yield pairs from a file with tabs between its columns and names in its first line.

    The columns are Premise, Hypothesis, Label; or premise, hypothesis, label (1 for negated, 0 for the same meaning);
    or sentence, negated: a sentence and a refuted rewrite of it, of which either is the premise; or premise,
    entailment, neutral, contradiction: three hypotheses on one premise.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    three: tuple[Label, Label, Label] = ("entailment", "neutral", "contradiction")
    if rows and {"premise", *three} <= set(rows[0]):
        for row in rows:
            for named in three:
                yield Pair(row["premise"], row[named], named, source, row["premise"])
        return
    first, second, label = next(columns for columns in _TABLE_COLUMNS if set(columns) - {""} <= set(rows[0]))
    for row in rows:
        one, other = (row[first] or "").strip(), (row[second] or "").strip()
        if not one or not other:
            continue
        if label:
            yield Pair(one, other, _TABLE_LABELS[row[label].lower()], source, one)
        else:  # A rewrite is as good a premise as the sentence, so that "not" in a hypothesis gives nothing away.
            turned = sum(map(ord, one)) % 2
            yield Pair(*((other, one) if turned else (one, other)), "contradiction", source, one)
            yield Pair(*((other, other) if turned else (one, one)), "entailment", source, one)
