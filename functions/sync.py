"""Trigger: the queue ``plumbline-sync``. Flow: shared/flows/sync.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("sync")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-sync", connection="PlumblineStorage"
)
def sync(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a repository whose tip may have moved."""
    _boundary.handle("sync", message, context, lambda services, decoded: services.sync(decoded))
