"""The site: every block of code does what its page says, and it builds without a warning or a dead link."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import secondpass.errors
from tests.code_blocks import call_errors, find_blocks, run_blocks

_ROOT = Path(__file__).parents[1]
_DOCS = _ROOT / "docs"
_PAGES = sorted(path for path in _DOCS.rglob("*.md") if not {"api", "_build"} & set(path.parts))


class _LanguageModel(BaseHTTPRequestHandler):
    """Answers a chat completion with Yes and its log-probability, or with a verdict, as the question asks."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = "Yes" if asked.get("logprobs") else '{"verdict": "supported"}'
        tokens = [{"token": said, "logprob": -0.1, "top_logprobs": [{"token": said, "logprob": -0.1}]}]
        message = {"role": "assistant", "content": said}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": tokens}}
        body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def _language_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the pages' language models be a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _LanguageModel) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield
        server.shutdown()


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # what LlamaIndex's agents do
@pytest.mark.usefixtures("_language_model", "own_event_loop")
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_DOCS).as_posix())
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom in one namespace, and prints what the page shows; what can't run here fits our signatures."""
    monkeypatch.chdir(tmp_path)
    blocks = find_blocks(page)
    run_blocks(blocks, {"__name__": "page"}, tmp_path)
    left_out = [block for block in blocks if block.language == "python" and not block.runs]
    assert [error for block in left_out for error in call_errors(block)] == []


def test_every_error_is_in_the_catalogue() -> None:
    """Each error and warning of ours has a heading of its own."""
    text = (_DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    headings = {line.strip("# `") for line in text.splitlines() if line.startswith("##")}
    ours = {name for name in secondpass.errors.__all__ if name.endswith(("Error", "Warning"))}
    assert ours <= headings


class _Anchors(HTMLParser):
    """The links of a page, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := values.get(key))}
        self.links += [value for key in ("href", "src") if (value := values.get(key))]


def _dead_links(site: Path) -> list[str]:
    pages = {path: _Anchors(path) for path in site.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else set()
            if not target.exists() or (parts.fragment and target in pages and unquote(parts.fragment) not in anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead


@pytest.mark.slow
def test_the_site_builds_from_a_clean_checkout(tmp_path: Path) -> None:
    """By the one command of CONTRIBUTING.md, with warnings as errors; and every internal link leads somewhere."""
    checkout, site = tmp_path / "checkout", tmp_path / "site"
    list_files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(list_files, cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (_ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_ROOT / name, checkout / name)
    command = "sphinx-build -q -W --keep-going -b html docs"
    assert command in (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    arguments = [sys.executable, "-m", "sphinx", *command.split()[1:], str(site)]
    done = subprocess.run(arguments, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _dead_links(site) == []
