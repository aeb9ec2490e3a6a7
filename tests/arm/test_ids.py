"""Resource ids, times and durations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.arm import ids
from local.arm.clock import duration, read_stamp, stamp

WORD = st.text("abcXYZ019._-()", min_size=1, max_size=6)


@given(
    scope=st.sampled_from(["", "/subscriptions/s", "/subscriptions/s/resourceGroups/g"]),
    namespace=WORD,
    pairs=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=4),
)
def test_an_id_taken_apart_and_put_together_is_the_same(
    scope: str, namespace: str, pairs: list[tuple[str, str]]
) -> None:
    """Parse and id are inverse; the parent is one pair shorter."""
    path = f"{scope}/providers/{namespace}" + "".join(f"/{kind}/{name}" for kind, name in pairs)
    rid = ids.parse(path)

    assert rid is not None
    assert rid.id == path
    assert rid.scope == scope
    assert rid.key == path.lower()
    assert (rid.parent.id if rid.parent else None) == (
        path.rsplit("/", 2)[0] if len(pairs) > 1 else None
    )


@pytest.mark.parametrize(
    ("path", "scope", "kind", "name"),
    [
        (
            "/subscriptions/s/resourceGroups/g/providers/A.B/c/providers",
            "/subscriptions/s/resourceGroups/g",
            "A.B/c",
            "providers",
        ),
        (
            "/subscriptions/s/resourceGroups/g/providers/A.B/c/n/providers/D.E/f/m",
            "/subscriptions/s/resourceGroups/g/providers/A.B/c/n",
            "D.E/f",
            "m",
        ),
    ],
)
def test_the_last_provider_in_the_path_owns_the_resource(
    path: str, scope: str, kind: str, name: str
) -> None:
    """Extension resources hang on another id; a resource may be called providers."""
    rid = ids.parse(path)

    assert rid is not None
    assert (rid.scope, rid.type, rid.name) == (scope, kind, name)


@pytest.mark.parametrize(
    "path", ["", "/", "/subscriptions/s", "/subscriptions/s/providers/A.B", "/a//providers/A.B/c/d"]
)
def test_what_is_no_resource_id_is_none(path: str) -> None:
    """Scopes, namespaces and empty segments."""
    assert ids.parse(path) is None


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants it naive
def test_a_time_stamp_reads_back(moment: datetime) -> None:
    """Stamp and read_stamp are inverse."""
    assert read_stamp(stamp(moment)) == moment


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (27.05, "PT27.05S"), (90, "PT1M30S"), (3661.5, "PT1H1M1.5S"), (-1, "PT0S")],
)
def test_durations_are_iso_8601(seconds: float, text: str) -> None:
    """As ARM writes them."""
    assert text == duration(seconds)
