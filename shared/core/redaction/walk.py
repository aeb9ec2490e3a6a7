"""The walk through a body: what the way to a value has settled about it, and what is put there."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final

from shared.core.redaction.forms import STARS, holds_secret, is_starred, mask_text
from shared.core.redaction.names import is_secret_name, names_a_secret, plain

PREFIX: Final = "secret-digest:"

_DIGESTED = re.compile(r"secret-digest:(?:[\w.-]{1,64}:)?[0-9a-f]{32}")
_PUBLIC = ("@Microsoft.KeyVault(", "ssh-", "ecdsa-sha2-", "-----BEGIN PUBLIC KEY")

_OPAQUE = frozenset({"protectedsettings", "customdata", "userdata", "pfxblob", "pfx", "cookie"})
_IDENTIFYING = frozenset(
    {"name", "keyname", "type", "kind", "id", "keyvaulturl", "identity", "secretref"}
)
# What a program is started with: each value is a secret, whatever its name says.
_SETTINGS = frozenset(
    {"appsettings", "connectionstrings", "env", "environmentvariables", "environmentsettings"}
)
_SECURE_SETTINGS = "secureenvironment"  # the beginning of such names
_SITE_SETTINGS = "metadata"  # is one of them in a site's configuration only

# Some resources are settings by their type: below ``properties`` are names and values.
_SETTINGS_RESOURCES = frozenset(
    {"appsettings", "functionappsettings", "connectionstrings", "metadata"}
)
_SITE_CONFIGURATION = re.compile(r"(?:microsoft\.web/(?:[a-z]{1,40}/){1,4})?config", re.ASCII)
# The named properties are secrets in these types, lower case.
_TYPES: Mapping[str, frozenset[str]] = {
    "microsoft.keyvault/vaults/secrets": frozenset({"value"}),
    "microsoft.automation/automationaccounts/variables": frozenset({"value"}),
    "microsoft.appconfiguration/configurationstores/keyvalues": frozenset({"value"}),
}


@dataclass(frozen=True)
class _Substitute:
    """How a secret is replaced: a whole value in a secret's place, and a text that holds one."""

    value: Callable[[str], str]
    text: Callable[[str], str]


class _Labels:
    """What the members of one mapping say about each other; asked often, worked out once."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self._node = node
        self.plain = {name: plain(name) for name in node}

    @cached_property
    def has_value(self) -> bool:
        """Tell whether this may be a pair {key, value}, as tags and settings have."""
        return "value" in self.plain.values()

    @cached_property
    def value_is_secret(self) -> bool:
        """Tell whether the pair's label names a secret."""
        for name, folded in self.plain.items():
            label = self._node[name]
            if folded == "keyname":
                return True
            if folded in {"name", "key"} and isinstance(label, str) and is_secret_name(label):
                return True
        return False


def keyed_digest(key: bytes, value: str) -> str:
    """Return the first 32 hex digits of HMAC-SHA256: equal for equal secrets, useless otherwise."""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def redact(body: Any, digest: Callable[[str], str]) -> Any:
    """Return ``body`` with each secret replaced by ``secret-digest:`` and ``digest(secret)``. Pure.

    A text that contains a secret (a connection string) is replaced as a whole. ``digest`` returns
    ``<key id>:<32 hex>`` (see ``keyed_digest``); any other form is digested again the next time.
    """

    def whole(value: str) -> str:
        return PREFIX + digest(value)

    def if_secret(text: str) -> str:
        return whole(text) if holds_secret(text) else text

    return _walk(body, _Substitute(whole, if_secret), inside=None)


def mask(body: Any) -> Any:
    """Return ``body`` with stars for secrets; of a text only the secret part. Pure, idempotent."""
    return _walk(body, _Substitute(lambda _: STARS, mask_text), inside=None)


class _Inside(Enum):
    """What the way to a value has settled; names decide where nothing is."""

    LISTING = "a list of secrets, whose members keep their identifying properties"
    SETTINGS = "names with values, as a list of {name, value} or as a mapping"
    OPAQUE = "every leaf is a secret"
    PERMISSIONS = "names like keys mean what may be done with keys"
    SITE = "a site's configuration, where metadata are settings"


