"""Texts that hold a secret, by its form alone: tokens, keys, connection strings, signed addresses.

Each form keeps what comes before the group ``secret``; the group is the secret itself. Texts are
other people's and may be megabytes long: no form may take more than linear time. So a form either
starts at something that ends the one before it, or looks ahead a bounded number of characters, and
what must not be tried again is possessive.
"""

import re
from typing import Final

from shared.core.redaction.names import is_secret_name

STARS: Final = "***"

_STARRED = re.compile(r"\*+")
_SETTING = (
    r"(?i)\b(?:account ?key|shared ?access ?key|shared ?secret ?value|shared ?access ?signature"
    r"|password|pwd|primary ?key|secondary ?key|access ?key|api ?key|client ?secret"
    r"|instrumentation ?key)\s*+=\s*+(?P<secret>[^\s;&'\"][^;&'\"\r\n]*+)"
)
_QUERY = (
    r"(?i)[?&](?:sig|signature|code|token|access_token|api[-_]?key|subscription-key|secret)="
    r"(?P<secret>[^&\s'\"#]++)"
)
_PEM = (
    r"(?P<secret>-----BEGIN (?!PUBLIC KEY|CERTIFICATE|RSA PUBLIC KEY)[A-Z0-9 ]++-----"
    r"[^-]*+(?:-(?!----END)[^-]*+)*+(?:-----END [A-Z0-9 ]++-----)?)"
)
_BEARER = r"(?i)\b(?:bearer|basic)\s++(?P<secret>(?=[^\s\d=]*+[\d=])[A-Za-z0-9+/._~=-]{12,}+)"
# From the start of a run of its characters to the first header in it: of a run that holds many
# beginnings of tokens only the first is tried, and the others are part of that one.
_JWT = (
    r"(?<![\w-])(?:(?!(?<![A-Za-z0-9])eyJ)[\w-])*+"
    r"(?P<secret>eyJ[\w-]{6,}+\.[\w-]{4,}+\.[\w-]*+)"
)
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        _SETTING,  # one part of a connection string: AccountKey=...;  Password=...;
        _QUERY,  # a signature or a key in a URL
        r"(?i)\bsig=(?P<secret>[^&\s'\";#]++)",
        r"://[^/\s:@'\"]{0,256}+:(?P<secret>[^/\s@'\"]{1,2048}+)@",  # credentials in a URL
        _PEM,
        _BEARER,
        _JWT,
        r"(?P<secret>(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{86}==)",  # 64 bytes: a storage account's key
        r"(?P<secret>\b[\w~.-]{3}\dQ~[\w~.-]{31,34})",  # a client secret of Microsoft Entra
        r"(?P<secret>\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{10,}+)",
    )
)
# A member of JSON text inside a text, quotes escaped or not; its name decides.
_MEMBER = re.compile(
    r"\"(?P<name>[\w. -]{1,80}+)\\{0,8}\"\s{0,8}:\s{0,8}\\{0,8}\"(?P<secret>[^\"\\]++)"
)


def holds_secret(text: str) -> bool:
    """Tell whether a part of a text has the form of a secret. Pure, linear."""
    return any(_is_secret(match) for form in (*_FORMS, _MEMBER) for match in form.finditer(text))


def is_starred(text: str) -> bool:
    """Tell whether a text is nothing but stars. Pure."""
    return _STARRED.fullmatch(text) is not None


def mask_text(text: str) -> str:
    """Return ``text`` with stars in place of anything that has the form of a secret. Pure."""
    for form in _FORMS:
        text = form.sub(_starred, text)
    return _MEMBER.sub(_starred, text)


def _starred(match: re.Match[str]) -> str:
    if not _is_secret(match):
        return match.group(0)
    start, end = match.span("secret")
    offset = match.start()
    whole = match.group(0)
    return whole[: start - offset] + STARS + whole[end - offset :]


def _is_secret(match: re.Match[str]) -> bool:
    if match.re is _MEMBER and not is_secret_name(match["name"]):
        return False
    return not is_starred(match["secret"])
