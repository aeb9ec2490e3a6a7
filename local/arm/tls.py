"""The certificate of the HTTPS listener, made once and kept in the folder.

Clients get `ca_file` and check the server against it; keeping it means that a client survives a
restart of the simulator.
"""

from __future__ import annotations

import ssl
from pathlib import Path

_CA, _LEAF = "arm-ca.pem", "arm-server.pem"


def ensure_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return (ca file, server context), making both files if one is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, leaf_file = folder / _CA, folder / _LEAF
    if not (ca_file.exists() and leaf_file.exists()):
        import trustme  # noqa: PLC0415 - needed once per folder, and slow to load

        authority = trustme.CA(organization_name="Plumbline ARM simulator")
        leaf = authority.issue_cert("127.0.0.1", "localhost")
        leaf_file.touch(mode=0o600)
        leaf_file.write_bytes(
            leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        )
        authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf_file)
    return ca_file, context
