"""Where secrets sit in what ARM answers, and what is stored in their place.

A captured resource must stay comparable (did this password change?) without holding the password,
so ``redact`` puts a keyed digest there; an error or a what-if is only read, so ``mask`` puts stars.
Both look at the same two tables: names of properties, and forms of values. Everything here is pure.

The form of a digest is a string, ``secret-digest:<key id>:<32 hex>``; its ``<key id>:<32 hex>`` part
is what the caller's ``digest`` returns. A string of exactly that form is left alone, which makes
``redact`` idempotent. Structure is never changed: every mapping keeps its keys, every list its
length; ``null``, booleans and empty strings stay; a number in a secret's place becomes a digest.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "secret-digest:"
STARS = "***"

_DIGESTED = re.compile(r"secret-digest:(?:[\w.-]{1,64}:)?[0-9a-f]{32}")
_STARRED = re.compile(r"\*+")

# ---- names ---------------------------------------------------------------------------------
# Names are compared without case and punctuation. What an ending says holds also when one of the
# trailing words follows it: passwordHash, key1, secretValue.
_TRAILING = ("value", "text", "hash", "base64", "pem", "data", "primary", "secondary")
_NAME_END = 256
"""What a name says it says at its end: no more of it is looked at, however long it is."""

_LISTINGS = ("secrets", "passwords", "tokens", "connectionstrings", "credentials")
_ENDINGS = (
    *_LISTINGS,
    *(
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "loginpass",
        "pwd",
        "psw",
        "pw",
        "secret",
        "token",
        "connectionstring",
    ),
    *("sas", "sasuri", "sasurl", "sharedaccesssignature", "webhookurl", "webhookuri"),
    *("callbackurl", "apikeys", "accesskeys", "credential"),
)
_KEY_ENDINGS = ("key", "keys")
_OPAQUE = frozenset({"protectedsettings", "customdata", "userdata", "pfxblob", "pfx", "cookie"})
# Settings of an application: values are secrets whatever their names say, names stay.
_SETTINGS = frozenset({"appsettings", "env", "environmentvariables", "secureenvironmentvariables"})
_EXACT = frozenset({"securevalue", "authorization", "authorizationheader", "pass", "adminpass"})
_NOT_SECRET = (
    *("publickey", "publickeys", "publickeydata", "partitionkey", "partitionkeys", "sortkey"),
    *("rowkey", "shardkey", "clusteringkey", "foreignkey", "uniquekeys", "tagkey", "hotkeys"),
    *("continuationtoken", "skiptoken", "nextpagetoken", "kansas"),
)
_IDENTIFYING = frozenset({"name", "keyname", "type", "kind", "id", "keyvaulturl", "identity"})

# Every string below ``properties`` (or the named ones) is a secret in these types, lower case.
_TYPES: Mapping[str, frozenset[str] | None] = {
    "microsoft.web/sites/config/appsettings": None,
    "microsoft.web/sites/config/connectionstrings": None,
    "microsoft.web/sites/slots/config/appsettings": None,
    "microsoft.web/sites/slots/config/connectionstrings": None,
    "microsoft.keyvault/vaults/secrets": frozenset({"value"}),
    "microsoft.automation/automationaccounts/variables": frozenset({"value"}),
    "microsoft.appconfiguration/configurationstores/keyvalues": frozenset({"value"}),
}

# ---- forms ---------------------------------------------------------------------------------
# Each form keeps what comes before the group ``secret``; the group is the secret itself. Texts are
# other people's: no form may take more than linear time.
_SETTING = (
    r"(?i)\b(?:account ?key|shared ?access ?key|shared ?secret ?value|shared ?access ?signature"
    r"|password|pwd|primary ?key|secondary ?key|access ?key|api ?key|client ?secret"
    r"|instrumentation ?key)\s*=\s*(?P<secret>[^\s;&'\"][^;&'\"\r\n]*)"
)
_QUERY = (
    r"(?i)[?&](?:sig|signature|code|token|access_token|api[-_]?key|subscription-key|secret)="
    r"(?P<secret>[^&\s'\"#]+)"
)
_PEM = (
    r"(?P<secret>-----BEGIN (?!PUBLIC KEY|CERTIFICATE|RSA PUBLIC KEY)[A-Z0-9 ]+-----"
    r"(?:(?!-----END)[\s\S])*(?:-----END [A-Z0-9 ]+-----)?)"
)
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        _SETTING,  # one part of a connection string: AccountKey=...;  Password=...;
        _QUERY,  # a signature or a key in a URL
        r"(?i)\bsig=(?P<secret>[^&\s'\";#]+)",
        r"://[^/\s:@'\"]{0,256}:(?P<secret>[^/\s@'\"]{1,2048})@",  # credentials in a URL
        _PEM,
        r"(?i)\b(?:bearer|basic)\s+(?P<secret>(?=\S*[\d=])[A-Za-z0-9+/._~=-]{12,})",
        r"(?P<secret>(?<![\w-])eyJ[\w-]{6,}\.[\w-]{4,}\.[\w-]*)",  # a JSON Web Token
        r"(?P<secret>(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{86}==)",  # 64 bytes: a storage account's key
        r"(?P<secret>\b[\w~.-]{3}\dQ~[\w~.-]{31,34})",  # a client secret of Microsoft Entra
        r"(?P<secret>\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{10,})",
    )
)
# A member of JSON text inside a text, quotes escaped or not; its name decides.
_MEMBER = re.compile(
    r"\"(?P<name>[\w. -]{1,80})\\{0,8}\"\s{0,8}:\s{0,8}\\{0,8}\"(?P<secret>[^\"\\]+)"
)
_PUBLIC = ("@Microsoft.KeyVault(", "ssh-", "ecdsa-sha2-", "-----BEGIN PUBLIC KEY")


@dataclass(frozen=True)
class _Substitute:
    """How a secret is replaced: a whole value in a secret's place, and a text that holds one."""

    value: Callable[[str], str]
    text: Callable[[str], str]


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
        return whole(text) if _holds_secret(text) else text

    return _walk(body, _Substitute(whole, if_secret), inside=None)


