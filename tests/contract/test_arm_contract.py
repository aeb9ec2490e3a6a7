"""What the flows may rely on from ARM, shown on the fake and on the simulator."""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime

import pytest

from local.waiting import until
from shared.adapters.arm import ArmEndpoint, AzureArm, ManagedIdentity
from shared.adapters.system import SystemClock, SystemIds
from shared.core.arm_answers import flatten, is_transient_failure
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.errors import PlumblineError, Stalled, Transient
from tests.contract.arm_worlds import (
    ACTION,
    DEPLOYMENT,
    GROUP,
    OTHER_GROUP,
    SUBSCRIPTION,
    World,
    created,
    nested,
    request,
    simulated,
    vnet,
    vnet_id,
)

# ---- the contract --------------------------------------------------------------------------


def test_nothing_is_none(world: World) -> None:
    """A deployment, a group, a resource that is not there is None or False, wherever it would be."""
    nowhere = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-nowhere"
    missing = f"{nowhere}/providers/Microsoft.Resources/deployments/d"

    assert world.arm.deployment(DEPLOYMENT) is None
    assert world.arm.deployment(missing) is None
    assert world.arm.operations(DEPLOYMENT) == []
    assert world.arm.running(GROUP) == []
    assert world.arm.running(nowhere) == []
    assert world.arm.has_group(nowhere) is False
    assert world.arm.has_group(GROUP.upper()) is True
    assert world.arm.resource(vnet_id("v"), "2024-05-01") is None


def test_a_deployment_starts_runs_and_ends(world: World) -> None:
    """The PUT answers at once; tags, times and state are told while it runs and when it ended."""
    world.last(1.5)
    accepted = world.arm.put(request(vnet("v")))
    running = world.arm.deployment(DEPLOYMENT.upper())
    ended = world.finished(DEPLOYMENT)

    assert accepted.state == "running"
    assert running is not None
    assert running.state == "running"
    assert ended.state == "succeeded"
    assert ended.tags == {"plumbline-release": "1.1", "plumbline-stack": "web"}
    assert accepted.tags == running.tags == ended.tags
    assert ended.id.lower() == DEPLOYMENT.lower()
    assert ended.correlation_id == accepted.correlation_id
    assert ended.correlation_id
    assert ended.timestamp is not None
    assert ended.timestamp.tzinfo is UTC
    assert ended.duration_s is not None
    assert ended.duration_s >= 1.0
    assert ended.error is None


def test_what_runs_in_a_scope_can_be_listed(world: World) -> None:
    """With id, state and tags as a GET tells them; not what has ended, nor what runs elsewhere."""
    above = f"/subscriptions/{SUBSCRIPTION}"
    world.arm.put(request(vnet("v")))
    world.finished(DEPLOYMENT)
    ended = world.arm.running(GROUP)
    world.last(30)
    world.arm.put(request(vnet("v"), release="2.1"))
    world.arm.put(request(vnet("w"), scope=OTHER_GROUP))
    until(lambda: bool(world.arm.running(GROUP)), limit_s=10, what="the listing to show it")
    [listed] = world.arm.running(GROUP.upper())

    assert ended == []
    assert listed.id.lower() == DEPLOYMENT.lower()
    assert listed.state == "running"
    assert listed.tags == {"plumbline-release": "2.1", "plumbline-stack": "web"}
    assert world.arm.running(above) == []


def test_what_was_deployed_is_there(world: World) -> None:
    """After success the resource answers at its api-version, in any casing of its id."""
    world.arm.put(request(vnet("v", "10.7.0.0/16")))
    world.finished(DEPLOYMENT)
    body = world.arm.resource(vnet_id("v").lower(), "2024-05-01")

    assert body is not None
    assert body["id"].lower() == vnet_id("v").lower()
    assert body["properties"]["addressSpace"] == {"addressPrefixes": ["10.7.0.0/16"]}


