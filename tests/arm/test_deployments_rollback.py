"""`onErrorDeployment`: a good deployment is run again when one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from local.arm.knobs import Knobs
from local.arm.server import Settings, start
from tests.arm.azure import Azure, ask, clients, eventually, plain


def rolled(on_error: dict[str, Any], resources: Any, **more: Any) -> dict[str, Any]:
    """Return the body of a deployment that names what to go back to."""
    body = ask(resources, **more)
    body["properties"]["onErrorDeployment"] = on_error
    return body


LAST = {"type": "LastSuccessful"}


def failing(azure: Azure) -> None:
    """Make the provider refuse the resource called bad."""
    azure.script(
        {"status": 409, "error": {"code": "SkuNotAvailable", "message": "not today"}},
        None,
        origin="deployment",
        path="/bad$",
    )


def shelves(azure: Azure) -> set[str]:
    """Return the names of what is in the group."""
    return {one.name for one in azure.resources.resources.list()}


def test_the_last_good_one_is_named_at_once(azure: Azure) -> None:
    """PUT and validate echo what would be run again."""
    azure.group()
    azure.deploy("one", [plain("a")]).result()
    azure.deploy("two", [plain("a")]).result()
    deployments = azure.deployments.deployments
    valid = deployments.begin_validate("rg-shop", "three", rolled(LAST, [])).result()
    done = deployments.begin_create_or_update("rg-shop", "three", rolled(LAST, [])).result()

    for shown in (valid, done):
        on_error = shown.properties.on_error_deployment
        assert (on_error.type, on_error.deployment_name) == ("LastSuccessful", "two")
        assert on_error.provisioning_state is None


@pytest.mark.parametrize(
    ("on_error", "code"),
    [
        (LAST, "OnErrorDeploymentNotFound"),
        ({"type": "SpecificDeployment", "deploymentName": "no"}, "OnErrorDeploymentNotFound"),
        ({"type": "SpecificDeployment", "deploymentName": "lost"}, "OnErrorDeploymentInvalid"),
        ({"type": "SpecificDeployment"}, "InvalidRequestContent"),
        ({"type": "Sometimes"}, "InvalidRequestContent"),
        ("yes", "InvalidRequestContent"),
    ],
)
def test_without_a_good_one_the_deployment_is_refused(
    azure: Azure, on_error: Any, code: str
) -> None:
    """Nothing runs whose way back is not known."""
    azure.group()
    failing(azure)
    with pytest.raises(HttpResponseError):
        azure.deploy("lost", [plain("bad")]).result()
    put = azure.deployments.deployments.begin_create_or_update
    with pytest.raises(HttpResponseError, match=code):
        put("rg-shop", "main", rolled(on_error, []))

    assert not azure.deployments.deployments.check_existence("rg-shop", "main")


def test_only_resource_groups_go_back(azure: Azure) -> None:
    """At subscription scope the property is refused."""
    body = {**rolled(LAST, []), "location": "westeurope"}
    with pytest.raises(HttpResponseError, match="OnErrorDeploymentNotSupported"):
        azure.deployments.deployments.begin_create_or_update_at_subscription_scope("main", body)


@pytest.mark.parametrize(
    ("on_error", "kept"),
    [(LAST, {"newer"}), ({"type": "SpecificDeployment", "deploymentName": "older"}, {"older"})],
)
def test_a_failure_runs_the_good_one_again_in_mode_complete(
    azure: Azure, on_error: dict[str, Any], kept: set[str]
) -> None:
    """With its stored template and parameters, secure ones too; what was added goes."""
    azure.group()
    secret = {"key": {"type": "securestring"}}
    for name in ("older", "newer"):
        shelf = plain(f"{name}", properties={"size": "[length(parameters('key'))]"})
        given = {"key": {"value": "hush-hush"}}
        azure.deploy(name, [shelf], parameters=secret, given=given).result()
    failing(azure)
    put = azure.deployments.deployments.begin_create_or_update
    with pytest.raises(HttpResponseError, match="DeploymentFailed"):
        put("rg-shop", "main", rolled(on_error, [plain("added"), plain("bad")])).result()
    get = azure.deployments.deployments.get

    def state() -> Any:
        return get("rg-shop", "main").properties.on_error_deployment.provisioning_state

    eventually(lambda: bool(state() == "Succeeded"))
    main = get("rg-shop", "main").properties
    again = get("rg-shop", next(iter(kept))).properties

    assert main.provisioning_state == "Failed"
    assert shelves(azure) == kept
    assert again.mode == "Complete"
    assert again.correlation_id == main.correlation_id


def test_a_rollback_that_fails_says_so(azure: Azure) -> None:
    """The failed deployment shows the state of its rollback."""
    azure.group()
    azure.deploy("good", [plain("fine")]).result()
    azure.script(
        {"status": 409, "error": {"code": "SkuNotAvailable", "message": "not today"}},
        None,
        origin="deployment",
    )
    put = azure.deployments.deployments.begin_create_or_update
    with pytest.raises(HttpResponseError):
        put("rg-shop", "main", rolled(LAST, [plain("bad")])).result()
    get = azure.deployments.deployments.get
    eventually(
        lambda: bool(
            get("rg-shop", "main").properties.on_error_deployment.provisioning_state == "Failed"
        )
    )

    assert get("rg-shop", "good").properties.provisioning_state == "Failed"


def test_a_good_end_runs_nothing_again(azure: Azure) -> None:
    """The named deployment is left alone."""
    azure.group()
    azure.deploy("good", [plain("a")]).result()
    before = azure.deployments.deployments.get("rg-shop", "good").properties.timestamp
    put = azure.deployments.deployments.begin_create_or_update
    put("rg-shop", "main", rolled(LAST, [plain("b")])).result()

    assert azure.deployments.deployments.get("rg-shop", "good").properties.timestamp == before
    assert shelves(azure) == {"a", "b"}


def test_a_rollback_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The failed deployment hears of its end from the simulator that took it up."""
    slow = Knobs(retry_after=0.02, resource_seconds_by_type={"Contoso.Shop/shelves": 0.0})
    with start(Settings(folder=tmp_path, knobs=slow)) as address, clients(address) as azure:
        azure.group()
        azure.deploy("good", [plain("fine")]).result()
        failing(azure)
        azure.turn(resource_seconds=30.0, resource_seconds_by_type={})
        put = azure.deployments.deployments.begin_create_or_update
        with pytest.raises(HttpResponseError):
            put("rg-shop", "main", rolled(LAST, [plain("bad")])).result()
        get = azure.deployments.deployments.get
        eventually(lambda: bool(on_error(get).provisioning_state == "Running"))
    quick = Knobs(retry_after=0.02)
    with start(Settings(folder=tmp_path, knobs=quick)) as address, clients(address) as azure:
        get = azure.deployments.deployments.get
        eventually(lambda: bool(on_error(get).provisioning_state == "Succeeded"))
        good = get("rg-shop", "good").properties

    assert good.provisioning_state == "Succeeded"
    assert good.mode == "Complete"


def on_error(get: Any) -> Any:
    """Return what the failed deployment shows of its rollback."""
    return get("rg-shop", "main").properties.on_error_deployment
