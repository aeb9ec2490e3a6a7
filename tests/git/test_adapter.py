"""The Git adapter's economy and bounds, against the real server: what is asked, kept and held."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from local.git import backend
from local.git.background import serving
from local.git.repositories import git_environment
from local.git.server import GitServer, GitServerSettings
from shared.adapters.git import DulwichGit, Limits
from shared.core.errors import Stalled, Transient
from shared.core.source.tree import FileTooLargeError
from shared.ports import GitRepository
from tests.git import objects
from tests.git.working_copy import WorkingCopy

MIB = 1024 * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """Serve an open repository."""
    with serving(GitServerSettings(folder=tmp_path / "git")) as running:
        yield running


@pytest.fixture
def copy(server: GitServer, tmp_path: Path) -> WorkingCopy:
    """Clone it."""
    return WorkingCopy.clone(server.url, tmp_path / "copy")


@pytest.fixture
def adapter() -> Iterator[DulwichGit]:
    """Yield an adapter with the product's limits."""
    git = DulwichGit()
    yield git
    git.close()


def followed(server: GitServer, branch: str = "main") -> GitRepository:
    """Return the repository as an operator configures it."""
    return GitRepository("example", server.url, branch)


def pushed(copy: WorkingCopy, files: Mapping[str, str | bytes]) -> str:
    """Write, commit and push; returns the commit."""
    for path, content in files.items():
        copy.write(path, content)
    revision = copy.commit()
    copy.push("--quiet", "origin", "main")
    return revision


def test_a_sync_asks_three_times_and_a_known_revision_costs_nothing(
    server: GitServer, copy: WorkingCopy, adapter: DulwichGit
) -> None:
    """Discovery, refs, files; and the files only when they are not here yet."""
    revision = pushed(copy, {"a": "1"})
    before = len(server.requests)
    adapter.tip(followed(server))
    first = adapter.tree(followed(server), revision)
    asked = [seen.method for seen in server.requests[before:]]
    again = adapter.tree(followed(server), revision)

    assert asked == ["GET", "POST", "POST"]
    assert again is first
    assert len(server.requests) == before + 3


def test_the_next_revision_brings_only_what_changed(
    server: GitServer, copy: WorkingCopy, adapter: DulwichGit
) -> None:
    """A worker that has one revision fetches the difference, and reads both."""
    files = {f"stacks/s{number}/main.json": f"{number}" * 5000 for number in range(50)}
    first = adapter.tree(followed(server), pushed(copy, files))
    whole_bytes = server.requests[-1].sent_bytes
    second = adapter.tree(followed(server), pushed(copy, {"stacks/s7/main.json": "new"}))
    difference_bytes = server.requests[-1].sent_bytes

    assert difference_bytes < whole_bytes / 3
    assert second.read("stacks/s7/main.json") == b"new"
    assert first.read("stacks/s7/main.json") == b"7" * 5000
    for number in range(50):
        path = f"stacks/s{number}"
        assert (first.entry(path) == second.entry(path)) == (number != 7)


def test_many_revisions_are_kept_within_bounds(server: GitServer) -> None:
    """The cache forgets the oldest revisions; what is forgotten is fetched again."""
    stream = b"".join(
        b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n"
        b"M 100644 inline a\ndata 2\n%02d\nM 100644 inline b%d\ndata 1\nx\n" % ((number,) * 3)
        for number in range(20)
    )
    bare = server.bare("example")
    objects.git(bare, "fast-import", "--quiet", given=stream)
    revisions = objects.git(bare, "rev-list", "--reverse", "main").decode().split()
    adapter = DulwichGit(Limits(cache_revisions=3))
    trees = [adapter.tree(followed(server), revision) for revision in revisions]
    before = len(server.requests)
    adapter.tree(followed(server), revisions[-1])
    unasked = len(server.requests)
    again = adapter.tree(followed(server), revisions[0])
    adapter.close()

    assert [tree.read("a") for tree in trees] == [b"%02d" % number for number in range(20)]
    assert trees[-1].read("b0") == b"x"
    assert max(len(tree.packs) for tree in trees) == 16
    assert unasked == before
    assert len(server.requests) > before
    assert again.read("a") == b"00"
    assert again.entry("b1") is None


def test_a_cache_too_small_for_a_revision_keeps_none(server: GitServer, copy: WorkingCopy) -> None:
    """A repository larger than the cache is read each time, and the memory is given back."""
    adapter = DulwichGit(Limits(cache_bytes=1000))
    revision = pushed(copy, {"a": "1"})
    first = adapter.tree(followed(server), revision)
    second = adapter.tree(followed(server), revision)
    adapter.close()

    assert first is not second
    assert second.read("a") == b"1"


def test_threads_share_one_fetch(server: GitServer, copy: WorkingCopy, adapter: DulwichGit) -> None:
    """Eight messages for one push make one fetch, and all read the same tree."""
    files = {f"f{number}.json": f"{number}" for number in range(100)}
    revision = pushed(copy, files)
    before = len(server.requests)
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(lambda _: adapter.tree(followed(server), revision), range(8)))
        contents = list(pool.map(trees[0].read, [*files] * 5))

    assert len({id(tree) for tree in trees}) == 1
    assert contents == [content.encode() for content in files.values()] * 5
    assert len(server.requests) == before + 3