def test_a_running_deployment_is_a_mutex(world: World) -> None:
    """Rule 5: a second PUT of the same name is Active and changes nothing; afterwards it is taken."""
    world.last(1.5)
    world.arm.put(request(vnet("v")))
    with pytest.raises(Active) as caught:
        world.arm.put(request(vnet("w"), release="2.1"))
    first = world.finished(DEPLOYMENT)
    world.last(0)
    world.arm.put(request(vnet("w"), release="2.1"))
    second = world.finished(DEPLOYMENT)

    assert caught.value.reason == "DeploymentActive"
    assert first.tags["plumbline-release"] == "1.1"
    assert second.tags["plumbline-release"] == "2.1"
    assert list(created(world.arm.operations(DEPLOYMENT))) == [vnet_id("w").lower()]


def test_outputs_are_told_and_secure_ones_have_no_value(world: World) -> None:
    """Outputs come with type and value after success; a secure one only with its type."""
    outputs = {
        "open": {"type": "string", "value": "x"},
        "hidden": {"type": "secureString", "value": "canary"},
    }
    accepted = world.arm.put(request(vnet("v"), outputs=outputs))
    ended = world.finished(DEPLOYMENT)

    assert accepted.outputs == {}
    assert ended.outputs["open"]["value"] == "x"
    assert "value" not in ended.outputs["hidden"]
    assert "canary" not in str(ended.outputs)


def test_operations_tell_what_was_written_nested_deployments_included(world: World) -> None:
    """The inventory: ids, types and api-versions, of another group's nested deployment too."""
    inner = nested("inner", vnet("in"), nested("innermost", vnet("deep")), group="rg-other")
    world.arm.put(request(vnet("v"), inner))
    assert world.finished(DEPLOYMENT).state == "succeeded"
    operations = created(world.arm.operations(DEPLOYMENT))

    networks = {
        resource_id
        for resource_id, one in operations.items()
        if (one.resource_type or "").lower() == "microsoft.network/virtualnetworks"
    }
    expected = {
        vnet_id("v").lower(),
        vnet_id("in", OTHER_GROUP).lower(),
        vnet_id("deep", OTHER_GROUP).lower(),
    }
    assert networks == expected
    assert {one.api_version for key, one in operations.items() if key in expected} == {"2024-05-01"}
    assert {one.state for one in operations.values()} == {"Succeeded"}
    assert (
        operations[vnet_id("deep", OTHER_GROUP).lower()]
        .deployment_id.lower()
        .endswith("/innermost")
    )


def test_a_failed_deployment_says_why_and_keeps_what_it_made(world: World) -> None:
    """The error leads to the one line; the sibling is there; the operation carries the error."""
    error = {"code": "SkuNotAvailable", "message": "No such size here."}
    world.fail("virtualNetworks", "bad", error)
    world.arm.put(request(vnet("good"), vnet("bad")))
    ended = world.finished(DEPLOYMENT)
    operations = created(world.arm.operations(DEPLOYMENT))

    assert ended.state == "failed"
    assert ended.outputs == {}
    assert ended.error is not None
    problem = flatten(ended.error)
    assert problem.code == "SkuNotAvailable"
    assert "No such size here." in problem.message
    assert "bad" in problem.message
    assert not is_transient_failure(ended.error)
    assert world.arm.resource(vnet_id("good"), "2024-05-01") is not None
    assert world.arm.resource(vnet_id("bad"), "2024-05-01") is None
    failed = operations[vnet_id("bad").lower()]
    assert failed.state == "Failed"
    assert failed.error is not None
    assert flatten(failed.error).code == "SkuNotAvailable"


def test_a_failure_that_passes_by_itself_is_known_by_its_code(world: World) -> None:
    """Rule 10: a conflict with somebody else's operation may be tried again."""
    error = {"code": "AnotherOperationInProgress", "message": "Somebody is at work."}
    world.fail("virtualNetworks", "v", error)
    world.arm.put(request(vnet("v")))
    assert is_transient_failure(world.finished(DEPLOYMENT).error)

    world.arm.put(request(vnet("v"), release="1.2"))
    assert world.finished(DEPLOYMENT).state == "succeeded"


