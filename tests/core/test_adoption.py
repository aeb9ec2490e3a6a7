"""What a what-if finds before a first release becomes a plan, or nothing: the pure half."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import adoption
from shared.core.document import canonical
from shared.core.plan import Details, Plan, PropertyStep, Step
from shared.core.policy import Policy
from shared.core.prediction import Diagnostic, Prediction, PropertyChange, ResourceChange
from shared.core.record import Applied, Approved, Asked, Desired, Record
from shared.core.redaction import STARS
from shared.core.waves import NO_INPUTS, Inputs

AT = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = Record(
    repository="shop", stack="web", generation=2, desired=Desired(revision="r", digest="d")
)
GROUP = "/subscriptions/s/resourceGroups/rg"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"


def resource(kind: Any, n: int = 0, **more: Any) -> ResourceChange:
    """Return a change of a site."""
    return ResourceChange(f"{SITE}{n}", kind, **more)


def details(*changes: ResourceChange, **more: Any) -> Details | None:
    """Return the plan of these changes."""
    return adoption.details_of(RECORD, NO_INPUTS, Prediction(changes=changes, **more))


@pytest.mark.parametrize(
    ("found", "asks"),
    [
        (Prediction(), False),
        (Prediction(changes=(resource("create"),)), False),
        (Prediction(changes=(resource("create"), resource("ignore", 1))), False),
        (Prediction(potential=(resource("create"),)), False),
        (Prediction(changes=(resource("no_change"),)), True),
        (Prediction(changes=(resource("modify"),)), True),
        (Prediction(changes=(resource("deploy"),)), True),
        (Prediction(changes=(resource("delete"),)), True),
        (Prediction(changes=(resource("unsupported"),)), True),
        (Prediction(changes=(resource("unknown"),)), True),
        (Prediction(potential=(resource("modify"),)), True),
        (Prediction(changes=(resource("create"), resource("modify", 1))), True),
        (Prediction(diagnostics=(Diagnostic("Info", "c", "m"),)), False),
        (Prediction(diagnostics=(Diagnostic("Warning", "c", "m"),)), True),
        (Prediction(diagnostics=(Diagnostic("", "c", "m"),)), True),
        (Prediction(error={"code": "InvalidTemplate", "message": "m"}), True),
        (
            Prediction(
                changes=(
                    ResourceChange(
                        f"{GROUP}/providers/Microsoft.Resources/deployments/inner", "modify"
                    ),
                )
            ),
            False,
        ),
    ],
)
def test_only_what_creates_everything_is_put_unasked(found: Prediction, *, asks: bool) -> None:
    """What exists, and what nobody can see, is a person's to decide."""
    assert (adoption.details_of(RECORD, NO_INPUTS, found) is not None) == asks


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ({}, True),
        ({"policy": Policy(adopt="take")}, False),
        ({"reached": "1.1"}, False),
        ({"desired": None}, False),
        (
            {
                "applied": Applied(
                    release="1.1", generation=1, revision="r", digest="d", inputs="", at=AT
                )
            },
            False,
        ),
    ],
)
def test_what_is_a_first_release(change: Mapping[str, Any], *, first: bool) -> None:
    """Nothing of the stack ever reached ARM."""
    assert adoption.is_first(msgspec.structs.replace(RECORD, **change)) == first


def changed(*delta: PropertyChange, before: Any = None, after: Any = None) -> list[PropertyStep]:
    """Return what is shown of a modified site."""
    found = details(resource("modify", before=before, after=after, delta=delta))
    assert found is not None
    return list(found.steps[0].changes)


def test_differences_are_shown_with_their_whole_paths() -> None:
    """Members of members by their paths, arrays whole, and what has no effect not at all."""
    inner = PropertyChange("kind", "modify", "a", "b")
    item = PropertyChange("0", "modify", "x", "y")

    found = changed(
        PropertyChange("properties", "modify", children=(inner,)),
        PropertyChange("properties.rules", "array", ["x"], ["y"], (item,)),
        PropertyChange("etag", "no_effect", 1, 2),
        PropertyChange("tags.new", "create", None, "t"),
    )

    assert found == [
        PropertyStep(path="properties.kind", kind="modify", before="a", after="b"),
        PropertyStep(path="properties.rules", kind="array", before=["x"], after=["y"]),
        PropertyStep(path="tags.new", kind="create", after="t"),
    ]


@pytest.mark.parametrize(
    ("path", "before", "after", "bodies"),
    [
        ("properties.adminPassword", "secret-1", "secret-2", False),
        ("properties.adminPassword", "secret-1", "secret-2", True),
        ("properties.siteConfig.appSettings", [{"name": "A", "value": "secret-1"}], None, False),
        ("properties.siteConfig.appSettings", [{"name": "A", "value": "secret-1"}], [], True),
        ("properties.text", "AccountKey=c2VjcmV0LTEtc2VjcmV0LTEtc2VjcmV0LTE=;", "x", False),
    ],
)
def test_no_secret_is_shown(path: str, before: Any, after: Any, *, bodies: bool) -> None:
    """Neither where its name says so, nor its form, nor what stands beside it."""

    def body(value: Any) -> dict[str, Any]:
        for name in reversed(path.split(".")):
            value = {name: value}
        return dict(value)

    sides = {"before": body(before), "after": body(after)} if bodies else {}
    (found,) = changed(PropertyChange(path, "modify", before, after), **sides)

    assert found.path == path
    shown = orjson.dumps([found.before, found.after]).decode()
    assert "secret-1" not in shown
    assert "c2VjcmV0" not in shown
    assert STARS in shown


