"""What the line of a run says beside the score, and what a plain what-if is taken to say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.drift import plain, report
from bench.drift.installation import files
from bench.drift.model import Edit, Estate, Label, Stack
from bench.drift.scoring import Item, Score
from shared.core.source.manifest import parse_manifest

S = "/subscriptions/s"
THING = "{subscription}/resourceGroups/g/providers/N.P/things/a"
ESTATE = Estate(
    stacks=[Stack(name="one", group="g", template={"resources": []})],
    edits=[Edit(id="e", resource=THING, delete=True, by="eve")],
    labels=[Label(edit="e", stack="one", resource=THING, kind="deleted")],
)


def test_what_is_pushed_is_a_manifest_with_every_stack() -> None:
    """With its template, in its group, and with nothing to approve."""
    found = files(ESTATE, S)
    manifest = parse_manifest(found["plumbline.yaml"].encode(), "plumbline.yaml")

    assert manifest.problems == ()
    assert list(manifest.stacks) == ["one"]
    assert manifest.stacks["one"].policy.adopt == "take"
    assert set(found) == {"plumbline.yaml", "stacks/one.json"}


def document(caller: str | None) -> dict[str, Any]:
    """Return what is known of a stack with one item."""
    item = {"kind": "deleted", "resource": THING.replace("{subscription}", S).upper()}
    return {"items": [{**item, "who": {"caller": caller}} if caller else item]}


@pytest.mark.parametrize(
    ("caller", "told"), [("eve", "right"), ("plumbline", "wrong"), (None, "unknown")]
)
def test_who_did_it_is_counted(caller: str | None, told: str) -> None:
    """Right is only who really did it; nobody is better than somebody else."""
    found = report.attributed(ESTATE, {"one": document(caller)}, S)

    assert found == {"right": 0, "wrong": 0, "unknown": 0} | {told: 1}


def test_only_stacks_with_something_wrong_are_in_the_report() -> None:
    """With what the product knows of them, and what was done to them."""
    good = Score(found=tuple(ESTATE.labels), missed=(), hidden=(), false=())
    bad = Score(found=(), missed=tuple(ESTATE.labels), hidden=(), false=())

    assert report.wrong({"one": document(None)}, good, ESTATE) == {}
    assert list(report.wrong({"one": document(None)}, bad, ESTATE)) == ["one"]


def change(kind: str, *delta: dict[str, Any]) -> dict[str, Any]:
    """Return a change of what-if."""
    return {"resourceId": "r", "changeType": kind, "delta": list(delta)}


@pytest.mark.parametrize(
    ("change", "items", "ignored", "incomplete"),
    [
        (change("Create"), (Item("deleted", "r"),), (), False),
        (change("Ignore"), (), ("r",), False),
        (change("NoChange"), (), (), False),
        (change("Unsupported"), (), (), True),
        (
            change(
                "Modify",
                {"path": "a.b", "propertyChangeType": "Delete"},
                {"path": "c", "propertyChangeType": "NoEffect"},
                {
                    "path": "d",
                    "propertyChangeType": "Array",
                    "children": [
                        {
                            "path": "0",
                            "propertyChangeType": "Modify",
                            "children": [{"path": "e", "propertyChangeType": "Modify"}],
                        }
                    ],
                },
            ),
            (Item("modified", "r", "a.b"), Item("modified", "r", "d.0.e")),
            (),
            False,
        ),
    ],
)
def test_what_a_plain_what_if_says(
    change: dict[str, Any], items: tuple[Item, ...], ignored: tuple[str, ...], *, incomplete: bool
) -> None:
    """Modify and Create are alarms; Ignore, NoChange and NoEffect are none."""
    result = SimpleNamespace(status="Succeeded", properties={"changes": [change]})

    assert plain.told(result) == plain.Told(items, ignored, incomplete=incomplete)


def test_a_what_if_that_failed_says_nothing_and_is_incomplete() -> None:
    """It is never taken for a clean one."""
    assert plain.told(SimpleNamespace(status="Failed")) == plain.Told((), (), incomplete=True)
