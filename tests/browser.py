"""Look at a page in a headless Chromium, over the DevTools protocol by pipe.

As a program it takes a screenshot of a whole page::

    python tests/browser.py report.html report.png --width 1100
    python tests/browser.py report.html dark.png --dark
    python tests/browser.py report.html phone.png --width 375
"""

import argparse
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLAYWRIGHT = "chromium-*/chrome-linux*/chrome"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60  # seconds for an answer, on a busy machine


def find_browser():
    """The program, or None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    return found or next((str(path) for path in sorted(folder.glob(PLAYWRIGHT))), None)


class Page:
    """A page of a browser that is being looked at."""

    def __init__(self, commands, answers):
        self.commands, self.answers = commands, answers
        self.number, self.rest, self.session = 0, b"", None
        self.events = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        """Send a command and wait for its answer; events that come before are kept."""
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        command = {"id": self.number, "method": method, "params": parameters, **session}
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while (message := self._receive()).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            msg = f"{method}: {message['error']}"
            raise RuntimeError(msg)
        return message["result"]

    def open(self, path, *, width=1100, dark=False):
        """Load a file and wait until it has loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=Path(path).resolve().as_uri())
        while not self.heard("Page.loadEventFired"):
            self.events.append(self._receive())

    def heard(self, *methods):
        """What the browser has told since the page was opened."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def evaluate(self, expression):
        """The value of an expression on the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self):
        """The whole page as PNG."""
        taken = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def _receive(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], max(0, end - time.monotonic()))
            data = os.read(self.answers, 1 << 16) if ready else b""
            if not data:
                msg = "the browser does not answer"
                raise TimeoutError(msg)
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser(program=None):
    """Start a browser with an empty profile, and end it."""
    program = program or find_browser()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        to_browser, commands = os.pipe()
        answers, from_browser = os.pipe()
        # The protocol wants the pipes as files 3 and 4, which may be taken: go by way of higher numbers.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
        actions = [
            (os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),  # it complains about the desktop that is not there
        ]  # fmt: skip
        environment = {**os.environ, "HOME": profile}
        process = os.posix_spawn(
            program, [program, *FLAGS, f"--user-data-dir={profile}"], environment, file_actions=actions, setsid=True
        )
        for end in (to_browser, from_browser, *high):
            os.close(end)
        try:
            yield Page(commands, answers)
        finally:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(commands)
            os.close(answers)


def main():
    """Take a screenshot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1100)
    parser.add_argument("--dark", action="store_true")
    asked = parser.parse_args()
    with browser() as page:
        page.open(asked.page, width=asked.width, dark=asked.dark)
        asked.picture.write_bytes(page.screenshot())


if __name__ == "__main__":
    main()
