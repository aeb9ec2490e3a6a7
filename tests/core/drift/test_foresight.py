"""What-if's part: what it wants, what it hides, its noise, and the measure where there is no other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift import foresight, noise, paths
from shared.core.drift.differences import MISSING
from shared.core.drift.evidence import Evidence
from shared.core.drift.foresight import read
from shared.core.drift.judgement import Judged
from shared.core.drift.model import Item
from shared.core.drift.paths import Element
from shared.core.policy import Ignore
from shared.core.prediction import Diagnostic, Prediction, PropertyChange, ResourceChange
from tests.core.drift.cases import (
    NOW,
    STORE,
    STORE_TYPE,
    UNSURE,
    UNTOUCHED,
    item,
    look,
    standard,
    touched,
)

BODY = {"properties": {"a": 1}}
CHANGE = PropertyChange("properties.a", "modify", before=2, after=1)
RULE = PropertyChange(
    "properties.rules",
    "array",
    children=(PropertyChange("3", "modify", children=(PropertyChange("port", "modify", 2, 1),)),),
)


def same(body: Any) -> Any:
    """Return a body that holds no secret."""
    return body


def predicted(*delta: PropertyChange, kind: Any = "modify") -> Prediction:
    """Return a what-if that would change the store."""
    return Prediction(changes=(ResourceChange(STORE.upper(), kind, BODY, BODY, delta),))


def judged(
    prediction: Prediction,
    released: Any = MISSING,
    proof: Evidence | None = None,
    found: tuple[Item, ...] = (),
    **more: Any,
) -> Judged:
    """Return what a what-if comes to of a store whose body has not been kept."""
    looked = look(released, more.pop("now", BODY), touched() if proof is None else proof)
    return foresight.judge(prediction, [looked], found, standard(**more))


@pytest.mark.parametrize(
    ("kind", "is_wanted"),
    [
        ("modify", True),
        ("no_change", True),
        ("create", True),
        ("ignore", False),
        ("delete", False),
        ("deploy", False),
        ("unsupported", False),
        ("unknown", False),
    ],
)
def test_what_the_template_leads_to(kind: Any, *, is_wanted: bool) -> None:
    """Of what would be deployed; bodies are kept without their secrets."""
    found = read(predicted(kind=kind), lambda body: {"redacted": body})

    assert found.wanted == ({STORE.lower(): {"redacted": BODY}} if is_wanted else {})
    assert len(found.gaps) == (kind == "unsupported")


@pytest.mark.parametrize(
    ("level", "code", "is_hiding"),
    [
        ("Info", "Anything", False),
        ("informational", "Anything", False),
        ("Warning", "Anything", True),
        ("Error", "Anything", True),
        ("New level", "Anything", True),
        ("Info", "NestedDeploymentShortCircuited", True),
        ("Verbose", "NESTEDDEPLOYMENTSKIPPED", True),
    ],
)
def test_what_did_not_look_everywhere_is_never_clean(
    level: str, code: str, *, is_hiding: bool
) -> None:
    """What-if that says so, in words of today or of tomorrow, leaves a gap."""
    found = read(Prediction(diagnostics=(Diagnostic(level, code, "m", STORE),) * 2), same)

    assert [(gap.code, gap.resource) for gap in found.gaps] == (
        [("WhatIfPartial", STORE)] if is_hiding else []
    )


@pytest.mark.parametrize("error", [{}, {"code": "X", "message": "y"}])
def test_a_what_if_that_failed_is_a_gap(error: dict[str, str]) -> None:
    """Whatever ARM says of it, or does not say."""
    (gap,) = read(Prediction(error=error), same).gaps

    assert gap.code == "WhatIfFailed"


def test_an_odd_body_of_a_what_if_is_a_gap() -> None:
    """One that nothing can be compared with is not kept, and not passed over."""
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    change = ResourceChange(STORE, "modify", None, {"properties": deep})
    found = read(Prediction(changes=(change,)), same)

    assert found.wanted == {}
    assert [gap.code for gap in found.gaps] == ["WhatIfUnsupported"]


@pytest.mark.parametrize(
    ("released", "proof"), [(BODY, touched()), (BODY, UNTOUCHED), (MISSING, UNTOUCHED)]
)
def test_what_it_finds_where_nothing_differs_is_its_noise(released: Any, proof: Evidence) -> None:
    """A rule for the manifest, no drift: where the snapshot, or nobody's touch, says so."""
    found = judged(predicted(CHANGE, RULE), released, proof)

    assert found.items == ()
    assert [(rule.path, rule.shape) for _, rule in found.learned] == [
        ("properties.a", "modify"),
        ("properties.rules[*].port", "modify"),
    ]


