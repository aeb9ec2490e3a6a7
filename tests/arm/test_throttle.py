"""The token buckets: their arithmetic, what clients see of them, and that a patient one finishes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from local.arm import throttle
from local.arm.errors import ArmError
from local.arm.knobs import Quotas, Throttle
from local.arm.throttle import Asked, Buckets
from local.arm.tokens import Identity
from tests.arm.azure import API, Azure, StaticCredential, clients, network, plain

LIMITS = st.tuples(st.floats(1, 50), st.floats(0.1, 50))
PAUSES = st.lists(st.floats(0, 3), max_size=60)
READS = "x-ms-ratelimit-remaining-subscription-reads"


@given(LIMITS, PAUSES)
def test_no_span_of_time_sees_more_calls_than_a_full_bucket_and_what_dripped(
    limit: tuple[float, float], pauses: list[float]
) -> None:
    """Whatever the pauses: calls served since any moment <= size + rate * time."""
    buckets, now, served = Buckets(), 0.0, []
    for pause in pauses:
        now += pause
        try:
            buckets.take(Asked("s", "o", "reads"), Throttle(reads=limit), now)
        except ArmError:
            continue
        served.append(now)

    for first in range(len(served)):
        for last in range(first, len(served)):
            span = served[last] - served[first]
            assert last - first + 1 <= limit[0] + limit[1] * span + 1e-6


@given(LIMITS, PAUSES)
def test_who_waits_as_told_is_served(limit: tuple[float, float], pauses: list[float]) -> None:
    """After Retry-After seconds the same call goes through, and not one sent before."""
    buckets, now = Buckets(), 0.0
    for pause in pauses:
        now += pause
        asked = Asked("s", "o", "writes", request_id="one")
        try:
            buckets.take(asked, Throttle(writes=limit), now)
        except ArmError as error:
            wait = int(error.headers["Retry-After"])
            with pytest.raises(ArmError) as again:
                buckets.take(asked, Throttle(writes=limit), now + wait / 2)
            now += wait / 2 + int(again.value.headers["Retry-After"])
            buckets.take(asked, Throttle(writes=limit), now)


@given(LIMITS, PAUSES)
def test_the_header_counts_what_is_left(limit: tuple[float, float], pauses: list[float]) -> None:
    """Exactly that many further calls at the same moment are served."""
    buckets, now, found = Buckets(), 0.0, {}
    for number, pause in enumerate(pauses):
        now += pause
        try:
            asked = Asked("s", "o", "deletes", request_id=str(number))
            found = buckets.take(asked, Throttle(deletes=limit), now)
        except ArmError as error:
            found = error.headers
    left = int(found.get("x-ms-ratelimit-remaining-subscription-deletes", limit[0]))

    for number in range(left):
        asked = Asked("s", "o", "deletes", request_id=f"after {number}")
        buckets.take(asked, Throttle(deletes=limit), now)
    with pytest.raises(ArmError):
        buckets.take(Asked("s", "o", "deletes", request_id="last"), Throttle(deletes=limit), now)


def test_an_early_retry_renews_its_wait() -> None:
    """Two seconds are told; who comes after one waits two more, though a token is there by then."""
    buckets, limits = Buckets(), Throttle(reads=(1.0, 0.5))
    asked = Asked("s", "o", "reads", request_id="mine")
    buckets.take(asked, limits, 0.0)
    for moment in (0.0, 1.0, 2.5):
        with pytest.raises(ArmError):
            buckets.take(asked, limits, moment)

    buckets.take(Asked("s", "o", "reads", request_id="another's"), limits, 2.6)


def test_callers_without_ids_do_not_hold_each_other_up_for_ever() -> None:
    """Two who alternate every half second are served in turn, at the rate of the bucket."""
    buckets, limits, served = Buckets(), Throttle(reads=(2.0, 1.0)), 0
    for tick in range(200):
        try:
            buckets.take(Asked("s", "o", "reads"), limits, tick / 2)
        except ArmError:
            continue
        served += 1

    assert served > 60


def test_all_principals_share_fifteen_times_as_much() -> None:
    """The sixteenth principal finds its own bucket full and the subscription's empty."""
    buckets, limits = Buckets(), Throttle(writes=(4.0, 1.0))
    for number in range(60):
        buckets.take(Asked("s", f"principal {number // 4}", "writes"), limits, 0.0)
    with pytest.raises(ArmError) as refused:
        buckets.take(Asked("s", "principal 15", "writes"), limits, 0.0)

    assert "for subscription 's' exceeded" in refused.value.message
    assert refused.value.headers["x-ms-ratelimit-remaining-subscription-writes"] == "4"
    assert refused.value.headers["x-ms-ratelimit-remaining-subscription-global-writes"] == "0"


def test_a_provider_takes_so_many_in_its_window() -> None:
    """The third write in five minutes is refused until the window ends; reads have their own."""
    limits = Throttle(providers={"Microsoft.Network": Quotas(writes=(2, 300.0))})
    buckets, asked = Buckets(), Asked("s", "o", "writes", namespace="microsoft.network")
    first = buckets.take_from_provider(asked, limits, 10.0)
    buckets.take_from_provider(
        Asked("s", "p", "deletes", namespace="Microsoft.Network"), limits, 11
    )
    with pytest.raises(ArmError) as refused:
        buckets.take_from_provider(asked, limits, 250.0)
    other = buckets.take_from_provider(
        Asked("s", "o", "reads", namespace="Microsoft.Network"), limits, 250.0
    )

    assert first == {"x-ms-ratelimit-remaining-resource": "Microsoft.Network/Writes5Min;1"}
    assert refused.value.code == "ResourceRequestsThrottled"
    assert refused.value.headers["Retry-After"] == "60"
    assert "exceeded the limit of '2' for time interval '00:05:00'" in refused.value.message
    assert other == {}
    buckets.take_from_provider(asked, limits, 311.0)


