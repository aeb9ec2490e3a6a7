"""Trigger: the queue ``plumbline-watch``. Flow: shared/flows/watch.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("watch")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-watch", connection="PlumblineStorage"
)
def watch(message: func.QueueMessage, context: func.Context) -> None:
    """Look once at a running release."""
    _boundary.handle("watch", message, context, lambda services, decoded: services.watch(decoded))
