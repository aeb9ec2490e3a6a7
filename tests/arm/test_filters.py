"""What `$filter` understands."""

from __future__ import annotations

import pytest

from local.arm.errors import ArmError
from local.arm.filters import read

SHELF = {
    "id": "/subscriptions/s/resourceGroups/RG/providers/Contoso.Shop/shelves/oak",
    "name": "oak",
    "type": "Contoso.Shop/shelves",
    "location": "westeurope",
    "tags": {"Team": "shop and more", "owner": "anna"},
    "properties": {"provisioningState": "Succeeded"},
}


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        (None, True),
        ("", True),
        ("resourceType eq 'contoso.shop/SHELVES'", True),
        ("resourceType ne 'contoso.shop/shelves'", False),
        ("tagName eq 'team' and tagValue eq 'shop and more'", True),
        ("tagName eq 'team' and tagValue eq 'other'", False),
        ("tagValue eq 'shop and more'", True),
        ("tagName eq 'owner' and tagValue eq 'shop and more'", False),
        ("tagName eq 'x' or location eq 'westeurope' and name eq 'oak'", True),
        ("resourceGroup eq 'rg'", True),
        ("substringof('ak', name)", True),
        ("startswith(name, 'ak')", False),
        ("provisioningState eq 'Failed'", False),
    ],
)
def test_a_filter_passes_what_it_says(expression: str | None, passes: bool) -> None:  # noqa: FBT001 - a column
    """Fields, functions, and/or, without regard to case."""
    assert passes is read(expression)(SHELF)


@pytest.mark.parametrize(
    "expression", ["name lt 3", "name eq 3", "name eq 'a' xor name eq 'b'", "name eq 'a' and", "?"]
)
def test_a_filter_that_cannot_be_read_is_refused(expression: str) -> None:
    """400 InvalidFilterInQueryString, whatever the list holds."""
    with pytest.raises(ArmError) as caught:
        read(expression)

    assert (caught.value.status, caught.value.code) == (400, "InvalidFilterInQueryString")
