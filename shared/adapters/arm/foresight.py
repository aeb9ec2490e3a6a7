"""What-if: started by one call, looked at by others, without the SDK's poller.

A what-if takes up to minutes, and nothing waits inside a function: what ARM answers to the first
call says where its result will be. That address goes into a document and comes back.
"""

from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from shared.adapters.arm import addresses, reading
from shared.adapters.arm.connection import Connection, accepted, object_of
from shared.adapters.arm.exchange import Exchange
from shared.adapters.arm.failures import delay_s, is_missing
from shared.adapters.arm.whatif import read_prediction
from shared.core.arm_model import DeploymentRequest
from shared.core.errors import Stalled
from shared.core.prediction import Predicting, Prediction

_ANSWERS = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED})
_SETTINGS = {
    "whatIfSettings": {"resultFormat": "FullResourcePayloads"},
    # A reader's identity must do: without this ARM asks for the right to deploy.
    "validationLevel": "ProviderNoRbac",
}


class Foresight(Connection):
    """The part of the Arm port about what a deployment would change."""

    def predict(self, request: DeploymentRequest) -> Prediction | Predicting:
        """Start a what-if with what ``put`` would send; see ports.Arm."""
        at = reading.deployment_name(request.id)
        if at.subscription is None:
            raise ValueError("Plumbline deploys to subscriptions and resource groups only")
        body: Any = _what_if_body(request)
        operations = self._clients.of(at.subscription).deployments.deployments
        with self._attempt("whatif.post", effect="foretells") as exchange:
            with accepted(exchange):
                if at.group:
                    operations.begin_what_if(at.group, at.name, body, polling=False)
                else:
                    operations.begin_what_if_at_subscription_scope(at.name, body, polling=False)
            return self._told(exchange, None)

    def prediction(self, address: str) -> Prediction | Predicting:
        """Return how a what-if ended, or that it still runs; see ports.Arm.

        Raises Stalled (``PredictionRefused``) for an address that is no what-if's result.
        """
        try:
            subscription = addresses.what_if(address)
        except ValueError as error:
            raise Stalled(
                "PredictionRefused", "The address of a what-if leads to something else."
            ) from error
        # The host is never taken from the address.
        asked = HttpRequest("GET", self._endpoint.url.rstrip("/") + address)
        client = self._clients.of(subscription).deployments
        with self._attempt("whatif.get") as exchange:
            answer = client.send_request(asked)
            if answer.status_code not in _ANSWERS:
                failed = HttpResponseError(response=answer)
                if answer.status_code == HTTPStatus.GONE or is_missing(failed, exchange):
                    raise Stalled("PredictionGone", "ARM does not know this what-if any more.")
                raise failed
            return self._told(exchange, address)

    def _told(self, exchange: Exchange, address: str | None) -> Prediction | Predicting:
        """Return what an answer says; ``address`` is where it was asked for, None: it is the first."""
        response = exchange.response
        if response.status_code == HTTPStatus.ACCEPTED:
            url = response.headers.get("Location")
            found = addresses.without_host(str(url)) if url else address
            if found is None:
                raise ValueError("the answer does not say where the what-if's result will be")
            addresses.what_if(found)
            return Predicting(found, delay_s(exchange, self._clock.now()))
        return read_prediction(object_of(response.json()))


def deployment_body(request: DeploymentRequest) -> dict[str, Any]:
    """Return what ARM is told of a deployment, whether it is to be made or foretold. Pure."""
    properties = {
        "mode": "Incremental",
        "template": dict(request.template),
        "parameters": dict(request.parameters),
    }
    body: dict[str, Any] = {"properties": properties}
    if request.location is not None:
        body["location"] = request.location
    return body


def _what_if_body(request: DeploymentRequest) -> dict[str, Any]:
    body = deployment_body(request)
    return {**body, "properties": {**body["properties"], **_SETTINGS}}
