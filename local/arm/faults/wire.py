"""What happens to an answer on its way: cut bodies, lost headers, proxies, long URLs, odd dates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import msgspec

from local.arm.messages import Answer
from local.arm.rules import Reply

_POLLED = ("Azure-AsyncOperation", "Location")
_PROXY_PAGE = """<!DOCTYPE html>
<html><head><title>{status} {title}</title></head>
<body><center><h1>{status} {title}</h1></center><hr><center>proxy/1.0</center></body></html>
"""
_TITLES = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}


def wear(reply: Reply, answer: Answer) -> Answer:
    """Return an answer as the rule wants it to travel. Pure."""
    answer.headers = {**answer.headers, **reply.headers}
    answer.omit = (*answer.omit, *reply.omit)
    answer.bytes_per_second = reply.bytes_per_second
    answer.long_urls = answer.long_urls or reply.long_urls
    answer.dated = answer.dated or reply.retry_after_as == "date"
    if reply.kind == "empty_body":
        answer.body = None
    elif reply.kind == "malformed_json":
        text = msgspec.json.encode(answer.body).decode()
        answer.body = text[: max(len(text) // 2, 1)]
        answer.headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return answer


def proxy_page(status: int) -> Answer:
    """Return what a proxy says that cannot reach the service. Pure."""
    title = _TITLES.get(status, "Error")
    body = _PROXY_PAGE.format(status=status, title=title)
    headers = {"Content-Type": "text/html", "Server": "proxy/1.0"}
    return Answer(status, body, headers, omit=("x-ms-request-id", "x-ms-routing-request-id"))


def lengthen(headers: dict[str, str]) -> dict[str, str]:
    """Return headers whose polling URLs carry signatures of more than 4 KB. Pure."""
    return {
        name: value + _signature(value) if name in _POLLED else value
        for name, value in headers.items()
    }


def _signature(url: str) -> str:
    digest = hashlib.sha256(url.encode()).hexdigest()
    return f"&t={digest[:18]}&c={quote(digest * 48)}&s={digest * 24}&h={digest}"


def date_of(seconds: str, now: datetime) -> str:
    """Return a Retry-After of so many seconds as an HTTP date. Pure."""
    if not seconds.isdecimal():
        return seconds
    moment = now + timedelta(seconds=min(int(seconds), 10**6))
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)
