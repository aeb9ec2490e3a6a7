"""How providers rewrite what they are given: the normalisers that the files name.

===================  ===================================================================
how                  what becomes of the value (others, of another kind, stay as they are)
===================  ===================================================================
lower, upper         the case of a text
location             westeurope;  displayLocation  West Europe
integer              "60" -> 60;  number  "1.5" -> 1.5;  string  60 -> "60"
boolean              "true" -> true
map                  `values` maps it, in any case; what is not there stays
casing               the spelling in `among` that matches in any case
sort                 an array in the order of the member `by` (or of its values)
unique               an array without repetitions, in any case
cidr                 10.1.2.3/16 -> 10.1.0.0/16, 10.0.0.4/32 -> 10.0.0.4
duration             PT60M -> PT1H
roleDefinition       the role's id below the subscription
canonicalId          a resource id in ARM's own spelling
kindOrder            "linux,app" -> "app,linux"
absent               the member goes if its value is one of `among`
slash                https://a.b -> https://a.b/
===================  ===================================================================
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from local.arm import ids
from local.arm.knowledge import regions
from local.arm.knowledge.schema import Normaliser
from local.arm.knowledge.words import Facts

GONE = object()
"""What a normaliser returns when the member is to go."""

Change = Callable[[Any, Facts], Any]
Spell = Callable[[str], str]

_KINDS = ("api", "functionapp", "app", "workflowapp", "linux", "container", "kubernetes")
_DURATION = re.compile(
    r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?", re.IGNORECASE
)


def _integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value):
        return int(value)
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _string(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if _is_text(value) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _cidr(value: Any) -> Any:
    if not isinstance(value, str) or "/" not in value:
        return value
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return value
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if single else str(network)


def _duration(value: Any) -> Any:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or value.upper().endswith(("P", "T")):
        return value
    sign, days, hours, minutes, seconds, fraction = found.groups()
    left = int(days or 0) * 86400 + int(hours or 0) * 3600
    left += int(minutes or 0) * 60 + int(seconds or 0)
    fraction = (fraction or "").rstrip("0")
    whole_days, left = divmod(left, 86400)
    parts = ((left // 3600, "H"), (left % 3600 // 60, "M"))
    time = "".join(f"{amount}{unit}" for amount, unit in parts if amount)
    if left % 60 or fraction:
        time += f"{left % 60}{'.' + fraction if fraction else ''}S"
    if not whole_days and not time:
        return "PT0S"
    return f"{sign}P{f'{whole_days}D' if whole_days else ''}{'T' + time if time else ''}"


def _kind_order(value: Any) -> Any:
    if not isinstance(value, str) or "," not in value:
        return value
    words = [word.strip() for word in value.split(",") if word.strip()]
    rank = {word: at for at, word in enumerate(_KINDS)}
    return ",".join(sorted(words, key=lambda word: rank.get(word.lower(), len(rank))))


def _slash(value: Any) -> Any:
    return f"{value.rstrip('/')}/" if isinstance(value, str) and value else value


def _role_definition(value: Any, facts: Facts) -> Any:
    if not isinstance(value, str) or not value:
        return value
    name = value.rstrip("/").rpartition("/")[2]
    subscription = facts.rid.subscription
    if value.lower().startswith("/subscriptions/") and not subscription:
        return value
    head = f"/subscriptions/{subscription}" if subscription else ""
    return f"{head}/providers/Microsoft.Authorization/roleDefinitions/{name}"


def _text(change: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "lower": _text(str.lower),
    "upper": _text(str.upper),
    "location": _text(regions.normal),
    "displayLocation": _text(regions.display),
    "integer": _integer,
    "number": _number,
    "string": _string,
    "boolean": _boolean,
    "cidr": _cidr,
    "duration": _duration,
    "kindOrder": _kind_order,
    "slash": _slash,
}


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value).lower()


def _sorting(rule: Normaliser) -> Change:
    wanted = (rule.by or "").lower()

    def member(item: Any) -> Any:
        if not isinstance(item, dict):
            return _rank(item)
        return _rank(next((item[key] for key in item if key.lower() == wanted), ""))

    return lambda value, _: sorted(value, key=member) if isinstance(value, list) else value


def _unique(value: Any, _: Facts) -> Any:
    if not isinstance(value, list):
        return value
    kept: dict[str, Any] = {}
    for item in value:
        kept.setdefault(str(item).lower(), item)
    return list(kept.values())


def _mapping(table: dict[str, Any]) -> Change:
    lower = {key.lower(): value for key, value in table.items()}
    return lambda value, _: lower.get(value.lower(), value) if isinstance(value, str) else value


def _absent(rule: Normaliser) -> Change:
    def among(value: Any) -> bool:
        return any(type(one) is type(value) and one == value for one in rule.among)

    return lambda value, _: GONE if among(value) else value


def _canonical(spell: Spell) -> Change:
    def change(value: Any, _: Facts) -> Any:
        if not isinstance(value, str) or not value.startswith("/"):
            return value
        return canonical_id(value, spell)

    return change


def canonical_id(value: str, spell: Spell) -> str:
    """Return a resource id in ARM's own spelling; what is no id stays. Pure."""
    rid = ids.parse(value)
    if rid is None:
        pair = ids.group_of(value)
        return ids.group_id(*pair) if pair and value.count("/") == len("////") else value
    scope = canonical_id(rid.scope, spell) if rid.scope else ""
    namespace, *types = spell(rid.type).split("/")
    return ids.ResourceId(scope, namespace, tuple(types), rid.names).id


def normaliser(rule: Normaliser, spell: Spell) -> Change:
    """Return what a rule does to a value. Raises ValueError for an unknown `how`."""
    plain = _PLAIN.get(rule.how)
    if plain is not None:
        return lambda value, _: plain(value)
    known: dict[str, Callable[[], Change]] = {
        "map": lambda: _mapping(rule.values),
        "casing": lambda: _mapping({str(one): one for one in rule.among}),
        "sort": lambda: _sorting(rule),
        "unique": lambda: _unique,
        "absent": lambda: _absent(rule),
        "roleDefinition": lambda: _role_definition,
        "canonicalId": lambda: _canonical(spell),
    }
    if rule.how not in known:
        ways = ", ".join(sorted([*_PLAIN, *known]))
        raise ValueError(f"'{rule.how}' is not a way to normalise; there are {ways}")
    return known[rule.how]()
