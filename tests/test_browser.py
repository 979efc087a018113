"""The tests' browser itself: that it would notice a page that asks for something, complains, or is too wide."""

from pathlib import Path

import pytest

from tests.browser import Browser, started


def _page(folder: Path, body: str, head: str = "") -> Path:
    path = folder / "page.html"
    meta = "<meta name='viewport' content='width=device-width'><link rel='icon' href='data:,'>"
    path.write_text(f"<!doctype html><title>A page</title>{meta}{head}{body}", encoding="utf-8")
    return path


def test_a_quiet_page_asks_for_itself_only(browser: Browser, tmp_path: Path) -> None:
    """Its address is the one request, and the console is empty."""
    page = _page(tmp_path, "<p>here</p>")
    browser.open(page)
    assert browser.requests[0] == page.as_uri() and {*browser.requests[1:]} <= {"data:,"}
    assert browser.errors == [] and browser.text == "here" and browser.overflow <= 0


@pytest.mark.parametrize(
    "body",
    [
        "<img src='http://127.0.0.1:9/image.png'>",
        "<script>fetch('http://example.org/data').catch(() => 0)</script>",
        "<script>new WebSocket('ws://127.0.0.1:9/socket')</script>",
        "<style>body{background:url(http://example.org/back.png)}</style>",
    ],
)
def test_each_request_is_recorded(browser: Browser, tmp_path: Path, body: str) -> None:
    """Those of elements, styles, scripts and sockets; that nobody answers them is in the console."""
    browser.open(_page(tmp_path, body))
    asked = [url for url in browser.requests if not url.startswith(("file:", "data:"))]
    assert len(asked) == 1 and ("127.0.0.1:9" in asked[0] or "example.org" in asked[0])


def test_what_a_policy_refuses_is_in_the_console(browser: Browser, tmp_path: Path) -> None:
    """So a page that tries to load something is found though its own policy holds it back."""
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
    browser.open(_page(tmp_path, "<img src='http://127.0.0.1:9/image.png'>", policy))
    assert any("Content Security Policy" in error for error in browser.errors)


def test_an_exception_is_an_error_and_is_forgotten_with_the_page(browser: Browser, tmp_path: Path) -> None:
    """The next page starts with an empty console."""
    browser.open(_page(tmp_path, "<script>throw new Error('broken')</script>"))
    assert any("broken" in error for error in browser.errors)
    browser.open(_page(tmp_path, "<p>another</p>"))
    assert browser.errors == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_the_window_has_the_size_and_colours_that_were_asked_for(
    browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    """As a page's style sees them; a page that is wider than a telephone is found."""
    browser.open(_page(tmp_path, "<div style='width:700px'>wide</div>"), width=width, dark=dark)
    assert browser.run("return matchMedia('(prefers-color-scheme: dark)').matches") is dark
    assert browser.run("return innerWidth") >= width and (browser.overflow > 0) is (width < 700)
    image = browser.screenshot(tmp_path / "page.png").read_bytes()
    assert image.startswith(b"\x89PNG") and int.from_bytes(image[16:20]) >= width


def test_without_a_browser_tests_are_skipped_but_fail_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """And both say what to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        started()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="in CI it must be"):
        started()
