"""The operator's configuration: which repositories are followed, how, and what they may touch.

It is never read from a followed repository (docs/architecture.md part 4): whoever can push there
must not be able to raise their own rights.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from shared.core import names, scopes
from shared.core.document import Document
from shared.core.errors import Stalled
from shared.core.record import Freeze

SECRET_PREFIX = "PLUMBLINE_SECRET_"  # noqa: S105 — the name's beginning, not a secret
_SecretName = Annotated[str, msgspec.Meta(pattern=f"^{SECRET_PREFIX}[A-Z0-9_]+$")]


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to sign in to a Git host; ``token`` is the *name* of an app setting, never a value."""

    user: str
    token: _SecretName


class Statuses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where commit statuses are sent.

    ``github`` is the repository's address in GitHub's API, as in
    ``https://api.github.com/repos/contoso/shop``; ``token`` is the *name* of an app setting.
    """

    github: str
    token: _SecretName


class Repository(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One followed branch of one repository.

    ``url`` carries no credentials. ``hook`` is the last part of the webhook's path, hard to guess.
    ``hook_secrets`` are names of app settings; several during a rotation. ``scopes`` are the ids
    that this repository's stacks may write to, everything below them included.
    """

    url: str
    branch: str
    hook: Annotated[str, msgspec.Meta(pattern=f"^{names.HOOK_FORM.pattern}$")]
    hook_secrets: Annotated[list[_SecretName], msgspec.Meta(min_length=1)]
    default_subscription: str
    scopes: Annotated[list[str], msgspec.Meta(min_length=1)]
    manifest: str = "plumbline.yaml"
    credential: Credential | None = None
    statuses: Statuses | None = None


class FreezeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stacks that are left alone until a moment.

    ``stacks`` are ``*``, ``<repository>.*`` or ``<repository>.<stack>``; ``until`` has an offset or Z.
    """

    stacks: Annotated[list[str], msgspec.Meta(min_length=1)]
    by: Annotated[str, msgspec.Meta(min_length=1)]
    why: Annotated[str, msgspec.Meta(min_length=1)]
    until: Annotated[datetime, msgspec.Meta(tz=True)]

    def names(self, repository: str, stack: str) -> bool:
        """Tell whether the rule is about a stack. Pure."""
        return not {"*", f"{repository}.*", names.identity(repository, stack)}.isdisjoint(
            self.stacks
        )


class Configuration(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the operator decides."""

    installation: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    repositories: Mapping[str, Repository]
    freezes: tuple[FreezeRule, ...] = ()

    def freeze(self, repository: str, stack: str, at: datetime) -> Freeze | None:
        """Return the freeze that holds a stack back longest, if any does. Pure."""
        held = [rule for rule in self.freezes if rule.until > at and rule.names(repository, stack)]
        if not held:
            return None
        rule = max(held, key=lambda one: one.until)
        return Freeze(by=rule.by, why=rule.why, at=at, until=rule.until)


_WHERE = names.CONFIGURATION


def _invalid(path: str, message: str, hint: str) -> Stalled:
    return Stalled("ConfigurationInvalid", f"{_WHERE}: {message} (at {path})", hint=hint)


def parse_configuration(data: bytes) -> Configuration:
    """Read and check the operator's configuration.

    Raises Stalled (``ConfigurationInvalid``) with the path and how to mend it.
    """
    try:
        configuration = msgspec.json.decode(data, type=Configuration)
    except msgspec.ValidationError as e:
        message, _, path = str(e).partition(" - at ")
        raise _invalid(
            path.strip("`") or "$", message, "See docs/configuration.md for every field."
        ) from e
    except msgspec.DecodeError as e:
        raise _invalid("$", f"not valid JSON: {e}", "Check it with any JSON tool.") from e
    for key, repository in configuration.repositories.items():
        _check_repository(key, repository)
    _check_hooks(configuration)
    for n, rule in enumerate(configuration.freezes):
        _check_freeze(f"$.freezes[{n}]", rule, configuration)
    return configuration


def _check_repository(key: str, repository: Repository) -> None:
    at = f"$.repositories.{key}"
    if not names.is_repository_key(key):
        raise _invalid(
            "$.repositories",
            f"{key!r} cannot be a repository's key",
            f"Use small letters, digits and single dashes, at most {names.REPOSITORY_MAX}.",
        )
    url = urlsplit(repository.url)
    if url.scheme not in {"https", "http"} or not url.hostname:
        raise _invalid(f"{at}.url", "not an http(s) URL", "Give the URL that git clone takes.")
    if url.username or url.password:
        raise _invalid(
            f"{at}.url",
            "a URL with credentials in it",
            "Put the token into an app setting and name it in credential.token.",
        )
    if repository.statuses is not None and not _is_api(repository.statuses.github):
        raise _invalid(
            f"{at}.statuses.github",
            "not the address of a repository in GitHub's API",
            "Give it as https://api.github.com/repos/<owner>/<name>.",
        )
    if not repository.branch or repository.branch.startswith(("refs/", "-", "/")):
        raise _invalid(f"{at}.branch", "not a branch name", "Give it as in git checkout: main.")
    for n, scope in enumerate(repository.scopes):
        if scopes.parse(scope) is None:
            raise _invalid(
                f"{at}.scopes[{n}]",
                f"{scope!r} is not an id of a subscription or resource group",
                "Give /subscriptions/<id> or /subscriptions/<id>/resourceGroups/<name>.",
            )


def _is_api(address: str) -> bool:
    """Tell whether an address may be a repository in GitHub's API; http for the loopback only."""
    url = urlsplit(address)
    secure = url.scheme == "https" or (url.scheme == "http" and url.hostname == "127.0.0.1")
    plain = not (url.query or url.fragment or url.username or url.password)
    return bool(secure and plain and url.hostname and "/repos/" in url.path)


def _check_freeze(at: str, rule: FreezeRule, configuration: Configuration) -> None:
    """Refuse a freeze of something that is not followed: it would freeze nothing."""
    for name in rule.stacks:
        repository, _, stack = name.partition(".")
        known = repository in configuration.repositories
        if name == "*" or (known and (stack == "*" or names.is_stack_name(stack))):
            continue
        raise _invalid(
            f"{at}.stacks",
            f"{name!r} names no followed stack",
            "Write *, <repository>.* or <repository>.<stack>.",
        )


def _check_hooks(configuration: Configuration) -> None:
    seen: dict[str, str] = {}
    for key, repository in configuration.repositories.items():
        other = seen.setdefault(repository.hook, key)
        if other != key:
            raise _invalid(
                f"$.repositories.{key}.hook",
                f"the same hook as {other!r}",
                "Give each repository a hook of its own; plain random text will do.",
            )
