"""Addresses that ARM gave for the next call, kept without their host. Pure.

ARM says where to go on as a whole URL, and that of a what-if outlives the call: it is stored. Only
its path and query are kept, and each is looked at again before it is used, so that neither an
answer nor a stored document can send Plumbline's token to another host or to another operation.
"""

import re
from urllib.parse import unquote, urlsplit

from shared.adapters.arm.reading import Container
from shared.core.scopes import fold

MAX_LENGTH = 16_384
"""Characters of an address; ARM's own come with signatures of 5 KB."""

_QUERY = r"(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*)?"
_NAME = r"[^/\\?#\s{}<>\"]+"
_WHAT_IF = re.compile(
    rf"/subscriptions/(?P<subscription>[0-9a-z-]+)(?:/resourceGroups/{_NAME})?"
    rf"(?:/providers/Microsoft\.Resources(?:/locations/{_NAME})?)?"
    rf"/operationresults/[\w.~=-]+{_QUERY}",
    re.IGNORECASE | re.ASCII,
)
_LISTING = re.compile(
    rf"/subscriptions/(?P<subscription>[0-9a-z-]+)(?:/resourceGroups/(?P<group>{_NAME}))?"
    rf"/resources/?{_QUERY}",
    re.IGNORECASE | re.ASCII,
)
_UPWARDS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def without_host(url: str) -> str:
    """Return path and query of a URL; raises ValueError for what is none. Pure."""
    if len(url) > MAX_LENGTH:
        raise ValueError("an address of ARM is too long")
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def what_if(address: str) -> str:
    """Return the subscription that a what-if's result is in; raises ValueError for any other address.

    The text of the error does not hold the address, which may be signed. Pure.
    """
    return _matched(_WHAT_IF, address)["subscription"]


def listing(address: str, at: Container) -> str:
    """Return the address of a listing's next page; raises ValueError unless it is of ``at``. Pure."""
    match = _matched(_LISTING, address)
    if fold(match["subscription"]) != fold(at.subscription):
        raise ValueError("the next page of the listing is of another subscription")
    if fold(unquote(match["group"] or "")) != fold(at.group or ""):
        raise ValueError("the next page of the listing is of another resource group")
    return address


def _matched(form: re.Pattern[str], address: str) -> re.Match[str]:
    match = form.fullmatch(address) if len(address) <= MAX_LENGTH else None
    if match is None or _UPWARDS.search(address.partition("?")[0]):
        raise ValueError("an address is none that ARM gives for this")
    return match
