"""What a revision wants, compared with what the tip said before: the pure half of ``sync``."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from shared.core import ceilings, names, scopes
from shared.core.configuration import Repository
from shared.core.links import broken_links
from shared.core.problem import Problem
from shared.core.source.compile import Compiled, compile_stack, is_unchanged, spec_digest
from shared.core.source.faults import SourceError
from shared.core.source.manifest import Manifest, StackSpec, parse_manifest
from shared.core.source.scopes import TargetScope, target_scopes
from shared.core.source.tree import FileTooLargeError, SourceTree
from shared.core.tip import Entry, Tip, Visit

ABSENT: Final = "ManifestMissing"


@dataclass(frozen=True)
class Survey:
    """What a sync found. ``contents`` are the new stacks' canonical sources by their digests."""

    tip: Tip
    contents: Mapping[str, bytes] = field(default_factory=dict)


def settings_digest(repository: Repository) -> str:
    """Return a digest of what the operator's configuration adds to a compilation. Pure."""
    used = [repository.url, repository.branch, repository.manifest]
    used += [repository.default_subscription, *repository.scopes]
    return hashlib.sha256(msgspec.json.encode([*used, repository.ceilings])).hexdigest()[:16]


def survey(previous: Tip, tree: SourceTree, repository: Repository) -> Survey:
    """Return the next tip for ``tree``; entries of unchanged stacks are taken over unread.

    A manifest whose set of stacks is uncertain changes nothing but the problems shown, and what was to
    be compiled anew still is. Pure but for reading ``tree``.
    """
    manifest = _manifest(tree, repository.manifest)
    base = msgspec.structs.replace(
        previous,
        revision=tree.revision,
        problems=manifest.problems,
        settings=settings_digest(repository),
    )
    if not manifest.readable:
        seen = Visit(revision=tree.revision, seq=previous.sync_seq, unreadable=True)
        return Survey(msgspec.structs.replace(base, visit=seen))
    compiled = _Compiled(previous, tree, repository)
    for name, spec in manifest.stacks.items():
        compiled.add(name, spec)
    entries, broken = compiled.entries, {**manifest.broken, **compiled.broken}
    for name, problems in broken_links(manifest, entries).items():
        broken[name] = broken.get(name, ()) + problems
        entries.pop(name, None)
    # What is no stack's name must never become part of a document's: it is the repository's problem.
    misnamed = [name for name in broken if not names.is_stack_name(name)]
    strays = tuple(problem for name in misnamed for problem in broken.pop(name))
    for name in broken:
        if name in previous.entries:
            entries[name] = previous.entries[name]
    known = {*previous.entries, *previous.broken, *previous.gone, *previous.recorded}
    seen = Visit(
        revision=tree.revision,
        seq=previous.sync_seq,
        changed=tuple(
            sorted(n for n in entries if n not in broken and _differs(previous, entries, n))
        ),
        broken=tuple(sorted(broken)),
        unreadable=bool(misnamed),
    )
    removed, kept = ceilings.removable(manifest, repository)
    tip = msgspec.structs.replace(
        base,
        entries=dict(sorted(entries.items())),
        broken=dict(sorted(broken.items())),
        gone=tuple(sorted(known - manifest.names)),
        removed=removed,
        prunes=manifest.prunes,
        recorded=(),
        forced=False,
        problems=manifest.problems + strays + kept,
        visit=seen,
    )
    return Survey(tip, compiled.contents)


def _differs(previous: Tip, entries: Mapping[str, Entry], name: str) -> bool:
    before = previous.entries.get(name)
    back = name in previous.gone
    return back or before is None or before.digest != entries[name].digest


def _manifest(tree: SourceTree, file: str) -> Manifest:
    entry = tree.entry(file)
    if entry is None:
        problem = Problem(
            code=ABSENT,
            message=f"There is no {file} at this revision.",
            hint="Commit the manifest, or name its path in the operator's configuration.",
            file=file,
        )
    elif entry.kind != "file":
        problem = Problem(
            code="ManifestNotAFile",
            message=f"{file} is a {entry.kind}, or lies behind one; only plain files are read.",
            hint="Commit the manifest as a plain file.",
            file=file,
        )
    else:
        try:
            return parse_manifest(tree.read(file), file)
        except FileTooLargeError:
            problem = Problem(
                code="ManifestTooLarge",
                message=f"{file} is far too large for a manifest.",
                hint="Split the repository, or move values into parameter files.",
                file=file,
            )
    return Manifest(stacks={}, broken={}, problems=(problem,), readable=False)


