"""Trigger: the queue ``plumbline-snapshot``. Flow: shared/flows/snapshot.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("snapshot")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-snapshot", connection="PlumblineStorage"
)
def snapshot(message: func.QueueMessage, context: func.Context) -> None:
    """Capture what a good release left behind."""
    _boundary.handle(
        "snapshot", message, context, lambda services, decoded: services.snapshot(decoded)
    )
