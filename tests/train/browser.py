"""Headless Chromium, driven through the DevTools protocol over a pair of pipes: the standard library is enough.

    with Browser() as browser:
        page = browser.open("/path/page.html", width=390, height=844, dark=True)
        page.run("document.title")

The browser has no network: every host name is mapped to nothing and the page is told it is offline. Whatever a page asks for
beside itself is in page.requests, whatever it complains about in page.problems.
"""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = 60  # seconds for one answer


class BrowserError(Exception):
    """The browser cannot be started, has died, or does not answer."""


class Browser:
    def __init__(self):
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            raise BrowserError("chromium is not installed: the report's tests cannot run; install Debian's package chromium")
        self.folder = tempfile.mkdtemp(prefix="attend-browser-")
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()

        def as_3_and_4():  # where the protocol is spoken
            os.dup2(to_browser, 1003)
            os.dup2(from_browser, 1004)
            os.dup2(1003, 3)
            os.dup2(1004, 4)

        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                   "--user-data-dir=" + self.folder, "--no-first-run", "--disable-background-networking", "--disable-sync",
                   "--disable-component-update", "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND",
                   "--proxy-server=127.0.0.1:9", "--force-color-profile=srgb", "--hide-scrollbars", "about:blank"]
        self._errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors,
                                            close_fds=False, preexec_fn=as_3_and_4)
        except OSError as e:
            raise BrowserError(f"chromium cannot be started: {program}: {e.strerror}") from None
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._buffer, self._pages = 0, b"", {}
        try:
            self.version = self.ask("Browser.getVersion")["product"]
        except BrowserError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            try:
                self._send({"id": 0, "method": "Browser.close"})
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        for end in (self._to, self._from):
            os.close(end)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, message):
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data):]

    def _died(self, why):
        self._errors.seek(0)
        tail = self._errors.read().decode(errors="replace").strip().splitlines()[-5:]
        return BrowserError(f"chromium {why}; it said: " + " | ".join(tail))

    def _receive(self, until):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise self._died(f"did not answer in {LIMIT} s")
            data = os.read(self._from, 1 << 16)
            if not data:
                raise self._died("cannot run here, or has died")
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **parameters):
        """One command and its result; events that come meanwhile go to their pages."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            self._send(message)
        except OSError:
            raise self._died("cannot run here, or has died") from None
        until = time.monotonic() + LIMIT
        while True:
            answer = self._receive(until)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                return answer["result"]
            if answer.get("sessionId") in self._pages:
                self._pages[answer["sessionId"]].event(answer["method"], answer["params"])

    def open(self, path, width=1280, height=900, dark=False, fragment=""):
        """A page from disk, loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.ask(domain + ".enable")
        page.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        page.theme("dark" if dark else "light")
        page.ask("Page.navigate", url=pathlib.Path(path).resolve().as_uri() + fragment)
        page.wait("document.readyState === 'complete'")
        return page


KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9, "Home": 36, "End": 35, "PageUp": 33,
        "PageDown": 34, "Escape": 27, "Space": 32}


class Page:
    def __init__(self, browser, session, target):
        self._browser, self._session, self._target = browser, session, target
        self.requests, self.problems = [], []

    def ask(self, method, **parameters):
        return self._browser.ask(method, self._session, **parameters)

    def event(self, method, parameters):
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.problems.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(a.get("value", a.get("description"))) for a in parameters["args"]))
        elif method == "Page.javascriptDialogOpening":
            self.problems.append("dialog: " + parameters["message"])
            self.ask("Page.handleJavaScriptDialog", accept=True)

    def run(self, code):
        """The value of an expression, by way of JSON."""
        result = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{code}: " + result["exceptionDetails"].get("exception", {}).get("description", "failed"))
        return result["result"].get("value")

    def wait(self, condition, seconds=20):
        until = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > until:
                raise AssertionError(f"waited {seconds} s in vain for: {condition}")
            time.sleep(0.02)

    def theme(self, name):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def key(self, name, shift=False):
        text = {"Enter": "\r", "Space": " "}.get(name, name if len(name) == 1 else "")
        common = {"key": " " if name == "Space" else name, "code": name, "modifiers": 8 if shift else 0, "text": text,
                  "windowsVirtualKeyCode": KEYS.get(name, ord(name[0].upper()))}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def mouse(self, x, y, kind="mouseMoved", **more):
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def screenshot(self, path, whole=True):
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        if whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self._browser.ask("Target.closeTarget", targetId=self._target)
