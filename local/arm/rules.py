"""The rules of scripted answers: which calls they are about, and what is said to those.

This is the form in which they come through the side channel and out of files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec

from local.arm import actions, errors, ids
from local.arm.knobs import Seconds
from local.arm.patterns import PatternError, compile_pattern

Origin = Literal["client", "deployment", "any"]
Ordinal = Annotated[int, msgspec.Meta(ge=1)]
Kind = Literal[
    "answer",
    "another_operation",
    "authorization_failed",
    "busy",
    "conflict",
    "deny_assignment",
    "deployment_active",
    "empty_body",
    "group_being_deleted",
    "html_page",
    "in_use",
    "linked_authorization_failed",
    "lro_stuck",
    "malformed_json",
    "not_registered",
    "partial",
    "policy",
    "principal_not_found",
    "property_change",
    "provider_throttled",
    "quota_exceeded",
    "scope_locked",
    "server_error",
    "sku_not_available",
    "throttled",
    "too_many_requests",
]


class Match(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which calls a rule is about; what is left out matches all. Nothing looks at case.

    `path` is a regular expression searched in the path; `route` a route name as in the request
    log; `type` a resource type, `action` a permission such as Microsoft.Web/sites/write (in both,
    * stands for anything); `scope` an id, for it and all below; `caller` the object or client id
    of who asks. `origin` says whether the client called or a running deployment writing its
    resources. `nth` 1 is the first matching call; from there on `every` 3 takes each third, and
    `chance` each with that probability.
    """

    method: str | None = None
    path: str | None = None
    route: str | None = None
    origin: Origin = "any"
    type: str | None = None
    action: str | None = None
    scope: str | None = None
    api_version: str | None = None
    caller: str | None = None
    nth: Ordinal = 1
    every: Ordinal = 1
    chance: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


class Lro(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the long-running operation of the matched call (kind "lro_stuck").

    It ends after `seconds` as `end` says, with `error` ({code, message}) if that is no success.
    `says` is what polls are told meanwhile: any other word than ARM's, "" for no body at all, or
    "{" for something that is no JSON. null is the truth.
    """

    end: Literal["never", "Succeeded", "Failed", "Canceled"] = "never"
    seconds: Seconds = 0.0
    error: dict[str, Any] | None = None
    says: str | None = None


class Reply(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a rule answers.

    `kind` words the answer as ARM does (GET on the side channel lists the kinds); for "answer"
    the `status`, `headers` and `body` go out as given, or `error` ({code, message, ...}) in ARM's
    envelope. `when` "after" lets the call have its effect first. `drop` breaks the connection
    instead of answering; `hang_seconds` waits first. What is left of the answer is the true one:
    `headers` are added to it, `omit` takes some away, `bytes_per_second` makes it trickle,
    `long_urls` gives polling URLs more than 4 KB, `retry_after_as` "date" rewrites Retry-After.
    `detail` is what some kinds need to know: a namespace, a policy's name, the lock's scope.
    """

    kind: Kind = "answer"
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: Any = None
    error: dict[str, Any] | None = None
    detail: str | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    retry_after_as: Literal["seconds", "date"] = "seconds"
    when: Literal["before", "after"] = "before"
    drop: bool = False
    hang_seconds: Seconds = 0.0
    omit: list[str] = msgspec.field(default_factory=list)
    bytes_per_second: Annotated[float, msgspec.Meta(gt=0)] | None = None
    long_urls: bool = False
    lro: Lro = msgspec.field(default_factory=Lro)

    @property
    def does_something(self) -> bool:
        """Whether the reply changes anything."""
        told = (self.status, self.headers, self.drop, self.hang_seconds, self.omit)
        worn = (self.bytes_per_second, self.long_urls, self.retry_after_as == "date")
        return self.kind != "answer" or any((*told, *worn))


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted answer; `count` null repeats for ever. `seen` and `used` are the simulator's."""

    match: Match = msgspec.field(default_factory=Match)
    answer: Reply
    count: Ordinal | None = 1
    id: str = ""
    seen: int = 0
    used: int = 0

    def check(self) -> None:
        """Raise `ArmError` if the rule cannot work."""
        try:
            compile_pattern(self.match.path or "")
        except PatternError as error:
            raise errors.invalid_content(
                f"match.path is no regular expression that can be used: {error}"
            ) from error
        if not self.answer.does_something:
            raise errors.invalid_content(
                "answer says nothing: give it status, drop, hang_seconds, headers, omit,"
                " bytes_per_second, or a kind"
            )
        given = self.answer.error
        if given is not None and not isinstance(given.get("code"), str):
            raise errors.invalid_content("answer.error needs a 'code'")
        for name, value in self.answer.headers.items():
            if not name.isascii() or not (name + value).isprintable() or ":" in name:
                raise errors.invalid_content(f"answer.headers: '{name}' cannot be sent")


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A file of rules; `seed` is what the draws of `chance` follow from."""

    rules: list[Rule]
    seed: int = 0


@dataclass(frozen=True)
class Call:
    """One call as rules look at it: a client's, or a deployment's write of a resource."""

    method: str
    path: str
    route: str
    origin: Literal["client", "deployment"]
    api_version: str
    oid: str
    appid: str

    @cached_property
    def needed(self) -> tuple[str, str]:
        """The permission that the call needs, and the scope of it."""
        return actions.needed(self.method, self.path)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The resource type, also as permissions spell it."""
        rid = ids.parse(self.path) or ids.parse(self.path.rpartition("/")[0])
        spelled = self.needed[0].rpartition("/")[0]
        return (rid.type.lower(), spelled.lower()) if rid else (spelled.lower(),)

    @property
    def identity(self) -> str:
        """What stays the same when the same call is made in another run."""
        return f"{self.method} {self.origin} {_VOLATILE.sub('*', self.path.lower())}"


_VOLATILE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{16,}|(?<=results/)[^/]+")


def _is_like(pattern: str, text: str) -> bool:
    """Return whether a text is what a pattern with * says, in linear time. Pure."""
    first, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])


def _same(wanted: str | None, *found: str) -> bool:
    return wanted is None or wanted.lower() in (one.lower() for one in found)


def fits(match: Match, call: Call) -> bool:
    """Return whether a rule is about a call, its count aside. Pure."""
    plain = (
        _same(match.method, call.method)
        and match.origin in ("any", call.origin)
        and _same(match.route, call.route)
        and _same(match.api_version, call.api_version)
        and _same(match.caller, call.oid, call.appid)
    )
    return plain and _fits_place(match, call)


def _fits_place(match: Match, call: Call) -> bool:
    if match.type is not None and not any(_is_like(match.type, one) for one in call.types):
        return False
    if match.action is not None and not _is_like(match.action, call.needed[0]):
        return False
    if match.scope is not None:
        scope, path = ids.key_of(match.scope), ids.key_of(call.path)
        if path != scope and not path.startswith(scope + "/"):
            return False
    return match.path is None or compile_pattern(match.path).search(call.path)
