"""Asks git what a push brought: the commits with the paths they touched, and whether it forced."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from local.git.push_event import MAX_COMMITS, Commit, Person, RefUpdate

_RECORD = "\x01"
_FORMAT = _RECORD + "%H%x00%T%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B%x00"
_FIELDS = 8


def pushed(bare: Path, update: RefUpdate) -> Sequence[Commit]:
    """Return the commits that the push brought to the ref, oldest first, at most MAX_COMMITS.

    For a new branch: those that no other ref reaches. Tags bring none.
    """
    if update.deleted or not update.ref.startswith("refs/heads/"):
        return []
    if update.created:
        range_ = [update.after, "--not", f"--exclude={update.ref}", "--all"]
    else:
        range_ = [f"{update.before}..{update.after}"]
    return list(reversed(_log(bare, [f"--max-count={MAX_COMMITS}", *range_])))


def head(bare: Path, update: RefUpdate) -> Commit | None:
    """Return the commit that the ref points to now (a tag is peeled), None when it is gone."""
    if update.deleted:
        return None
    found = _log(bare, ["--no-walk", f"{update.after}^{{commit}}"])
    return found[0] if found else None


def is_forced(bare: Path, update: RefUpdate) -> bool:
    """Tell whether the ref lost commits that it had before."""
    if update.created or update.deleted:
        return False
    kept = subprocess.run(
        ["git", "-C", str(bare), "merge-base", "--is-ancestor", update.before, update.after],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return kept.returncode != 0


def _log(bare: Path, selection: Sequence[str]) -> Sequence[Commit]:
    done = subprocess.run(
        ["git", "-C", str(bare), "log", "-z", "--name-status", "--no-renames", "--root",
         f"--format={_FORMAT}", *selection],
        check=False,
        capture_output=True,
    )  # fmt: skip
    if done.returncode != 0:  # a tag of a tree or a blob has no commit
        return []
    text = done.stdout.decode("utf-8", "replace")
    return [_parsed(record) for record in text.split(_RECORD) if record.strip("\0\n")]


def _parsed(record: str) -> Commit:
    fields = record.split("\0", _FIELDS)
    id_, tree, author, author_mail, committer, committer_mail, at, message, paths = fields
    touched: dict[str, list[str]] = {"A": [], "D": [], "M": []}
    for letter, path in _changes(paths):
        touched["M" if letter not in "AD" else letter].append(path)
    return Commit(
        id=id_,
        tree_id=tree,
        message=message.rstrip("\n"),
        timestamp=at,
        author=Person(author, author_mail),
        committer=Person(committer, committer_mail),
        added=touched["A"],
        removed=touched["D"],
        modified=touched["M"],
    )


def _changes(text: str) -> Iterator[tuple[str, str]]:
    words = [word.lstrip("\n") for word in text.split("\0")]
    words = [word for word in words if word]
    yield from zip(words[::2], words[1::2], strict=False)
