"""The Git port's contract, on the fake and on the real adapter against ``git http-backend``."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from local.git.background import serving
from local.git.repositories import git_environment
from local.git.server import GitServer, GitServerSettings
from shared.adapters.git import DulwichGit
from shared.core.errors import Stalled, Transient
from shared.core.secret import Secret
from shared.core.source.tree import MAX_FILE_BYTES, FileTooLargeError, SourceTree, TreeEntry
from shared.ports import Git, GitRepository
from tests.fakes.git import Content, Executable, FakeGit, Files, Submodule, Symlink
from tests.git.working_copy import ENVIRONMENT, WorkingCopy, run

USER, TOKEN = "dev", "t0ken/with@signs"
ABSENT = "1234567890123456789012345678901234567890"
FILES: Files = {
    "plumbline.yaml": "version: 1\n",
    "stacks/network/main.json": b'{"a": 1}',
    "stacks/network/prod.parameters.json": "{}",
    "stacks/web/main.json": b'{"a": 1}',
    "deploy.sh": Executable(b"#!/bin/sh\n"),
    "link.json": Symlink("stacks/web/main.json"),
    "linked": Symlink("stacks/web"),
    "outside": Symlink("/etc"),
    "vendor/module": Submodule(ABSENT),
    "straße/日本語 main.json": "ja",
    "empty": b"",
}


class World(Protocol):
    """A repository as its users see it, and the port that reads it."""

    @property
    def git(self) -> Git:
        """Return the port under test."""
        ...

    @property
    def url(self) -> str:
        """Return the repository's URL."""
        ...

    def push(self, files: Files, branch: str = "main", *, onto: str | None = "") -> str:
        """Make ``files`` all of a branch; ``onto`` None rewrites its history."""
        ...

    def delete_branch(self, branch: str) -> None:
        """Delete a branch."""
        ...

    def forget(self, revision: str) -> None:
        """Collect a commit that no branch reaches."""
        ...


class FakeWorld:
    """The fake, driven through its own methods."""

    def __init__(self) -> None:
        self.url = "https://git.example/example.git"
        self.git = FakeGit()
        self.git.create(self.url, USER, TOKEN)

    def push(self, files: Files, branch: str = "main", *, onto: str | None = "") -> str:  # noqa: ARG002
        """Make ``files`` all of a branch."""
        return self.git.push(self.url, files, branch)

    def delete_branch(self, branch: str) -> None:
        """Delete a branch."""
        self.git.delete_branch(self.url, branch)

    def forget(self, revision: str) -> None:
        """Collect a commit."""
        self.git.forget(self.url, revision)


class RealWorld:
    """The real adapter; pushes come from the git command line over HTTP."""

    def __init__(self, server: GitServer, folder: Path) -> None:
        self.git = DulwichGit()
        self.url = server.url
        self._bare = server.bare("example")
        self._copy = WorkingCopy.clone(server.url_with_credentials, folder)

    def push(self, files: Files, branch: str = "main", *, onto: str | None = "") -> str:
        """Make ``files`` all of a branch."""
        ref = f"refs/heads/{branch}"
        known = run("rev-parse", "--verify", "--quiet", ref, cwd=self._copy.folder).returncode == 0
        if onto is None and known:
            self._copy.git("update-ref", "-d", ref)
        stream = _commit_stream(ref, files, parent=ref if known and onto is not None else None)
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force", "--date-format=now"],
            cwd=self._copy.folder,
            env=ENVIRONMENT,
            input=stream,
            check=True,
        )
        self._copy.push("--quiet", "--force", "origin", ref)
        return self._copy.git("rev-parse", ref).strip()

    def delete_branch(self, branch: str) -> None:
        """Delete a branch."""
        self._copy.push("--quiet", "origin", "--delete", branch)

    def forget(self, revision: str) -> None:  # noqa: ARG002 - prunes all that is unreachable
        """Collect what no branch reaches."""
        subprocess.run(
            ["git", "-C", self._bare, "gc", "--quiet", "--prune=now"],
            env=git_environment(),
            check=True,
        )


