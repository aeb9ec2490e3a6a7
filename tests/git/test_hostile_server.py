"""The Git adapter against servers that fail, lie, stall and lead astray."""

import base64
import itertools
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from shared.adapters.git import DulwichGit, Limits
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.secret import Secret
from shared.ports import GitRepository
from tests.git.scripted import RESULT, Answer, Asked, answering, git, line, plain

CANARY = "canary/t0ken+%"
BASIC = base64.b64encode(f"bot:{CANARY}".encode()).decode()
REVISION = "1" * 40
QUICK = Limits(connect_s=0.5, read_s=0.3, call_s=0.6)
CAPABILITIES = (
    line(b"version 2\n")
    + line(b"ls-refs=unborn\n")
    + line(b"fetch=shallow filter\n")
    + line(b"object-format=sha1\n")
    + b"0000"
)
REFS = line(f"{REVISION} refs/heads/main\n".encode()) + b"0000"


def repository(url: str) -> GitRepository:
    """Return the repository with credentials that must never be seen again."""
    return GitRepository("example", url, "main", "bot", Secret(CANARY))


@pytest.fixture
def adapter() -> Iterator[DulwichGit]:
    """Yield an adapter that does not wait for long."""
    quick = DulwichGit(QUICK)
    yield quick
    quick.close()


def failure(adapter: DulwichGit, url: str, revision: str | None = None) -> PlumblineError:
    """Return the error of asking for the tip, or the tree; it never tells the credentials."""
    followed = repository(url)
    with pytest.raises(PlumblineError) as caught:
        adapter.tip(followed) if revision is None else adapter.tree(followed, revision)
    error = caught.value
    detail = error.detail if isinstance(error, Stalled) else None
    told = "".join(traceback.format_exception(error)) + f"{error!r} {error.hint} {detail}"
    for secret in (CANARY, BASIC, "canary"):
        assert secret not in told
    return error


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason", "retry_after_s"),
    [
        (203, {}, Stalled, "GitAuthenticationFailed", None),
        (401, {"WWW-Authenticate": "Basic"}, Stalled, "GitAuthenticationFailed", None),
        (403, {}, Stalled, "GitAuthenticationFailed", None),
        (403, {"Retry-After": "60"}, Transient, "GitThrottled", 60.0),
        (404, {}, Stalled, "GitRepositoryNotFound", None),
        (410, {}, Stalled, "GitRepositoryNotFound", None),
        (400, {}, Stalled, "GitProtocolError", None),
        (418, {}, Stalled, "GitProtocolError", None),
        (204, {}, Stalled, "GitProtocolError", None),
        (408, {}, Transient, "GitThrottled", None),
        (429, {"Retry-After": "7"}, Transient, "GitThrottled", 7.0),
        (429, {"Retry-After": "0.5"}, Transient, "GitThrottled", 0.5),
        (429, {"Retry-After": "-5"}, Transient, "GitThrottled", 0.0),
        (429, {"Retry-After": "inf"}, Transient, "GitThrottled", None),
        (429, {"Retry-After": "soon"}, Transient, "GitThrottled", None),
        (429, {"Retry-After": "99999999999"}, Transient, "GitThrottled", 86400.0),
        (500, {}, Transient, "GitUnavailable", None),
        (502, {}, Transient, "GitUnavailable", None),
        (503, {"Retry-After": "120"}, Transient, "GitUnavailable", 120.0),
        (599, {}, Transient, "GitUnavailable", None),
    ],
)
def test_a_status_is_translated(
    adapter: DulwichGit,
    status: int,
    headers: dict[str, str],
    kind: type[PlumblineError],
    reason: str,
    retry_after_s: float | None,
) -> None:
    """Each HTTP status has its class and reason, and the server's wish is kept."""
    with answering(lambda _: plain(status, headers, f"you sent {BASIC}".encode())) as server:
        error = failure(adapter, server.url)

    assert type(error) is kind
    assert error.reason == reason
    assert getattr(error, "retry_after_s", None) == retry_after_s
    assert len(server.asked) == 1


