"""The forms of names, and the names of documents: one place, so that nobody builds a path by hand.

Sources: docs/architecture.md parts 1 and 4. A name that does not match its form never becomes part
of a blob name: repository and stack names come from files that other people write.
"""

import re
from datetime import datetime
from typing import Final

KEY_FORM: Final = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
REPOSITORY_MAX: Final = 16
STACK_MAX: Final = 31
SHA_FORM: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
HOOK_FORM: Final = re.compile(r"[a-z0-9-]{8,64}")
DELIVERY_FORM: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
HALF_FORM: Final = re.compile(r"(?P<stack>[a-z0-9-]{1,31})~(?P<generation>[0-9]{1,9})")
RELEASE_FORM: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
DIGEST_FORM: Final = re.compile(r"[0-9a-f]{64}")
SUBSCRIPTION_FORM: Final = re.compile(r"[0-9a-z-]{1,64}")


def is_repository_key(name: str) -> bool:
    """Tell whether ``name`` may be a repository's key. Pure."""
    return len(name) <= REPOSITORY_MAX and KEY_FORM.fullmatch(name) is not None


def is_stack_name(name: str) -> bool:
    """Tell whether ``name`` may be a stack's name. Pure."""
    return len(name) <= STACK_MAX and KEY_FORM.fullmatch(name) is not None


def is_half_name(name: str) -> bool:
    """Tell whether ``name`` is that of what a stack left behind in another scope (rule 15). Pure.

    No manifest can write such a name: a stack's has no ``~``.
    """
    match = HALF_FORM.fullmatch(name)
    return match is not None and is_stack_name(match["stack"])


def is_record_name(name: str) -> bool:
    """Tell whether ``name`` may have a record: a stack's, or that of what one left behind. Pure."""
    return is_stack_name(name) or is_half_name(name)


def half(stack: str, generation: int) -> str:
    """Return the name of what a stack left behind, by the generation that was there. Pure."""
    if not is_stack_name(stack):
        raise ValueError("not a stack's name")
    return f"{stack}~{generation}"


def is_sha(text: str) -> bool:
    """Tell whether ``text`` is a full Git object id, SHA-1 or SHA-256. Pure."""
    return SHA_FORM.fullmatch(text) is not None


def is_release(text: str) -> bool:
    """Tell whether ``text`` is a release's id, ``<generation>.<attempt>``. Pure."""
    return RELEASE_FORM.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Tell whether ``text`` is a SHA-256 in hex. Pure."""
    return DIGEST_FORM.fullmatch(text) is not None


def identity(repository: str, stack: str) -> str:
    """Return a stack's identity, ``<repository>.<stack>``; a half's has its ``~<generation>``. Pure.

    Raises ValueError for anything that is not of the form: names come from files that others
    write, and ``..`` in a blob's name leads out of its folder, and of its container.
    """
    if not is_record_name(stack):
        raise ValueError("not a stack's name")
    return f"{_key(repository)}.{stack}"


def _key(repository: str) -> str:
    if not is_repository_key(repository):
        raise ValueError("not a repository's key")
    return repository


def _of_form(form: re.Pattern[str], text: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError("not of the form that a document's name may have")
    return text


def deployment_name(repository: str, stack: str) -> str:
    """Return the one constant name of a stack's ARM deployment (rule 5); at most 58 characters.

    Raises ValueError for a half: its deployment keeps the name that it was made with.
    """
    if not is_stack_name(stack):
        raise ValueError("not a stack's name")
    return f"plumbline.{identity(repository, stack)}"


def deployment_id(scope: str, repository: str, stack: str) -> str:
    """Return the full id of a stack's ARM deployment at ``scope``. Pure."""
    name = deployment_name(repository, stack)
    return f"{scope}/providers/Microsoft.Resources/deployments/{name}"


def scope_of(deployment: str) -> str:
    """Return the scope in a deployment's full id. Pure."""
    return deployment.rpartition("/providers/")[0]


CONFIGURATION: Final = "plumbline.config.json"
RECORDS: Final = "stacks/"
RECORD_FILE: Final = "/record.json"
PENDING_DELIVERIES: Final = "pending/deliveries/"


def record(repository: str, stack: str) -> str:
    """Name of a stack's record in ``state``."""
    return f"{RECORDS}{identity(repository, stack)}{RECORD_FILE}"


def identity_of_record(name: str) -> tuple[str, str] | None:
    """Return (repository, stack) of a record's name, or None for any other document. Pure."""
    if not (name.startswith(RECORDS) and name.endswith(RECORD_FILE)):
        return None
    repository, _, stack = name[len(RECORDS) : -len(RECORD_FILE)].partition(".")
    known = is_repository_key(repository) and is_record_name(stack)
    return (repository, stack) if known else None


def records_of(repository: str) -> str:
    """Prefix of a repository's records in ``state``."""
    return f"{RECORDS}{_key(repository)}."


def release(repository: str, stack: str, release_id: str) -> str:
    """Name of a release's document in ``history``."""
    return f"{releases_of(repository, stack)}{_of_form(RELEASE_FORM, release_id)}.json"


def releases_of(repository: str, stack: str) -> str:
    """Prefix of a stack's releases in ``history``."""
    return f"stacks/{identity(repository, stack)}/releases/"


def releases_in(repository: str) -> str:
    """Prefix of what ``history`` has of all of a repository's stacks."""
    return f"stacks/{_key(repository)}."