class _Compiled:
    """Collects entries, contents and problems while the stacks are gone through."""

    def __init__(self, previous: Tip, tree: SourceTree, repository: Repository) -> None:
        self._previous = previous
        self._tree = tree
        self._repository = repository
        self._settings = settings_digest(repository)
        self.entries: dict[str, Entry] = {}
        self.broken: dict[str, tuple[Problem, ...]] = {}
        self.contents: dict[str, bytes] = {}

    def add(self, name: str, spec: StackSpec) -> None:
        subscription = self._repository.default_subscription
        key = f"{self._settings}:{spec_digest(spec, default_subscription=subscription)}"
        before = self._previous.entries.get(name)
        sound = before is not None and name not in self._previous.broken
        fresh = not self._previous.forced
        if (
            fresh
            and before
            and sound
            and before.spec == key
            and is_unchanged(self._tree, before.files)
        ):
            self.entries[name] = before
            return
        spec, above = ceilings.capped(spec, self._repository.ceilings)
        try:
            compiled = compile_stack(self._tree, name, spec, default_subscription=subscription)
        except SourceError as e:
            self.broken[name] = e.problems
            return
        if problems := outside(compiled, name, spec, self._repository):
            self.broken[name] = problems
            return
        same = before is not None and before.digest == compiled.digest
        self.entries[name] = Entry(
            spec=key,
            files=compiled.files,
            digest=compiled.digest,
            changed_by=before.changed_by if before and same else self._tree.revision,
            scope=compiled.source["scope"],
            create_group=compiled.create_resource_group,
            waits_for=spec.dependencies,
            renamed_from=spec.renamed_from,
            takes=compiled.takes,
            outputs=compiled.outputs,
            warnings=above + compiled.warnings,
            timeout_s=None if spec.timeout is None else int(spec.timeout.total_seconds()),
            policy=spec.policy,
        )
        if not same or self._previous.forced:
            self.contents[compiled.digest] = compiled.content


def outside(
    compiled: Compiled, name: str, spec: StackSpec, repository: Repository
) -> tuple[Problem, ...]:
    """Return a problem for each scope that the stack writes to and may not (rule 13). Pure."""
    allowed = repository.scopes
    problems = []
    for n, target in enumerate(target_scopes(compiled.source)):
        if target.scope is not None and scopes.is_allowed(target.scope, allowed):
            continue
        problems.append(_outside(name, spec, repository, target, own=n == 0))
    return tuple(problems)


_UNDECIDED: Final = {
    "ScopeUndecided": (
        "Where {what!r} leads cannot be told before the deployment.",
        "Write the scope out, or make it from parameters with known values.",
    ),
    "ExtensionNotAllowed": (
        "{what!r} deploys through an extension, and where that writes no scope says.",
        "Deploy it by other means; only resources of Azure Resource Manager are deployed here.",
    ),
    "DeploymentNameReserved": (
        "A nested deployment with the name or tag {what!r} could pass for a stack's own deployment.",
        "Begin its name with a fixed text other than 'plumbline.', and leave out plumbline- tags.",
    ),
}


def _outside(
    name: str, spec: StackSpec, repository: Repository, target: TargetScope, *, own: bool
) -> Problem:
    if target.scope is None:
        message, hint = _UNDECIDED[target.code]
        code, message = target.code, message.format(what=target.written)
    else:
        code = "ScopeNotAllowed"
        message = (
            f"The stack {name!r} writes to {target.scope!r}, which the operator does not allow."
        )
        allowed = ", ".join(repository.scopes)
        hint = f"Choose an allowed scope, or ask the operator to allow this one: {allowed}"
    return Problem(
        code=code,
        message=message,
        hint=hint,
        file=repository.manifest if own else spec.template,
        path=f"stacks.{name}.scope" if own else target.path,
    )
