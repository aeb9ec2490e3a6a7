"""What a configuration of the right shape can still get wrong. Each check raises what ``invalid`` makes."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.core import names, scopes
from shared.core.configuration.fault import invalid
from shared.core.configuration.model import Configuration, FreezeRule, Repository
from shared.core.document import SCHEMA_VERSION
from shared.core.source.faults import Place, SourceError
from shared.core.source.files import clean_path

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_NO_BRANCH: Final = re.compile(
    r"^$|^refs/|^[-/.]|[/.]$|\.lock$|\.\.|//|/\.|@\{|[\x00-\x20\x7f~^:?*\[\\]"
)


def check(configuration: Configuration) -> None:
    """Check everything that the shape alone does not say."""
    if configuration.schema_version != SCHEMA_VERSION:
        raise invalid(
            "$.schema_version",
            f"this Plumbline reads version {SCHEMA_VERSION}",
            f"Write {SCHEMA_VERSION}, or run a newer Plumbline.",
        )
    for key, repository in configuration.repositories.items():
        _check_repository(key, repository)
    _check_hooks(configuration)
    for n, rule in enumerate(configuration.freezes):
        _check_freeze(f"$.freezes[{n}]", rule, configuration)
    _check_activity(configuration)
    if configuration.budgets.release > configuration.budgets.snapshot:
        raise invalid(
            "$.budgets.release",
            "releases would leave more to others than snapshots do",
            "Give it at most what snapshot has: releases go first.",
        )


def _check_repository(key: str, repository: Repository) -> None:
    at = f"$.repositories.{key[:40]}"
    if not names.is_repository_key(key):
        raise invalid(
            "$.repositories",
            f"{key[:40]!r} cannot be a repository's key",
            f"Use small letters, digits and single dashes, at most {names.REPOSITORY_MAX}.",
        )
    _check_url(f"{at}.url", repository.url)
    if repository.statuses is not None and not _is_api(repository.statuses.github):
        raise invalid(
            f"{at}.statuses.github",
            "not the address of a repository in GitHub's API",
            "Give it as https://api.github.com/repos/<owner>/<name>.",
        )
    if _NO_BRANCH.search(repository.branch):
        raise invalid(f"{at}.branch", "not a branch name", "Give it as in git checkout: main.")
    _check_manifest(f"{at}.manifest", repository.manifest)
    if not _GUID.fullmatch(repository.default_subscription):
        raise invalid(
            f"{at}.default_subscription",
            "not the id of a subscription",
            "Give the id alone, as in 00000000-0000-0000-0000-000000000000.",
        )
    for n, scope in enumerate(repository.scopes):
        if scopes.parse(scope) is None:
            raise invalid(
                f"{at}.scopes[{n}]",
                f"{scope!r} is not an id of a subscription or resource group",
                "Give /subscriptions/<id> or /subscriptions/<id>/resourceGroups/<name>.",
            )


def _check_url(at: str, text: str) -> None:
    url = _split(text)
    if url is None or url.scheme not in {"https", "http"} or not url.path.strip("/"):
        raise invalid(at, "not an http(s) URL", "Give the URL that git clone takes.")
    if url.username or url.password:
        raise invalid(
            at,
            "a URL with credentials in it",
            "Put the token into an app setting and name it in credential.token.",
        )
    if url.query or url.fragment:
        raise invalid(at, "a URL with a query or a fragment", "Give the URL that git clone takes.")
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise invalid(
            at, "not https", "Write it with https://: a token is never sent in the clear."
        )


def _check_manifest(at: str, path: str) -> None:
    try:
        clean = clean_path(path, Place(names.CONFIGURATION))
    except SourceError:
        clean = None
    if clean != path:
        raise invalid(
            at,
            "not the path of a file in the repository",
            "Write it from the repository's root, with slashes: environments/prod/plumbline.yaml.",
        )


def _split(text: str) -> SplitResult | None:
    """Return the parts of a URL that names a host, or None."""
    try:
        url = urlsplit(text)
        reachable = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return None
    return url if reachable else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_api(address: str) -> bool:
    """Tell whether an address may be a repository in GitHub's API; http for the loopback only."""
    url = _split(address)
    if url is None:
        return False
    secure = url.scheme == "https" or (url.scheme == "http" and url.hostname == "127.0.0.1")
    plain = not (url.query or url.fragment or url.username or url.password)
    return bool(secure and plain and "/repos/" in url.path)


def _check_freeze(at: str, rule: FreezeRule, configuration: Configuration) -> None:
    """Refuse a freeze of something that is not followed: it would freeze nothing."""
    for name in rule.stacks:
        repository, _, stack = name.partition(".")
        known = repository in configuration.repositories
        if name == "*" or (known and (stack == "*" or names.is_stack_name(stack))):
            continue
        raise invalid(
            f"{at}.stacks",
            f"{name[:60]!r} names no followed stack",
            "Write *, <repository>.* or <repository>.<stack>.",
        )


def _check_hooks(configuration: Configuration) -> None:
    seen: dict[str, str] = {}
    for key, repository in configuration.repositories.items():
        other = seen.setdefault(repository.hook, key)
        if other != key:
            raise invalid(
                f"$.repositories.{key}.hook",
                f"the same hook as {other!r}",
                "Give each repository a hook of its own; plain random text will do.",
            )


def _check_activity(configuration: Configuration) -> None:
    """Refuse a workspace of a subscription that nobody deploys to: it would never be asked."""
    ours = {scope.lower().split("/")[2] for scope in _scopes(configuration)}
    seen: set[str] = set()
    for subscription, workspace in configuration.activity.workspaces.items():
        at = f"$.activity.workspaces.{subscription[:40]}"
        if subscription.lower() in seen:
            raise invalid(at, "the subscription is there twice", "Keep one of the two.")
        seen.add(subscription.lower())
        if subscription.lower() not in ours:
            raise invalid(
                at,
                "no repository may deploy to a subscription of this id",
                "Give the id alone of a subscription in the scopes of a repository.",
            )
        if not _GUID.fullmatch(workspace):
            raise invalid(
                at,
                "not the id of a Log Analytics workspace",
                "Give the Workspace ID (a GUID) that the workspace's overview shows.",
            )


def _scopes(configuration: Configuration) -> list[str]:
    return [scope for one in configuration.repositories.values() for scope in one.scopes]
