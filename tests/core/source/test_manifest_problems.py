"""Every way to get a manifest wrong is answered with code, place and hint."""

import pytest

from shared.core.problem import Problem
from shared.core.source.codes import PROBLEM_CODES
from shared.core.source.manifest import MAX_MANIFEST_BYTES, parse_manifest, read_manifest
from tests.core.source.trees import MemoryTree

FILE = "plumbline.yaml"
HEAD = "version: 1\ndefaults: {scope: rg}\nstacks:\n"
GUID = "11111111-2222-3333-4444-555555555555"


def assert_complete(problem: Problem) -> None:
    """Check that a problem names its file, says one line, gives a hint, and has a documented code."""
    assert problem.file == FILE
    assert problem.hint
    assert "\n" not in problem.message
    assert problem.code in PROBLEM_CODES


@pytest.mark.parametrize(
    ("text", "code", "path", "line"),
    [
        (b"version: 1\n\xff\xfe", "NotText", None, 2),
        ("version: 1\nstacks: [", "NotYaml", None, 2),
        ("a:\n  - b\n c: d\n", "NotYaml", None, 3),
        ("a: \x01", "NotYaml", None, 1),
        ("a: 1\n\tb: 2", "NotYaml", None, 2),
        ("", "ManifestEmpty", None, None),
        ("# nothing but a comment\n", "ManifestEmpty", None, None),
        ("---\n~\n", "ManifestEmpty", None, None),
        ("- a\n- b\n", "WrongType", None, 1),
        ("just text", "WrongType", None, 1),
        ("!!omap\nversion: 1", "WrongType", None, 1),
        ("stacks: {}\n", "VersionMissing", "version", 1),
        ("version: 2\nstacks: {}", "VersionUnknown", "version", 1),
        ("version: '1'\nstacks: {}", "VersionUnknown", "version", 1),
        ("version: 1.0\nstacks: {}", "VersionUnknown", "version", 1),
        ("version: true\nstacks: {}", "VersionUnknown", "version", 1),
        ("version: [1]\nstacks: {}", "VersionUnknown", "version", 1),
        ("version: 1\n", "NoStacks", "stacks", None),
        ("version: 1\nstacks:\n", "NoStacks", "stacks", 2),
        ("version: 1\nstacks: {}\n", "NoStacks", "stacks", 2),
        ("version: 1\nstacks: [a]\n", "WrongType", "stacks", 2),
        ("version: 1\nstacks: !!map {}\n", "TagRefused", "stacks", 2),
        ("version: 1\nstacks: !!python/object:os.system {a: b}\n", "TagRefused", "stacks", 2),
        ("version: 1\nstacks: {a: *b}\n", "AliasUnknown", None, 2),
        ("version: 1\nstacks: &x {a: *x}\n", "AliasUnknown", None, 2),
        ("version: 1\nstacks:\n  ? [a, b]\n  : c\n", "KeyNotText", None, 3),
        ("version: 1\n---\nversion: 1\n", "SeveralDocuments", None, 2),
        ("a: " + "[" * 70 + "]" * 70, "TooDeep", None, 1),
        ("version: 1\n<<: [1]\nstacks: {}\n", "WrongType", None, 1),
        (
            "version: 1\nstacks: {a: {template: x}}\nstacks: {b: {template: x}}\n",
            "DuplicateKey",
            "stacks",
            3,
        ),
        (b"#" * (MAX_MANIFEST_BYTES + 1), "ManifestTooLarge", None, None),
    ],
)
def test_an_unreadable_manifest_says_why(
    text: str | bytes, code: str, path: str | None, line: int | None
) -> None:
    """The set of stacks is not known, so nothing may be orphaned, and the problem says where."""
    manifest = parse_manifest(text.encode() if isinstance(text, str) else text, FILE)

    assert not manifest.readable
    assert not manifest.names
    for problem in manifest.problems:
        assert_complete(problem)
    assert (code, path, line) in [(each.code, each.path, each.line) for each in manifest.problems]


