"""Where events enter and outcomes leave: the only room with a broad ``except``.

Binds the log's context, builds the services when the first event needs them, runs one flow, and
turns its outcome into what the trigger understands (docs/architecture.md part 7). Importing it
loads nothing but the Functions library: cold start is a feature.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import azure.functions as func

if TYPE_CHECKING:
    from shared.core.errors import PlumblineError, Transient, Waiting
    from shared.core.message import Message, Queue
    from shared.flows.lookup import Answered
    from shared.flows.sign_in import Credentials
    from shared.wiring import Services

_JSON = "application/json"


def answer(
    context: func.Context, run: "Callable[[Services], func.HttpResponse]"
) -> func.HttpResponse:
    """Run a flow for an HTTP request; every fault becomes an answer that gives nothing away."""
    from shared import wiring
    from shared.core import errors

    invocation = _Invocation(context)
    fault: PlumblineError | None = None
    try:
        services = wiring.services()
        with services.log.bound(invocation_id=context.invocation_id):
            response, outcome = run(services), "answered"
    except errors.Transient as e:
        response, outcome, fault = _unavailable(e.reason, e.retry_after_s), "unavailable", e
    except errors.Stalled as e:
        invocation.report(e)
        response, outcome, fault = _unavailable(e.reason, None), "unavailable", e
    except Exception as e:  # noqa: BLE001 — the boundary: a defect is logged and answered
        invocation.report(e)
        response, outcome = _internal_error(), "failed"
    invocation.finished(outcome, fault, status=response.status_code)
    return response


def order(
    req: func.HttpRequest,
    context: func.Context,
    run: "Callable[[Services, bytes, Credentials], Answered]",
) -> func.HttpResponse:
    """Run a flow for an operator's order: with the body and what says who sends it."""

    def carried_out(services: "Services") -> func.HttpResponse:
        from shared.core.view import to_json
        from shared.flows.sign_in import Credentials

        credentials = Credentials(
            bearer=req.headers.get("authorization"),
            key=req.headers.get("x-plumbline-operator-key"),
        )
        answered = run(services, req.get_body(), credentials)
        return func.HttpResponse(
            to_json(answered.body), status_code=answered.status, mimetype=_JSON
        )

    return answer(context, carried_out)


def _internal_error() -> func.HttpResponse:
    return func.HttpResponse(
        b'{"error":"InternalError","message":"see the log of this invocation"}',
        status_code=500,
        mimetype=_JSON,
    )


def _unavailable(reason: str, retry_after_s: float | None) -> func.HttpResponse:
    return func.HttpResponse(
        b'{"error":"%s","message":"Plumbline cannot do this now; try again later"}'
        % reason.encode(),
        status_code=503,
        mimetype=_JSON,
        headers={"Retry-After": str(max(1, round(retry_after_s or 5)))},
    )


def handle(
    queue: "Queue",
    message: func.QueueMessage,
    context: func.Context,
    run: "Callable[[Services, Any], None]",
) -> None:
    """Run a flow for a queue message.

    A hiccup becomes a copy of the message for later, and this one is done; only if the copy
    cannot be sent does it raise, and storage brings the message back. A bad message and a defect
    raise until they are in the poison queue, which has an owner.
    """
    from shared import wiring
    from shared.core import errors
    from shared.core import message as messages

    invocation, fault = _Invocation(context), None
    with invocation.told():  # settings that are wrong raise, and the message is kept
        services = wiring.services()
    with services.log.bound(invocation_id=context.invocation_id, queue=queue):
        with invocation.told():
            decoded = messages.decode(queue, message.get_body())
        with services.log.bound(**_subject(decoded)), invocation.told():
            try:
                run(services, decoded)
                outcome = "done"
            except (errors.Transient, errors.Waiting) as e:
                _send_later(services, queue, decoded, e)
                outcome = "delayed"
            except errors.Stalled as e:
                invocation.report(e)
                outcome, fault = "stalled", e
            invocation.finished(outcome, fault)


def _subject(message: "Message") -> dict[str, object]:
    subject: dict[str, object] = {"repository": message.repository, "tries": message.tries}
    stack = getattr(message, "stack", None)
    return subject if stack is None else {**subject, "stack": stack}


def _send_later(
    services: "Services", queue: "Queue", message: "Message", error: "Transient | Waiting"
) -> None:
    from shared import events
    from shared.core import errors
    from shared.core import message as messages
    from shared.core.backoff import delay_s

    if isinstance(error, errors.Waiting):
        delay, tries = max(1.0, error.wait_s), message.tries
    else:
        delay, tries = delay_s(message.tries, error.retry_after_s), message.tries + 1
    copy = messages.again(message, tries=tries)
    services.queues.send(queue, messages.encode(copy), delay)
    services.log(
        events.MESSAGE_DELAYED,
        reason=error.reason,
        message=error.message,
        delay_s=round(delay, 1),
        tries=tries,
    )


def tick(context: func.Context, run: "Callable[[Services], None]") -> None:
    """Run a flow for a timer; what went wrong is looked at again at the next tick."""
    from shared import wiring
    from shared.core import errors

    invocation = _Invocation(context)
    with invocation.told():
        services = wiring.services()
    with services.log.bound(invocation_id=context.invocation_id), invocation.told():
        try:
            run(services)
        except errors.Transient as e:
            invocation.finished("postponed", e)
        except errors.Stalled as e:
            invocation.report(e)
            invocation.finished("postponed", e)
        else:
            invocation.finished("done", None)


class _Invocation:
    """What the log says of an invocation: each fault once, and one line for its end.

    It needs no services: that they could not be built is a fault too.
    """

    def __init__(self, context: func.Context) -> None:
        self._context = context
        self._started = time.perf_counter()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Report what leaves the block for the host, and let it go on."""
        try:
            yield
        except Exception as e:
            self.report(e)
            self.finished("failed", None)
            raise

    def report(self, error: Exception) -> None:
        """Log a fault."""
        from shared import events
        from shared.core import errors

        known = isinstance(error, errors.Stalled)
        self._log(
            events.STALLED if known else events.INVOCATION_FAILED,
            error=type(error).__name__,
            reason=getattr(error, "reason", None),
            hint=getattr(error, "hint", None),
            message=getattr(error, "message", None),
            exception=None if known else error,
        )

    def finished(self, outcome: str, fault: "PlumblineError | None", **fields: object) -> None:
        """Log the end; ``fault`` is what kept the flow from it."""
        from shared import events

        if fault is not None:
            fields |= {"reason": fault.reason, "message": fault.message}
        elapsed_ms = round((time.perf_counter() - self._started) * 1000, 1)
        self._log(events.INVOCATION_FINISHED, outcome=outcome, elapsed_ms=elapsed_ms, **fields)

    def _log(self, event: str, **fields: object) -> None:
        from shared import wiring

        context = self._context
        wiring.log()(
            event,
            function=context.function_name,
            invocation_id=context.invocation_id,
            **fields,
        )
