"""Distorts what what-if predicts, class by class.

A class touches only places where the prediction says that nothing changes, so that noise never
covers a true change, and no class the work of another. N22 is the exception, by its nature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from local.arm.noise import edits as bodily
from local.arm.noise.bodies import MISSING, at, drop, key, named, put
from local.arm.noise.case import Edit
from local.arm.noise.chance import some
from local.arm.noise.foresight import FORESIGHT
from local.arm.noise.prediction import Prediction
from local.arm.noise.sides import Sides, case_of, moved
from local.arm.noise.spelling import template_spelling
from local.arm.noise.stored import joined, merged
from local.arm.noise.vocabulary import unknown_members

_ENVELOPE = frozenset({"id", "name", "type", "apiversion"})
_NEW = frozenset({"N1", "N2", "N15", "N20"})
"""Classes that may show, as deleted, what is on neither side."""


def _read(prediction: Prediction, name: str) -> Prediction:
    """Let what-if see the noise that GET shows."""
    calm = sides = Sides.of(prediction)
    for edit in bodily.edits_of(case_of(prediction), name):
        if str(edit.path[0]).lower() not in _ENVELOPE and calm.calm(edit.path):
            sides = _seen(sides, edit, name)
    return sides.into(prediction)


def _seen(sides: Sides, edit: Edit, name: str) -> Sides:
    there = at(sides.before, edit.path) is not MISSING
    if name == "N18":
        return sides if there else replace(sides, after=edit.applied(sides.after))
    if there and edit.removes:
        return replace(sides, before=drop(sides.before, edit.path))
    if there or (name in _NEW and not edit.order and not edit.more):
        return replace(sides, before=edit.applied(sides.before))
    return sides


def _hidden(prediction: Prediction) -> Prediction:
    """Show some true changes as none: `after` says what is there already (N22)."""
    truth = Sides.of(prediction.truth or prediction)
    sides = Sides.of(prediction)
    places = [path for path in moved(truth.before, truth.after) if path]
    words = (prediction.resource_id.lower(), "N22", prediction.seed)
    for path in some(places, *words, name=lambda path: named(truth.before, path)):
        sides = sides.reverted(path)
    return sides.into(prediction)


def _disguised(prediction: Prediction) -> Prediction:
    """Show true changes where the template is silent as deletions, as N2 would (N23)."""
    truth = Sides.of(prediction.truth or prediction)
    sides = Sides.of(prediction)
    for path in moved(truth.before, truth.after):
        changed = at(truth.before, path) is not MISSING and at(truth.after, path) is not MISSING
        if changed and at(prediction.put, path) is MISSING:
            sides = replace(sides, after=drop(sides.after, path))
    return sides.into(prediction)


def _spelled(prediction: Prediction, name: str) -> Prediction:
    """Leave the template's own spelling in `after`."""
    sides = Sides.of(prediction)
    for path, value in template_spelling(prediction, name):
        if sides.calm(path):
            sides = replace(sides, after=put(sides.after, path, value))
    return sides.into(prediction)


def _stage(prediction: Prediction, name: str) -> Prediction:
    if name == "N22":
        return _hidden(prediction)
    if name == "N23":
        return _disguised(prediction)
    foresee = FORESIGHT.get(name)
    spelled = _spelled(prediction, name)
    return _read(foresee(spelled) if foresee else spelled, name)


def truth_of(prediction: Prediction, classes: Collection[str]) -> Prediction:
    """Return what will really be, where a class changes what the provider does. Pure.

    With N15 a PUT adds to an array: what `before` has more stays. With N16 a member that the
    provider does not know is dropped: `after` does not have it either. What has no effect is not
    listed: that is N13.
    """
    if prediction.before is None or prediction.after is None or prediction.truth is not None:
        return prediction
    sides = Sides.of(prediction)
    known, said = prediction.known, prediction.put
    words = case_of(prediction).subject.words
    for path in (
        unknown_members(prediction.type, known, said, words("N16")) if "N16" in classes else ()
    ):
        if at(sides.before, path) is MISSING:
            sides = replace(sides, after=drop(sides.after, path))
    for path in merged(known, said, words("N15")) if "N15" in classes else ():
        old, new = at(sides.before, path), at(sides.after, path)
        if isinstance(old, list) and isinstance(new, list):
            sides = replace(sides, after=put(sides.after, path, joined(old, new)))
    true = sides.into(prediction)
    moving = tuple(
        key(path)
        for path in moved(sides.before, sides.after)
        if isinstance(at(sides.before, path), list)
    )
    return replace(true, no_effect=frozenset(), truth=true, moving=moving)


def stages(prediction: Prediction, classes: Collection[str]) -> Iterator[tuple[str, Prediction]]:
    """Yield ("", the truth), then the prediction after each class that is on, in order. Pure.

    What differs between one stage and the next is the noise of that class.
    """
    prediction = truth_of(prediction, classes)
    yield "", prediction
    if prediction.before is None or prediction.after is None:
        return
    for name in sorted(classes, key=lambda name: int(name[1:])):
        prediction = _stage(prediction, name)
        yield name, prediction


def distort(prediction: Prediction, classes: Collection[str]) -> Prediction:
    """Return the prediction with the noise of these classes in it. Pure.

    What would be created or deleted as a whole stays as it is.
    """
    for _, distorted in stages(prediction, classes):
        prediction = distorted
    return prediction
