"""A push of a real template through real git, for a program that knows only the laptop's line."""

import json
import os
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local import waiting
from tests.conftest import LaptopRun

pytestmark = pytest.mark.e2e

FINAL_LIMIT_S = 120.0  # a killed worker's hold on a stack lasts 45 s, a timer's lock 15 s
NAMES = ("one", "two", "three")
STACK_SHAPE = {
    "name",
    "repository",
    "scope",
    "phase",
    "generation",
    "desired",
    "applied",
    "drift",
    "problem",
}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    """Give the line of a laptop with an empty repository, and nothing else."""
    run = LaptopRun(tmp_path_factory.mktemp("story"))
    try:
        yield run.up("--no-example", "--demo")
    finally:
        run.down()


class Program:
    """Knows the line: pushes with git, reads JSON, asks (simulated) Azure."""

    def __init__(self, line: Mapping[str, Any], folder: Path) -> None:
        self.line = line
        self.folder = folder
        self._git(folder.parent, "clone", "--quiet", line["git"]["url"], folder.name)
        self._git(folder, "symbolic-ref", "HEAD", f"refs/heads/{line['git']['branch']}")

    def push(self, files: Mapping[str, str], message: str = "A change") -> str:
        """Write the files, commit and push them; return the commit."""
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self._git(self.folder, "add", "--all")
        self._git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        self._git(self.folder, "push", "--quiet", "origin", self.line["git"]["branch"])
        return self._git(self.folder, "rev-parse", "HEAD").strip()

    def final(self, sha: str) -> Mapping[str, Any]:
        """Wait for the last word about a revision."""

        def look() -> Any:
            status, answer = self.api(f"revisions/{sha}")
            return answer if status == 200 and answer["final"] else None

        answer: Mapping[str, Any] = waiting.until(
            look, limit_s=FINAL_LIMIT_S, what=f"the final status of {sha}", pause_s=0.2
        )
        return answer

    def stacks(self) -> dict[str, Any]:
        """Return all stacks by name."""
        status, answer = self.api("stacks")
        assert status == 200, answer
        return {stack["name"]: stack for stack in answer}

    def api(self, path: str) -> tuple[int, Any]:
        """GET a path of Plumbline's API."""
        url = f"{self.line['functions']}/api/{path}"
        return _get(url, {"x-functions-key": self.line["function_key"]})

    def azure(self, path: str, api_version: str) -> tuple[int, Any]:
        """GET a path of (simulated) Azure."""
        arm = self.line["arm"]
        return _get(
            f"{arm['endpoint']}{path}?api-version={api_version}",
            {"Authorization": f"Bearer {arm['token']}"},
            ssl.create_default_context(cafile=arm["ca_file"]),
        )

    def group(self, stack: str) -> str:
        """Return the id of the resource group that a stack is deployed to."""
        return f"/subscriptions/{self.line['subscription_id']}/resourceGroups/rg-{stack}"

    def account(self, stack: str) -> Any:
        """Return the storage account that a stack deploys, as Azure has it now."""
        name = f"/providers/Microsoft.Storage/storageAccounts/plumb{stack}"
        return self.azure(self.group(stack) + name, "2024-01-01")[1]

    def puts(self) -> int:
        """Return how many deployments Azure was asked for so far."""
        control = f"{self.line['arm']['control']}/requests?limit=0"
        context = ssl.create_default_context(cafile=self.line["arm"]["ca_file"])
        return int(_get(control, {}, context)[1]["routes"].get("PUT deployment", 0))

    def _git(self, folder: Path, *arguments: str) -> str:
        name = {"NAME": "Tess Tester", "EMAIL": "tess@shop.example"}
        environment = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in name.items()
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**os.environ, **environment, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _get(
    url: str, headers: Mapping[str, str], context: ssl.SSLContext | None = None
) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


@pytest.fixture
def program(line: Mapping[str, Any], tmp_path: Path) -> Program:
    """Give a program with a clone of its own, after all three stacks have been deployed."""
    program = Program(line, tmp_path / "clone")
    sha = program.push(
        {"plumbline.yaml": manifest()} | {path(name): template(name) for name in NAMES}
    )
    program.final(sha)
    return program


def manifest() -> str:
    """Return a manifest with three independent stacks."""
    lines = ["version: 1", "defaults: {createResourceGroup: westeurope}", "stacks:"]
    lines += [f"  {name}: {{template: {path(name)}, scope: rg-{name}}}" for name in NAMES]
    return "\n".join(lines) + "\n"


def path(name: str) -> str:
    """Return where a stack's template is."""
    return f"stacks/{name}/main.json"


def template(name: str, tier: str = "Hot", location: str = "resourceGroup().location") -> str:
    """Return a template with one storage account."""
    account = {
        "type": "Microsoft.Storage/storageAccounts",
        "apiVersion": "2024-01-01",
        "name": f"plumb{name}",
        "location": f"[{location}]",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"accessTier": tier},
    }
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    document = {"$schema": schema, "contentVersion": "1.0.0.0", "resources": [account]}
    return json.dumps(document, indent=2)


