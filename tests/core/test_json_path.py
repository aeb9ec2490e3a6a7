"""A JSON path is read as it was meant, or refused with the character where it goes wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.json_path import ANY, LONGEST, BadPathError, Element, Step, parse_path


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("tags", ("tags",)),
        ("properties.rules[*].description", ("properties", "rules", ANY, "description")),
        ("properties.*.name", ("properties", ANY, "name")),
        ("tags['cost.center']", ("tags", "cost.center")),
        ("['a b'].c", ("a b", "c")),
        (r"tags['it\'s']", ("tags", "it's")),
        (r"tags['back\\slash']", ("tags", "back\\slash")),
        ("rules[name=web].port", ("rules", Element("name", "web"), "port")),
        (r"rules[name='a]\'b'].c", ("rules", Element("name", "a]'b"), "c")),
        ("tags.hidden-link:/a", ("tags", "hidden-link:/a")),
        ("tags.größe", ("tags", "größe")),
        ("[*]", (ANY,)),
    ],
)
def test_a_path_is_read_as_it_was_meant(text: str, steps: tuple[Step, ...]) -> None:
    """Members, quoted members, elements by name and the star."""
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (".a", "character 1 on"),
        ("a.", "character 3 on"),
        ("a..b", "character 3 on"),
        ("a.[*]", "full stop at character 2"),
        ("a[*]b", "full stop before character 5"),
        ("a[", "character 2 on"),
        ("a[]", "character 2 on"),
        ("a['']", "character 2 on"),
        ('a["b"]', "character 2 on"),
        ("a[-1]", "character 2 on"),
        ("a[0]", "character 2 on"),
        ("a[=x]", "character 2 on"),
        ("a[?(@.b)]", "character 2 on"),
        ("a b", "character 2"),
        ("$..a", "character 3 on"),
        ("a" * (LONGEST + 1), "longer"),
    ],
)
def test_what_is_no_path_says_where(text: str, why: str) -> None:
    """No filters, no recursion, nothing that could be read in two ways."""
    with pytest.raises(BadPathError, match=why):
        parse_path(text)


def _written(step: Step) -> str:
    if step is ANY:
        return "[*]"
    if isinstance(step, Element):
        return f"[{step.key}={_quoted(step.value)}]"
    return f"[{_quoted(step)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(
    st.lists(
        st.none()
        | st.builds(Element, st.just("name"), st.text(max_size=20))
        | st.text(min_size=1, max_size=20),
        min_size=1,
        max_size=10,
    )
)
def test_every_name_can_be_written_in_quotes(steps: list[Step]) -> None:
    """Azure takes odd names for tags: each of them can be ignored."""
    text = "".join(_written(step) for step in steps)

    if len(text) <= LONGEST:
        assert parse_path(text) == tuple(steps)


@given(st.text(alphabet="ab.[]*'\\0 \"$", max_size=30))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    """Whatever somebody pushes is a path or a problem."""
    with suppress(BadPathError):
        assert parse_path(text)