def _commit_stream(ref: str, files: Files, parent: str | None) -> bytes:
    lines = [b"commit " + ref.encode(), b"committer Ada <ada@example.org> now", b"data 1\nx"]
    if parent is not None:
        lines.append(f"from {parent}^0".encode())
    lines.append(b"deleteall")
    for path, content in files.items():
        lines.append(_entry_lines(path, content))
    return b"\n".join(lines) + b"\n"


def _entry_lines(path: str, content: Content) -> bytes:
    match content:
        case Submodule(commit):
            return f"M 160000 {commit} {path}".encode()
        case Symlink(target):
            mode, data = "120000", target.encode()
        case Executable(data):
            mode = "100755"
        case str():
            mode, data = "100644", content.encode()
        case bytes():
            mode, data = "100644", content
    return f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data


@contextmanager
def world_of(kind: str, folder: Path) -> Iterator[World]:
    """Yield an empty private repository."""
    if kind == "fake":
        yield FakeWorld()
        return
    settings = GitServerSettings(folder=folder / "git", user=USER, token=TOKEN)
    with serving(settings) as server:
        real = RealWorld(server, folder / "copy")
        yield real
        real.git.close()


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Yield an empty private repository."""
    with world_of(request.param, tmp_path) as empty:
        yield empty


@pytest.fixture(scope="module", params=["fake", "real"])
def tree(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SourceTree]:
    """Yield the tree of FILES; nothing changes it, so the cases share it."""
    with world_of(request.param, tmp_path_factory.mktemp("git")) as world:
        yield world.git.tree(followed(world), world.push(FILES))


def followed(world: World, branch: str = "main") -> GitRepository:
    """Return the repository as an operator configures it."""
    return GitRepository("example", world.url, branch, USER, Secret(TOKEN))


def test_an_empty_repository_has_no_tip(world: World) -> None:
    """Nothing was pushed yet: no error, no tip."""
    assert world.git.tip(followed(world)) is None


@pytest.mark.parametrize("branch", ["absent", "mai", "main2", "a b", "..", "", "x\ny", "\udc80"])
def test_a_missing_branch_has_no_tip(world: World, branch: str) -> None:
    """A branch that is not there, or can't be, is None; not an error, not its neighbour."""
    world.push(FILES)

    assert world.git.tip(followed(world, branch)) is None


def test_the_tip_moves_with_a_push(world: World) -> None:
    """Each push is seen, and a pushed tip's files are those that were pushed."""
    first = world.push({"a": "1"})
    seen_first = world.git.tip(followed(world))
    old = world.git.tree(followed(world), first)
    second = world.push({"a": "2", "b": "2"})
    seen_second = world.git.tip(followed(world))
    new = world.git.tree(followed(world), second)

    assert (first, second) == (seen_first, seen_second)
    assert first != second
    assert (old.revision, new.revision) == (first, second)
    assert (old.read("a"), new.read("a"), new.read("b")) == (b"1", b"2", b"2")
    assert old.entry("b") is None


def test_branches_are_apart(world: World) -> None:
    """One URL may be followed on two branches."""
    main = world.push({"a": "main"})
    side = world.push({"a": "side"}, branch="env/prod")

    assert main == world.git.tip(followed(world))
    assert side == world.git.tip(followed(world, "env/prod"))
    assert world.git.tree(followed(world, "env/prod"), side).read("a") == b"side"


def test_a_deleted_branch_has_no_tip(world: World) -> None:
    """After the deletion there is no tip, even when it was the default branch."""
    world.push({"a": "1"})
    world.push({"a": "1"}, branch="side")
    world.delete_branch("main")

    assert world.git.tip(followed(world)) is None


