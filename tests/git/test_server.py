"""The laptop's Git server, as the git command line and a webhook's receiver see it."""

import contextlib
import gzip
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.git.background import serving
from local.git.repositories import Webhook, prepare
from local.git.server import GitServer, GitServerSettings
from shared.core import push
from shared.core.secret import Secret
from tests.git.receiver import Receiver, receiving
from tests.git.working_copy import WorkingCopy, run

SECRET = b"It's a Secret to Everybody"
ZERO = "0" * 40


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Record what the hook sends."""
    with receiving() as recording:
        yield recording


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[GitServer]:
    """Serve one repository that asks for credentials and announces pushes."""
    secret_file = tmp_path / "secret"
    secret_file.write_bytes(SECRET + b"\n")
    settings = GitServerSettings(
        folder=tmp_path / "git",
        user="dev",
        token="t0ken/with@signs",
        webhook=Webhook(receiver.url, secret_file),
    )
    with serving(settings) as running:
        yield running


@pytest.fixture
def copy(server: GitServer, tmp_path: Path) -> WorkingCopy:
    """Clone the empty repository."""
    return WorkingCopy.clone(server.url_with_credentials, tmp_path / "copy")


def test_a_push_arrives_and_can_be_cloned(
    server: GitServer, copy: WorkingCopy, tmp_path: Path
) -> None:
    """What one person pushed, another clones."""
    copy.write("stacks/network/main.json", "{}\n")
    pushed = copy.commit()
    copy.push()

    other = WorkingCopy.clone(server.url_with_credentials, tmp_path / "other")

    assert pushed == other.git("rev-parse", "HEAD").strip()
    assert (other.folder / "stacks/network/main.json").read_text() == "{}\n"


def test_a_push_is_announced_in_github_s_words(copy: WorkingCopy, receiver: Receiver) -> None:
    """The receiver gets a signed push event that says who changed what."""
    copy.write("kept.txt", "one")
    copy.write("doomed.txt", "one")
    first = copy.commit("Lay the ground\n\nwith a body")
    said = copy.push()
    copy.write("kept.txt", "two")
    copy.write("straße/new file.txt", "one")
    (copy.folder / "doomed.txt").unlink()
    second = copy.commit("Change all three")
    copy.push()

    created, moved = receiver.received
    body = moved.json()

    assert f"plumbline: 202 accepted (main {first[:7]})" in said
    assert created.headers["x-github-event"] == "push"
    assert uuid.UUID(created.headers["x-github-delivery"]) != uuid.UUID(
        moved.headers["x-github-delivery"]
    )
    expected = "sha256=" + hmac.new(SECRET, moved.body, hashlib.sha256).hexdigest()
    assert expected == moved.headers["x-hub-signature-256"]
    assert created.json()["created"] is True
    assert created.json()["before"] == ZERO
    assert created.json()["head_commit"]["message"] == "Lay the ground\n\nwith a body"
    assert created.json()["head_commit"]["added"] == ["doomed.txt", "kept.txt"]
    assert body["ref"] == "refs/heads/main"
    assert (body["before"], body["after"]) == (first, second)
    assert (body["created"], body["deleted"], body["forced"]) == (False, False, False)
    assert body["repository"]["full_name"] == "local/example"
    assert body["repository"]["clone_url"].endswith("/example.git")
    assert "dev" not in body["repository"]["clone_url"]
    assert body["repository"]["default_branch"] == "main"
    assert body["pusher"]["name"] == body["sender"]["login"] == "dev"
    [commit] = body["commits"]
    assert commit == body["head_commit"]
    assert commit["added"] == ["straße/new file.txt"]
    assert commit["removed"] == ["doomed.txt"]
    assert commit["modified"] == ["kept.txt"]
    assert commit["author"]["email"] == "ada@example.org"


def test_several_commits_are_listed_oldest_first(copy: WorkingCopy, receiver: Receiver) -> None:
    """One push of three commits is one event with three commits."""
    copy.commit("zero")
    copy.push()
    ids = [copy.commit(word) for word in ("one", "two", "three")]
    copy.push()

    body = receiver.received[-1].json()

    assert ids == [commit["id"] for commit in body["commits"]]
    assert body["head_commit"]["id"] == ids[-1]


def test_a_force_push_says_so(copy: WorkingCopy, receiver: Receiver) -> None:
    """A branch that lost commits is announced as forced."""
    copy.commit("one")
    lost = copy.commit("two")
    copy.push()
    copy.git("reset", "--quiet", "--hard", "HEAD~1")
    kept = copy.commit("three")
    copy.push("--force", "origin", "main")

    body = receiver.received[-1].json()

    assert body["forced"] is True
    assert (body["before"], body["after"]) == (lost, kept)
    assert [commit["id"] for commit in body["commits"]] == [kept]


def test_branches_and_tags_come_and_go(copy: WorkingCopy, receiver: Receiver) -> None:
    """Deleting even the default branch works; each ref has an event of its own."""
    tip = copy.commit()
    copy.git("tag", "light")
    copy.git("tag", "--annotate", "heavy", "--message", "v1")
    copy.push("origin", "main", "main:side", "light", "heavy")
    said = copy.push("origin", "--delete", "main", "side")

    created = {body["ref"]: body for body in (d.json() for d in receiver.received[:4])}
    deleted = {body["ref"]: body for body in (d.json() for d in receiver.received[4:])}

    assert set(created) == {
        "refs/heads/main",
        "refs/heads/side",
        "refs/tags/light",
        "refs/tags/heavy",
    }
    assert created["refs/tags/light"]["after"] == tip
    assert created["refs/tags/heavy"]["after"] != tip
    assert created["refs/tags/heavy"]["head_commit"]["id"] == tip
    assert created["refs/tags/heavy"]["commits"] == []
    assert set(deleted) == {"refs/heads/main", "refs/heads/side"}
    assert deleted["refs/heads/main"]["deleted"] is True
    assert deleted["refs/heads/main"]["after"] == ZERO
    assert deleted["refs/heads/main"]["head_commit"] is None
    assert "main deleted" in said


def test_a_receiver_that_is_away_for_a_moment_is_tried_again(
    copy: WorkingCopy, receiver: Receiver
) -> None:
    """Server errors are tried again under the same delivery id, and the push succeeds."""
    receiver.answers = [(503, b""), (500, b"oops")]
    copy.commit()
    said = copy.push()

    ids = {delivery.headers["x-github-delivery"] for delivery in receiver.received}
    assert len(receiver.received) == 3
    assert len(ids) == 1
    assert "plumbline: 202 accepted" in said


def test_a_refusal_is_final_and_told_with_its_reason(copy: WorkingCopy, receiver: Receiver) -> None:
    """The pusher reads why the receiver refused; the push is kept."""
    receiver.answers = [(401, json.dumps({"reason": "wrong signature"}).encode())]
    copy.commit()
    said = copy.push()

    assert "plumbline: 401 unauthorized, wrong signature (main" in said
    assert len(receiver.received) == 1


def test_an_unreachable_receiver_does_not_fail_the_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The push is kept although nobody heard of it, and the pusher is told."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a proxy must not be asked
    webhook = Webhook("http://127.0.0.1:9/hook", None)
    with serving(GitServerSettings(folder=tmp_path / "git", webhook=webhook)) as server:
        copy = WorkingCopy.clone(server.url, tmp_path / "copy")
        tip = copy.commit()
        said = copy.push()
        listed = run("ls-remote", server.url, "refs/heads/main").stdout

    assert "plumbline: could not reach 127.0.0.1:9" in said
    assert tip in listed


@pytest.mark.parametrize("who", ["", "dev:wrong@", "other:t0ken%2Fwith%40signs@"])
def test_wrong_credentials_see_nothing(server: GitServer, who: str) -> None:
    """Without the right user and token there is no reading, and no telling what exists."""
    for name in ("example", "missing"):
        url = server.url_of(name).replace("://", f"://{who}")
        done = run("ls-remote", url)

        assert done.returncode != 0
        assert "uthentication failed" in done.stderr or "could not read Username" in done.stderr


def test_only_its_own_repositories_are_served(server: GitServer, tmp_path: Path) -> None:
    """A bare repository that lies in the folder but was not named is not found."""
    prepare(tmp_path / "git", "hidden", branch="main", clone_url="", webhook=None)
    url = server.url_with_credentials.replace("example", "hidden")

    done = run("ls-remote", url)

    assert done.returncode != 0
    assert "not found" in done.stderr


@pytest.mark.parametrize("name", ["..", "a/b", "", "-x", "a.git", ".hidden", "a\0b"])
def test_a_repository_name_is_a_plain_name(tmp_path: Path, name: str) -> None:
    """Nothing is created outside the folder."""
    with pytest.raises(ValueError, match="repository name"):
        prepare(tmp_path, name, branch="main", clone_url="", webhook=None)


def test_large_pushes_are_streamed(server: GitServer, copy: WorkingCopy, tmp_path: Path) -> None:
    """Bodies beyond git's post buffer come chunked, and arrive whole."""
    content = os.urandom(6 * 1024 * 1024)
    copy.write("large.bin", content)
    copy.commit()
    copy.git("config", "http.postBuffer", "65536")
    copy.push()

    other = WorkingCopy.clone(server.url_with_credentials, tmp_path / "other")

    assert (other.folder / "large.bin").read_bytes() == content


