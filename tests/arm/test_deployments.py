"""Deployments: accepted, carried out in order, failed, replaced, cancelled, kept."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.arm.azure import API, Azure, ask, eventually, nested, network, plain, storage, template

SHELF = "[resourceId('Contoso.Shop/shelves', '{}')]"


def seconds(deployment: Any) -> float:
    """Return how long a short deployment took."""
    return float(deployment.properties.duration.removeprefix("PT").removesuffix("S"))


def failing(azure: Azure, name: str, code: str = "SkuNotAvailable") -> None:
    """Make the provider refuse one resource of every deployment."""
    azure.script(
        {"status": 409, "error": {"code": code, "message": "not today"}},
        None,
        origin="deployment",
        path=f"/{name}$",
    )


def test_a_deployment_is_accepted_and_ends_with_all_that_it_made(azure: Azure) -> None:
    """The reply to the PUT, the poll and the final body are ARM's."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.Resources/deployments/main"
    accepted = azure.call(
        "PUT",
        f"{path}?api-version={API}",
        ask([storage(), plain("s1", dependsOn=["stshop001"])], tags={"release": "7"}),
    )
    poll = accepted.headers["azure-asyncoperation"].removeprefix(azure.address.endpoint)
    eventually(lambda: bool(azure.call("GET", poll).body["status"] == "Succeeded"))
    done = azure.call("GET", f"{path}?api-version={API}").body

    assert accepted.status == 201
    assert accepted.body["properties"]["provisioningState"] == "Accepted"
    assert accepted.headers["x-ms-retry-after-ms"] == "20"
    assert "/resourcegroups/rg-shop/" in poll
    assert done["tags"] == {"release": "7"}
    assert done["properties"]["templateHash"] == accepted.body["properties"]["templateHash"]
    assert done["properties"]["correlationId"] == accepted.headers["x-ms-correlation-request-id"]
    assert done["properties"]["outputResources"] == [
        {"id": f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001"},
        {"id": f"{group}/providers/Contoso.Shop/shelves/s1"},
    ]
    assert done["properties"]["providers"][0] == {
        "namespace": "Microsoft.Storage",
        "resourceTypes": [{"resourceType": "storageAccounts", "locations": ["westeurope"]}],
    }
    [waits] = done["properties"]["dependencies"]
    assert waits["resourceName"] == "s1"
    assert [one["resourceName"] for one in waits["dependsOn"]] == ["stshop001"]


def test_parameters_are_echoed_without_secrets_and_outputs_are_evaluated(azure: Azure) -> None:
    """A secure value is in no answer, not even its resource's place in the operations."""
    azure.group()
    done = azure.deploy(
        "main",
        [plain("s1", properties={"key": "[parameters('secret')]"}), network()],
        parameters={
            "secret": {"type": "secureString"},
            "size": {"type": "int", "defaultValue": 3},
        },
        given={"secret": {"value": "hush-hush"}},
        outputs={
            "guid": {"type": "string", "value": "[reference('vnet').resourceGuid]"},
            "size": {"type": "int", "value": "[parameters('size')]"},
        },
    ).result()
    steps = azure.call("GET", f"{done.id}/operations?api-version={API}").body
    shown = azure.call("GET", f"{done.id}?api-version={API}").body

    assert shown["properties"]["parameters"] == {
        "secret": {"type": "SecureString"},
        "size": {"type": "Int", "value": 3},
    }
    assert done.properties.outputs["size"] == {"type": "Int", "value": 3}
    assert len(done.properties.outputs["guid"]["value"]) == 36
    assert "hush-hush" not in str(steps) + str(shown)


def test_resources_wait_for_what_they_depend_on_and_else_run_together(azure: Azure) -> None:
    """Four steps of 0.3 s, two of them in a chain, take about 0.6 s and not 1.2 s."""
    azure.turn(resource_seconds=0.3)
    azure.group()
    done = azure.deploy(
        "main",
        [plain("a"), plain("b", dependsOn=[SHELF.format("a")]), plain("c"), plain("d")],
    ).result()
    [found] = [azure.call("GET", f"{done.id}/operations?api-version={API}").body["value"]]
    ends = {one["properties"]["targetResource"]["resourceName"]: one["properties"] for one in found}
    took = seconds(done)

    assert 0.6 <= took < 1.2
    assert ends["a"]["timestamp"] < ends["b"]["timestamp"]
    assert all(one["duration"].startswith("PT0.") for one in ends.values())


def test_a_serial_copy_makes_one_after_the_other(azure: Azure) -> None:
    """Mode serial: the second begins when the first has ended."""
    azure.turn(resource_seconds=0.1)
    azure.group()
    loop = {"name": "loop", "count": 3, "mode": "serial"}
    done = azure.deploy("main", [plain("[format('s{0}', copyIndex())]", copy=loop)]).result()

    assert seconds(done) >= 0.3
    assert [one.id[-2:] for one in done.properties.output_resources] == ["s0", "s1", "s2"]


def test_a_failure_stops_its_dependents_and_nothing_else(azure: Azure) -> None:
    """Siblings go on, dependents never start, the error names the resource and the reason."""
    group = azure.group()
    failing(azure, "bad")
    poller = azure.deploy(
        "main",
        [plain("bad"), plain("after", dependsOn=[SHELF.format("bad")]), plain("beside")],
        outputs={"x": {"type": "string", "value": "never"}},
    )
    with pytest.raises(HttpResponseError) as caught:
        poller.result()
    found = azure.deployments.deployments.get("rg-shop", "main")
    steps = {
        step.properties.target_resource.resource_name: step.properties
        for step in azure.deployments.deployment_operations.list("rg-shop", "main")
    }

    assert caught.value.error is not None
    assert caught.value.error.code == "DeploymentFailed"
    assert found.properties.provisioning_state == "Failed"
    assert found.properties.outputs is None
    assert found.properties.error.target == found.id
    [detail] = found.properties.error.details
    assert (detail.code, detail.message) == ("SkuNotAvailable", "not today")
    assert detail.target == f"{group}/providers/Contoso.Shop/shelves/bad"
    assert set(steps) == {"bad", "beside"}
    assert (steps["bad"].provisioning_state, steps["bad"].status_code) == ("Failed", "Conflict")
    assert steps["bad"].status_message.error.code == "SkuNotAvailable"
    assert steps["beside"].status_code == "Created"
    assert [one.name for one in azure.resources.resources.list()] == ["beside"]


def test_the_next_put_replaces_the_run_and_its_operations(azure: Azure) -> None:
    """One name has one run: the failed one and its steps are gone after the mending PUT."""
    azure.group()
    failing(azure, "bad")
    with pytest.raises(HttpResponseError):
        azure.deploy("main", [plain("bad")]).result()
    azure.deploy("main", [plain("good")]).result()
    names = [
        step.properties.target_resource.resource_name
        for step in azure.deployments.deployment_operations.list("rg-shop", "main")
    ]

    assert names == ["good"]
    assert azure.deployments.deployments.get("rg-shop", "main").properties.error is None


@pytest.mark.parametrize(
    ("resources", "code", "words"),
    [
        ([plain("[nope()]")], "InvalidTemplate", "nope"),
        ([plain("[parameters('missing')]")], "InvalidTemplate", "missing"),
        ([plain("a", dependsOn=[SHELF.format("zzz")])], "InvalidTemplate", "zzz"),
    ],
)
def test_a_template_error_is_refused_at_once_and_leaves_no_trace(
    azure: Azure, resources: Any, code: str, words: str
) -> None:
    """400 on the PUT with the violation's place; the history does not know the name."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.Resources/deployments/main?api-version={API}"
    refused = azure.call("PUT", path, ask(resources))

    assert (refused.status, refused.code) == (400, code)
    assert words in refused.message
    assert refused.body["error"]["additionalInfo"][0]["type"] == "TemplateViolation"
    assert azure.call("GET", path).code == "DeploymentNotFound"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("x" * 65, ask([]), "DeploymentNameLengthLimitExceeded"),
        ("a%20b", ask([]), "DeploymentNameInvalidCharacters"),
        ("d", {}, "InvalidRequestContent"),
        ("d", {"properties": {"mode": "Incremental"}}, "InvalidRequestContent"),
        ("d", {"properties": {"mode": "Sometimes", "template": {}}}, "InvalidRequestContent"),
        ("d", {"properties": {**ask([])["properties"], "parameters": {"a": 1}}}, "InvalidRequestContent"),
        ("d", {**ask([]), "tags": {"a": 1}}, "InvalidRequestContent"),
    ],
)  # fmt: skip
def test_a_bad_deployment_request_is_refused(azure: Azure, name: str, body: Any, code: str) -> None:
    """Name, mode, template, parameters and tags are checked before anything runs."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.Resources/deployments/{name}?api-version={API}"
    refused = azure.call("PUT", path, body)

    assert (refused.status, refused.code) == (400, code)


def test_a_deployment_into_a_missing_group_is_refused(azure: Azure) -> None:
    """404 ResourceGroupNotFound."""
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        azure.deploy("main", [])


def test_a_failing_output_fails_the_deployment(azure: Azure) -> None:
    """The resources stand, the deployment says which output went wrong."""
    azure.group()
    outputs = {"x": {"type": "string", "value": "[reference('vnet').nothing]"}}
    with pytest.raises(HttpResponseError, match="DeploymentOutputEvaluationFailed"):
        azure.deploy("main", [network()], outputs=outputs).result()

    assert [one.name for one in azure.resources.resources.list()] == ["vnet"]


def test_nested_deployments_are_deployments_of_their_own(azure: Azure) -> None:
    """In another group too: own history row, own operations, outputs for the parent."""
    azure.group()
    azure.group("rg-data", "northeurope")
    inner = nested(
        "inner",
        [storage("stinner01")],
        {"blob": {"type": "string", "value": "[reference('stinner01').primaryEndpoints.blob]"}},
        resourceGroup="rg-data",
        properties={"expressionEvaluationOptions": {"scope": "inner"}},
    )
    outputs = {"blob": {"type": "string", "value": "[reference('inner').outputs.blob.value]"}}
    done = azure.deploy("main", [inner], outputs=outputs).result()
    child = azure.deployments.deployments.get("rg-data", "inner")
    [own] = [
        step.properties.target_resource
        for step in azure.deployments.deployment_operations.list("rg-data", "inner")
        if step.properties.target_resource
    ]

    assert done.properties.outputs["blob"]["value"] == "https://stinner01.blob.core.windows.net/"
    assert child.properties.correlation_id == done.properties.correlation_id
    assert own.resource_type == "Microsoft.Storage/storageAccounts"
    assert [one.id for one in done.properties.output_resources] == [own.id]


def test_a_nested_failure_is_told_with_its_own_reason(azure: Azure) -> None:
    """The parent's error leads through the child's to the resource's."""
    azure.group()
    failing(azure, "bad")
    with pytest.raises(HttpResponseError):
        azure.deploy("main", [nested("inner", [plain("bad")])]).result()
    error = azure.deployments.deployments.get("rg-shop", "main").properties.error
    [step] = error.details
    [child] = step.details
    [reason] = child.details

    assert [error.code, step.code, child.code, reason.code] == [
        "DeploymentFailed",
        "ResourceDeploymentFailure",
        "DeploymentFailed",
        "SkuNotAvailable",
    ]


def test_a_nested_name_that_is_taken_fails_the_parent(azure: Azure) -> None:
    """Child deployments meet the rule of one active run per name."""
    azure.group()
    azure.turn(deployment_seconds=3.0)
    azure.begin("inner", [])
    azure.turn(deployment_seconds=0.0)
    with pytest.raises(HttpResponseError) as caught:
        azure.deploy("main", [nested("inner", [])]).result()

    assert caught.value.error is not None
    assert [one.code for one in caught.value.error.details] == ["DeploymentActive"]


def test_cancel_starts_nothing_more(azure: Azure) -> None:
    """In-flight steps finish, the rest never starts, the state is Canceled; once only."""
    azure.turn(resource_seconds=0.8)
    azure.group()
    azure.begin("main", [plain("a"), plain("b", dependsOn=[SHELF.format("a")])])
    azure.deployments.deployments.cancel("rg-shop", "main")
    eventually(
        lambda: bool(
            azure.deployments.deployments.get("rg-shop", "main").properties.provisioning_state
            == "Canceled"
        )
    )
    with pytest.raises(ResourceExistsError, match="DeploymentCannotBeCancelled"):
        azure.deployments.deployments.cancel("rg-shop", "main")

    assert "b" not in [one.name for one in azure.resources.resources.list()]


def test_a_running_deployment_is_not_deleted(azure: Azure) -> None:
    """409 while it runs; afterwards the history forgets it and the resources stay."""
    azure.turn(deployment_seconds=0.8)
    azure.group()
    poller = azure.deploy("main", [plain("a")])
    with pytest.raises(ResourceExistsError):
        azure.deployments.deployments.begin_delete("rg-shop", "main")
    poller.result()
    azure.deployments.deployments.begin_delete("rg-shop", "main").result()
    azure.deployments.deployments.begin_delete("rg-shop", "main").result()

    assert not azure.deployments.deployments.check_existence("rg-shop", "main")
    assert [one.name for one in azure.resources.resources.list()] == ["a"]


def test_the_history_lists_newest_first_and_filters_by_state(azure: Azure) -> None:
    """list_by_resource_group with $filter and $top."""
    azure.group()
    failing(azure, "bad")
    for name, shelf in (("one", "ok"), ("two", "bad"), ("three", "ok")):
        poller = azure.deploy(name, [plain(shelf)])
        eventually(poller.done)
    listed = azure.deployments.deployments.list_by_resource_group

    assert [one.name for one in listed("rg-shop")] == ["three", "two", "one"]
    assert [one.name for one in listed("rg-shop", filter="provisioningState eq 'Failed'")] == [
        "two"
    ]


def test_the_history_has_a_quota(azure: Azure) -> None:
    """A new name beyond the limit is refused, an existing one is not."""
    azure.turn(history_limit=1)
    azure.group()
    azure.deploy("one", []).result()
    azure.deploy("one", []).result()
    with pytest.raises(ResourceExistsError, match="DeploymentQuotaExceeded"):
        azure.deploy("two", [])


def test_validate_plans_without_running(azure: Azure) -> None:
    """A good template lists its resources, a bad one is the error; nothing is made."""
    azure.group()
    good = azure.deployments.deployments.begin_validate(
        "rg-shop", "main", ask([plain("a")])
    ).result()
    with pytest.raises(HttpResponseError, match="InvalidTemplate"):
        azure.deployments.deployments.begin_validate("rg-shop", "main", ask([plain("[nope()]")]))

    assert [one.id.rpartition("/")[2] for one in good.properties.validated_resources] == ["a"]
    assert list(azure.deployments.deployments.list_by_resource_group("rg-shop")) == []


def test_the_template_can_be_had_back_and_hashed(azure: Azure) -> None:
    """What exportTemplate and calculateTemplateHash answer."""
    azure.group()
    done = azure.deploy("main", [plain("a")]).result()
    exported = azure.deployments.deployments.export_template("rg-shop", "main").template
    answer = azure.deployments.deployments.calculate_template_hash(exported)

    assert exported == template([plain("a")])
    assert answer.template_hash == done.properties.template_hash


def test_mode_complete_deletes_what_the_template_does_not_name(azure: Azure) -> None:
    """Incremental leaves the old shelf alone, Complete removes it."""
    azure.group()
    azure.deploy("main", [plain("old"), network()]).result()
    azure.deploy("main", [plain("new")]).result()
    kept = {one.name for one in azure.resources.resources.list()}
    azure.deploy("main", [plain("new")], mode="Complete").result()

    assert kept == {"old", "new", "vnet"}
    assert {one.name for one in azure.resources.resources.list()} == {"new"}


def test_key_vault_references_are_resolved_and_never_shown(azure: Azure) -> None:
    """The secret reaches the resource; the deployment shows the reference."""
    group = azure.group()
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-shop"
    put = azure.resources.resources.begin_create_or_update_by_id
    put(vault, {"location": "westeurope", "properties": {}}, api_version="2023-07-01").result()
    put(
        f"{vault}/secrets/db", {"properties": {"value": "hush-hush"}}, api_version="2023-07-01"
    ).result()
    reference = {"keyVault": {"id": vault}, "secretName": "db"}
    parameters = {"secret": {"type": "securestring"}}
    shelf = plain("s1", properties={"size": "[length(parameters('secret'))]"})
    done = azure.deploy(
        "main", [shelf], parameters=parameters, given={"secret": {"reference": reference}}
    ).result()
    secret = azure.call("GET", f"{vault}/secrets/db?api-version=2023-07-01").body
    missing = {"secret": {"reference": {**reference, "secretName": "no"}}}
    with pytest.raises(HttpResponseError, match="KeyVaultParameterReferenceSecretRetrieveFailed"):
        azure.deploy("main", [shelf], parameters=parameters, given=missing)

    assert done.properties.parameters["secret"]["reference"]["secretName"] == "db"
    assert "hush-hush" not in str(secret)
    found = azure.resources.resources.get_by_id(
        f"{group}/providers/Contoso.Shop/shelves/s1", api_version="2024-01-01"
    )
    assert found.properties["size"] == 9


def test_a_subscription_deployment_makes_groups_and_fills_them(azure: Azure) -> None:
    """At subscription scope a location is needed, and nested deployments reach the new group."""
    rg = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2024-11-01",
        "name": "rg-new",
        "location": "westeurope",
        "properties": {},
    }
    inner = nested("inner", [plain("s1")], resourceGroup="rg-new", dependsOn=["rg-new"])
    deployments = azure.deployments.deployments
    with pytest.raises(HttpResponseError, match="LocationRequired"):
        deployments.begin_create_or_update_at_subscription_scope("land", ask([rg]))
    body = {**ask([rg, inner]), "location": "westeurope"}
    done = deployments.begin_create_or_update_at_subscription_scope("land", body).result()
    steps = azure.deployments.deployment_operations.list_at_subscription_scope("land")
    moved = {**body, "location": "eastus"}
    with pytest.raises(ResourceExistsError, match="InvalidDeploymentLocation"):
        deployments.begin_create_or_update_at_subscription_scope("land", moved)

    assert done.location == "westeurope"
    assert azure.resources.resource_groups.check_existence("rg-new")
    assert {one.properties.target_resource.resource_name for one in steps} == {"rg-new", "inner"}
    assert [one.name for one in azure.resources.resources.list()] == ["s1"]


def test_a_bug_in_the_simulator_ends_the_deployment(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client hears Failed instead of polling for ever, and the log has the traceback."""

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    azure.group()
    monkeypatch.setattr("local.arm.deploy.writing.writes.put", broken)
    with pytest.raises(HttpResponseError, match="InternalServerError"):
        azure.deploy("main", [plain("a")]).result()

    assert "a bug" in caplog.text