def mask(body: Any) -> Any:
    """Return ``body`` with stars for secrets; of a text only the secret part. Pure, idempotent."""
    return _walk(body, _Substitute(lambda _: STARS, mask_text), inside=None)


def mask_text(text: str) -> str:
    """Return ``text`` with stars in place of anything that has the form of a secret. Pure."""
    for form in _FORMS:
        text = form.sub(_starred, text)
    return _MEMBER.sub(_starred, text)


def _starred(match: re.Match[str]) -> str:
    if not _is_secret_match(match):
        return match.group(0)
    start, end = match.span("secret")
    offset = match.start()
    whole = match.group(0)
    return whole[: start - offset] + STARS + whole[end - offset :]


def _holds_secret(text: str) -> bool:
    return any(
        _is_secret_match(match) for form in (*_FORMS, _MEMBER) for match in form.finditer(text)
    )


def _is_secret_match(match: re.Match[str]) -> bool:
    if match.re is _MEMBER and not is_secret_name(match["name"]):
        return False
    return not _STARRED.fullmatch(match["secret"])


# ---- the walk ------------------------------------------------------------------------------
# ``inside`` says what the way here has settled: None = names decide; "listing" = a list of secrets,
# whose members keep their identifying properties; "opaque" = every leaf is a secret;
# "permissions" = names like ``keys`` mean what may be done with keys.


def _walk(node: Any, put: _Substitute, inside: str | None) -> Any:
    if isinstance(node, Mapping):
        return _walk_mapping(node, put, inside)
    if isinstance(node, list | tuple):
        return [_walk(item, put, inside) for item in node]
    if isinstance(node, str):
        return _leaf(node, put, secret=inside in {"listing", "opaque"})
    if isinstance(node, int | float) and not isinstance(node, bool):
        return put.value(str(node)) if inside in {"listing", "opaque"} else node
    return node


