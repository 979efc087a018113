"""What the exits of the embedded reranker are fitted on."""

import gzip
import json
import random
from pathlib import Path

from training.exits import manual_pages, requests_of, statements

_PAGE = r""".\" a comment
.TH LS 1
.SH NAME
ls \- list directory contents
.SH SYNOPSIS
.B ls
.SH DESCRIPTION
.PP
List information about the \fIFILEs\fR (the current directory by default). Sort entries alphabetically, "one by one",
if none of \fB\-cftuvSUX\fR nor \fB\-\-sort\fR is given.
.SH AUTHOR
Nobody.
"""


def test_manual_pages_become_plain_text(tmp_path: Path) -> None:
    """What a page is for is the query, what it describes the document; other sections and macros are left out."""
    for section in "12358":
        (tmp_path / f"man{section}").mkdir()
    with gzip.open(tmp_path / "man1" / "ls.1.gz", "wt", encoding="utf-8") as file:
        file.write(_PAGE)
    with gzip.open(tmp_path / "man1" / "empty.1.gz", "wt", encoding="utf-8") as file:
        file.write(".TH EMPTY 1\n")
    documents, queries = manual_pages(random.Random(0), tmp_path)
    assert documents == [
        "List information about the FILEs (the current directory by default). Sort entries alphabetically, one by one, "
        "if none of -cftuvSUX nor --sort is given."
    ]
    assert len(queries) == 1 and "list directory contents" in queries[0]


def test_statements_and_last_questions_are_queries(tmp_path: Path) -> None:
    """A question at the end of a document asks about the rest of it; short documents are left out."""
    story = "We drove to the coast and looked at the sea for hours. " * 3
    rows = [
        {"premise": story.strip(), "hypothesis": "They saw the sea."},
        {"premise": f"{story}Why did they go to the coast?", "hypothesis": "not this"},
        {"premise": "short", "hypothesis": "left out"},
    ]
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    documents, queries = statements([path], random.Random(0))
    assert set(queries) == {"They saw the sea.", "Why did they go to the coast?"}
    assert all("Why" not in document for document in documents)


def test_half_of_the_queries_are_made_of_the_documents() -> None:
    """Of what they begin with, and of their rare words; as many as asked for, with candidates."""
    words = ["lantern", "harbour", "copper", "meadow", "violin", "glacier", "orchard", "saddle"]
    documents = [
        f"{first.title()} {second} is a thing of number {at} that people keep near some {first} or another {second}."
        for at, (first, second) in enumerate((a, b) for a in words for b in words if a != b)
    ]
    queries = [f"number {at} of things" for at in range(30)]
    requests = requests_of((documents, queries), random.Random(0), 20)
    asked = [query for query, _ in requests]
    assert len(requests) == 20 and all(10 < len(texts) <= 20 for _, texts in requests)
    assert sum(query in queries for query in asked) == 10
    assert sum(query.startswith("what is ") and len(query.split()) == 4 for query in asked) >= 4