def test_a_wrong_template_is_refused_and_changes_nothing(world: World) -> None:
    """Refused outright: a line for the user, and no deployment of that name."""
    with pytest.raises(Refused) as caught:
        world.arm.put(request(vnet("v"), parameters={"size": {"type": "int"}}))

    assert caught.value.problem.code == "InvalidTemplate"
    assert "size" in caught.value.problem.message
    assert world.arm.deployment(DEPLOYMENT) is None


def test_a_missing_group_stalls_until_it_is_made(world: World) -> None:
    """PUT into a missing group names it and says how to mend it; once made, the PUT is taken."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-new"
    with pytest.raises(Stalled) as caught:
        world.arm.put(request(vnet("v"), scope=scope))
    world.arm.create_group(scope, "westeurope", {"made": "by plumbline"})
    accepted = world.arm.put(request(vnet("v"), scope=scope))

    assert caught.value.reason == "ResourceGroupNotFound"
    assert "rg-new" in caught.value.message
    assert "createResourceGroup" in (caught.value.hint or "")
    assert world.arm.has_group(scope)
    assert accepted.state == "running"


def test_an_unregistered_provider_is_named_and_can_be_registered(world: World) -> None:
    """T9: raised with its namespace; registering it opens the way."""
    world.only_registered("Microsoft.Storage")
    with pytest.raises(Unregistered) as caught:
        world.arm.put(request(vnet("v")))
    state = world.arm.register_provider(SUBSCRIPTION, caught.value.namespace)

    assert caught.value.namespace.lower() == "microsoft.network"
    assert state in {"Registering", "Registered"}
    until(
        lambda: world.arm.register_provider(SUBSCRIPTION, "Microsoft.Network") == "Registered",
        limit_s=10,
        what="the registration",
    )
    assert world.arm.put(request(vnet("v"))).state == "running"


def test_a_running_deployment_can_be_canceled(world: World) -> None:
    """It ends as canceled; canceling once more, or what is not there, is no error."""
    world.last(30)
    world.arm.put(request(vnet("v")))
    world.arm.cancel(DEPLOYMENT)

    def state() -> str:
        found = world.arm.deployment(DEPLOYMENT)
        return "" if found is None else found.state

    until(lambda: state() == "canceled", limit_s=10, what="the end of the deployment")
    world.arm.cancel(DEPLOYMENT)
    world.arm.cancel(f"{OTHER_GROUP}/providers/Microsoft.Resources/deployments/none")
    assert state() == "canceled"


def test_a_deployment_that_has_ended_can_be_forgotten(world: World) -> None:
    """Its entry of the history goes, what it made stays; forgetting it again is no error."""
    world.arm.put(request(vnet("v")))
    world.finished(DEPLOYMENT)
    world.arm.forget(DEPLOYMENT)
    until(lambda: world.arm.deployment(DEPLOYMENT) is None, limit_s=10, what="the entry to be gone")
    world.arm.forget(DEPLOYMENT)

    assert world.arm.resource(vnet_id("v"), "2024-05-01") is not None


def test_a_withdrawn_permission_stalls_and_names_the_action(world: World) -> None:
    """A person must act, and is told on what."""
    world.forbid_put()
    with pytest.raises(Stalled) as caught:
        world.arm.put(request(vnet("v")))

    assert caught.value.reason == "AuthorizationFailed"
    assert ACTION in (caught.value.hint or "")
    assert world.arm.deployment(DEPLOYMENT) is None


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_throttled_call_is_made_once_and_hands_the_wish_on(world: World, method: str) -> None:
    """T8: no retry underneath; ARM's Retry-After is the delay of the message."""
    world.throttle(method, 7)
    calls: Mapping[str, Callable[[], object]] = {
        "PUT": lambda: world.arm.put(request(vnet("v"))),
        "GET": lambda: world.arm.deployment(DEPLOYMENT),
    }
    with pytest.raises(Transient) as caught:
        calls[method]()

    assert caught.value.retry_after_s == 7.0
    assert world.writes() == (1 if method == "PUT" else 0)
    assert world.arm.deployment(DEPLOYMENT) is None


