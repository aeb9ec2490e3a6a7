"""Places and patterns: what is written can be read again, and no text stalls or misleads."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift.paths import ANY, EACH, MOST_STEPS, Element, Place, covers, parse, pattern
from shared.core.drift.paths import text as told

ODD = st.text(min_size=1, max_size=8) | st.text(alphabet="a.'\\[]*= \n=", min_size=1, max_size=6)
MEMBERS = ODD.filter(lambda name: name not in {ANY, EACH})
ELEMENTS = st.builds(Element, st.sampled_from(["name", "id", "key"]), ODD)
PLACES: st.SearchStrategy[Place] = st.lists(MEMBERS | ELEMENTS, min_size=1, max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("place", "text", "rule"),
    [
        (("location",), "location", "location"),
        (("tags", "cost.center"), "tags['cost.center']", "tags['cost.center']"),
        (
            ("properties", "subnets", Element("name", "web"), "properties", "addressPrefix"),
            "properties.subnets[name=web].properties.addressPrefix",
            "properties.subnets[*].properties.addressPrefix",
        ),
        (("it's", "a\\b"), "['it\\'s']['a\\\\b']", "['it\\'s']['a\\\\b']"),
        (("$schema", "x-y", "1st"), "$schema.x-y['1st']", "$schema.x-y['1st']"),
        ((), "", ""),
    ],
)
def test_places_are_json_paths(place: Place, text: str, rule: str) -> None:
    """Words are dotted, other members quoted, elements told by what names them."""
    assert (told(place), pattern(place)) == (text, rule)


@given(PLACES)
def test_a_pattern_reads_as_its_place(place: Place) -> None:
    """What is offered for the manifest means the place that it was seen at."""
    steps = parse(pattern(place))

    assert steps == tuple(EACH if isinstance(step, Element) else step for step in place)
    assert covers(steps, place)


@given(PLACES, PLACES)
def test_two_places_never_share_a_text(one: Place, other: Place) -> None:
    """However elements and members are called: items are told apart by their path."""
    assert (told(one) == told(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            (Element("name", "a].properties.x[name=b"),),
            (Element("name", "a"), "properties", "x", Element("name", "b")),
        ),
        ((Element("name", "'a'"),), (Element("name", "a"),)),
        (("a.b",), ("a", "b")),
        (("[*]",), (Element("name", "*"),)),
    ],
)
def test_names_that_look_like_paths_are_no_other_place(one: Place, other: Place) -> None:
    """Who names an element so that its path is another's hides nothing behind it."""
    assert told(one) != told(other)


@pytest.mark.parametrize(
    ("written", "place", "is_covered"),
    [
        ("tags", ("tags", "a"), True),
        ("tags.a", ("tags",), False),
        ("TAGS.A", ("tags", "a"), True),
        ("tags.*", ("tags", "cost.center"), True),
        ("tags.b", ("tags", "a"), False),
        ("properties.rules[*]", ("properties", "rules", Element("name", "x"), "y"), True),
        ("properties.rules.*.y", ("properties", "rules", Element("name", "x"), "y"), True),
        ("properties.rules[*].y", ("properties", "rules", "x", "y"), False),
        ("properties.rules.x", ("properties", "rules", Element("name", "x")), False),
        ("tags.k", ("tags", "\u212a"), False),
    ],
)
def test_a_pattern_covers_its_place_and_what_is_in_it(
    written: str, place: Place, *, is_covered: bool
) -> None:
    """Never what it lies in; names as ARM compares them, so that the Kelvin sign is no k."""
    assert covers(parse(written), place) == is_covered


@pytest.mark.parametrize(
    "written",
    [
        *("", ".", ".a", "a.", "a..b", "a b", "a[0]", "a[name=b]", "a.[*]", "[*]a", "a*", "a['']"),
        *("a['b", "a['b'", "a[", "['*']", "a['[*]']", "a\n", "a." * 5 + "?", "\u00e4"),
        ".".join("a" * (MOST_STEPS + 1)),
        "['" + "a" * 257 + "']",
    ],
)
def test_what_is_no_path_is_refused(written: str) -> None:
    """A text that could be read in two ways is refused; so is a quoted star, which is no any."""
    with pytest.raises(ValueError, match=r"path|character"):
        parse(written)


@given(st.text(max_size=60) | st.text(alphabet="a.'\\[]*=", max_size=30))
def test_any_text_is_read_or_refused(written: str) -> None:
    """Nothing but ValueError comes of a manifest's text, and what is read has a bounded length."""
    try:
        steps = parse(written)
    except ValueError:
        return

    assert 1 <= len(steps) <= MOST_STEPS


@pytest.mark.parametrize("piece", ["a", "a.", "a['b']", "['", "\\'", "[*]", "['a\\", ".", "'"])
def test_long_texts_take_linear_time(piece: str) -> None:
    """A megabyte of a manifest's path is read or refused at once."""
    for whole in (piece * 200_000, f"a['{piece * 200_000}']", f"a.{piece * 200_000}x"):
        started = time.process_time()
        with contextlib.suppress(ValueError):
            parse(whole)
        assert time.process_time() - started < 2