@pytest.mark.parametrize("year", ["2026", "1999"])
def test_a_retry_date_counts_from_the_server_s_own_clock(adapter: DulwichGit, year: str) -> None:
    """Whatever the clocks say, it is the difference that the server meant."""
    headers = {
        "Date": f"Wed, 21 Oct {year} 07:28:00 GMT",
        "Retry-After": f"Wed, 21 Oct {year} 07:30:00 GMT",
    }
    with answering(lambda _: plain(503, headers)) as server:
        error = failure(adapter, server.url)

    assert isinstance(error, Transient)
    assert error.retry_after_s == 120.0


def test_a_hint_names_what_to_do(adapter: DulwichGit) -> None:
    """A person reads where to look, and that 404 may mean a wrong token."""
    with answering(lambda _: plain(404)) as server:
        error = failure(adapter, server.url)

    assert "/team/example.git" in error.message
    assert error.hint is not None
    assert "wrong token" in error.hint


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_never_hears_of_the_token(adapter: DulwichGit, status: int) -> None:
    """A redirect to another origin is refused before a byte goes there."""
    with answering(lambda _: git(b"")) as other:
        target = f"{other.url}/info/refs?service=git-upload-pack&token={CANARY}"
        with answering(lambda _: plain(status, {"Location": target})) as server:
            error = failure(adapter, server.url)

    assert type(error) is Stalled
    assert error.reason == "GitRedirected"
    assert other.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/login",
        "//other.example/x.git/info/refs?service=git-upload-pack",
        "http://127.0.0.1:99999/x",
        "http://[",
        "https://user:canary@host/",
        "file:///etc/passwd",
    ],
)
def test_a_strange_redirect_is_refused(adapter: DulwichGit, location: str) -> None:
    """Sign-in pages, other schemes and nonsense are no repository."""
    with answering(lambda _: plain(302, {"Location": location})) as server:
        error = failure(adapter, server.url)

    assert error.reason == "GitRedirected"
    assert len(server.asked) == 1


def test_an_endless_redirect_ends(adapter: DulwichGit) -> None:
    """A renamed repository is followed a few times, not for ever."""
    with answering(lambda asked: plain(301, {"Location": asked.path})) as server:
        error = failure(adapter, server.url)

    assert error.reason == "GitRedirected"
    assert len(server.asked) == 4


def test_a_renamed_repository_is_followed(adapter: DulwichGit) -> None:
    """A redirect on the same host works, and the token goes with it."""

    def script(asked: Asked) -> Answer:
        if asked.path.startswith("/team/example.git"):
            return plain(301, {"Location": asked.path.replace("example", "renamed")})
        return git(CAPABILITIES) if asked.method == "GET" else git(REFS, RESULT)

    with answering(script) as server:
        tip = adapter.tip(repository(server.url))

    assert tip == REVISION
    assert server.asked[-1].path == "/team/renamed.git/git-upload-pack"
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Basic {BASIC}"}


def test_a_redirect_of_the_request_for_files_is_refused(adapter: DulwichGit) -> None:
    """Only the first question may be redirected."""

    def script(asked: Asked) -> Answer:
        return git(CAPABILITIES) if asked.method == "GET" else plain(307, {"Location": "/x"})

    with answering(script) as server:
        error = failure(adapter, server.url)

    assert error.reason == "GitRedirected"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"zzzz",
        b"0003",
        b"ffff",
        b"0009ab",
        line(b"version 2\n"),
        line(b"version 2\n") + b"0000",
        line(b"version 2\n") + line(b"object-format=\xff\n") + b"0000",
        line(b"ERR " + CANARY.encode() + b" is wrong\n"),
        line(b"# service=git-upload-pack\n") + b"0000" + line(b"garbage") + b"0000",
        line(b"# service=git-upload-pack\n") + b"0000" + line(b"ERR " + BASIC.encode()) + b"0000",
        line(b"# service=git-receive-pack\n") + b"0000",
        b"\0" * 100,
        b"<html>",
    ],
)
def test_a_garbled_announcement_is_an_error_of_ours(adapter: DulwichGit, body: bytes) -> None:
    """Whatever a server says, the flow gets one of the project's errors."""
    with answering(lambda asked: git(body, RESULT if asked.method == "POST" else "")) as bare:
        error = failure(adapter, bare.url)
    assert error.reason == "GitProtocolError"

    with answering(lambda _: git(body)) as server:
        error = failure(adapter, server.url)
    assert error.reason in {"GitProtocolError", "GitUnreachable"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"zzzz",
        line(b"nonsense\n") + b"0000",
        line(b"1111 refs/heads/main extra\n"),
        line(b"ERR " + CANARY.encode()),
        line(REVISION.encode()) + b"0000",
    ],
)
def test_garbled_refs_are_an_error_of_ours(adapter: DulwichGit, body: bytes) -> None:
    """A list of refs that is none is refused or is a list without the branch."""

    def script(asked: Asked) -> Answer:
        return git(CAPABILITIES) if asked.method == "GET" else git(body, RESULT)

    with answering(script) as server:
        if body == b"0000":
            assert adapter.tip(repository(server.url)) is None
        else:
            assert failure(adapter, server.url).reason in {"GitProtocolError", "GitUnreachable"}


