"""The pages hang together: links lead somewhere, code blocks parse, names are of things that exist."""

import json
import re
from pathlib import Path

import pytest
import yaml

from docs import generate
from shared.setting_declarations import DECLARED, SECRET_PREFIX
from tests.docs import pages

PAGES = pages.markdown()
OUTSIDE = ("http://", "https://", "mailto:")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_relative_link_leads_to_something(page: Path) -> None:
    """A link names a file or folder of the project, and a heading that the page has."""
    lost = []
    for target in pages.links(page):
        if target.startswith(OUTSIDE):
            continue
        file, _, anchor = target.partition("#")
        found = (pages.ROOT / page).parent / file if file else pages.ROOT / page
        known = pages.anchors(found) if anchor and found.suffix == ".md" else {anchor}
        if not found.exists() or anchor not in known:
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_code_blocks_parse(page: Path) -> None:
    """JSON and YAML on a page can be copied."""
    for block in pages.blocks(page):
        language = block.info.partition(" ")[0]
        if language == "json":
            json.loads(block.text)
        if language in {"yaml", "yml"}:
            yaml.safe_load(block.text)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/local.md"])
def test_make_targets_on_a_page_exist(page: str) -> None:
    """What a page tells people to make is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", pages.read("Makefile"), re.MULTILINE))
    asked = set(re.findall(r"(?:`|\$ |^)make ([a-z-]+)", pages.read(page), re.MULTILINE))
    assert asked
    assert asked <= targets


def test_settings_on_the_pages_exist() -> None:
    """A setting that a page names is one that the app or its host reads."""
    known = {setting.name for setting in DECLARED}
    form = re.compile(r"(?:PLUMBLINE_[A-Z_0-9]+|PlumblineStorage__\w+)\b(?!…)")
    unknown = {
        (str(page), name)
        for page in PAGES
        for name in form.findall(pages.read(page))
        if name not in known and not name.startswith(SECRET_PREFIX)
    }
    assert unknown == set()


def test_generated_pages_are_up_to_date() -> None:
    """Tables and schemas in docs/ are what the code says now."""
    stale = [
        name
        for name, text in generate.pages().items()
        if (generate.DOCS / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run make docs"


def test_a_page_without_its_marks_is_not_written() -> None:
    """A generated part that lost its place is an error, and not silently left out."""
    with pytest.raises(ValueError, match="generated:arm"):
        generate.with_parts("no marks", {"arm": "table"})


def test_every_direct_dependency_has_its_line() -> None:
    """What requirements name is explained on the page of dependencies."""
    explained = {
        name.lower()
        for row in re.findall(r"^\| `([^`]+)` \|", pages.read("docs/dependencies.md"), re.MULTILINE)
        for name in [row]
    }
    named = set()
    files = ("requirements.in", "requirements-dev.in", "requirements-host.txt")
    for file in (*files, ".ci/requirements-uv.txt"):
        for line in pages.read(file).splitlines():
            if found := re.match(r"[A-Za-z][A-Za-z0-9_.-]*", line):
                named.add(found.group().lower())
    npm = json.loads(pages.read("local/package.json"))["dependencies"]
    named |= {name for name, where in npm.items() if not where.startswith("file:")}
    assert named == explained


def test_the_picture_of_the_loop_names_every_function() -> None:
    """The README's picture has each function but those that mend what is broken."""
    picture = pages.read("docs/loop.svg")
    functions = {path.stem for path in (pages.ROOT / "functions").glob("[a-z]*.py")}
    functions -= {"poison", "rebuild", "replay"}
    assert {name for name in functions if f">{name}<" not in picture} == set()
    assert "prefers-color-scheme: dark" in picture
