"""What POST {resource}/{action} answers and does: secrets that GET does not show, and commands.

An action in the knowledge files is the body of its answer, words and all; null is no content. An
object with one of these members is more than that:

- ``$status``: the HTTP status, 200 without it; ``$body``: the body
- ``$rotates``: ``{"by": "keyName", "names": {"key1": "1"}}``: the request's `keyName` says which
  ``{key:1}`` is made anew; without `by` all of `names` are
- ``$answer``: the action whose answer this one gives
- ``$set``: paths and values that the resource has from now on
"""

from __future__ import annotations

from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knowledge.words import fill
from local.arm.providers import model
from local.arm.state.records import Resource

_COMMAND = frozenset({"$status", "$body", "$rotates", "$answer", "$set"})


def act(cloud: Cloud, record: Resource, verb: str) -> Any:
    """Return the answer and change nothing; the same resource always has the same keys.

    Raises `ArmError`.
    """
    return _answer(cloud, record, verb, _find(cloud, record, verb))


def perform(
    cloud: Cloud, record: Resource, verb: str, asked: dict[str, Any]
) -> tuple[int, Any, bool]:
    """Do what the action does; return status, body, and whether `record.own` was changed.

    Who calls stores the record. Raises `ArmError`.
    """
    spec = _find(cloud, record, verb)
    if not _is_command(spec):
        return 200, _answer(cloud, record, verb, spec), False
    changed = False
    own = {"rotations": {}, "set": {}, **(record.own or {})}
    if "$rotates" in spec:
        _rotate(own["rotations"], spec["$rotates"], asked)
        changed = True
    if "$set" in spec:
        own["set"].update(spec["$set"])
        changed = True
    if changed:
        record.own = own
    if "$answer" in spec:
        return 200, act(cloud, record, spec["$answer"]), changed
    return spec.get("$status", 200), _answer(cloud, record, verb, spec.get("$body")), changed


def _is_command(spec: Any) -> bool:
    return isinstance(spec, dict) and not _COMMAND.isdisjoint(spec)


def _rotate(rotations: dict[str, int], spec: dict[str, Any], asked: dict[str, Any]) -> None:
    names = {name.lower(): key for name, key in spec["names"].items()}
    if "by" in spec:
        wanted = model.find(asked, spec["by"])
        if not isinstance(wanted, str) or wanted.lower() not in names:
            raise errors.invalid_content(
                f"'{spec['by']}' must be one of {', '.join(spec['names'])}, not '{wanted}'"
            )
        names = {wanted.lower(): names[wanted.lower()]}
    for key in names.values():
        rotations[key] = rotations.get(key, 0) + 1


_NOTHING = object()


def _find(cloud: Cloud, record: Resource, verb: str) -> Any:
    known = cloud.knowledge.type(record.type)
    for name, spec in known.actions.items():
        if name.lower() == verb.lower():
            return spec
    if verb.lower().startswith("list"):
        return _NOTHING
    raise ArmError(
        404,
        "InvalidResourceType",
        f"The action '{verb}' is not known for the resource type '{record.type}'.",
        gateway=False,
    )


def _answer(cloud: Cloud, record: Resource, verb: str, spec: Any) -> Any:
    case = model.case_of(record, cloud.identity.tenant)
    facts = model.facts(case, record.got)
    if _is_command(spec):
        spec = spec.get("$body")
    if spec is not _NOTHING:
        return fill(spec, facts)
    if verb.lower() == "list":
        properties = model.find(record.put, "properties") or {}
        shown = {key: record.got[key] for key in ("id", "name", "type")}
        return {**shown, "properties": properties}
    if verb.lower() == "listkeys":
        return fill({"primaryKey": "{key:1}", "secondaryKey": "{key:2}"}, facts)
    return {"value": []}
