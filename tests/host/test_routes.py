"""Route templates: what matches, in which order, and what is refused."""

import pytest

from local.host import routes


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/a", "/api/a", {}),
        ("api/a", "/API/A/", {}),
        ("api/a", "/api/a/b", None),
        ("api/{x}", "/api/q%20r", {"x": "q r"}),
        ("api/{x}", "/api/a%2Fb", {"x": "a/b"}),
        ("api/{x}", "/api", None),
        ("api/{x?}", "/api", {}),
        ("api/{x?}", "/api/1", {"x": "1"}),
        ("api/{x=5}", "/api", {"x": "5"}),
        ("api/{x:int?}", "/api/z", None),
        ("api/{x:int}", "/api/-12", {"x": "-12"}),
        ("api/{x:int}", "/api/2147483648", None),
        ("api/{x:long}", "/api/2147483648", {"x": "2147483648"}),
        ("api/{x:alpha}", "/api/abc", {"x": "abc"}),
        ("api/{x:alpha}", "/api/ab1", None),
        ("api/{x:bool}", "/api/True", {"x": "True"}),
        (
            "api/{x:guid}",
            "/api/6f9619ff-8b86-d011-b42d-00cf4fc964ff",
            {"x": "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
        ),
        ("api/{x:guid}", "/api/6f9619ff", None),
        ("api/{x:decimal}", "/api/1.5", {"x": "1.5"}),
        ("api/{x:datetime}", "/api/2026-05-04", {"x": "2026-05-04"}),
        ("api/{x:length(3)}", "/api/abc", {"x": "abc"}),
        ("api/{x:length(2,3)}", "/api/a", None),
        ("api/{x:minlength(2)}", "/api/a", None),
        ("api/{x:maxlength(2)}", "/api/abc", None),
        ("api/{x:min(5)}", "/api/4", None),
        ("api/{x:max(5)}", "/api/5", {"x": "5"}),
        ("api/{x:range(1,3)}", "/api/x", None),
        ("api/{x:int:min(2)}", "/api/1", None),
        ("api/{x:regex(^v[0-9]+$)}", "/api/v12", {"x": "v12"}),
        ("api/{x:regex(^v[0-9]+$)}", "/api/w", None),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest}", "/api/a/b%20c", {"rest": "a/b c"}),
        ("api/{**rest}", "/api/a", {"rest": "a"}),
        ("", "/", {}),
    ],
)
def test_match(template: str, path: str, expected: dict[str, str] | None) -> None:
    """Literals ignore case; parameters are decoded and must satisfy their constraints."""
    assert routes.parse(template).match(path) == expected


def test_precedence() -> None:
    """Literal before constrained before plain before catch-all, segment by segment."""
    texts = ["api/{*all}", "api/{x}", "api/{x:int}", "api/a/{*b}", "api/a", "api/{x}/b"]
    ordered = [t.text for t in routes.in_order(routes.parse(text) for text in texts)]

    assert ordered == ["api/a", "api/a/{*b}", "api/{x:int}", "api/{x}", "api/{x}/b", "api/{*all}"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a/{*rest}/b", "must be the last segment"),
        ("a/{x?}/b", "may only be followed by optional ones"),
        ("a/{x}/{X}", "used twice"),
        ("a/{x:nonsense}", "constraint 'nonsense' does not exist"),
        ("a/{x:int(3)}", "constraint 'int' does not exist"),
        ("a/{x:min(a)}", "needs one or two whole numbers"),
        ("a/{x:regex([)}", "is wrong"),
        ("a/{x", "neither a literal nor one {parameter}"),
        ("a/b{x}", "neither a literal nor one {parameter}"),
    ],
)
def test_refused(template: str, reason: str) -> None:
    """A template that cannot be served says which segment is wrong."""
    with pytest.raises(routes.RouteError) as caught:
        routes.parse(template)

    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/{x}", "A/{y}", True),
        ("a/{x}", "a/b", False),
        ("a/{x:int}", "a/{x}", False),
        ("a/{x:int}", "a/{y:int}", True),
        ("a/{x?}", "a/{x}", False),
    ],
)
def test_shape(one: str, other: str, *, same: bool) -> None:
    """Two templates that only differ in names and case are the same route."""
    assert (routes.parse(one).shape == routes.parse(other).shape) is same