@pytest.mark.parametrize(
    ("text", "code", "path", "line", "hint"),
    [
        (
            "version: 1\nstack: 1\nstacks: {a: {template: x, scope: r}}",
            "UnknownKey",
            "stack",
            2,
            "'stacks'",
        ),
        (
            "version: 1\nzzz: 1\nstacks: {a: {template: x, scope: r}}",
            "UnknownKey",
            "zzz",
            2,
            "defaults, removed, stacks, version",
        ),
        ("version: 1\n1: 1\nstacks: {a: {template: x, scope: r}}", "KeyNotText", "['1']", 2, "'1'"),
        (
            "version: 1\nversion: 1\nstacks: {a: {template: x, scope: r}}",
            "DuplicateKey",
            "version",
            2,
            "Keep one",
        ),
        (
            "version: 1\ndefaults: 5\nstacks: {a: {template: x, scope: r, createResourceGroup: b, timeout: 1h, drift: heal, adopt: take, prune: true}}",
            "WrongType",
            "defaults",
            2,
            "key: value",
        ),
        (
            "version: 1\ndefaults: {scop: r}\nstacks: {a: {template: x, scope: r}}",
            "UnknownKey",
            "defaults.scop",
            2,
            "'scope'",
        ),
        (
            "version: 1\ndefaults: {template: r}\nstacks: {a: {template: x, scope: r}}",
            "UnknownKey",
            "defaults.template",
            2,
            "createResourceGroup",
        ),
        (
            "version: 1\ndefaults: {scope: '..//'}\nstacks: {a: {template: x, scope: r}}",
            "BadScope",
            "defaults.scope",
            2,
            "resource group",
        ),
        (
            "version: 1\ndefaults:\n  scope: r\n  scope: q\nstacks: {a: {template: x, scope: r}}",
            "DuplicateKey",
            "defaults.scope",
            4,
            "Keep one",
        ),
    ],
)
def test_a_problem_beside_the_stacks_leaves_them_alone(
    text: str, code: str, path: str, line: int, hint: str
) -> None:
    """It is shown on the repository; stacks that do not need what is wrong go on."""
    manifest = parse_manifest(text.encode(), FILE)

    assert manifest.readable
    assert set(manifest.stacks) == {"a"}
    (problem,) = manifest.problems
    assert_complete(problem)
    assert (problem.code, problem.path, problem.line) == (code, path, line)
    assert hint in (problem.hint or "")


