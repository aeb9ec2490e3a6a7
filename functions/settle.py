"""Trigger: the queue ``plumbline-settle``. Flow: shared/flows/settle.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("settle")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-settle", connection="PlumblineStorage"
)
def settle(message: func.QueueMessage, context: func.Context) -> None:
    """Say what became of the revisions whose end is not told yet."""
    _boundary.handle("settle", message, context, lambda services, decoded: services.settle(decoded))