@pytest.mark.parametrize("path", ["properties.a", "properties", "properties.a.deeper"])
def test_what_really_differs_is_not_learned_as_noise(path: str) -> None:
    """At, above and below an item what-if is right."""
    assert judged(predicted(CHANGE), BODY, found=(item(path),)) == Judged()


def test_a_place_beside_an_item_is_learned() -> None:
    """Names that begin alike are two places; another resource's item is none of this one's."""
    others = (item("properties.ab"), item("properties.a", resource=f"{STORE}2"))

    assert len(judged(predicted(CHANGE), BODY, found=others).learned) == 1


@pytest.mark.parametrize("now", [None, MISSING])
def test_nothing_is_learned_of_what_was_not_read(now: Any) -> None:
    """What is gone, or hidden from us, is not known to be as it was."""
    assert judged(predicted(CHANGE), BODY, now=now) == Judged()


@pytest.mark.parametrize("proof", [touched(), UNSURE])
def test_without_a_snapshot_what_if_is_the_measure(proof: Evidence) -> None:
    """A difference that it does not find everywhere counts; released is told as unknown."""
    (found,) = judged(predicted(CHANGE), proof=proof).items

    assert (found.path, found.wanted, found.released, found.now) == (
        "properties.a",
        1,
        "(unknown)",
        2,
    )
    assert found.managed


def test_what_it_finds_everywhere_is_no_drift_of_one() -> None:
    """Known noise of the type is none of this resource's drift; of another shape it is."""
    known = noise.by_key([noise.found(STORE_TYPE, "properties.a", "modify", NOW)])
    other = noise.by_key([noise.found(STORE_TYPE, "properties.a", "delete", NOW)])

    assert judged(predicted(CHANGE), rules=known) == Judged()
    assert len(judged(predicted(CHANGE), rules=other).items) == 1


@pytest.mark.parametrize(
    ("path", "change", "is_ignored"),
    [
        ("properties.a", CHANGE, True),
        ("properties.b", CHANGE, False),
        ("properties.rules[*].port", RULE, True),
        ("properties.rules", RULE, True),
        ("properties.rules.port", RULE, False),
    ],
)
def test_the_manifest_is_heeded_there_too(
    path: str, change: PropertyChange, *, is_ignored: bool
) -> None:
    """Also inside arrays, whose elements what-if only counts."""
    ignores = [Ignore(type=STORE_TYPE, path=path)]

    assert len(judged(predicted(change), ignores=ignores).items) == (not is_ignored)


@pytest.mark.parametrize(
    ("kind", "wanted", "now"),
    [("delete", "(absent)", 2), ("create", 1, "(absent)"), ("modify", 1, 2)],
)
def test_sides_that_are_not_there(kind: Any, wanted: Any, now: Any) -> None:
    """What would be taken away is wanted absent and unmanaged, what would be made is absent now."""
    (found,) = judged(predicted(PropertyChange("properties.a", kind, 2, 1))).items

    assert (found.wanted, found.now, found.managed) == (wanted, now, kind != "delete")


def test_a_resource_of_another_stack_is_none_of_ours() -> None:
    """What-if names what is in no inventory; and what it would create again teaches its noise."""
    other = Prediction(changes=(ResourceChange(f"{STORE}2", "modify", delta=(CHANGE,)),))
    again = judged(predicted(kind="create"), BODY)

    assert judged(other) == Judged()
    assert [(rule.path, rule.shape) for _, rule in again.learned] == [("", "create")]


STEPS = st.text(alphabet="ab]['\\ =", min_size=1, max_size=5)


@given(st.lists(STEPS | st.builds(Element, st.just("name"), STEPS), min_size=1, max_size=4))
def test_an_items_path_is_read_as_what_if_writes_it(steps: list[Any]) -> None:
    """However members and elements are called: the drift at a place is never taken for noise."""
    told = paths.text(tuple(steps))
    written = ""
    for step in steps:
        written += "[*]" if isinstance(step, Element) else f".{step}"

    assert foresight._folded(told) == written.lower().lstrip(".")