STACK_CASES = [
    ("{}", "TemplateMissing", "", "template:"),
    ("5", "WrongType", "", "key: value"),
    ("", "WrongType", "", "key: value"),
    ("!x {template: t}", "TagRefused", "", "Remove it"),
    ("{template: t, templates: t}", "UnknownKey", ".templates", "'template'"),
    ("{template: t, dependOn: [b]}", "UnknownKey", ".dependOn", "dependsOn"),
    # What an operator's ceiling would limit is refused as long as there is no such ceiling.
    ("{template: t, engine: stack}", "UnknownKey", ".engine", "Known here"),
    ("{template: t, rollback: revert}", "UnknownKey", ".rollback", "Known here"),
    ("{template: t, 5: x}", "KeyNotText", "['5']", "'5'"),
    ("{template: t, !a b: x}", "TagRefused", ".b", "Remove it"),
    ("{template: t, template: t}", "DuplicateKey", ".template", "Keep one"),
    ("{template: 5}", "WrongType", ".template", "'5'"),
    ("{template: }", "WrongType", ".template", "behind the colon"),
    ("{template: [t]}", "WrongType", ".template", "behind the colon"),
    ("{template: no}", "AmbiguousValue", ".template", "'no' in quotes"),
    ("{template: 012}", "AmbiguousValue", ".template", "octal"),
    ("{template: 2026-01-01}", "AmbiguousValue", ".template", "date"),
    ("{template: !!str t}", "TagRefused", ".template", "Remove it"),
    ("{template: ''}", "BadPath", ".template", "main.json"),
    ("{template: ' '}", "BadPath", ".template", "main.json"),
    ("{template: ../main.json}", "BadPath", ".template", "main.json"),
    ("{template: a/../../main.json}", "BadPath", ".template", "main.json"),
    ("{template: /etc/passwd}", "BadPath", ".template", "main.json"),
    ("{template: 'C:/a.json'}", "BadPath", ".template", "main.json"),
    ("{template: 'a\\b.json'}", "BadPath", ".template", "main.json"),
    ('{template: "a\\0b"}', "BadPath", ".template", "main.json"),
    ("{template: .git/config}", "BadPath", ".template", "main.json"),
    ("{template: a/.GIT/config}", "BadPath", ".template", "main.json"),
    ("{template: 'a/.git. /config'}", "BadPath", ".template", "main.json"),
    ("{template: git~1/config}", "BadPath", ".template", "main.json"),
    ("{template: a/}", "BadPath", ".template", "main.json"),
    ("{template: .}", "BadPath", ".template", "main.json"),
    ("{template: a/..}", "BadPath", ".template", "main.json"),
    ("{template: 'https://x/y.json'}", "BadPath", ".template", "main.json"),
    (f"{{template: {'a' * 1025}}}", "BadPath", ".template", "main.json"),
    ("{template: main.bicep}", "BicepNotSupported", ".template", "az bicep build"),
    ("{template: t, parameters: p.json}", "WrongType", ".parameters", "[a.json"),
    ("{template: t, parameters: !a [p]}", "TagRefused", ".parameters", "Remove it"),
    ("{template: t, parameters: [p, 5]}", "WrongType", ".parameters[1]", "'5'"),
    ("{template: t, parameters: [../p]}", "BadPath", ".parameters[0]", "main.json"),
    ("{template: t, values: [a]}", "WrongType", ".values", "key: value"),
    ("{template: t, values: {a: 1, a: 2}}", "DuplicateKey", ".values.a", "Keep one"),
    ("{template: t, values: {a: 1, A: 2}}", "DuplicateKey", ".values.A", "Keep one"),
    ("{template: t, values: {a: {b: 1, b: 2}}}", "DuplicateKey", ".values.a.b", "Keep one"),
    ("{template: t, values: {yes: 1}}", "KeyNotText", ".values.yes", "'yes'"),
    ("{template: t, values: {a: {1: 1}}}", "KeyNotText", ".values.a['1']", "'1'"),
    ("{template: t, values: {a: yes}}", "AmbiguousValue", ".values.a", "write true"),
    ("{template: t, values: {a: [x, off]}}", "AmbiguousValue", ".values.a[1]", "write false"),
    ("{template: t, values: {a: 0x1f}}", "AmbiguousValue", ".values.a", "plain digits"),
    ("{template: t, values: {a: 1_000}}", "AmbiguousValue", ".values.a", "plain digits"),
    ("{template: t, values: {a: 1e3}}", "AmbiguousValue", ".values.a", "plain digits"),
    ("{template: t, values: {a: '1:30'}, b: 1}", "UnknownKey", ".b", "Known here"),
    ("{template: t, values: {a: 12:30}}", "AmbiguousValue", ".values.a", "base 60"),
    ("{template: t, values: {a: .inf}}", "AmbiguousValue", ".values.a", "JSON"),
    ("{template: t, values: {a: -.inf}}", "AmbiguousValue", ".values.a", "JSON"),
    ("{template: t, values: {a: 99999999999999999999}}", "AmbiguousValue", ".values.a", "64 bits"),
    ("{template: t, values: {a: 9223372036854775808}}", "AmbiguousValue", ".values.a", "64 bits"),
    (f"{{template: t, values: {{a: {'9' * 5000}}}}}", "AmbiguousValue", ".values.a", "64 bits"),
    (f"{{template: t, values: {{a: {'9' * 400}.0}}}}", "AmbiguousValue", ".values.a", "64 bits"),
    ("{template: t, values: {a: !!python/name:os.system x}}", "TagRefused", ".values.a", "Remove"),
    ("{template: t, values: {a: !!binary YQ==}}", "TagRefused", ".values.a", "Remove"),
    ("{template: t, values: {a: !!set {x}}}", "TagRefused", ".values.a", "Remove"),
    ("{template: t, dependsOn: b}", "WrongType", ".dependsOn", "[a, b]"),
    ("{template: t, dependsOn: [yes]}", "AmbiguousValue", ".dependsOn[0]", "'yes' in quotes"),
    ("{template: t, dependsOn: !x [b]}", "TagRefused", ".dependsOn", "Remove it"),
    ("{template: t, valuesFrom: [a]}", "WrongType", ".valuesFrom", "key: value"),
    ("{template: t, valuesFrom: {a: b.c}}", "BadOutput", ".valuesFrom.a", "network.outputs"),
    ("{template: t, valuesFrom: {a: B.outputs.c}}", "BadOutput", ".valuesFrom.a", "network"),
    ("{template: t, valuesFrom: {a: b.outputs.c.d}}", "BadOutput", ".valuesFrom.a", "network"),
    (
        "{template: t, valuesFrom: {a: b.outputs.c, A: b.outputs.d}}",
        "DuplicateKey",
        ".valuesFrom.A",
        "Keep one",
    ),
    ("{template: t, scope: 5}", "WrongType", ".scope", "'5'"),
    ("{template: t, scope: }", "WrongType", ".scope", "behind the colon"),
    ("{template: t, scope: yes}", "AmbiguousValue", ".scope", "'yes' in quotes"),
    ("{template: t, scope: a b}", "BadScope", ".scope", "resource group"),
    ("{template: t, scope: rg.}", "BadScope", ".scope", "resource group"),
    (f"{{template: t, scope: {'a' * 91}}}", "BadScope", ".scope", "resource group"),
    ("{template: t, scope: ../x}", "BadScope", ".scope", "resource group"),
    ("{template: t, scope: /subscriptions/x}", "BadScope", ".scope", "resource group"),
    ("{template: t, scope: /subscriptions/x/resourceGroups/y}", "BadScope", ".scope", "<id>"),
    (f"{{template: t, scope: /subscriptions/{GUID}/x}}", "BadScope", ".scope", "resource group"),
    (f"{{template: t, scope: /subscriptions/{GUID}}}", "LocationMissing", "", "westeurope"),
    ("{template: t, location: westeurope}", "LocationUnused", ".location", "Take it out"),
    (
        f"{{template: t, scope: /subscriptions/{GUID}, location: w, createResourceGroup: w}}",
        "GroupNotInScope",
        ".createResourceGroup",
        "Take it out",
    ),
    (
        f"{{template: t, scope: /\u017fubscriptions/{GUID}/resourceGroups/y}}",
        "BadScope",
        ".scope",
        "resource group",
    ),
    (
        f"{{template: t, scope: '/subscriptions/{GUID}/resourceGroups/a b'}}",
        "BadScope",
        ".scope",
        "resource group",
    ),
    ("{template: t, timeout: 90}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: '90'}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: 4m}", "BadTimeout", ".timeout", "5m to 24h"),
    ("{template: t, timeout: 0m}", "BadTimeout", ".timeout", "5m to 24h"),
    ("{template: t, timeout: 25h}", "BadTimeout", ".timeout", "5m to 24h"),
    ("{template: t, timeout: 1441m}", "BadTimeout", ".timeout", "5m to 24h"),
    ("{template: t, timeout: 99999999m}", "BadTimeout", ".timeout", "5m to 24h"),
    ("{template: t, timeout: 1.5h}", "BadTimeout", ".timeout", "whole number"),
    ("{template: t, timeout: 90 m}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: 90M}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: 1d}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: 1h30m}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: -5m}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: \u0665m}", "BadTimeout", ".timeout", "90m"),
    ("{template: t, timeout: 012}", "AmbiguousValue", ".timeout", "octal"),
    ("{template: t, timeout: 1:30}", "AmbiguousValue", ".timeout", "base 60"),
    ("{template: t, timeout: [90m]}", "WrongType", ".timeout", "behind the colon"),
    ("{template: t, timeout: }", "WrongType", ".timeout", "behind the colon"),
    ("{template: t, timeout: !!str 90m}", "TagRefused", ".timeout", "Remove it"),
    ("{template: t, timeout: !x 90}", "TagRefused", ".timeout", "Remove it"),
    ("{template: t, createResourceGroup: true}", "WrongType", ".createResourceGroup", "'true'"),
    (
        "{template: t, createResourceGroup: west/europe}",
        "BadLocation",
        ".createResourceGroup",
        "westeurope",
    ),
    (
        "{template: t, createResourceGroup: ' '}",
        "BadLocation",
        ".createResourceGroup",
        "westeurope",
    ),
]