def test_a_neighbour_may_say_that_a_value_is_a_secret() -> None:
    """A pair of a telling name and a value is masked although only the value differs."""
    pair = {"properties": {"entry": {"name": "adminPassword", "value": "secret-1"}}}

    (found,) = changed(
        PropertyChange("properties.entry.value", "modify", "secret-1", "x"), before=pair
    )

    assert found.before == STARS


def test_long_values_are_cut_and_many_differences_counted() -> None:
    """A plan stays something that somebody can read, and JSON can say."""
    long = changed(PropertyChange("properties.a", "modify", "x" * 1000, ["y"] * 1000))
    large = changed(PropertyChange("properties.a", "modify", {"n": 2**70}, 1))
    many = changed(*(PropertyChange(f"tags.t{n}", "modify", 1, 2) for n in range(1000)))

    assert len(long[0].before) == adoption.MOST_SHOWN
    assert long[0].after[-1] == f"and {1000 - adoption.MOST_SHOWN} more"
    assert large[0].before == {"n": str(2**70)}
    assert (len(many), many[-1].kind) == (adoption.MOST_SHOWN + 1, "more")


KINDS = st.sampled_from(["create", "modify", "no_change", "unsupported", "ignore", "deploy"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
DELTAS = st.builds(
    PropertyChange,
    st.text(alphabet="ab.", max_size=5),
    st.sampled_from(["create", "delete", "modify", "array", "no_effect", "unknown"]),
    VALUES,
    VALUES,
)
BODIES = st.none() | st.dictionaries(st.sampled_from(["a", "b", "type"]), VALUES, max_size=3)
CHANGES = st.lists(
    st.builds(
        ResourceChange,
        st.integers(0, 9).map(lambda n: f"{SITE}{n}") | st.text(max_size=10),
        KINDS,
        BODIES,
        BODIES,
        st.lists(DELTAS, max_size=3).map(tuple),
    ),
    max_size=6,
)


@given(CHANGES, st.randoms(use_true_random=False))
def test_the_order_in_which_arm_tells_changes_no_plan(
    changes: list[ResourceChange], shuffle: Any
) -> None:
    """Whatever ARM says becomes JSON, and the same findings have the same digest."""
    again = list(changes)
    shuffle.shuffle(again)

    one, other = details(*changes), details(*again)

    assert canonical(msgspec.to_builtins(one)) == canonical(msgspec.to_builtins(other))
    if one is not None:
        assert msgspec.convert(orjson.loads(canonical(msgspec.to_builtins(one))), Details) == one
        assert adoption.problem_of_plan(one, "d").message


PLAN = Plan(
    kind="adopt",
    digest="p",
    generation=2,
    counts={"modify": 1},
    at=AT,
    source="d",
    inputs=NO_INPUTS.digest,
)


@pytest.mark.parametrize(
    ("plan", "more", "kept"),
    [
        (PLAN, {}, True),
        (None, {}, False),
        (msgspec.structs.replace(PLAN, kind="prune"), {}, False),
        (msgspec.structs.replace(PLAN, generation=1), {}, False),
        (msgspec.structs.replace(PLAN, source="other"), {}, False),
        (msgspec.structs.replace(PLAN, inputs="other"), {}, False),
        (
            PLAN,
            {
                "asked": Asked(
                    kind="release", generation=2, above=0, by="b", why="w", at=AT + timedelta(1)
                )
            },
            False,
        ),
        (
            PLAN,
            {"asked": Asked(kind="release", generation=2, above=0, by="b", why="w", at=AT)},
            True,
        ),
        (
            PLAN,
            {
                "asked": Asked(
                    kind="release", generation=2, above=0, by="b", why="w", at=AT + timedelta(1)
                ),
                "approved": Approved(kind="adopt", digest="p", by="b", why="w", at=AT),
            },
            True,
        ),
    ],
)
def test_a_plan_is_kept_for_exactly_what_it_is_about(
    plan: Plan | None, more: Mapping[str, Any], *, kept: bool
) -> None:
    """Anything newer, and whoever asks for a look, has another made."""
    record = msgspec.structs.replace(RECORD, plan=plan, **more)

    assert (adoption.kept_plan(record, NO_INPUTS) is not None) == kept


def test_a_what_if_is_fetched_for_exactly_what_it_is_about() -> None:
    """One of an older wish, or of other values, is forgotten."""
    planning = adoption.planning_for(RECORD, NO_INPUTS, "/address", AT)
    record = msgspec.structs.replace(RECORD, planning=planning)
    newer = msgspec.structs.replace(record, desired=Desired(revision="r", digest="other"))

    assert adoption.kept_planning(record, NO_INPUTS) == planning
    assert adoption.kept_planning(RECORD, NO_INPUTS) is None
    assert adoption.kept_planning(newer, NO_INPUTS) is None
    assert adoption.kept_planning(record, Inputs(digest="other")) is None


def test_the_problem_counts_what_would_happen() -> None:
    """A person reads how many, before they look at which."""
    found = Details(
        kind="adopt",
        repository="shop",
        stack="web",
        source="d",
        inputs="i",
        steps=tuple(
            Step(resource=f"r{n}", kind=kind)
            for n, kind in enumerate(
                ["create", "modify", "modify", "deploy", "no_change", "unsupported"]
            )
        ),
        gaps=("Code: why",),
    )

    assert adoption.problem_of_plan(found, "p").message == (
        "Resources are there before the stack's first release: 3 would be changed, 1 would stay as "
        "they are, of 1 nothing can be told. What-if did not look everywhere: Code: why"
    )