def test_compressed_requests_are_understood(server: GitServer, copy: WorkingCopy) -> None:
    """A gzip request body, which git sends for long negotiations, reaches git unpacked."""
    copy.commit()
    copy.push()
    lines = b"0014command=ls-refs\n00010009peel\n0000"
    request = urllib.request.Request(  # noqa: S310
        server.url + "/git-upload-pack",
        data=gzip.compress(lines),
        headers={
            "Content-Encoding": "gzip",
            "Content-Type": "application/x-git-upload-pack-request",
            "Git-Protocol": "version=2",
        },
    )
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, server.url, "dev", "t0ken/with@signs")
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))

    with opener.open(request, timeout=10) as response:
        answer = response.read()

    assert b"refs/heads/main" in answer


def test_requests_are_noted_without_credentials(server: GitServer, copy: WorkingCopy) -> None:
    """The request log says what was asked, by whom, and never with what token."""
    copy.commit()
    copy.push()

    services = {seen.path.rsplit("/", 1)[-1] for seen in server.requests if seen.status == 200}

    assert {"refs?service=git-receive-pack", "git-receive-pack"} <= services
    assert "t0ken" not in repr(server.requests)
    assert "t0ken" not in repr(server.settings)


def test_the_program_keeps_everything_over_a_kill(tmp_path: Path) -> None:
    """Started again in the same folder on the same port, it serves what was pushed."""
    arguments = [
        *(sys.executable, "-m", "local.git", "--json", "--dir", str(tmp_path / "git")),
        *("--user", "dev", "--token", "secret", "--log", str(tmp_path / "requests.jsonl")),
    ]
    with program(arguments) as (process, facts):
        copy = WorkingCopy.clone(facts["url_with_credentials"], tmp_path / "copy")
        tip = copy.commit()
        copy.push()
        process.kill()
    with program([*arguments, "--port", str(facts["port"])]) as (process, again):
        listed = run("ls-remote", again["url_with_credentials"]).stdout
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)

    assert facts["pid"] != again["pid"]
    assert facts["url"] == again["url"]
    assert tip in listed
    assert process.returncode == 0
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert all("secret" not in line and json.loads(line)["status"] for line in lines)


def test_the_product_understands_the_announcement(
    server: GitServer, copy: WorkingCopy, receiver: Receiver
) -> None:
    """The signature, the repository and the branch are those that the product checks."""
    tip = copy.commit()
    copy.push()
    [delivery] = receiver.received
    read = push.parse_push(delivery.body)
    signed = delivery.headers["x-hub-signature-256"]

    assert push.is_genuine(signed, delivery.body, [Secret(SECRET.decode())])
    assert (read.ref, read.after, read.deleted) == ("refs/heads/main", tip, False)
    assert push.why_ignored(read, url=server.url, branch="main") is None


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """A port in use ends the program with a message, not a traceback."""
    with serving(GitServerSettings(folder=tmp_path / "one")) as server:
        done = subprocess.run(
            [sys.executable, "-m", "local.git", "--dir", tmp_path, "--port", str(server.port)],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )

    assert done.returncode == 3
    assert f"on 127.0.0.1:{server.port}" in done.stderr
    assert "Traceback" not in done.stderr


@contextlib.contextmanager
def program(arguments: list[str]) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """Start the program; yields it with its first line of output."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()