_SECRET = frozenset({_Inside.LISTING, _Inside.SETTINGS, _Inside.OPAQUE})


def _walk(node: Any, put: _Substitute, inside: _Inside | None) -> Any:
    if isinstance(node, Mapping):
        return _walk_mapping(node, put, inside)
    if isinstance(node, list | tuple):
        # The members of settings are pairs, and have names of their own.
        below = _Inside.LISTING if inside is _Inside.SETTINGS else inside
        return [_walk(item, put, below) for item in node]
    if isinstance(node, str):
        return _leaf(node, put, secret=inside in _SECRET)
    if isinstance(node, int | float) and not isinstance(node, bool):
        return put.value(str(node)) if inside in _SECRET else node
    return node


def _leaf(text: str, put: _Substitute, *, secret: bool) -> str:
    if not text or _DIGESTED.fullmatch(text) or is_starred(text):
        return text
    if not secret:
        return put.text(text)
    if text.startswith(_PUBLIC):
        return put.text(text)
    return put.value(text)


def _walk_mapping(
    node: Mapping[str, Any], put: _Substitute, inside: _Inside | None
) -> dict[str, Any]:
    labels = _Labels(node)
    content = _content(node) if inside is None else None
    walked = {}
    for name, value in node.items():
        if content is not None and labels.plain[name] == "properties":
            walked[name] = _walk_content(value, put, content)
        else:
            walked[name] = _walk(value, put, _inside(labels, name, value, inside))
    return walked


def _walk_content(value: Any, put: _Substitute, content: "_Inside | frozenset[str]") -> Any:
    if isinstance(content, _Inside):
        return _walk(value, put, content)
    if not isinstance(value, Mapping):
        return _walk(value, put, _Inside.OPAQUE)
    labels = _Labels(value)
    return {
        name: _walk(
            item,
            put,
            _Inside.OPAQUE if labels.plain[name] in content else _inside(labels, name, item, None),
        )
        for name, item in value.items()
    }


def _content(node: Mapping[str, Any]) -> "_Inside | frozenset[str] | None":
    """Return what the type of a resource says of its properties: which of them are secrets."""
    kind, name = node.get("type"), node.get("name")
    if not isinstance(kind, str):
        return None
    kind = kind.lower()
    if not _SITE_CONFIGURATION.fullmatch(kind):
        return _TYPES.get(kind)
    last = name.lower().rpartition("/")[2] if isinstance(name, str) else ""
    return _Inside.SETTINGS if last in _SETTINGS_RESOURCES else _Inside.SITE


def _inside(labels: _Labels, name: str, value: Any, inside: _Inside | None) -> _Inside | None:
    folded = labels.plain[name]
    if inside is _Inside.SETTINGS:
        # {"TYPE": "x"} is a setting of that name; {"db": {"value": "x", "type": "SQLAzure"}} has one.
        return _Inside.LISTING if isinstance(value, Mapping) else _Inside.OPAQUE
    if inside is _Inside.OPAQUE or (inside is _Inside.LISTING and folded not in _IDENTIFYING):
        return inside
    if folded == "permissions" or inside is _Inside.PERMISSIONS:
        return _Inside.PERMISSIONS if folded == "permissions" else None
    # ``key`` here may be the name of a pair {key, value}.
    if folded in {"key", "name"} and labels.has_value:
        return None
    return _named(labels, folded, value, inside)


def _named(labels: _Labels, folded: str, value: Any, inside: _Inside | None) -> _Inside | None:
    if folded in _OPAQUE:
        return _Inside.OPAQUE
    if _names_settings(folded, inside) and isinstance(value, Mapping | list | tuple):
        return _Inside.SETTINGS
    if folded == "value":
        return _Inside.OPAQUE if labels.value_is_secret else None
    if names_a_secret(folded, of_mappings=_holds_mappings(value)):
        return _Inside.LISTING
    return _Inside.SITE if folded == "siteconfig" else None


def _names_settings(folded: str, inside: _Inside | None) -> bool:
    return (
        folded in _SETTINGS
        or folded.startswith(_SECURE_SETTINGS)
        or (folded == _SITE_SETTINGS and inside is _Inside.SITE)
    )


def _holds_mappings(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)