def test_kinds_follow_methods() -> None:
    """GET and HEAD read, DELETE deletes, all else writes, POST actions too."""
    kinds = [throttle.kind_of(name) for name in ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")]

    assert kinds == ["reads", "reads", "writes", "writes", "writes", "deletes"]


def test_an_empty_bucket_is_429_in_arms_words(azure: Azure) -> None:
    """Code, text and headers; the bucket of another kind is untouched, and waiting helps."""
    azure.turn(
        throttle={"reads": [3, 0.02]}
    )  # a token in 50 s: slower than any machine's four calls
    path = f"{azure.subscription}/resourcegroups?api-version={API}"
    replies = [azure.call("GET", path) for _ in range(4)]
    wait = replies[3].headers.get("retry-after", "")
    oid = Identity(azure.address.subscription_id, azure.address.tenant_id).oid

    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert [reply.headers[READS] for reply in replies[:3]] == ["2", "1", "0"]
    assert replies[3].code == "SubscriptionRequestsThrottled"
    assert replies[3].message == (
        f"Number of 'read' requests for subscription actor '{azure.address.subscription_id}:{oid}'"
        f" exceeded. Please try again after '{wait}' seconds after additional tokens are available."
        " Refer to https://aka.ms/arm-throttling for additional information."
    )
    assert 1 < int(wait) <= 50
    assert replies[3].headers[READS] == "0"
    assert azure.call("PUT", path.replace("?", "/rg?"), {"location": "westus"}).status == 201
    azure.turn(clock_offset_seconds=60)
    assert azure.call("GET", path).status == 200


def test_numbers_go_down_where_nothing_is_limited(azure: Azure) -> None:
    """Without the knob the headers tell the service's own numbers, and no call is refused."""
    azure.turn(clock_offset_seconds=100)
    path = f"{azure.subscription}/resourcegroups?api-version={API}"
    replies = [azure.call("GET", path) for _ in range(3)]
    tenant = azure.call("GET", f"/subscriptions?api-version={API}")

    shared = "x-ms-ratelimit-remaining-subscription-global-reads"
    assert [reply.headers[shared] for reply in replies] >= ["3749", "3747"]
    assert replies[0].headers[READS] == "249"
    assert int(replies[2].headers[READS]) < 249
    assert tenant.headers["x-ms-ratelimit-remaining-tenant-reads"] == "249"
    assert READS not in tenant.headers


def test_what_a_deployment_writes_is_not_the_clients(azure: Azure) -> None:
    """Six resources cost one write; the provider counts each of them."""
    azure.group()
    azure.turn(throttle={"writes": [2, 0.01], "providers": {"Microsoft.Network": {}}})
    azure.deploy("d", [plain(f"s{number}") for number in range(6)]).result()

    reply = azure.call("GET", f"{azure.subscription}/resourcegroups?api-version={API}")
    assert reply.status == 200


@pytest.mark.parametrize("count", [True, False])
def test_a_provider_counts_what_deployments_write_if_it_is_told_to(
    azure: Azure,
    count: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Its limit holds the deployment up, as ARM waits the provider's 429 out."""
    azure.group()
    azure.turn(
        throttle={
            "providers": {"Microsoft.Network": {"writes": [1, 1.0]}},
            "deployments_count": count,
        }
    )
    began = time.monotonic()
    azure.deploy("d", [network("a"), network("b"), network("c")]).result()

    assert (time.monotonic() - began > 1.5) is count


def test_a_throttled_client_finishes_a_thousand_operations(azure: Azure) -> None:
    """The SDK's own retries carry it through: reads, a list each round, writes and deletes.

    Twice as fast as the service, whose 250/25 and 200/10 take longer than a test may.
    """
    azure.turn(throttle={"reads": [250, 50], "writes": [200, 20], "deletes": [200, 20]})
    azure.control("DELETE", "/requests")
    groups = azure.resources.resource_groups
    began, seen = time.monotonic(), 0
    for number in range(125):
        groups.create_or_update(f"rg-{number}", {"location": "westeurope"})
        seen += sum(groups.check_existence(f"rg-{number}") for _ in range(5))
        seen += len(list(groups.list()))
        groups.begin_delete(f"rg-{number}", polling=False)
    counts = azure.control("GET", "/requests?limit=0")

    took = time.monotonic() - began

    assert seen == 125 * 6
    assert counts["total"] - counts["statuses"].get("429", 0) == 1000
    assert took > (750 - 250) / 50 - 1


def test_principals_have_buckets_of_their_own(azure: Azure) -> None:
    """One who has spent everything does not keep another from working."""
    azure.turn(throttle={"reads": [2, 0.1]})
    for _ in range(2):
        list(azure.resources.resource_groups.list())
    other = Identity("other", azure.address.tenant_id).token("aud", 0, 4102444800)
    with clients(azure.address, StaticCredential(other)) as neighbour:
        assert list(neighbour.resources.resource_groups.list()) == []
    with (
        clients(azure.address, retry_total=0) as spent,
        pytest.raises(HttpResponseError) as refused,
    ):
        list(spent.resources.resource_groups.list())

    response: Any = refused.value.response
    assert response.status_code == 429
