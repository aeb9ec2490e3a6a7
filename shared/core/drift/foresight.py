"""What what-if adds to a look: what the template leads to, what it could not see, and its noise. Pure.

What it finds at a place where Azure has what it had after the release is its own noise, whatever the
class; where that is not known, only a difference that it is not known to find everywhere counts.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.core.document import canonical
from shared.core.drift import evidence as witnesses
from shared.core.drift import noise
from shared.core.drift.differences import MISSING, is_comparable
from shared.core.drift.judgement import Judged, Looked, Standard
from shared.core.drift.model import Gap, Item
from shared.core.drift.paths import EACH, Element, Place
from shared.core.drift.severity import severity
from shared.core.drift.shown import changed, shown
from shared.core.prediction import Diagnostic, Prediction, PropertyChange, ResourceChange
from shared.core.redaction import STARS, mask_text
from shared.core.scopes import fold

_HARMLESS: Final = frozenset({"info", "informational", "verbose"})
_SKIPPED: Final = ("nesteddeployment",)
_BRACKETS = re.compile(
    r"\['(?P<member>(?:[^'\\]|\\.)*)'\]|\[\w+='(?:[^'\\]|\\.)*'\]|\[[^\]]*\]", re.DOTALL
)
"""An item's path writes members that are no words, and elements, in brackets (``paths.text``)."""

_REFER: Final = (
    "Look at the template there; what is deployed by it is compared with the snapshot only."
)


@dataclass(frozen=True)
class Foreseen:
    """What a what-if says: bodies that the template leads to by id (folded), and what it cannot say."""

    wanted: Mapping[str, Any]
    gaps: tuple[Gap, ...]


def read(prediction: Prediction, redacted: Callable[[Any], Any]) -> Foreseen:
    """Return what is kept of a what-if; ``redacted`` takes the secrets out of a body."""
    told = [
        change
        for change in prediction.changes
        if change.after is not None and change.kind in {"modify", "no_change", "create"}
    ]
    wanted = {
        fold(change.resource_id): redacted(change.after)
        for change in told
        if is_comparable(change.after)
    }
    gaps = [_unsupported(each) for each in prediction.changes if each.kind == "unsupported"]
    gaps += [_unsupported(each) for each in told if fold(each.resource_id) not in wanted]
    gaps += [_remark(each) for each in prediction.diagnostics if _hides_something(each)]
    if prediction.error is not None:
        gaps.append(_failed(prediction.error))
    return Foreseen(wanted, tuple(dict.fromkeys(gaps)))


def without_secrets(
    changes: Iterable[ResourceChange], redacted: Callable[[Any], Any]
) -> tuple[ResourceChange, ...]:
    """Return changes whose differences show stars in the place of secrets.

    A difference alone does not tell what a value is; the bodies that it was made from do.
    """
    return tuple(replace(change, delta=_starred(change, redacted)) for change in changes)


def _starred(change: ResourceChange, redacted: Callable[[Any], Any]) -> tuple[PropertyChange, ...]:
    bodies = [body for body in (change.before, change.after) if body is not None]
    if not all(map(is_comparable, bodies)):
        return ()  # such a body is a gap
    secrets = {one for body in bodies for one in _secrets(body, redacted(body))}
    return tuple(_hidden(each, secrets, redacted) for each in change.delta)


def _secrets(body: Any, kept: Any) -> Iterable[bytes]:
    """Yield each value in whose place something else is kept."""
    if isinstance(body, Mapping) and isinstance(kept, Mapping):
        for name, value in body.items():
            yield from _secrets(value, kept[name])
    elif isinstance(body, list | tuple) and isinstance(kept, list | tuple):
        for value, other in zip(body, kept, strict=True):
            yield from _secrets(value, other)
    elif body != kept:
        yield canonical(body)


def _hidden(
    change: PropertyChange, secrets: Collection[bytes], redacted: Callable[[Any], Any]
) -> PropertyChange:
    name = change.path.rpartition(".")[2]
    before, after = (
        _without(redacted({name: value})[name], secrets) if is_comparable(value) else STARS
        for value in (change.before, change.after)
    )
    children = tuple(_hidden(each, secrets, redacted) for each in change.children)
    return replace(change, before=before, after=after, children=children)


