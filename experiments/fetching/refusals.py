"""What the status of an answer means for a download."""

import email.utils
import time
from http import HTTPStatus
from urllib.error import HTTPError

from experiments.fetching.errors import DelayError, FetchError, RangeError

_BUSY = {408, 425, 429, 500, 502, 503, 504}


def refusal(address: str, error: HTTPError) -> Exception:
    """Return what to raise: a delay where another attempt may help, else the end."""
    found = f"{error.code} {error.reason or HTTPStatus(error.code).phrase}"
    if error.code in _BUSY:
        return DelayError(found, _seconds(error.headers.get("Retry-After")))
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return RangeError(found)
    advice = {
        401: "the record is not public any more",
        403: "the server refuses this machine, or a proxy does; try from another network",
        404: "there is no such thing any more; look at the record's page in a browser",
        410: "it has been withdrawn; look at the record's page in a browser",
    }.get(error.code, "open the address in a browser to see why")
    return FetchError(f"{address}: expected an answer, found {found}: {advice}")


def _seconds(text: str | None) -> float | None:
    """Seconds that a server asks to wait: a number, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
