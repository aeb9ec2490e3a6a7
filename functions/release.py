"""Trigger: the queue ``plumbline-release``. Flow: shared/flows/release.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("release")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-release", connection="PlumblineStorage"
)
def release(message: func.QueueMessage, context: func.Context) -> None:
    """Bring a stack one step nearer to what is desired."""
    _boundary.handle(
        "release", message, context, lambda services, decoded: services.release(decoded)
    )