@pytest.mark.parametrize(("entry", "code", "path", "hint"), STACK_CASES)
def test_a_wrong_stack_says_why_and_takes_no_other_with_it(
    entry: str, code: str, path: str, hint: str
) -> None:
    """The problem is on the stack; the stack is known, so not gone; its neighbours are fine."""
    text = f"{HEAD}  good: {{template: t}}\n  bad: {entry}\n  fine: {{template: t}}\n"
    manifest = parse_manifest(text.encode(), FILE)

    assert manifest.readable
    assert not manifest.problems
    assert set(manifest.stacks) == {"good", "fine"}
    assert manifest.names == {"good", "fine", "bad"}
    for problem in manifest.broken["bad"]:
        assert_complete(problem)
        assert problem.line == 5
    found = {(each.code, each.path): each.hint or "" for each in manifest.broken["bad"]}
    assert hint in found[code, f"stacks.bad{path}"]


@pytest.mark.parametrize(
    "name",
    [
        "Web",
        "-a",
        "a-",
        "a--b",
        "a_b",
        "a.b",
        "''",
        "'../../x'",
        "a" * 32,
        "'a b'",
        "ü",
        "'a\n'",
        "²",
    ],
)
def test_a_bad_name_breaks_that_stack_only(name: str) -> None:
    """Stack names end in blob names and deployment names, so their form is checked."""
    text = f"{HEAD}  ? {name}\n  : {{template: t}}\n  good: {{template: t}}\n"
    manifest = parse_manifest(text.encode(), FILE)

    assert set(manifest.stacks) == {"good"}
    ((problem,),) = manifest.broken.values()
    assert_complete(problem)
    assert problem.code == "BadName"