def test_kinds_are_told_apart(tree: SourceTree) -> None:
    """Files, folders, symlinks and submodules are named as such."""
    kinds = {path: entry.kind if (entry := tree.entry(path)) else None for path in [*FILES, "a"]}

    assert kinds == {
        "plumbline.yaml": "file",
        "stacks/network/main.json": "file",
        "stacks/network/prod.parameters.json": "file",
        "stacks/web/main.json": "file",
        "deploy.sh": "file",
        "link.json": "symlink",
        "linked": "symlink",
        "outside": "symlink",
        "vendor/module": "submodule",
        "straße/日本語 main.json": "file",
        "empty": "file",
        "a": None,
    }
    for folder in ("stacks", "stacks/network", "vendor", "straße"):
        entry = tree.entry(folder)
        assert entry is not None
        assert entry.kind == "folder"


def test_equal_ids_mean_equal_content(world: World) -> None:
    """Ids are Git's own: of a file, of a folder, of a submodule's commit."""
    before = world.git.tree(followed(world), world.push(FILES))
    changed = {**FILES, "stacks/network/main.json": "other"}
    after = world.git.tree(followed(world), world.push(changed))

    assert before.entry("empty") == TreeEntry("file", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    assert before.entry("vendor/module") == TreeEntry("submodule", ABSENT)
    assert before.entry("stacks/network/main.json") == before.entry("stacks/web/main.json")
    assert before.entry("stacks/web") == after.entry("stacks/web")
    assert before.entry("straße") == after.entry("straße")
    assert before.entry("stacks/network") != after.entry("stacks/network")
    assert before.entry("stacks") != after.entry("stacks")


def test_the_fake_has_git_s_folder_ids(tmp_path: Path) -> None:
    """Folder ids of the fake are those of the real server, so digests can be compared."""
    fake = FakeWorld()
    with serving(GitServerSettings(folder=tmp_path / "git", user=USER, token=TOKEN)) as server:
        real = RealWorld(server, tmp_path / "copy")
        files = {**FILES, "stacks.txt": "sorted before the folder", "stacks0": "and after"}
        pushed = real.git.tree(followed(real), real.push(files))
        faked = fake.git.tree(followed(fake), fake.push(files))
        paths = [*files, "stacks", "stacks/network", "vendor", "straße"]

        assert [pushed.entry(path) for path in paths] == [faked.entry(path) for path in paths]
        real.git.close()


def test_files_are_read_whole(world: World) -> None:
    """Contents come back byte for byte, executable, empty or with a name in any script."""
    content = bytes(range(256)) * 5000
    tree = world.git.tree(followed(world), world.push({**FILES, "data.bin": content}))

    assert tree.read("data.bin") == content
    assert tree.read("deploy.sh") == b"#!/bin/sh\n"
    assert tree.read("empty") == b""
    assert tree.read("straße/日本語 main.json") == b"ja"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("linked/main.json", "symlink"),
        ("linked/deeper/main.json", "symlink"),
        ("outside/passwd", "symlink"),
        ("vendor/module/main.json", "submodule"),
        ("link.json/x", "symlink"),
    ],
)
def test_a_path_through_a_link_is_the_link(tree: SourceTree, path: str, kind: str) -> None:
    """The caller gets the link's entry, to refuse it by name; there is nothing to read."""
    entry = tree.entry(path)

    assert entry is not None
    assert entry.kind == kind
    with pytest.raises(KeyError):
        tree.read(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        ".",
        "..",
        "../plumbline.yaml",
        "stacks/../plumbline.yaml",
        "./plumbline.yaml",
        "/plumbline.yaml",
        "plumbline.yaml/",
        "stacks//web",
        "stacks\\web",
        "plumbline.yaml\0",
        ".git",
        ".git/config",
        "stacks/.GIT/config",
        "Plumbline.yaml",
        "plumbline.yaml/x",
        "absent",
        "stacks/absent/main.json",
        "\udc80",
    ],
)
def test_a_path_that_is_none_has_no_entry(tree: SourceTree, path: str) -> None:
    """Absent, impossible and escaping paths are nothing; the caller reports with its own words."""
    assert tree.entry(path) is None
    with pytest.raises(KeyError):
        tree.read(path)


