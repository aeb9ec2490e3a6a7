"""Trigger: the queue ``plumbline-prune``. Flow: shared/flows/prune.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("prune")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-prune", connection="PlumblineStorage"
)
def prune(message: func.QueueMessage, context: func.Context) -> None:
    """Delete what left a stack, once its repository is at rest."""
    _boundary.handle("prune", message, context, lambda services, decoded: services.prune(decoded))
