"""Places and patterns: what is written can be read again, and no text stalls or misleads."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.core.drift.paths import Element, Place, covers, pattern
from shared.core.drift.paths import text as told
from shared.core.json_path import ANY, LONGEST, parse_path

ODD = st.text(min_size=1, max_size=8) | st.text(alphabet="a.'\\[]*= \n=", min_size=1, max_size=6)
ELEMENTS = st.builds(Element, st.sampled_from(["name", "id", "key"]), ODD)
PLACES: st.SearchStrategy[Place] = st.lists(ODD | ELEMENTS, min_size=1, max_size=6).map(tuple)


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
    written = pattern(place)
    assume(0 < len(written) <= LONGEST)
    steps = parse_path(written)

    assert steps == tuple(ANY if isinstance(step, Element) else step for step in place)
    assert covers(steps, place)


@given(PLACES)
def test_the_text_of_a_place_names_it_in_the_manifest(place: Place) -> None:
    """Who copies the path of an item ignores exactly that place, and what is in it."""
    written = told(place)
    assume(0 < len(written) <= LONGEST)

    assert covers(parse_path(written), place)


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
        ("properties.rules[*].y", ("properties", "rules", "x", "y"), True),
        ("properties.rules[name=x].y", ("properties", "rules", Element("name", "x"), "y"), True),
        ("properties.rules[name=z]", ("properties", "rules", Element("name", "x"), "y"), False),
        ("properties.rules.x", ("properties", "rules", Element("name", "x")), False),
        ("tags.k", ("tags", "\u212a"), False),
    ],
)
def test_a_pattern_covers_its_place_and_what_is_in_it(
    written: str, place: Place, *, is_covered: bool
) -> None:
    """Never what it lies in; names as ARM compares them, so that the Kelvin sign is no k."""
    assert covers(parse_path(written), place) == is_covered