@pytest.mark.parametrize("path", ["stacks", "link.json", "vendor/module"])
def test_only_files_can_be_read(tree: SourceTree, path: str) -> None:
    """Folders, symlinks and submodules have no bytes."""
    with pytest.raises(KeyError):
        tree.read(path)


def test_a_large_file_is_there_but_not_read(world: World) -> None:
    """The limit is exact, and a larger file still has its entry."""
    limit = b"x" * MAX_FILE_BYTES
    files: Files = {"fits.json": limit, "large/not.json": limit + b"x", "small.json": "{}"}
    tree = world.git.tree(followed(world), world.push(files))

    assert tree.read("fits.json") == limit
    assert tree.entry("large/not.json") is not None
    with pytest.raises(FileTooLargeError):
        tree.read("large/not.json")
    assert tree.read("small.json") == b"{}"


def test_a_large_file_that_shrinks_can_be_read(world: World) -> None:
    """What was left out of one revision is whole in the next."""
    body = bytes(range(256)) * (MAX_FILE_BYTES // 256)
    large = world.git.tree(followed(world), world.push({"a.json": body + b"more"}))
    with pytest.raises(FileTooLargeError):
        large.read("a.json")

    small = world.git.tree(followed(world), world.push({"a.json": body}))

    assert small.read("a.json") == body


def test_a_forced_branch_points_to_the_new_history(world: World) -> None:
    """After a force-push the tip is the new commit, and its files are the new ones."""
    lost = world.push({"a": "1"})
    world.git.tree(followed(world), lost)
    kept = world.push({"a": "2"}, onto=None)

    assert kept == world.git.tip(followed(world))
    assert world.git.tree(followed(world), kept).read("a") == b"2"


@pytest.mark.parametrize("asked_first", [True, False])
def test_a_revision_that_is_gone_is_transient(world: World, *, asked_first: bool) -> None:
    """A commit that was forced away and collected is not there later: ask for the tip again."""
    lost = world.push({"a": "1"})
    if asked_first:
        assert lost == world.git.tip(followed(world))
    world.push({"a": "2"}, onto=None)
    world.forget(lost)

    with pytest.raises(Transient) as caught:
        world.git.tree(followed(world), lost)

    assert caught.value.reason == "GitRevisionGone"


@pytest.mark.parametrize(
    ("user", "token"),
    [(USER, "canary-wrong"), ("canary-other", TOKEN), (None, None), (USER, None)],
)
def test_wrong_credentials_are_for_a_person(
    world: World, user: str | None, token: str | None
) -> None:
    """Wrong or missing credentials stall, and the error does not tell them."""
    revision = world.push(FILES)
    secret = None if token is None else Secret(token)
    repository = GitRepository("example", world.url, "main", user, secret)

    with pytest.raises(Stalled) as tip_error:
        world.git.tip(repository)
    with pytest.raises(Stalled) as tree_error:
        world.git.tree(repository, revision)

    for error in (tip_error.value, tree_error.value):
        assert error.reason == "GitAuthenticationFailed"
        assert "canary" not in f"{error!r} {error.hint} {error.detail}"
        assert TOKEN not in f"{error!r} {error.hint} {error.detail}"


def test_a_missing_repository_is_for_a_person(world: World) -> None:
    """A URL without a repository stalls."""
    url = world.url.replace("example.git", "absent.git")

    with pytest.raises(Stalled) as caught:
        world.git.tip(GitRepository("example", url, "main", USER, Secret(TOKEN)))

    assert caught.value.reason == "GitRepositoryNotFound"