PACKFILE = line(b"packfile\n")


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"", {"GitUnreachable"}),
        (PACKFILE, {"GitUnreachable"}),
        (PACKFILE + b"0000", {"GitProtocolError"}),
        (PACKFILE + line(b"\x01PACK") + b"0000", {"GitProtocolError"}),
        (PACKFILE + line(b"\x01" + b"PACK" * 20) + b"0000", {"GitProtocolError"}),
        (PACKFILE + line(b"\x03" + CANARY.encode()) + b"0000", {"GitProtocolError"}),
        (PACKFILE + line(b"\x07what") + b"0000", {"GitProtocolError"}),
        (line(b"ERR no " + BASIC.encode()), {"GitProtocolError", "GitUnreachable"}),
        (line(b"shallow-info\n") + line(b"shallow x\n") + b"0001", {"GitProtocolError"}),
    ],
)
def test_a_garbled_pack_is_an_error_of_ours(
    adapter: DulwichGit, body: bytes, reasons: set[str]
) -> None:
    """Nothing that a server sends instead of a pack is taken for one."""
    with answering(serving_pack(lambda: iter([body]))) as server:
        error = failure(adapter, server.url, REVISION)

    assert error.reason in reasons


def test_files_elsewhere_are_not_fetched(adapter: DulwichGit) -> None:
    """A server that names another place for the pack leads nowhere."""
    with answering(lambda _: git(b"")) as other:
        place = other.url.replace("http:", "https:").encode()
        body = (
            line(b"packfile-uris\n")
            + line(b"a" * 40 + b" " + place + b"\n")
            + line(place + b" sha1 " + b"a" * 40 + b"\n")
            + b"0001"
            + PACKFILE
            + b"0000"
        )
        with answering(serving_pack(lambda: iter([body]))) as server:
            error = failure(adapter, server.url, REVISION)

    assert error.reason in {"GitRedirected", "GitProtocolError"}
    assert other.asked == []


def test_an_endless_pack_ends_at_the_limit() -> None:
    """No more is read than is accepted."""
    sent = [0]

    def pieces() -> Iterator[bytes]:
        yield PACKFILE
        piece = line(b"\x01" + b"x" * 60000)
        for _ in range(1000):
            sent[0] += len(piece)
            yield piece

    small = DulwichGit(replace(QUICK, pack_bytes=2_000_000, call_s=10))
    with answering(serving_pack(pieces)) as server:
        error = failure(small, server.url, REVISION)
    small.close()

    assert type(error) is Stalled
    assert error.reason == "GitRepositoryTooLarge"
    assert sent[0] < 20_000_000


def test_endless_refs_end_at_the_limit() -> None:
    """A list of refs is bounded, too."""

    def endless() -> Iterator[bytes]:
        yield line(b"version 2\n")
        yield from itertools.repeat(line(b"x" * 60000), 1000)

    small = DulwichGit(replace(QUICK, refs_bytes=1_000_000, call_s=10))
    answer = Answer(200, git(b"").headers, endless)
    with answering(lambda _: answer) as server:
        error = failure(small, server.url)
    small.close()

    assert error.reason == "GitRepositoryTooLarge"


