"""Other spellings of one value: as providers rewrite, recase, retype and age it.

Each function returns `MISSING` where a value has no such spelling. All are pure.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from local.arm.clock import guid_for
from local.arm.knowledge import regions
from local.arm.noise.bodies import MISSING

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?)(Z?)")
_IP = re.compile(r"(\d{1,3}(?:\.\d{1,3}){2})\.(\d{1,3})")
_HOST = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/32)?")
_HOURS = re.compile(r"PT(\d{1,4})H")
_MINUTES = re.compile(r"PT(\d{1,4})M")
_DAYS = re.compile(r"P(\d{1,4})D")
_VERSION = re.compile(r"v?\d{1,4}(\.\d{1,4})+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,39}")
_ETAG = re.compile(r'(?:W/)?"[^"]*"')
_TRUTH = {"true": True, "false": False}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def recased(value: Any) -> Any:
    """Return a text in another case: West US for westus, an id with another resourceGroups."""
    if not isinstance(value, str):
        return MISSING
    if value.lower().startswith("/subscriptions/"):
        head, providers, tail = value.partition("/providers/")
        namespace, _, rest = tail.partition("/")
        lower = head.replace("/resourceGroups/", "/resourcegroups/")
        other = f"{lower}{providers}{namespace.lower()}/{rest}" if providers else lower
    elif _GUID.fullmatch(value):
        other = value.upper()
    elif regions.display(value) != value:
        other = regions.display(value)
    elif regions.normal(value) != value and regions.display(regions.normal(value)) == value:
        other = regions.normal(value)
    elif _WORD.fullmatch(value):
        other = value.lower() if value != value.lower() else value[:1].upper() + value[1:]
    else:
        return MISSING
    return other if other != value else MISSING


def retyped(value: Any) -> Any:
    """Return a number or truth as text, or the other way round."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return str(value)
    if isinstance(value, str):
        if re.fullmatch(r"-?\d{1,15}", value):
            return int(value)
        return _TRUTH.get(value.lower(), MISSING)
    return MISSING


def rewritten(value: Any) -> Any:
    """Return what a provider would have made of a value that means the same, or as good as."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 << value.bit_length() if 0 < value < 1 << 40 else 128 if value == 0 else MISSING
    if not isinstance(value, str):
        return MISSING
    if value.startswith(("https://", "http://")) and "?" not in value:
        return value.rstrip("/") if value.endswith("/") else f"{value}/"
    if _HOST.fullmatch(value):
        return value.removesuffix("/32") if value.endswith("/32") else f"{value}/32"
    if _VERSION.fullmatch(value):
        return f"{value}.0"
    return _rewritten_duration(value)


def _rewritten_duration(value: str) -> Any:
    if hours := _HOURS.fullmatch(value):
        return f"PT{int(hours[1]) * 60}M"
    if days := _DAYS.fullmatch(value):
        return f"PT{int(days[1]) * 24}H"
    if minutes := _MINUTES.fullmatch(value):
        return f"PT{int(minutes[1]) * 60}S"
    return MISSING


def aged(value: Any, tick: int) -> Any:
    """Return a value as the next look finds it: another one for every `tick`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value + 1 + tick
    if isinstance(value, dict | list):
        return _aged_inside(value, tick)
    if not isinstance(value, str):
        return MISSING
    if moment := _TIME.fullmatch(value):
        later = datetime.fromisoformat(moment[1]) + timedelta(seconds=1 + tick)
        return f"{later.isoformat()}{moment[2]}{moment[3]}"
    if _GUID.fullmatch(value):
        return guid_for(value, str(tick))
    if _ETAG.fullmatch(value):
        return f'W/"{guid_for(value, str(tick))}"'
    if _IP.search(value):
        return _IP.sub(lambda ip: f"{ip[1]}.{(int(ip[2]) + tick) % 253 + 1}", value)
    return MISSING


def _aged_inside(value: dict[str, Any] | list[Any], tick: int) -> Any:
    places = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    older = {place: aged(item, tick) for place, item in places}
    if all(item is MISSING for item in older.values()):
        return MISSING
    kept = {place: item if older[place] is MISSING else older[place] for place, item in places}
    return kept if isinstance(value, dict) else list(kept.values())
