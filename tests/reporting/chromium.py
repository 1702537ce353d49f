"""A headless Chromium that tests talk to by its DevTools protocol, over two pipes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-features=IsolateSandboxedIframes",
    "--disable-component-update",
    "--remote-debugging-pipe",
)
_PATIENCE = 30.0


def program() -> str | None:
    """The path of a Chromium: JSCALE_CHROMIUM, or one of the usual names on PATH."""
    names = filter(None, (os.environ.get("JSCALE_CHROMIUM"), *NAMES))
    return next(filter(None, map(shutil.which, names)), None)


class Tab:
    """A tab: commands go out, ``events`` come in."""

    def __init__(self, write: int, read: int) -> None:
        self.write, self.read = write, read
        self.events: list[dict[str, Any]] = []
        self.rest, self.count, self.session = b"", 0, None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> Any:
        """Send a command and return its result; raises RuntimeError where it failed."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE
        while b"\0" not in self.rest:
            ready = select.select([self.read], [], [], max(0.0, end - time.monotonic()))[0]
            part = os.read(self.read, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("Chromium does not answer.")
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def go(self, url: str) -> None:
        """Open a page from scratch and wait until it is loaded; ``events`` are then its own."""
        # From about:blank, because nothing is loaded if only the fragment changes.
        for place in ("about:blank", url):
            self.events.clear()
            self.send("Page.navigate", url=place)
            while not any(e["method"] == "Page.loadEventFired" for e in self.events):
                self.events.append(self._next())

    def run(self, script: str) -> Any:
        """Evaluate a script, wait for a promise, and return its value."""
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def run_in_frame(self, script: str) -> Any:
        """Evaluate a script in the first frame of a page, in a world apart from its own."""
        (frame, *_) = self.send("Page.getFrameTree")["frameTree"]["childFrames"]
        world = self.send("Page.createIsolatedWorld", frameId=frame["frame"]["id"])
        where = world["executionContextId"]
        answer = self.send(
            "Runtime.evaluate", expression=script, contextId=where, returnByValue=True
        )
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and let go a key, as a keyboard does."""
        keys = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="rawKeyDown", **keys)
        self.send("Input.dispatchKeyEvent", type="keyUp", **keys)

    def complaints(self) -> list[str]:
        """What the page logged, raised, or was refused by its policy."""
        methods = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(e["params"]) for e in self.events if e["method"] in methods]

    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]


@contextlib.contextmanager
def tab(program: str) -> Iterator[Tab]:
    """Start a Chromium, yield a tab, and end it."""
    ours, theirs = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # It reads commands from descriptor 3 and writes to 4.
        start = f'exec "$0" "$@" 3<&{ours[0]} 4>&{theirs[1]}'
        process = subprocess.Popen(
            ["bash", "-c", start, program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(ours[0], theirs[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        try:
            yield Tab(ours[1], theirs[0])
        finally:
            process.terminate()
            process.wait(_PATIENCE)
            os.close(ours[1])
            os.close(theirs[0])
