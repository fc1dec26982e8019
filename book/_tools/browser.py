"""Drive a headless Chromium over its DevTools protocol, with the standard library alone.

Chromium speaks JSON messages, each ended by a zero byte, over two pipes (its file descriptors 3
and 4). Every name but the local host is refused, so that a page can load only what is served here.
"""

import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)

Message = dict[str, Any]


class BrowserError(RuntimeError):
    """Chromium refused a command, ended, or did not answer in time."""


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None; the variable CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def _pipes_as_3_and_4(reading: int, writing: int) -> Callable[[], None]:
    """Return what the child does before it becomes Chromium."""

    def arrange() -> None:
        first, second = os.dup(reading), os.dup(writing)
        os.dup2(first, 3)
        os.dup2(second, 4)

    return arrange


class Browser:
    """A running Chromium; use it as a context manager.

    Parameters
    ----------
    executable : str
        The path of Chromium.
    timeout : float
        Longest wait for an answer, in seconds.
    """

    def __init__(self, executable: str, timeout: float = 60.0) -> None:
        self.timeout = timeout
        self.events: list[Message] = []
        self._buffer = b""
        self._number = 0
        self._profile = tempfile.TemporaryDirectory(prefix="ddgp-chromium-", ignore_cleanup_errors=True)
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        self._process = subprocess.Popen(
            [executable, *FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"],
            preexec_fn=_pipes_as_3_and_4(to_read, to_write),
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)
        self._profile.cleanup()

    def _receive(self, deadline: float) -> Message | None:
        """Return the next message, or None when the deadline has passed."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self._read, 1 << 20)
            if not piece:
                raise BrowserError("Chromium ended")
            self._buffer += piece
        text, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(text)

    def command(self, method: str, session: str | None = None, **parameters: Any) -> Message:
        """Send a command and return its result; events that come before it are kept in ``events``."""
        self._number += 1
        message: Message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self._receive(deadline)
            if answer is None:
                raise BrowserError(f"{method} was not answered within {self.timeout:g} s")
            if answer.get("id") != self._number:
                self.events.append(answer)
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error'].get('message')}")
            else:
                return answer["result"]

    def listen(self, seconds: float) -> None:
        """Collect events for some time."""
        deadline = time.monotonic() + seconds
        while (event := self._receive(deadline)) is not None:
            self.events.append(event)

    @contextmanager
    def page(self, width: int = 1280, height: int = 900) -> Iterator["Page"]:
        """Open an empty page of a given size and close it afterwards."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.command(f"{domain}.enable")
        page.resize(width, height)
        try:
            yield page
        finally:
            self.command("Target.closeTarget", targetId=target)


class Page:
    """One page of a :class:`Browser`."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def command(self, method: str, **parameters: Any) -> Message:
        """Send a command to this page."""
        return self._browser.command(method, self._session, **parameters)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window, in CSS pixels."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        answer = self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def wait_for(self, expression: str, timeout: float = 180.0) -> bool:
        """Say whether an expression becomes true within the timeout."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.evaluate(expression):
                return True
            self._browser.listen(0.05)
        return False

    def open(self, url: str) -> None:
        """Go to an address and wait until the page has loaded."""
        self._browser.events.clear()
        self.command("Page.navigate", url=url)
        here = json.dumps(url.split("#")[0])
        loaded = f"location.href.split('#')[0] === {here} && document.readyState === 'complete'"
        if not self.wait_for(loaded):
            raise BrowserError(f"{url} did not load")

    def problems(self) -> list[str]:
        """Describe every failed request and every console error since the page was opened."""
        found = []
        addresses: dict[str, str] = {}
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            parameters = event.get("params", {})
            match event["method"]:
                case "Network.requestWillBeSent":
                    addresses[parameters["requestId"]] = parameters["request"]["url"][:200]
                case "Network.loadingFailed":
                    address = addresses.get(parameters["requestId"], "?")
                    found.append(f"request failed: {address} ({parameters['errorText']})")
                case "Network.responseReceived" if parameters["response"]["status"] >= 400:
                    response = parameters["response"]
                    found.append(f"request failed: {response['url'][:200]} ({response['status']})")
                case "Runtime.exceptionThrown":
                    details = parameters["exceptionDetails"]
                    text = details.get("exception", {}).get("description", details["text"])
                    found.append(f"exception: {text[:300]}")
                case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                    words = " ".join(
                        str(a.get("value", a.get("description", ""))) for a in parameters["args"]
                    )
                    found.append(f"console: {words[:300]}")
                case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                    entry = parameters["entry"]
                    found.append(f"log: {entry['text'][:200]} {entry.get('url', '')[:200]}")
        return found


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files and write nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on the local host and yield its address."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
