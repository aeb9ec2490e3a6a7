"""The operator's configuration: what is read, and what is refused with path and hint."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from shared.core import scopes
from shared.core.budget import RESERVES
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


def _freeze(**changed: Any) -> bytes:
    rule = {"stacks": ["*"], "by": "ops", "why": "audit", "until": "2026-12-24T00:00:00Z"}
    wrong = {key: value for key, value in (rule | changed).items() if value is not None}
    return orjson.dumps(_good() | {"freezes": [wrong]})


def _repository(**changed: Any) -> bytes:
    return _of(lambda r: r.update(**changed))


STATUSES = {"github": "https://api.github.com/repos/a/b", "token": "PLUMBLINE_SECRET_X"}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", "$"),
        (b"{", "$"),
        (b"\xff", "$"),
        (b"[]", "$"),
        (b"[" * 100_000, "$"),
        (orjson.dumps({"repositories": {}}), "$"),
        (orjson.dumps(_good() | {"instalation": "x"}), "$"),
        (orjson.dumps(_good() | {"schema_version": 2}), "$.schema_version"),
        (orjson.dumps(_good() | {"schema_version": "1"}), "$.schema_version"),
        (orjson.dumps(_good() | {"installation": "Laptop!"}), "$.installation"),
        (orjson.dumps(_good() | {"installation": ""}), "$.installation"),
        (orjson.dumps(_good() | {"repositories": []}), "$.repositories"),
        (orjson.dumps(_good() | {"repositories": {"Ex": {}}}), "$.repositories"),
        (b'{"installation": "x", "repositories": {"a": {"url": 5}}, nonsense', "repositories"),
        (b'{"installation": "x", "repositories": {"a": {}}, "repositories": 5}', "repositories"),
        (orjson.dumps(_good()).replace(b'"example"', b'"ex--ample"'), "$.repositories"),
        (orjson.dumps(_good()).replace(b'"example"', b'"abcdefghijklmnopq"'), "$.repositories"),
        (orjson.dumps(_good())[:-1] + b',"freezes":[],"freezes":[]}', "$"),
        (_repository(url="git@git.example:acme/shop.git"), "$.repositories.example.url"),
        (_repository(url="https://u:p@git.example/x.git"), "$.repositories.example.url"),
        (_repository(url="http://git.example/x.git"), "$.repositories.example.url"),
        (_repository(url="https://git.example/"), "$.repositories.example.url"),
        (_repository(url="https://git.example/x?token=y"), "$.repositories.example.url"),
        (_repository(url="https://[git"), "$.repositories.example.url"),
        (_repository(url="https://git.example:x/y"), "$.repositories.example.url"),
        (_repository(url=5), "$.repositories.example.url"),
        (_repository(branch="refs/heads/main"), "$.repositories.example.branch"),
        (_repository(branch=""), "$.repositories.example.branch"),
        (_repository(branch="a b"), "$.repositories.example.branch"),
        (_repository(branch="a..b"), "$.repositories.example.branch"),
        (_repository(branch="-f"), "$.repositories.example.branch"),
        (_repository(branch="main.lock"), "$.repositories.example.branch"),
        (_repository(branch="release/*"), "$.repositories.example.branch"),
        (_repository(manifest=""), "$.repositories.example.manifest"),
        (_repository(manifest="../plumbline.yaml"), "$.repositories.example.manifest"),
        (_repository(manifest="/plumbline.yaml"), "$.repositories.example.manifest"),
        (_repository(manifest="./plumbline.yaml"), "$.repositories.example.manifest"),
        (_repository(manifest="a\\plumbline.yaml"), "$.repositories.example.manifest"),
        (_repository(manifest=None), "$.repositories.example.manifest"),
        (_repository(hook="short"), "$.repositories.example.hook"),
        (_repository(hook="UPPER-CASE-HOOK"), "$.repositories.example.hook"),
        (_repository(hook="a/b/c/d/e/f"), "$.repositories.example.hook"),
        (_repository(hook_secrets=[]), "$.repositories.example.hook_secrets"),
        (_repository(hook_secrets=["hunter2"]), "$.repositories.example.hook_secrets[...]"),
        (_repository(default_subscription=""), "$.repositories.example.default_subscription"),
        (_repository(default_subscription="prod"), "$.repositories.example.default_subscription"),
        (
            _repository(default_subscription=f"/subscriptions/{SUB}"),
            "$.repositories.example.default_subscription",
        ),
        (_repository(scopes=[]), "$.repositories.example.scopes"),
        (_repository(scopes=["rg-shop"]), "$.repositories.example.scopes[0]"),
        (_repository(scopes=[f"/subscriptions/{SUB}/x/y"]), "$.repositories.example.scopes[0]"),
        (_repository(colour="red"), "$.repositories.example"),
        (_repository(credential={"user": "u"}), "$.repositories.example.credential"),
        (
            _repository(credential={"user": "", "token": "PLUMBLINE_SECRET_X"}),
            "$.repositories.example.credential.user",
        ),
        (
            _repository(credential={"user": "u", "token": "ghp_literal"}),
            "$.repositories.example.credential.token",
        ),
        (
            _repository(statuses=STATUSES | {"token": "ghp_literal"}),
            "$.repositories.example.statuses.token",
        ),
        (
            _repository(statuses=STATUSES | {"github": "https://github.com/a/b"}),
            "$.repositories.example.statuses.github",
        ),
        (
            _repository(statuses=STATUSES | {"github": "http://api.github.com/repos/a/b"}),
            "$.repositories.example.statuses.github",
        ),
        (
            _repository(statuses=STATUSES | {"github": "https://[/repos/"}),
            "$.repositories.example.statuses.github",
        ),
        (
            _repository(ceilings={"timeout_minutes": 4}),
            "$.repositories.example.ceilings.timeout_minutes",
        ),
        (_repository(ceilings={"rollback": "revert"}), "$.repositories.example.ceilings"),
        (_freeze(stacks=[]), "$.freezes[0].stacks"),
        (_freeze(stacks=["exmaple.*"]), "$.freezes[0].stacks"),
        (_freeze(stacks=["example"]), "$.freezes[0].stacks"),
        (_freeze(stacks=["example.Network"]), "$.freezes[0].stacks"),
        (_freeze(by=""), "$.freezes[0].by"),
        (_freeze(why=""), "$.freezes[0].why"),
        (_freeze(why=None), "$.freezes[0]"),
        (_freeze(until="2026-12-24T00:00:00"), "$.freezes[0].until"),
        (_freeze(until="tomorrow"), "$.freezes[0].until"),
        (_freeze(unitl="2026-12-24T00:00:00Z"), "$.freezes[0]"),
        (orjson.dumps(_good() | {"budgets": {"release": -1}}), "$.budgets.release"),
        (orjson.dumps(_good() | {"budgets": {"snapshot": 151}}), "$.budgets.snapshot"),
        (orjson.dumps(_good() | {"budgets": {"release": 30, "snapshot": 20}}), "$.budgets.release"),
        (orjson.dumps(_good() | {"budgets": {"scans": 20}}), "$.budgets"),
    ],
)
def test_a_bad_one_says_where_and_how_to_mend_it(data: bytes, path: str) -> None:
    """Every refusal names the place and gives a hint."""
    with pytest.raises(Stalled) as e:
        parse_configuration(data)

    assert e.value.reason == "ConfigurationInvalid"
    place = e.value.message.rpartition("(at ")[2].rstrip(")").replace("[0]", "[...]")
    assert place.startswith("$")
    assert path.replace("[0]", "[...]") in place
    assert e.value.hint


def test_the_second_of_two_repositories_is_named_by_its_key() -> None:
    """An operator with twenty of them need not look for the one that is meant."""
    good = _good()
    good["repositories"]["staging"] = good["repositories"]["example"] | {"hook": "x"}

    with pytest.raises(Stalled, match=r"at \$\.repositories\.staging\.hook\)"):
        parse_configuration(orjson.dumps(good))


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://127.0.0.1:8080/shop.git"},
        {"url": "http://localhost/shop.git"},
        {"branch": "release/2026.1"},
        {"branch": "user@home"},
        {"manifest": "environments/prod/plumbline.yaml"},
        {"default_subscription": SUB.upper()},
        {"statuses": STATUSES},
        {"statuses": STATUSES | {"github": "http://127.0.0.1:9/repos/a/b"}},
        {"hook_secrets": ["PLUMBLINE_SECRET_A", "PLUMBLINE_SECRET_B"]},
    ],
)
def test_what_is_unusual_and_right_is_taken(changed: dict[str, Any]) -> None:
    """The checks refuse nothing that works."""
    assert "example" in parse_configuration(_repository(**changed)).repositories


def test_what_is_left_to_others_of_arms_budget_has_usual_values() -> None:
    """One of them can be given alone."""
    usual = parse_configuration(orjson.dumps(_good())).budgets
    own = parse_configuration(orjson.dumps(_good() | {"budgets": {"release": 50}})).budgets

    assert usual.reserves == RESERVES
    assert own.reserves == {"release": 50, "snapshot": 100, "scan": 125}


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


SITE = "/providers/Microsoft.Web/sites/x"


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        (RG + SITE, RG),
        (RG.upper() + SITE.upper(), RG.upper()),
        (f"/subscriptions/{SUB}{SITE}", f"/subscriptions/{SUB}"),
        (f"{RG}{SITE}/slots/a b/config/web", RG),
        (f"{RG}{SITE}/providers/Microsoft.Authorization/locks/l", RG),
        (RG, None),
        (f"/subscriptions/{SUB}", None),
        (SITE, None),
        (f"{RG}{SITE}/", None),
        (f"{RG}{SITE}/slots", None),
        (f"{RG}/providers/Microsoft.Web/sites/..", None),
        (f"{RG}{SITE}/slots/../../../..", None),
        (f"{RG}/../rg-other{SITE}", None),
        (f"{RG}{SITE}%2f..", None),
        (f"{RG}{SITE}?a", None),
        (f"{RG}{SITE}\\y", None),
        (f"{RG}{SITE}\n", None),
        (f"{RG}/providers/Microsoft.Resources/deployments/plumbline.shop.web", None),
        (f"{RG}/providers/microsoft.resources/DEPLOYMENTSTACKS/s", None),
        (f"{RG}/providers/Microsoft.Resources/resourceGroups/rg-shop", None),
        (f"{RG}/providers/Microsoft.Resources/templateSpecs/t", RG),
    ],
)
def test_a_resource_is_in_a_scope_and_a_scope_is_no_resource(
    resource_id: str, expected: str | None
) -> None:
    """What may be deleted is one resource, named in one way only; no group, and no deployment."""
    assert scopes.of_resource(resource_id) == expected


@pytest.mark.parametrize(("text", "expected"), [(RG, SUB), ("/", None), ("x/y/z", None)])
def test_the_subscription_of_an_id(text: str, expected: str | None) -> None:
    """An id without a subscription has none."""
    assert scopes.subscription_of(text) == expected
