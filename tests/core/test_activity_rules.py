"""Where the operator says that the Activity Log is: what is read, and what is refused."""

from typing import Any

import orjson
import pytest

from shared.core.configuration import parse_configuration
from shared.core.errors import Stalled

SUB = "abcdef11-1111-1111-1111-111111111111"
OTHER = "abcdef22-1111-1111-1111-111111111111"
WORKSPACE = "99999999-1111-1111-1111-111111111111"
AT = f"$.activity.workspaces.{SUB}"


def _with(activity: Any) -> bytes:
    repository = {
        "url": "https://git.example/acme/shop.git",
        "branch": "main",
        "hook": "a-long-random-part",
        "hook_secrets": ["PLUMBLINE_SECRET_HOOK"],
        "default_subscription": SUB,
        "scopes": [f"/subscriptions/{SUB}/resourceGroups/rg", f"/subscriptions/{SUB}"],
    }
    configuration = {"installation": "laptop", "repositories": {"example": repository}}
    return orjson.dumps(configuration | {"activity": activity})


def test_each_subscription_has_its_own_workspace() -> None:
    """A subscription is known in any casing; one that is not named is asked for through ARM."""
    found = parse_configuration(_with({"workspaces": {SUB.upper(): WORKSPACE}})).activity

    assert found.workspace(SUB) == WORKSPACE
    assert found.workspace(OTHER) is None
    assert parse_configuration(_with({})).activity.workspace(SUB) is None


@pytest.mark.parametrize(
    ("activity", "path"),
    [
        (None, "$.activity"),
        ({"workspace": WORKSPACE}, "$.activity"),
        ({"workspaces": [WORKSPACE]}, "$.activity.workspaces"),
        ({"workspaces": {SUB: None}}, AT),
        ({"workspaces": {SUB: "logs"}}, AT),
        ({"workspaces": {SUB: f"/subscriptions/{SUB}/resourceGroups/rg"}}, AT),
        ({"workspaces": {OTHER: WORKSPACE}}, f"$.activity.workspaces.{OTHER}"),
        ({"workspaces": {"*": WORKSPACE}}, "$.activity.workspaces.*"),
        ({"workspaces": {SUB.upper(): WORKSPACE, SUB: WORKSPACE}}, AT),
    ],
)
def test_a_wrong_one_says_where_and_how_to_mend_it(activity: Any, path: str) -> None:
    """Each refusal names the subscription that it is about."""
    with pytest.raises(Stalled) as caught:
        parse_configuration(_with(activity))

    assert caught.value.reason == "ConfigurationInvalid"
    assert caught.value.message.endswith(f"(at {path})")
    assert caught.value.hint


def test_one_that_ends_too_early_is_refused_all_the_same() -> None:
    """What is no JSON behind a wrong workspace changes nothing."""
    with pytest.raises(Stalled, match=r"\$\.activity\.workspaces"):
        parse_configuration(b'{"installation":"a","activity":{"workspaces":{"a":5}}, nonsense')