def identity_of_release(name: str) -> tuple[str, str, str] | None:
    """Return (repository, stack, release) of a release's name, or None for others. Pure."""
    folder, _, file = name.removeprefix("stacks/").partition("/releases/")
    repository, _, stack = folder.partition(".")
    release_id = file.removesuffix(".json")
    known = is_repository_key(repository) and is_record_name(stack) and is_release(release_id)
    return (repository, stack, release_id) if known else None


def unreadable(name: str, digest: str) -> str:
    """Name in ``history`` of the bytes of a document in ``state`` that could not be read."""
    return f"unreadable/{name}/{_of_form(DIGEST_FORM, digest)}"


def snapshot(repository: str, stack: str, release_id: str) -> str:
    """Name of the snapshot of a release in ``history``."""
    name = _of_form(RELEASE_FORM, release_id)
    return f"stacks/{identity(repository, stack)}/snapshots/{name}.json"


def contents(digest: str) -> str:
    """Name of a content by its SHA-256 in ``history``."""
    return f"contents/{_of_form(DIGEST_FORM, digest)}"


def tip(repository: str) -> str:
    """Name of a repository's tip in ``state``."""
    return f"repositories/{_key(repository)}/tip.json"


def revision(repository: str, sha: str) -> str:
    """Name of a revision's document in ``state``."""
    return f"repositories/{_key(repository)}/revisions/{_of_form(SHA_FORM, sha)}.json"


def delivery(source: str, key: str) -> str:
    """Name of a raw delivery in ``history``."""
    return f"deliveries/{_of_form(KEY_FORM, source)}/{_of_form(DELIVERY_FORM, key)}.json"


def pending_delivery(repository: str, key: str) -> str:
    """Name of the marker that a delivery is not finished, in ``state``."""
    return f"{pending_deliveries_of(repository)}{_of_form(DELIVERY_FORM, key)}"


def pending_deliveries_of(repository: str) -> str:
    """Prefix of a repository's unfinished deliveries in ``state``."""
    return f"{PENDING_DELIVERIES}{_key(repository)}/"


AUDITS: Final = "audit/"


def is_audit_since(name: str, since: datetime) -> bool:
    """Tell from an audit's name whether it was written on the day of ``since`` or later. Pure."""
    return name.startswith(AUDITS) and name.removeprefix(AUDITS)[:10] >= f"{since:%Y/%m/%d}"


def audit(at: datetime, audit_id: str) -> str:
    """Name of an operation's record in ``history``: by time, so that a listing is a log."""
    return f"audit/{at:%Y/%m/%d/%H%M%S}-{_of_form(KEY_FORM, audit_id)}.json"


PENDING_REVISIONS: Final = "pending/revisions/"


def pending_revision(repository: str, sha: str) -> str:
    """Name of the marker that a revision's end is not told yet, in ``state``."""
    return f"{pending_revisions_of(repository)}{_of_form(SHA_FORM, sha)}"


def pending_revisions_of(repository: str) -> str:
    """Prefix of a repository's unsettled revisions in ``state``."""
    return f"{PENDING_REVISIONS}{_key(repository)}/"


def poison(queue: str, message_id: str) -> str:
    """Name of a message that was tried too often, in ``history``."""
    return f"poison/{_of_form(KEY_FORM, queue)}/{_of_form(DELIVERY_FORM, message_id)}.json"


PENDING_POISON: Final = "pending/poison/"


def is_message_id(text: str) -> bool:
    """Tell whether ``text`` may be a queue message's id. Pure."""
    return DELIVERY_FORM.fullmatch(text) is not None


def pending_poison(message_id: str) -> str:
    """Name of the marker that nobody has dealt with a kept message yet, in ``state``."""
    return f"{PENDING_POISON}{_of_form(DELIVERY_FORM, message_id)}"


DRIFTS: Final = "drift/"


def drift(repository: str, stack: str) -> str:
    """Name of what inspections know of a stack, in ``state``."""
    return f"{DRIFTS}{identity(repository, stack)}.json"


def identity_of_drift(name: str) -> tuple[str, str] | None:
    """Return (repository, stack) of such a name, or None for any other document. Pure."""
    if not (name.startswith(DRIFTS) and name.endswith(".json")):
        return None
    repository, _, stack = name[len(DRIFTS) : -len(".json")].partition(".")
    known = is_repository_key(repository) and is_record_name(stack)
    return (repository, stack) if known else None


def noise(repository: str) -> str:
    """Name of the rules that inspections of a repository's stacks have learned, in ``state``."""
    return f"noise/{_key(repository)}.json"


COVERAGE: Final = "coverage.json"
"""Name of how much of each scope is in some stack, in ``state``."""


def activity(subscription: str) -> str:
    """Name of what is kept of a subscription's Activity Log, in ``state``."""
    return f"activity/{_of_form(SUBSCRIPTION_FORM, subscription.lower())}.json"


def deletion(repository: str, stack: str, release_id: str, digest: str) -> str:
    """Name in ``history`` of a deletion, by the release that left the resource."""
    name = _of_form(RELEASE_FORM, release_id)
    return f"{deletions_of(repository, stack)}{name}/{_of_form(DIGEST_FORM, digest)}.json"


def deletions_of(repository: str, stack: str) -> str:
    """Prefix in ``history`` of what was deleted of a stack."""
    return f"stacks/{identity(repository, stack)}/deletions/"
