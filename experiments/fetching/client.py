"""HTTP as a download needs it: encrypted, patient, from any byte on."""

import http.client
import ipaddress
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from experiments.fetching.errors import DelayError, FetchError
from experiments.fetching.refusals import refusal

_LONGEST_WAIT = 120.0  # seconds: a server that asks for more is left alone
_MOST_JSON = 16 << 20  # bytes
_HEADERS = {"User-Agent": "msaf-reproduction (python-urllib)", "Accept-Encoding": "identity"}

Response = Any  # of urllib: `status`, `headers`, `read`, `read1`


class Client:
    """Ask a server, again where it may help.

    Args:
        server: address that records are read from. Everything has to be https; plain http is for
            a server on this machine.
        retries: attempts after the first one that brought nothing.
        pause: seconds before the first of them; each next one waits twice as long.
        timeout: seconds without a byte.
        sleep: waits.
        say: is told before each wait what failed, and how often it is tried again.

    Raises:
        FetchError: the address is none of those.
    """

    def __init__(
        self,
        server: str,
        *,
        retries: int = 6,
        pause: float = 1.0,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.server = server.rstrip("/")
        self.retries, self.pause, self.timeout, self.sleep = retries, pause, timeout, sleep
        self.say = say
        self._local = _is_local(server)
        self.check(server)
        handlers: list[Any] = [_Redirects(self)]
        if self._local:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def check(self, address: str) -> None:
        """Refuse an address that is not https, or that leads to this machine from elsewhere."""
        scheme, local = urlsplit(address).scheme, _is_local(address)
        if not (scheme == "https" and (self._local or not local)) and not (
            scheme == "http" and local and self._local
        ):
            raise FetchError(
                f"{address}: expected an address that begins with https://, found another; "
                "nothing was fetched from there"
            )

    def open(self, address: str, start: int = 0) -> Response:
        """Ask once, for the bytes from `start` on.

        Raises:
            FetchError: the server refuses, or has no such thing.
            DelayError: another attempt may help.
        """
        self.check(address)
        headers = _HEADERS | ({"Range": f"bytes={start}-"} if start else {})
        request = urllib.request.Request(address, headers=headers)
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise refusal(address, error) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise FetchError(
                    f"{address}: expected a certificate that can be verified, found none "
                    f"({reason.verify_message}); is a proxy in between, or is the clock wrong?"
                ) from error
            raise DelayError(_words(reason)) from error

    def patiently(
        self, what: str, attempt: Callable[[], int], kept: Callable[[], bool] = lambda: False
    ) -> None:
        """Attempt something until it succeeds.

        Args:
            what: is wanted, for the message.
            attempt: returns 0 once it is done, or the bytes that it got further; an attempt that
                gets further is followed by the next one without counting.
            kept: says, where it is given up, whether anything has been fetched before.

        Raises:
            FetchError: too many attempts in a row brought nothing.
        """
        failures = 0
        while True:
            try:
                if not attempt():
                    return
                failures, trouble = 0, DelayError("a cut connection")
            except DelayError as error:
                failures, trouble = failures + 1, error
            if failures > self.retries or (trouble.wait or 0) > _LONGEST_WAIT:
                later = f" in {trouble.wait:.0f} s" if trouble.wait else " later"
                before = "what has been fetched is kept: " if kept() else ""
                raise FetchError(
                    f"{what}: expected an answer of {urlsplit(self.server).netloc}, found "
                    f"{trouble} ({failures} time{'s' * (failures != 1)}); {before}type the same "
                    f"command again{later}"
                ) from trouble
            wait = trouble.wait or self.pause * 2 ** max(failures - 1, 0)
            if failures:
                self._say_again(f"{what}: {trouble}", wait, self.retries - failures + 1)
            self.sleep(wait)

    def _say_again(self, trouble: str, wait: float, left: int) -> None:
        tries = "1 try" if left == 1 else f"{left} tries"
        self.say(f"{trouble}; trying again in {wait:.0f} s, {tries} left")

    def json(self, address: str) -> Any:
        """Return what a JSON document says.

        Raises:
            FetchError: as `patiently` says, or it is something else.
        """
        found: list[bytes] = []
        kind = ""

        def attempt() -> int:
            nonlocal kind
            with self.open(address) as response:
                kind = response.headers.get_content_type()
                try:
                    content = response.read(_MOST_JSON)
                except (OSError, http.client.HTTPException) as error:
                    raise DelayError(_words(error)) from error
            stated = response.headers.get("Content-Length", "")
            if stated.isdecimal() and len(content) < min(int(stated), _MOST_JSON):
                raise DelayError("a cut connection")
            found.append(content)
            return 0

        self.patiently(address, attempt)
        try:
            return json.loads(found[-1])
        except (ValueError, RecursionError) as error:
            begin = found[-1][:40].decode("utf-8", "replace")
            raise FetchError(
                f"{address}: expected JSON, found {kind} that begins with {begin!r}; is it the "
                "page of a proxy, or of a server under repair? Open the address in a browser"
            ) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to places that may be asked."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        self._client.check(args[-1])
        return super().redirect_request(*args)


def _is_local(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _words(error: object) -> str:
    text = str(error) or type(error).__name__
    return f"no connection ({text})" if isinstance(error, OSError) else f"a broken answer ({text})"
