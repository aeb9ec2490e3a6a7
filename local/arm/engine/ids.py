"""Resource ids: building them from scope, type and name, and taking them apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local.arm.engine.context import Scope
from local.arm.engine.errors import ExpressionError

_GROUP_TYPE = "microsoft.resources/resourcegroups"
_GROUP_ID = re.compile(
    r"(/subscriptions/[^/]+)/providers/microsoft\.resources/resourcegroups/([^/]+)\Z", re.IGNORECASE
)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)(?:/resourcegroups/([^/]+))?", re.IGNORECASE)
_SUBSCRIPTION_ID = re.compile(r"/subscriptions/[^/]+", re.IGNORECASE)
_MANAGEMENT_GROUP = re.compile(
    r"/providers/microsoft\.management/managementgroups/([^/]+)", re.IGNORECASE
)


@dataclass(frozen=True)
class ResourceName:
    """A resource's full type and name, segment by segment."""

    type: str
    name: str


def relative_id(resource_type: str, names: Sequence[str]) -> str:
    """Return `/providers/{namespace}/{type}/{name}...`. Pure; the counts must agree."""
    namespace, *types = resource_type.split("/")
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"/providers/{namespace}{pairs}"


def resource_id(scope_id: str, resource_type: str, name: str) -> str:
    """Return the id of a resource below a scope; resource groups have their own form. Pure."""
    if resource_type.lower() == _GROUP_TYPE and scope_id.lower().startswith("/subscriptions/"):
        return f"{scope_id}/resourceGroups/{name}"
    return f"{scope_id}{relative_id(resource_type, name.split('/'))}"


def fold(text: str) -> str:
    """Return an id as a key: lower case, resource groups in their own form. Pure."""
    trimmed = text.rstrip("/")
    match = _GROUP_ID.match(trimmed)
    if match is not None:
        trimmed = f"{match[1]}/resourceGroups/{match[2]}"
    return trimmed.lower()


def segments_agree(resource_type: str, name: str) -> bool:
    """Tell whether a type has one segment more than its name has. Pure."""
    types, names = resource_type.split("/"), name.split("/")
    return len(types) == len(names) + 1 and all(types) and all(names)


def scope_of(text: str) -> Scope | None:
    """Return the scope that an id belongs to; None when it is no full id. Pure."""
    if text in ("/", ""):
        return Scope("tenant")
    if match := _SUBSCRIPTION.match(text):
        if match[2]:
            return Scope("resourceGroup", subscription_id=match[1], resource_group=match[2])
        return Scope("subscription", subscription_id=match[1])
    if match := _MANAGEMENT_GROUP.match(text):
        return Scope("managementGroup", management_group=match[1])
    return Scope("tenant") if text.lower().startswith("/providers/") else None


def take_apart(text: str) -> ResourceName | None:
    """Return the type and name after the last `/providers/` of an id. Pure."""
    head, mark, tail = text.rpartition("/providers/")
    if not mark:
        match = _SUBSCRIPTION.fullmatch(text)
        if match is None or match[2] is None:
            return None
        return ResourceName("Microsoft.Resources/resourceGroups", match[2])
    del head
    namespace, *rest = tail.split("/")
    return ResourceName("/".join((namespace, *rest[::2])), "/".join(rest[1::2]))


def id_of_short_form(scope_id: str, text: str) -> str | None:
    """Return the id of `Namespace/type/name[/type/name]`; None for any other text. Pure."""
    namespace, *rest = text.split("/")
    if "." not in namespace or not rest or len(rest) % 2:
        return None
    return f"{scope_id}/providers/{namespace}/{'/'.join(rest)}"


def typed_id(name: str, prefix: str, resource_type: str, names: Sequence[str]) -> str:
    """Return prefix + type and names, for a resource group its own form.

    Raises ExpressionError when their counts differ.
    """
    kinds = resource_type.rstrip("/").split("/")
    if len(kinds) < 2 or not all(kinds):  # noqa: PLR2004 - a namespace and one type at least
        raise ExpressionError(
            f"Unable to evaluate template language function '{name}': the type '{resource_type}' "
            "is not a fully qualified resource type. Please see "
            f"https://aka.ms/arm-functions#{name.lower()} for usage details."
        )
    if len(kinds) - 1 != len(names):
        raise ExpressionError(
            f"Unable to evaluate template language function '{name}': the type '{resource_type}' "
            f"requires '{len(kinds) - 1}' resource name argument(s). Please see "
            f"https://aka.ms/arm-functions#{name.lower()} for usage details."
        )
    if resource_type.lower() == _GROUP_TYPE and _SUBSCRIPTION_ID.fullmatch(prefix):
        return f"{prefix}/resourceGroups/{names[0]}"
    return f"{prefix}{relative_id(resource_type.rstrip('/'), names)}"