def _leaf(text: str, put: _Substitute, *, secret: bool) -> str:
    if not text or _DIGESTED.fullmatch(text) or _STARRED.fullmatch(text):
        return text
    if not secret:
        return put.text(text)
    if text.startswith(_PUBLIC):
        return put.text(text)
    return put.value(text)


def _walk_mapping(node: Mapping[str, Any], put: _Substitute, inside: str | None) -> dict[str, Any]:
    typed = _secret_properties(node)
    walked = {}
    for name, value in node.items():
        if typed and _plain(name) == "properties" and inside is None:
            walked[name] = _walk_typed(value, put, typed[0])
        else:
            walked[name] = _walk(value, put, _inside(node, name, value, inside))
    return walked


def _walk_typed(value: Any, put: _Substitute, names: frozenset[str] | None) -> Any:
    if names is None or not isinstance(value, Mapping):
        return _walk(value, put, "listing")
    return {
        name: _walk(item, put, "opaque" if _plain(name) in names else _inside(value, name, item))
        for name, item in value.items()
    }


def _secret_properties(node: Mapping[str, Any]) -> tuple[frozenset[str] | None] | None:
    kind, name = node.get("type"), node.get("name")
    if not isinstance(kind, str):
        return None
    kind = kind.lower()
    if kind.endswith("/config") and isinstance(name, str):
        kind += "/" + name.lower().rpartition("/")[2]
    return (_TYPES[kind],) if kind in _TYPES else None


def _inside(
    node: Mapping[str, Any], name: str, value: Any, inside: str | None = None
) -> str | None:
    plain = _plain(name)
    if inside == "opaque":
        return inside
    if inside == "listing" and plain not in _IDENTIFYING:
        return inside
    if plain == "permissions":
        return "permissions"
    if inside == "permissions" or _names_a_label(node, plain):
        return None
    if plain in _OPAQUE:
        return "opaque"
    if plain in _SETTINGS and isinstance(value, Mapping | list | tuple):
        return "opaque" if isinstance(value, Mapping) else "listing"
    if plain == "value":
        return "opaque" if _value_is_secret(node) else None
    return "listing" if _names_a_secret(plain, value) else None


def _names_a_label(node: Mapping[str, Any], plain: str) -> bool:
    """Tell whether ``key`` here is the name of a pair {key, value}, as tags and settings have."""
    return plain in {"key", "name"} and any(_plain(other) == "value" for other in node)


def _value_is_secret(node: Mapping[str, Any]) -> bool:
    for name, label in node.items():
        plain = _plain(name)
        if plain == "keyname":
            return True
        if plain in {"name", "key"} and isinstance(label, str) and is_secret_name(label):
            return True
    return False


def is_secret_name(name: str) -> bool:
    """Tell whether a property, setting or variable of this name holds a secret. Pure."""
    return _names_a_secret(_plain(name), "")


def _names_a_secret(plain: str, value: Any) -> bool:
    plain = plain[-_NAME_END:]
    stem = _stem(plain) or plain
    if plain in _EXACT:
        return True
    if plain.startswith("keyvault") or stem.endswith(_NOT_SECRET) or plain.endswith(_NOT_SECRET):
        return False
    if stem.endswith(_ENDINGS):
        return True
    # encryptionKey: {keyVault...} is a reference to a key, and says by its own names what is secret
    return stem.endswith(_KEY_ENDINGS) and not _holds_mappings(value)


def _stem(plain: str) -> str:
    """Return a name without the words and digits that may follow what it names. Pure."""
    while True:
        shorter = plain.rstrip("0123456789")
        word = next((each for each in _TRAILING if shorter.endswith(each)), "")
        shorter = shorter.removesuffix(word)
        if shorter == plain:
            return plain
        plain = shorter


def _holds_mappings(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)


def _plain(name: str) -> str:
    end = name[-4 * _NAME_END :].lower()
    return "".join(character for character in end if character.isalnum())