def test_a_push_ends_in_azure(program: Program) -> None:
    """Three stacks are steady at the pushed revision, and Azure has what the templates say."""
    sha = program.push({path(name): template(name, tier="Cool") for name in NAMES})
    revision = program.final(sha)
    stacks = program.stacks()

    assert (revision["revision"], revision["status"]) == (sha, "deployed")
    assert set(revision["stacks"]) == set(NAMES)
    assert set(stacks) == set(NAMES)
    for name, stack in stacks.items():
        assert set(stack) >= STACK_SHAPE
        assert (stack["repository"], stack["phase"], stack["problem"]) == (
            "example",
            "steady",
            None,
        )
        assert stack["scope"].lower() == program.group(name).lower()
        assert stack["applied"]["revision"] == sha
        assert stack["applied"]["digest"] == stack["desired"]["digest"]
        assert program.account(name)["properties"]["accessTier"] == "Cool"


def test_a_push_that_touches_one_stack_deploys_one(program: Program) -> None:
    """The generation and the deployment of the other stacks stay as they were."""
    before, puts = program.stacks(), program.puts()
    revision = program.final(program.push({path("two"): template("two", tier="Cold")}))
    after = program.stacks()

    assert revision["status"] == "deployed"
    assert program.account("two")["properties"]["accessTier"] == "Cold"
    assert program.puts() - puts == 1
    grown = [name for name in NAMES if after[name]["generation"] != before[name]["generation"]]
    assert grown == ["two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", "# Words\n"),
        (path("one"), "// A comment.\n" + json.dumps(json.loads(template("one")), indent=8)),
    ],
)
def test_a_push_without_meaning_deploys_nothing_and_says_so(
    program: Program, name: str, content: str
) -> None:
    """A README, formatting and comments are not what Azure receives."""
    before, puts = program.stacks(), program.puts()
    revision = program.final(program.push({name: content}))

    assert revision["status"] == "nothing"
    assert program.puts() == puts
    generations = {one: stack["generation"] for one, stack in program.stacks().items()}
    assert generations == {one: stack["generation"] for one, stack in before.items()}


def test_a_template_error_stays_on_its_stack_until_the_mending_push(program: Program) -> None:
    """The stack shows ARM's own words, the others go on, and the next good push recovers it."""
    bad = program.push(
        {
            path("one"): template("one", location="parameters('region')"),
            path("three"): template("three", tier="Cool"),
        }
    )
    failed = program.final(bad)
    stacks = program.stacks()

    assert failed["status"] == "failed"
    assert stacks["one"]["phase"] == "failed"
    assert "The template parameter 'region' is not found" in json.dumps(stacks["one"]["problem"])
    assert (stacks["three"]["phase"], stacks["three"]["problem"]) == ("steady", None)
    assert program.account("three")["properties"]["accessTier"] == "Cool"

    mended = program.final(program.push({path("one"): template("one", tier="Cold")}))

    assert mended["status"] == "deployed"
    assert program.stacks()["one"]["problem"] is None
    assert program.account("one")["properties"]["accessTier"] == "Cold"


def test_a_push_survives_the_death_of_every_process(program: Program) -> None:
    """SIGKILL of everything right after the push, then ``up``: the push still ends in Azure."""
    laptop = LaptopRun(Path(program.line["dir"]))
    pids = laptop.up()["pids"]
    sha = program.push({path("two"): template("two", tier="Premium")})
    for pid in (*pids["functions"], pids["azurite"], pids["arm"], pids["git"]):
        os.kill(pid, signal.SIGKILL)
    laptop.up()

    assert program.final(sha)["status"] == "deployed"
    assert program.account("two")["properties"]["accessTier"] == "Premium"


def test_what_is_not_there_answers_404(program: Program) -> None:
    """A revision never seen, a stack that nobody declared, a page that is not built yet."""
    unknown = program.api("revisions/" + "0" * 40)
    stack = program.api("stacks/nobody")
    unbuilt = program.api("incidents")

    assert [status for status, _ in (unknown, stack, unbuilt)] == [404, 404, 404]
    assert all(answer for _, answer in (unknown, stack, unbuilt))


def test_a_stack_is_found_by_both_of_its_names(program: Program) -> None:
    """The bare name and the whole one lead to the same stack, to its releases and its drift."""
    bare, whole = program.api("stacks/one"), program.api("stacks/example.one")
    releases = program.api("stacks/one/releases")
    drift = program.api("stacks/one/drift")

    assert bare == whole
    assert bare[0] == releases[0] == drift[0] == 200
    assert bare[1]["name"] == drift[1]["name"] == "one"
    assert releases[1]


def test_what_leaves_a_template_leaves_azure(program: Program) -> None:
    """With prune a resource that the next push does not have any more is deleted, and no other."""
    rules = "/providers/Microsoft.Network/networkSecurityGroups/plumbline"
    group = {
        "type": "Microsoft.Network/networkSecurityGroups",
        "apiVersion": "2023-11-01",
        "name": "plumbline",
        "location": "[resourceGroup().location]",
        "properties": {"securityRules": []},
    }
    more = json.loads(template("three"))
    more["resources"].append(group)
    pruning = manifest().replace("defaults: {", "defaults: {prune: true, ")
    program.final(program.push({"plumbline.yaml": pruning, path("three"): json.dumps(more)}))
    there = program.azure(program.group("three") + rules, "2023-11-01")[0]
    revision = program.final(program.push({path("three"): template("three")}))

    def look() -> bool:
        return program.azure(program.group("three") + rules, "2023-11-01")[0] == 404

    waiting.until(look, limit_s=FINAL_LIMIT_S, what="the end of what left", pause_s=0.5)

    assert (there, revision["status"]) == (200, "deployed")
    assert program.account("three")["properties"]["accessTier"] == "Hot"
    assert program.stacks()["three"]["phase"] == "steady"