def test_a_silent_server_is_given_up() -> None:
    """A server that says nothing ends in a transient error after the read limit."""
    released = threading.Event()

    def silent() -> Iterator[bytes]:
        released.wait(10)
        yield b""

    quick = DulwichGit(QUICK)
    with answering(lambda _: Answer(200, git(b"").headers, silent)) as server:
        error = failure(quick, server.url)
        released.set()
    quick.close()

    assert type(error) is Transient
    assert error.reason == "GitUnreachable"
    assert "in time" in error.message


def test_a_trickling_server_is_given_up() -> None:
    """A byte now and then does not keep a worker for ever."""
    released = threading.Event()

    def trickle() -> Iterator[bytes]:
        yield b"ffff"
        for _ in range(30):
            if released.wait(0.1):
                return
            yield b"x"

    quick = DulwichGit(QUICK)
    with answering(lambda _: Answer(200, git(b"").headers, trickle)) as server:
        error = failure(quick, server.url)
        released.set()
    quick.close()

    assert error.reason == "GitUnreachable"
    assert "in time" in error.message


def test_a_connection_that_breaks_is_transient(adapter: DulwichGit) -> None:
    """Half an answer is no answer; the next attempt may get a whole one."""
    answer = replace(git(CAPABILITIES[:20]), promised=5000)
    with answering(lambda _: answer) as server:
        error = failure(adapter, server.url)

    assert type(error) is Transient
    assert error.reason == "GitUnreachable"


def test_nobody_there_is_transient(adapter: DulwichGit) -> None:
    """A refused connection may work later."""
    error = failure(adapter, "http://127.0.0.1:9/x.git")

    assert type(error) is Transient
    assert error.reason == "GitUnreachable"
    assert "could not be reached" in error.message


def test_a_certificate_must_be_trusted(adapter: DulwichGit, tmp_path: Path) -> None:
    """An unknown authority is for a person; with the authority given it works."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def script(asked: Asked) -> Answer:
        return git(CAPABILITIES) if asked.method == "GET" else git(REFS, RESULT)

    trusting = DulwichGit(QUICK, ca_file=tmp_path / "ca.pem")
    with answering(script, context) as server:
        error = failure(adapter, server.url)
        tip = trusting.tip(repository(server.url))
    trusting.close()

    assert type(error) is Stalled
    assert error.reason == "GitCertificateInvalid"
    assert tip == REVISION


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example/x.git",
        "http://10.0.0.1/x.git",
        "ftp://git.example/x.git",
        "git@github.com:team/x.git",
        "file:///srv/x.git",
        "/srv/x.git",
        "",
        "https://",
        "https://git.example",
        "https://git.example/",
        f"https://bot:{CANARY}@git.example/x.git",
        "https://canary@git.example/x.git",
        f"https://git.example/x.git?token={CANARY}",
        "https://git.example/x.git#canary",
        "https://git.example:99999/x.git",
        "https://[::1/x.git",
        "https://git.example/x.git\n",
        "https://git.example/x y.git",
        "https://git.exämple/x.git",
    ],
)
def test_only_https_without_credentials_is_asked(adapter: DulwichGit, url: str) -> None:
    """Plain http is for this machine only, and credentials have no place in a URL."""
    for revision in (None, REVISION):
        error = failure(adapter, url, revision)

        assert type(error) is Stalled
        assert error.reason == "GitUrlNotAllowed"


@pytest.mark.parametrize("revision", ["", "main", "1" * 39, "1" * 41, "G" * 40, "A" * 40])
def test_a_revision_is_a_full_id(adapter: DulwichGit, revision: str) -> None:
    """Anything else is a defect of the caller."""
    with pytest.raises(ValueError, match="40 hexadecimal digits"):
        adapter.tree(repository("https://git.example/x.git"), revision)


def serving_pack(pieces: Callable[[], Iterator[bytes]]) -> Callable[[Asked], Answer]:
    """Return a script that announces REVISION and sends ``pieces`` for it."""

    def script(asked: Asked) -> Answer:
        if asked.method == "GET":
            return git(CAPABILITIES)
        if b"ls-refs" in asked.body:
            return git(REFS, RESULT)
        return Answer(200, {"Content-Type": RESULT}, pieces)

    return script
