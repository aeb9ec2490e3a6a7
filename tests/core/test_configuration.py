"""The operator's configuration: what is read, and what is refused with path and hint."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from shared.core import scopes
from shared.core.configuration import parse_configuration
from shared.core.errors import Stalled

SUB = "11111111-1111-1111-1111-111111111111"


def _good() -> dict[str, Any]:
    return {
        "schema_version": 1,
        "installation": "laptop",
        "repositories": {
            "example": {
                "url": "https://git.example/acme/shop.git",
                "branch": "main",
                "credential": {"user": "u", "token": "PLUMBLINE_SECRET_GIT"},
                "hook": "a-long-random-part",
                "hook_secrets": ["PLUMBLINE_SECRET_HOOK"],
                "default_subscription": SUB,
                "scopes": [f"/subscriptions/{SUB}"],
            }
        },
    }


def test_a_good_configuration_is_read() -> None:
    """Everything that was said is there, with the manifest's usual name."""
    repository = parse_configuration(orjson.dumps(_good())).repositories["example"]

    assert (repository.branch, repository.manifest) == ("main", "plumbline.yaml")


def _of(change: Callable[[dict[str, Any]], None]) -> bytes:
    good = _good()
    change(good["repositories"]["example"])
    return orjson.dumps(good)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", "$"),
        (b"{", "$"),
        (orjson.dumps({"repositories": {}}), "$"),
        (orjson.dumps(_good() | {"instalation": "x"}), "$"),
        (orjson.dumps(_good() | {"installation": "Laptop!"}), "$.installation"),
        (orjson.dumps(_good() | {"repositories": {"Ex": {}}}), "$.repositories"),
        (_of(lambda r: r.update(url="git@git.example:acme/shop.git")), "example.url"),
        (_of(lambda r: r.update(url="https://u:p@git.example/x.git")), "example.url"),
        (_of(lambda r: r.update(branch="refs/heads/main")), "example.branch"),
        (_of(lambda r: r.update(branch="")), "example.branch"),
        (_of(lambda r: r.update(hook="short")), "hook"),
        (_of(lambda r: r.update(hook_secrets=[])), "hook_secrets"),
        (_of(lambda r: r.update(hook_secrets=["hunter2"])), "hook_secrets"),
        (_of(lambda r: r.update(scopes=[])), "scopes"),
        (_of(lambda r: r.update(scopes=["rg-shop"])), "scopes[0]"),
        (_of(lambda r: r.update(scopes=[f"/subscriptions/{SUB}/x/y"])), "scopes[0]"),
        (_of(lambda r: r.update(colour="red")), "repositories"),
        (_of(lambda r: r["credential"].update(token="ghp_literal")), "token"),
    ],
)
def test_a_bad_one_says_where_and_how_to_mend_it(data: bytes, path: str) -> None:
    """Every refusal names the place and gives a hint."""
    with pytest.raises(Stalled) as e:
        parse_configuration(data)

    assert e.value.reason == "ConfigurationInvalid"
    assert path in e.value.message
    assert e.value.hint


def test_a_literal_secret_is_not_repeated() -> None:
    """Who writes a token where its setting's name belongs does not find it in the log."""
    with pytest.raises(Stalled) as e:
        parse_configuration(_of(lambda r: r["credential"].update(token="ghp_literal")))

    assert "ghp_literal" not in str(e.value)


def test_two_repositories_cannot_share_a_hook() -> None:
    """A delivery belongs to exactly one followed branch."""
    good = _good()
    good["repositories"]["staging"] = dict(good["repositories"]["example"])

    with pytest.raises(Stalled, match="same hook"):
        parse_configuration(orjson.dumps(good))


RG = f"/subscriptions/{SUB}/resourceGroups/rg-shop"


@pytest.mark.parametrize(
    ("target", "allowed", "expected"),
    [
        (RG, [f"/subscriptions/{SUB}"], True),
        (RG.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), [RG], True),
        (RG, [RG], True),
        (RG + "-2", [RG], False),
        (f"/subscriptions/{SUB}", [RG], False),
        (f"/subscriptions/{SUB}", [f"/subscriptions/{SUB}"], True),
        (RG, [], False),
        (RG, ["nonsense"], False),
        ("/", [f"/subscriptions/{SUB}"], False),
        ("/providers/Microsoft.Management/managementGroups/x", [f"/subscriptions/{SUB}"], False),
        (f"{RG}/providers/Microsoft.Web/sites/x", [RG], False),
        ("[parameters('scope')]", [f"/subscriptions/{SUB}"], False),
        (RG.replace("1111", "2222"), [f"/subscriptions/{SUB}"], False),
        (RG.replace("rg-shop", ".."), [f"/subscriptions/{SUB}"], False),
        (f"{RG}/../other", [f"/subscriptions/{SUB}"], False),
        (f"{RG}%2f..", [f"/subscriptions/{SUB}"], False),
        (RG.replace("shop", "\u212aiosk"), [RG.replace("shop", "kiosk")], False),
    ],
)
def test_a_target_is_allowed_only_inside_an_allowed_scope(
    target: str, allowed: list[str], *, expected: bool
) -> None:
    """Rule 13: what is unclear or merely looks alike is not allowed."""
    assert scopes.is_allowed(target, allowed) is expected


@pytest.mark.parametrize(("text", "expected"), [(RG, SUB), ("/", None), ("x/y/z", None)])
def test_the_subscription_of_an_id(text: str, expected: str | None) -> None:
    """An id without a subscription has none."""
    assert scopes.subscription_of(text) == expected
