"""What the Activity Log shows of the body of a request: nothing secret, and nothing long."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_SECRET = re.compile(
    r"(?i)password|secret|token|credential|connectionstring|(access|account|shared|private|primary"
    r"|secondary|master|admin|api|encryption)key$|^key\d?$|^value$|passphrase|sas"
)
_SECRET_TEXT = re.compile(r"(?i)(key|password|pwd|secret|signature|sig)=|-----BEGIN")
_MASK = "*******"
# Deployments are shown by themselves; the others consist of secrets under names of all kinds.
_TELLS_TOO_MUCH = (
    "microsoft.resources/deployment",
    "microsoft.keyvault/vaults/s",
    "microsoft.web/sites/config",
    "microsoft.web/sites/slots/config",
)
_BODY_LIMIT_BYTES = 4096


def shown_body(action: str, content: bytes) -> str:
    """Return what was asked for, without secrets; "" where that cannot be told. Pure."""
    if not content or len(content) > _BODY_LIMIT_BYTES:
        return ""
    if action.lower().startswith(_TELLS_TOO_MUCH):
        return ""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return msgspec.json.encode(_masked(body)).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _MASK if _SECRET.search(key) and not isinstance(one, dict) else _masked(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_masked(one) for one in value]
    return _MASK if isinstance(value, str) and _SECRET_TEXT.search(value) else value
