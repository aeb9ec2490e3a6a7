"""The story: a sequence of pushes, at ten points of which hosts are killed and started again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from local import waiting
from local.demo.clone import Clone
from tests.conftest import LaptopRun
from tests.e2e.hosts import points
from tests.e2e.hosts.ending import Kill, Told, told
from tests.e2e.hosts.fleet import Fleet
from tests.e2e.hosts.outside import Outside
from tests.e2e.hosts.points import POINTS, Scene
from tests.e2e.hosts.templates import STACKS, Wanted

POINT_LIMIT_S = 120.0


@dataclass
class Story:
    """A story under way."""

    fleet: Fleet
    outside: Outside
    clone: Clone
    wanted: Wanted = field(default_factory=lambda: Wanted({}))
    pushes: dict[str, str] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    def push(self, what: str, *, at: tuple[str, str], force: bool = False) -> None:
        """Commit what is wanted and push it, and kill ``at`` a point (its name, a stack) of it."""
        self.fleet.whole()
        for path, text in self.wanted.files().items():
            self.clone.write(path, text)
        self.clone.git("add", "--all")
        self.clone.git("commit", "--quiet", "--message", what, *(["--amend"] if force else []))
        self.pushes[what] = self.clone.git("rev-parse", "HEAD").strip()
        mark = self.outside.log.mark()
        point, stack = at
        held = POINTS[point].held
        if held is not None:
            self.outside.control("answers", held(stack))
        with ThreadPoolExecutor(1) as pool:
            pushed = pool.submit(
                self.clone.git, "push", *(["--force"] if force else []), "origin", "HEAD"
            )
            self._kill(point, Scene(self.outside, mark, self.pushes[what], stack))
            pushed.result()

    def _kill(self, point: str, scene: Scene) -> None:
        """Wait for a point and kill whoever is at work on it."""
        hosts = waiting.until(
            lambda: POINTS[point].see(scene),
            limit_s=POINT_LIMIT_S,
            what=f"{point} ({scene.stack or scene.sha})",
            pause_s=0.002,
        )
        self.fleet.kill(hosts)
        self.kills.append(Kill(point, tuple(hosts), round(monotonic() - self.began, 1)))

    def change(self, *broken: str, readme: str = "", **notes: str) -> None:
        """Change what is wanted: new notes, and which stacks are broken now."""
        self.wanted = Wanted(
            {**self.wanted.notes, **notes}, frozenset(broken), readme or self.wanted.readme
        )

    def await_final(self, what: str) -> None:
        """Wait for the last word about a push."""
        sha = self.pushes[what]
        waiting.until(
            lambda: (self.outside.api(f"revisions/{sha}") or {}).get("final"),
            limit_s=POINT_LIMIT_S,
            what=f"the end of {what!r}",
            pause_s=0.2,
        )


def play(folder: Path, hosts: int) -> Told:
    """Play the whole story on a fresh laptop with that many hosts, and stop the laptop."""
    laptop = LaptopRun(folder)
    try:
        with Fleet(laptop, hosts) as fleet, Outside(fleet.line, fleet.names) as outside:
            git = fleet.line["git"]
            clone = Clone.of(git["url"], folder / "clone", git["branch"])
            story = Story(fleet, outside, clone)
            _pushes(story)
            fleet.whole()
            return told(outside, story.pushes, story.kills, story.wanted, story.began)
    finally:
        laptop.down()


def _pushes(story: Story) -> None:
    """Push one after the other, most while others run, so that holds of 45 s and more overlap."""
    story.change(cache="first")
    story.push("the first stack", at=(points.SNAPSHOT, "cache"))
    story.change(**{name: "v1" for name in STACKS if name != "cache"})
    story.push("the others, in three waves", at=(points.ACCEPTED, ""))
    story.await_final("the others, in three waves")
    story.change(readme="Nothing to deploy.\n")
    story.push("words only", at=(points.SETTLED, ""))
    story.change("batch", report="v2")
    story.push("one that ARM refuses", at=(points.TOLD, ""))
    story.change(batch="mended")
    story.push("its mend", at=(points.WATCHED, "batch"))
    story.change(data="v2")
    story.push("what a force-push takes away", at=(points.ENDED, "data"))
    story.change(network="v2")
    story.push("what it brings", at=(points.OWED, "network"), force=True)
    story.change(logs="v2")
    story.push("a change of logs", at=(points.INTENT, "logs"))
    story.change(mail="v2")
    story.push("a change of mail", at=(points.TAKEN, "mail"))
    story.change(network="v3", web="v2")
    story.push("the last one", at=(points.SYNCING, ""))