def test_a_server_of_the_old_protocol_is_understood(
    server: GitServer, copy: WorkingCopy, adapter: DulwichGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without protocol 2 all still works: tip, files, the next revision, and what is gone."""
    real = backend.environment

    def old(request: web.Request, folder: Path, user: str | None) -> Mapping[str, str]:
        variables = dict(real(request, folder, user))
        variables.pop("GIT_PROTOCOL", None)
        return variables

    monkeypatch.setattr(backend, "environment", old)
    empty = adapter.tip(followed(server))
    first = pushed(copy, {"a": "1", "b": "1" * 2000})
    tip = adapter.tip(followed(server))
    one = adapter.tree(followed(server), first)
    second = pushed(copy, {"a": "2"})
    two = adapter.tree(followed(server), second)
    with pytest.raises(Transient) as caught:
        adapter.tree(followed(server), "1" * 40)

    assert empty is None
    assert tip == first
    assert (one.read("a"), two.read("a"), two.read("b")) == (b"1", b"2", b"1" * 2000)
    assert caught.value.reason == "GitRevisionGone"


def test_a_tree_can_be_read_after_a_later_push(
    server: GitServer, copy: WorkingCopy, adapter: DulwichGit
) -> None:
    """The revision that a message names is read although the branch has moved on."""
    adapter.tip(followed(server))
    first = pushed(copy, {"a": "1"})
    pushed(copy, {"a": "2"})

    assert adapter.tree(followed(server), first).read("a") == b"1"


def test_sha256_repositories_are_refused_in_words(tmp_path: Path, adapter: DulwichGit) -> None:
    """A repository with the other kind of ids is named as such."""
    bare = tmp_path / "git" / "example.git"
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "--object-format=sha256", bare],
        env=git_environment(),
        check=True,
    )
    with (
        serving(GitServerSettings(folder=tmp_path / "git")) as server,
        pytest.raises(Stalled) as caught,
    ):
        adapter.tip(followed(server))

    assert caught.value.reason == "GitProtocolError"
    assert "SHA-1" in caught.value.message


def test_names_that_git_would_not_check_out_are_just_names(
    server: GitServer, adapter: DulwichGit
) -> None:
    """Entries called ``..`` or ``a/b``, and double ones, lead nowhere."""
    bare = server.bare("example")
    evil = objects.git(bare, "hash-object", "-w", "--stdin", given=b"evil").strip().decode()
    good = objects.git(bare, "hash-object", "-w", "--stdin", given=b"good").strip().decode()
    entries = b"".join(
        b"%s %s\0" % (mode, name) + bytes.fromhex(id_)
        for mode, name, id_ in [
            (b"100644", b"..", evil),
            (b"100644", b".git", evil),
            (b"100644", b"a/b", evil),
            (b"100644", b"twice", good),
            (b"100644", b"twice", evil),
            (b"10644", b"odd", evil),
            (b"100644", b"\xff", evil),
        ]
    )
    tree_id = objects.git(
        bare, "hash-object", "-w", "-t", "tree", "--stdin", "--literally", given=entries
    )
    commit = objects.git(bare, "commit-tree", tree_id.strip().decode(), "-m", "x").decode().strip()
    objects.git(bare, "update-ref", "refs/heads/main", commit)
    tree = adapter.tree(followed(server), commit)

    assert tree.read("twice") == b"good"
    for path in ("..", ".git", "a/b", "a", "odd", "\udcff", "ÿ"):
        assert tree.entry(path) is None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_a_huge_file_does_not_take_the_memory(server: GitServer) -> None:
    """200 MB of zeros in the repository cost a worker nothing, whether or not the server filters."""
    bare = server.bare("example")
    quick = ("-c", "core.compression=1", "hash-object", "-w", "--stdin")
    huge = objects.git(bare, *quick, given=bytes(200 * MIB)).strip()
    small = objects.git(bare, *quick, given=b"{}").strip()
    entries = b"100644 blob %s\thuge.bin\n100644 blob %s\tsmall.json\n" % (huge, small)
    tree_id = objects.git(bare, "mktree", given=entries).decode().strip()
    revision = objects.git(bare, "commit-tree", tree_id, "-m", "x").decode().strip()
    objects.git(bare, "update-ref", "refs/heads/main", revision)

    for filters in ("true", "false"):
        objects.git(bare, "config", "uploadpack.allowFilter", filters)
        facts = _measured(server.url, revision)

        assert facts["small"] == "{}"
        assert facts["huge"] == FileTooLargeError.__name__
        assert facts["grown_bytes"] < 40 * MIB


def _measured(url: str, revision: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, url, revision],
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


_MEASURE = """
import json, sys
from pathlib import Path
from shared.adapters.git import DulwichGit
from shared.ports import GitRepository

def peak_bytes():  # not ru_maxrss, which a child inherits from its parent
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

repository = GitRepository("example", sys.argv[1], "main")
git = DulwichGit()
git.tip(repository)
before = peak_bytes()
tree = git.tree(repository, sys.argv[2])
try:
    tree.read("huge.bin")
    huge = "read"
except Exception as error:
    huge = type(error).__name__
small = tree.read("small.json").decode()
print(json.dumps({"small": small, "huge": huge, "grown_bytes": peak_bytes() - before}))
git.close()
"""