@pytest.mark.parametrize("name", ["1", "yes", "012", "2026-01-01", "~", "1.5"])
def test_a_name_that_yaml_takes_for_something_else_wants_quotes(name: str) -> None:
    """A stack called 1 is a stack called '1', but only in quotes."""
    manifest = parse_manifest(f"{HEAD}  {name}: {{template: t}}\n".encode(), FILE)

    ((problem,),) = manifest.broken.values()
    assert problem.code == "KeyNotText"
    assert f"'{name}'" in (problem.hint or "")


def test_two_stacks_with_one_name_are_both_refused() -> None:
    """Neither is guessed to be the right one; the others go on."""
    text = f"{HEAD}  a: {{template: t}}\n  b: {{template: t}}\n  a: {{template: u}}\n"
    manifest = parse_manifest(text.encode(), FILE)

    assert set(manifest.stacks) == {"b"}
    (problem,) = manifest.broken["a"]
    assert_complete(problem)
    assert (problem.code, problem.path, problem.line) == ("DuplicateStack", "stacks.a", 6)
    assert "line 4" in problem.message


def test_all_problems_of_a_stack_are_told_at_once() -> None:
    """A user mends a manifest in one go, not push by push."""
    text = f"{HEAD}  a: {{templat: x, scope: 5, values: {{b: yes, c: no}}, parameters: 1}}\n"
    codes = [each.code for each in parse_manifest(text.encode(), FILE).broken["a"]]

    assert codes == [
        "UnknownKey",
        "WrongType",
        "AmbiguousValue",
        "AmbiguousValue",
        "WrongType",
        "TemplateMissing",
    ]


def test_no_scope_anywhere_is_a_problem() -> None:
    """Where to deploy is never guessed."""
    manifest = parse_manifest(b"version: 1\nstacks: {a: {template: t}}", FILE)

    (problem,) = manifest.broken["a"]
    assert_complete(problem)
    assert problem.code == "ScopeMissing"


@pytest.mark.parametrize(
    "defaults",
    ["{scope: 5}", "[a]", "\n  scope: a\n  scope: b", "{scope: rg, timeout: 3m}"],
)
def test_a_wrong_default_breaks_only_those_who_would_use_it(defaults: str) -> None:
    """A stack with its own scope does not care; the other says that it would inherit it."""
    text = (
        f"version: 1\ndefaults: {defaults}\nstacks:\n"
        "  own: {template: t, scope: rg, createResourceGroup: westeurope, timeout: 1h, drift: heal,"
        " adopt: take, prune: false}\n  heir: {template: t}\n"
    )
    manifest = parse_manifest(text.encode(), FILE)

    assert manifest.problems
    assert set(manifest.stacks) == {"own"}
    assert {each.code for each in manifest.broken["heir"]} == {"DefaultInvalid"}
    for problem in manifest.broken["heir"]:
        assert_complete(problem)


def test_aliases_that_multiply_are_bounded() -> None:
    """The billion laughs end at a small number of values, and say so."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    manifest = parse_manifest("\n".join(lines).encode(), FILE)

    (problem,) = manifest.problems
    assert_complete(problem)
    assert problem.code == "TooManyValues"


def test_aliases_that_stack_up_are_bounded() -> None:
    """Depth counts with aliases written out."""
    lines = [f"a0: &a0 {'[' * 40}{']' * 40}", f"a1: {'[' * 40}*a0{']' * 40}"]
    (problem,) = parse_manifest("\n".join(lines).encode(), FILE).problems

    assert problem.code == "TooDeep"


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        (MemoryTree({}), "FileNotFound"),
        (MemoryTree({}, {FILE: "symlink"}), "SymlinkRefused"),
        (MemoryTree({}, {FILE: "submodule"}), "SubmoduleRefused"),
        (MemoryTree({f"{FILE}/x": b""}), "NotAFile"),
        (MemoryTree({FILE: b" " * (4 * 1024 * 1024 + 1)}), "FileTooLarge"),
        (MemoryTree({FILE: b""}), "ManifestEmpty"),
    ],
)
def test_a_manifest_that_is_not_there_cannot_be_read(tree: MemoryTree, code: str) -> None:
    """What is not a plain file of a fair size is a problem, and orphans nothing."""
    manifest = read_manifest(tree, FILE)

    (problem,) = manifest.problems
    assert_complete(problem)
    assert problem.code == code
    assert not manifest.readable