def _without(value: Any, secrets: Collection[bytes]) -> Any:
    if isinstance(value, Mapping):
        return {name: _without(each, secrets) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, secrets) for each in value]
    return STARS if canonical(value) in secrets else value


def _unsupported(change: ResourceChange) -> Gap:
    return Gap(
        code="WhatIfUnsupported",
        message=change.reason or "What-if cannot tell what would become of this resource.",
        resource=change.resource_id,
        hint=_REFER,
    )


def _hides_something(diagnostic: Diagnostic) -> bool:
    code = diagnostic.code.lower()
    return code.startswith(_SKIPPED) or diagnostic.level.lower() not in _HARMLESS


def _remark(diagnostic: Diagnostic) -> Gap:
    return Gap(
        code="WhatIfPartial",
        message=mask_text(f"{diagnostic.code}: {diagnostic.message}"),
        resource=diagnostic.target,
        hint=_REFER,
    )


def _failed(error: Mapping[str, Any]) -> Gap:
    return Gap(
        code="WhatIfFailed",
        message=mask_text(
            f"{error.get('code', 'Error')}: {error.get('message', 'ARM does not say why.')}"
        ),
        hint="Resources were compared with the snapshot only; what-if is tried again within the hour.",
    )


def judge(
    prediction: Prediction, looks: Iterable[Looked], found: Iterable[Item], by: Standard
) -> Judged:
    """Return what-if's noise, as rules, and what it finds on resources that have no other measure.

    ``found`` are the items that the comparison with the snapshot has found.
    """
    by_id = {fold(looked.owned.id): looked for looked in looks}
    drifted: dict[str, list[str]] = {}
    for item in found:
        drifted.setdefault(fold(item.resource), []).append(_folded(item.path))
    learned, items = [], []
    for change in prediction.changes:
        looked = by_id.get(fold(change.resource_id))
        if looked is None or looked.now is None or looked.now is MISSING:
            continue  # what was not read is not known to be as it was
        known = looked.is_measured
        if change.kind == "create" and known:
            shape = noise.found(looked.owned.type, "", "create", by.at)
            learned.append((looked.owned.id, shape))
        for path, shape_name, leaf in noise.leaves(change.delta):
            if _overlaps(path, drifted.get(fold(change.resource_id), ())):
                continue
            if known or looked.evidence.touch == "untouched":
                finding = noise.found(looked.owned.type, path, shape_name, by.at)
                learned.append((looked.owned.id, finding))
            elif not noise.is_known(by.rules, looked.owned.type, path, shape_name):
                items += _unmeasured(looked, path, leaf, by)
    return Judged(items=tuple(items), learned=tuple(learned))


def _unmeasured(looked: Looked, path: str, leaf: PropertyChange, by: Standard) -> list[Item]:
    """Return the item of a difference on a resource whose snapshot is lost."""
    place = _place(path)
    if noise.is_ignored(by.ignores, looked.owned.type, place, leaf.before):
        return []
    return [
        Item(
            kind="modified",
            resource=looked.owned.id,
            type=looked.owned.type,
            path=path,
            managed=leaf.kind != "delete",
            wanted=shown(MISSING if leaf.kind == "delete" else leaf.after),
            released="(unknown)",
            now=changed(MISSING, MISSING if leaf.kind == "create" else leaf.before),
            severity=severity("modified", looked.owned.type, place),
            first_seen=by.at,
            who=witnesses.changer(looked.owned.id, looked.evidence.writes),
        )
    ]


def _place(path: str) -> Place:
    """Return the place that a path of ``noise.leaves`` stands for; its elements have no names."""
    steps = path.replace(EACH, f".{EACH}").split(".")
    return tuple(Element("", "") if step == EACH else step for step in steps if step)


def _folded(path: str) -> str:
    """Return an item's path as what-if writes it: elements are all alike, and nothing is quoted."""
    return fold(_BRACKETS.sub(_unquoted, path)).lstrip(".")


def _unquoted(match: re.Match[str]) -> str:
    if match["member"] is None:
        return EACH
    return "." + re.sub(r"\\(.)", r"\1", match["member"], flags=re.DOTALL)


def _overlaps(path: str, others: Iterable[str]) -> bool:
    mine = fold(path)
    return any(_is_in(mine, other) or _is_in(other, mine) for other in others)


def _is_in(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))
