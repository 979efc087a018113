"""A real browser for the pages that we write: headless Chromium, driven by Selenium."""

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_ARGUMENTS = (
    "--headless=new",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # nothing gets out
)


class Browser:
    """One window of Chromium: opens a page, looks and clicks, and knows what the page asked for and complained of.

    Attributes:
        driver: Selenium's, for what is not here.
    """

    def __init__(self, chromium: str, chromedriver: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in _ARGUMENTS:
            options.add_argument(argument)
        if os.name == "posix" and os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium refuses to run as root otherwise
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(chromedriver))
        self._width = 0
        self._requests: list[str] = []
        self._errors: list[str] = []

    def open(self, page: Path | str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a file or an address in a window of this size, and forget what pages before asked for."""
        self.driver.get("about:blank")
        self._collect()
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self._requests, self._errors = [], []
        self.driver.get(page.resolve().as_uri() if isinstance(page, Path) else page)

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size; one narrower than 600 pixels is a telephone's."""
        self._width = width
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", **size)

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for since `open`, the page itself first."""
        self._collect()
        return list(self._requests)

    @property
    def errors(self) -> list[str]:
        """What the console shows since `open`, warnings and refusals of the page's policy included."""
        self._collect()
        return list(self._errors)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        # A telephone's window grows with what is in it, so the width that was asked for counts.
        width = "document.documentElement.scrollWidth - Math.min(document.documentElement.clientWidth, arguments[0])"
        return int(self.run(f"return {width}", self._width))

    @property
    def text(self) -> str:
        """What can be read on the page, without what is closed or hidden."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector, in the page's order; none is an empty list."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Return the first element of a CSS selector; there must be one."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what JavaScript returns; a page's policy does not hold it back."""
        return self.driver.execute_script(script, *arguments)

    def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def screenshot(self, path: Path, *, whole: bool = True) -> Path:
        """Write the page as PNG: the whole of it, or what the window shows."""
        image = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(image["data"]))
        return path

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def _collect(self) -> None:
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self._requests.append(message["params"]["url"])
        self._errors += [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]


def started() -> Browser:
    """Return a browser; where none is installed the test is skipped, but in CI it fails."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be")
        pytest.skip(reason)
    return Browser(chromium, chromedriver)
