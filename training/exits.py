"""Fits the exits of the embedded reranker, which come with the package, on text that nobody judged.

    python -m training.exits man wiki.jsonl stories.jsonl --out src/secondpass/models/exits.json

Each argument is a kind of text: ``man``, this machine's manual pages, or JSON lines, several files with commas between
them, with a document under ``premise`` and a sentence that it may support under ``hypothesis`` (what `training.pairs`
reads). Queries are these sentences, what a manual page says it is for, questions that end a document, rare words
of a document, and "what is ..." for what a document begins with. Their margins are those for a kind that was left out.

Needs: pip install "secondpass[embedded,bm25]"
"""

import argparse
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from secondpass.learn.progressive import Unlabelled, fit_exits, unlabelled_requests
from secondpass.models.exits import Exits
from secondpass.models.sources.catalog import catalog

__all__ = ["kinds_of", "main", "manual_pages", "requests_of", "statements"]

MODEL = "ms-marco-MiniLM-L12-v2"
_PAGES = Path("/usr/share/man")
_LENGTHS = (60, 100, 150, 300)  # words that a long document is cut to, one or the other
_PLAIN = ("{}", "how to {}", "what does {}", "command to {}")
_ASKED = ("what is {}", "{} meaning", "how does {} work", "why {}", "what causes {}", "is {}")
_MACRO = re.compile(r'^\.(\\"|TH|de|ie|el|if|nf|fi|ad|hy|so|ds|nr|sp|PP|RS|RE|in|TP|IP|\.)')
_WORD = re.compile(r"[a-z]{4,}")
_SUBJECT = re.compile(r"^(?:The |A |An )?([A-Z][\w'-]*(?: [\w'-]+){0,3}) (is|was|are|were) (?:a|an|the|one) ")
_LAST_QUESTION = re.compile(r"^(.*[.!?\"]) ([A-Z][^.!?]*\?)$", re.DOTALL)

Texts = tuple[list[str], list[str]]
"""Documents, and queries that came with them."""


def manual_pages(draw: random.Random, folder: Path = _PAGES) -> Texts:
    """Return what manual pages describe, cut to some length, and what they say they are for."""
    documents, queries = [], []
    for section in "12358":
        paths = sorted((folder / f"man{section}").glob("*.gz"))
        for path in draw.sample(paths, min(1500, len(paths))):
            with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
                page = file.read(200_000)
            name, description = (_section(page, title) for title in ("NAME", "DESCRIPTION"))
            purpose = name.partition(" - ")[2][:120]
            text = _cut(description, draw)
            if purpose and len(text) >= 120:
                documents.append(text)
                queries.append(draw.choice(_PLAIN).format(purpose))
    return documents, queries


def statements(paths: Sequence[Path], draw: random.Random) -> Texts:
    """Return the premises of pairs, some thousand of each file, and their hypotheses; a last question is a query."""
    documents, queries = [], []
    for path in paths:
        with path.open(encoding="utf-8") as file:
            rows = [row for line in file if len((row := json.loads(line))["premise"]) > 120]
        for row in draw.sample(rows, min(3000 // len(paths) + 500, len(rows))):
            asked = _LAST_QUESTION.match(row["premise"].strip())
            documents.append(_cut(asked[1] if asked else row["premise"], draw))
            queries.append(asked[2] if asked else row["hypothesis"])
    return documents, queries


def requests_of(texts: Texts, draw: random.Random, n_queries: int) -> list[Unlabelled]:
    """Return queries with candidates: half of them the given ones, the others made from the documents."""
    documents, queries = list(dict.fromkeys(texts[0])), list(dict.fromkeys(texts[1]))
    seen = Counter(word for text in documents for word in set(_WORD.findall(text.lower())))
    subjects = [f"what {found[2]} {found[1].lower()}" for text in documents if (found := _SUBJECT.match(text))]
    asked = draw.sample(subjects, min(n_queries // 5, len(subjects)))
    for text in draw.sample(documents, n_queries // 2 - len(asked)):
        template = draw.choice(_ASKED) if draw.random() < 0.4 else "{}"
        asked.append(template.format(_rare_words(text, seen, draw)))
    chosen = [*draw.sample(queries, n_queries - len(asked)), *asked]
    return unlabelled_requests(chosen, documents, seed=draw.randrange(1000))


def _rare_words(text: str, seen: Counter[str], draw: random.Random) -> str:
    words = sorted(set(_WORD.findall(text.lower())), key=lambda word: (seen[word], word))
    rare = words[: max(6, len(words) // 3)]
    chosen = draw.sample(rare, min(len(rare), draw.randint(2, 4)))
    return " ".join(sorted(chosen, key=text.lower().find))


def _cut(text: str, draw: random.Random) -> str:
    return " ".join(text.split()[: draw.choice(_LENGTHS)])


def _section(page: str, title: str) -> str:
    """Return the text of a section of a manual page, without roff's macros and escapes."""
    found = re.search(rf'^\.S[Hh] "?{title}"?\n(.*?)(?=^\.S[Hh]|\Z)', page, re.MULTILINE | re.DOTALL)
    lines = (line for line in (found[1] if found else "").splitlines() if not _MACRO.match(line))
    text = " ".join(re.sub(r"^\.[A-Za-z]+ ?(-compact|-tag .*)?", "", line) for line in lines)
    text = re.sub(r"\\(f(\[[^\]]*\]|.)|\((..)|\*\(..|s[-+]?\d+|&)", "", text)
    return " ".join(text.replace("\\-", "-").replace("\\ ", " ").replace("\\e", "\\").replace('"', "").split())


def kinds_of(names: Sequence[str], draw: random.Random) -> Iterator[tuple[str, Texts]]:
    """Yield the texts of each kind: ``man``, or files with commas between them."""
    for name in names:
        paths = [Path(part) for part in name.split(",")]
        yield name, manual_pages(draw) if name == "man" else statements(paths, draw)


def main() -> None:
    """Read the arguments, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="+", help="man, or files of JSON lines with commas between them")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=100, help="of each kind, with 20 candidates each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)  # no secret
    requests: list[Unlabelled] = []
    kinds: list[str] = []
    for name, texts in kinds_of(arguments.kinds, draw):
        requests += requests_of(texts, draw, arguments.queries)
        kinds += [name] * (len(requests) - len(kinds))
        print(f"{name}: {len(texts[0])} documents, such as {requests[-1]!s:.200}", flush=True)
    exits = fit_exits(MODEL, requests, kinds=kinds if len(arguments.kinds) > 1 else None, progress=True)
    # By the catalogue's digest, as its files may be those of any release of the package that carries them.
    ready = Exits(exits.exits, MODEL, catalog()[MODEL].sha256)
    arguments.out.write_text(json.dumps({MODEL: ready.to_data()}, indent=1) + "\n", encoding="utf-8")
    for each in ready.exits:
        print(f"behind layer {each.layer}: margin {each.margin:.2f}")


if __name__ == "__main__":
    main()