@pytest.mark.parametrize("taken", [True, False])
def test_a_lost_reply_is_unknown_and_settled_by_get(world: World, *, taken: bool) -> None:
    """Rule 6: only GET tells whether the PUT was taken, by the release id in the tags."""
    world.lose(taken=taken)
    with pytest.raises(Unknown):
        world.arm.put(request(vnet("v"), release="3.1"))
    found = world.arm.deployment(DEPLOYMENT)

    assert world.writes() == 1
    if taken:
        assert found is not None
        assert found.tags["plumbline-release"] == "3.1"
        assert world.finished(DEPLOYMENT).state == "succeeded"
    else:
        assert found is None


# ---- only the simulator can show -----------------------------------------------------------


def test_one_call_is_one_request_and_one_token_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bench counts: no polling, no retry, no probing beside the calls that were made."""
    with simulated(monkeypatch) as (world, arm, address):
        world.call("DELETE", "/requests")
        arm.put(request(vnet("v")))
        world.finished(DEPLOYMENT)
        asked = world.requests()
        routes = {one["route"] for one in asked}
        methods = [one["method"] for one in asked]
        left = arm.remaining[SUBSCRIPTION]

    assert routes == {"deployment"}
    assert methods.count("PUT") == 1
    assert set(methods) == {"PUT", "GET"}
    assert all(value > 0 for value in left.values())
    assert address.subscription_id == SUBSCRIPTION


@pytest.mark.parametrize(
    ("broken", "kind", "reason"),
    [
        ("header", Stalled, "IdentityRefused"),
        ("endpoint", Transient, "IdentityUnavailable"),
    ],
)
def test_an_identity_that_gives_no_token_is_not_arms_fault(
    monkeypatch: pytest.MonkeyPatch, broken: str, kind: type[PlumblineError], reason: str
) -> None:
    """Nothing is sent without a token; a refused identity stalls, a silent endpoint passes."""
    with simulated(monkeypatch) as (world, _, address):
        if broken == "header":
            monkeypatch.setenv("IDENTITY_HEADER", "wrong")
        else:
            monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
        endpoint = ArmEndpoint(url=address.endpoint, ca_file=address.ca_file)
        with closing(ManagedIdentity()) as credential:
            arm = AzureArm(endpoint, credential, SystemClock(), SystemIds())
            with closing(arm), pytest.raises(PlumblineError) as caught:
                arm.put(request(vnet("v")))
        assert world.writes() == 0

    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert address.identity.header not in str(caught.value)


def test_the_identity_gives_tokens_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older SDKs ask for a token, newer ones for a token with its times."""
    scope = "https://management.azure.com/.default"
    with simulated(monkeypatch), closing(ManagedIdentity()) as credential:
        assert credential.get_token(scope).token == credential.get_token_info(scope).token
        monkeypatch.setenv("IDENTITY_HEADER", "wrong")
        with closing(ManagedIdentity()) as refused, pytest.raises(Stalled):
            refused.get_token(scope)


def test_times_are_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stamp is ARM's clock, not this machine's."""
    with simulated(monkeypatch) as (world, arm, _):
        world.call("PATCH", "/knobs", {"clock_offset_seconds": 86_400})
        accepted = arm.put(request(vnet("v")))
        world.finished(DEPLOYMENT)

    assert accepted.timestamp is not None
    assert (accepted.timestamp - datetime.now(UTC)).total_seconds() > 80_000
