"""Documents: names that are safe, bytes that survive an upgrade, facts that sort."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import document, names
from shared.core.document import Document, decode, encode, from_text, to_text
from shared.core.errors import Stalled
from shared.core.record import Record
from tests.core.stacks import applied


def test_fields_of_a_newer_version_survive_a_rewrite() -> None:
    """Invariant I31: what this version does not know, it keeps, also inside known fields."""
    raw = orjson.loads(encode(applied()))
    raw["invented_later"] = {"a": [1]}
    raw["applied"]["also_new"] = True

    decoded = decode(Record, "x", orjson.dumps(raw))
    again = orjson.loads(encode(decoded.document, decoded.unknown))

    assert again == raw


def test_a_default_that_was_written_out_is_no_unknown_field() -> None:
    """A field with its default value, written by anybody, is known and follows the document."""
    raw = orjson.loads(encode(applied())) | {"orphaned": False, "touched": []}

    decoded = decode(Record, "x", orjson.dumps(raw))
    changed = msgspec.structs.replace(decoded.document, orphaned=True)

    assert decode(Record, "x", encode(changed, decoded.unknown)).document.orphaned


def test_a_document_of_this_version_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes say that it has nothing unknown; a tip of thousands of stacks is read at each sweep."""
    data = encode(applied())
    monkeypatch.setattr(document, "_unknown", None)

    decoded = decode(Record, "x", data)

    assert (decoded.document, decoded.unknown) == (applied(), {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"repository":1,"stack":"x"}',
        b"\xff",
        b'{"repository":"\\ud800","stack":"x"}',
        b'{"repository":"r","seq":1180591620717411303424,"stack":"x"}',
    ],
)
def test_an_unreadable_document_is_named(data: bytes) -> None:
    """A person is told which document it is and what to do."""
    with pytest.raises(Stalled, match=r"stacks/a\.b") as e:
        decode(Record, "stacks/a.b/record.json", data)

    assert e.value.reason == "DocumentUnreadable"
    assert e.value.hint


def test_every_document_says_its_schema_version() -> None:
    """The version is written even though it is the default."""
    assert orjson.loads(encode(Document()))["schema_version"] == 1


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_as_text_sort_like_moments(a: datetime, b: datetime) -> None:
    """Facts can be compared as they stand in a listing."""
    assert (to_text(a) < to_text(b)) == (a < b)
    assert from_text(to_text(a)) == a


def test_moments_are_written_in_utc() -> None:
    """A moment of another zone is the same moment."""
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    assert to_text(moment).startswith("2026-01-01T10:00:00")


@pytest.mark.parametrize("name", ["a", "shop", "shop-2", "0", "a-b-c", "x" * 31])
def test_stack_names_of_the_form_are_taken(name: str) -> None:
    """Small letters, digits, single dashes inside."""
    assert names.is_stack_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "A", "a--b", "-a", "a-", "a.b", "a/b", "../x", "a\n", "x" * 32, "\u00e4", "a_b", "\u0661"],
)
def test_other_names_are_not(name: str) -> None:
    """Nothing that could leave its folder or read as another stack becomes a blob's name."""
    assert not names.is_stack_name(name)


def test_a_repository_key_is_at_most_sixteen_characters() -> None:
    """So that a deployment's name stays within ARM's 64."""
    assert names.is_repository_key("x" * 16)
    assert not names.is_repository_key("x" * 17)
    assert len(names.deployment_name("x" * 16, "y" * 31)) <= 64


_NAMES = st.from_regex(names.KEY_FORM, fullmatch=True)


@given(_NAMES.filter(names.is_repository_key), _NAMES.filter(names.is_stack_name))
def test_a_records_name_tells_its_stack(repository: str, stack: str) -> None:
    """Names of records can be read back, and nothing else is taken for one."""
    name = names.record(repository, stack)

    assert names.identity_of_record(name) == (repository, stack)
    assert names.identity_of_record(name.replace("record", "drift")) is None


def test_the_name_of_something_else_is_no_record() -> None:
    """A name without a dot has no stack."""
    assert names.identity_of_record("stacks/nodot/record.json") is None


@pytest.mark.parametrize("bad", ["../x", "a/../b", "A", "", ".", "a.b", "x" * 99, "a\\b", "\u00e4"])
def test_a_bad_name_never_becomes_part_of_a_documents_name(bad: str) -> None:
    """Whatever a repository says, no document of another repository or container is named by it."""
    makers: list[Callable[[], str]] = [
        lambda: names.record("r", bad),
        lambda: names.record(bad, "s"),
        lambda: names.release("r", "s", bad),
        lambda: names.snapshot("r", "s", bad),
        lambda: names.contents(bad),
        lambda: names.tip(bad),
        lambda: names.revision("r", bad),
        lambda: names.pending_delivery(bad, "k"),
        lambda: names.deployment_name("r", bad),
    ]

    for make in makers:
        with pytest.raises(ValueError, match="not "):
            make()
