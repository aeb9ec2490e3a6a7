"""Reads the Markdown pages of the project: their links, headings and code blocks."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SKIPPED: Final = {".venv", "node_modules", ".laptop", ".demo"}

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+)$", re.MULTILINE)
_TICKED = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced code block: what is behind its first fence, and what is inside."""

    page: str
    info: str
    text: str


def markdown() -> list[Path]:
    """Return every Markdown page that Git knows or would take, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {Path(line) for line in listed.stdout.splitlines()}
    return sorted(p for p in found if (ROOT / p).is_file() and not SKIPPED & set(p.parts))


def read(page: Path | str) -> str:
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: Path | str) -> list[Block]:
    """Return a page's fenced code blocks."""
    return [Block(str(page), m["info"].strip(), m["text"]) for m in _FENCE.finditer(read(page))]


def prose(page: Path | str) -> str:
    """Return a page's text without its code blocks."""
    return _FENCE.sub("", read(page))


def links(page: Path | str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return [m["target"] for m in _LINK.finditer(_TICKED.sub("", prose(page)))]


def ticked(page: Path | str) -> list[str]:
    """Return what a page has between single back-ticks."""
    return _TICKED.findall(prose(page))


def anchors(page: Path | str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", m["title"].lower()).replace(" ", "-")
        for m in _HEADING.finditer(prose(page))
    }
