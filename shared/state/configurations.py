"""The operator's configuration, read from the setting or the blob and kept for half a minute."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.core import names
from shared.core.budget import RESERVES, Purpose
from shared.core.configuration import Configuration, Repository, parse_configuration
from shared.core.errors import Stalled
from shared.core.secret import Secret
from shared.ports import Clock, Documents, GitHost, GitRepository

KEEP_S: Final = 30.0
"""How old a configuration may be: a change is seen by every worker within this time."""


@dataclass
class _Kept:
    """What one worker has read; replaced whole, so that threads never see half of it."""

    configuration: Configuration | None = None
    until: float = 0.0


@dataclass(frozen=True)
class Configurations:
    """Where the configuration comes from. ``inline`` is the app setting's text, if it is set."""

    documents: Documents
    clock: Clock
    inline: str | None
    secret: Callable[[str], Secret | None]
    _kept: _Kept = field(default_factory=_Kept)

    def current(self) -> Configuration:
        """Return the configuration. Raises Stalled when it is missing or invalid."""
        now = self.clock.monotonic()
        kept = self._kept.configuration
        if kept is not None and now < self._kept.until:
            return kept
        found = parse_configuration(self._bytes())
        self._kept.configuration, self._kept.until = found, now + KEEP_S
        return found

    def _bytes(self) -> bytes:
        if self.inline is not None:
            return self.inline.encode()
        stored = self.documents.read(names.CONFIGURATION)
        if stored is None:
            raise Stalled(
                "ConfigurationMissing",
                f"There is no {names.CONFIGURATION} in the state container.",
                hint="Put it there, or its text into the app setting PLUMBLINE_CONFIG.",
            )
        return stored.data

    def repository(self, key: str) -> Repository:
        """Return a followed repository; raises Stalled when the operator follows none such."""
        found = self.current().repositories.get(key)
        if found is None:
            raise Stalled(
                "RepositoryNotFollowed",
                f"The operator's configuration follows no repository {key!r}.",
                hint=f"Add it to {names.CONFIGURATION}, or let it be.",
            )
        return found

    def reserves(self) -> Mapping[Purpose, float]:
        """Return what each kind of work leaves of ARM's budget to others.

        While the configuration is wrong, the usual: what goes on meanwhile needs no permission.
        """
        try:
            return self.current().budgets.reserves
        except Stalled:
            return RESERVES

    def git(self, key: str) -> GitRepository:
        """Return where a repository is and how to sign in; raises Stalled."""
        repository = self.repository(key)
        credential = repository.credential
        return GitRepository(
            key=key,
            url=repository.url,
            branch=repository.branch,
            user=credential.user if credential else None,
            token=self._secret(credential.token) if credential else None,
        )

    def host(self, key: str) -> GitHost | None:
        """Return where a repository's commit statuses go, None: nowhere; raises Stalled."""
        wanted = self.repository(key).statuses
        if wanted is None:
            return None
        return GitHost(api=wanted.github.rstrip("/"), token=self._secret(wanted.token))

    def hook_secrets(self, repository: Repository) -> list[Secret]:
        """Return the secrets that sign a repository's webhooks; raises Stalled when one is unset."""
        return [self._secret(name) for name in repository.hook_secrets]

    def _secret(self, name: str) -> Secret:
        value = self.secret(name)
        if not value:
            raise Stalled(
                "SecretMissing",
                f"The app setting {name} is not set or empty.",
                hint="Set it; in Azure as a reference to a Key Vault secret.",
            )
        return value
