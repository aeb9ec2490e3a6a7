"""Functions of IP address ranges in CIDR notation."""

import ipaddress
from typing import Any

from local.arm.engine.functions.signature import fail, function, table

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_cidr(text: str) -> dict[str, Any]:
    """Return the parts of a range; all addresses of an IPv6 one are usable."""
    network = _network("parseCidr", text)
    parts: dict[str, Any] = {
        "network": str(network.network_address),
        "netmask": str(network.netmask),
    }
    if isinstance(network, ipaddress.IPv4Network):
        parts["broadcast"] = str(network.broadcast_address)
    first, last = (0, network.num_addresses - 1)
    if isinstance(network, ipaddress.IPv4Network):
        first, last = _usable(network)
    parts["firstUsable"] = str(network.network_address + first)
    parts["lastUsable"] = str(network.network_address + last)
    parts["cidr"] = network.prefixlen
    return parts


def cidr_subnet(text: str, prefix: int, index: int) -> str:
    """Return the subnet of a prefix length at a position."""
    network = _network("cidrSubnet", text)
    if not network.prefixlen <= prefix <= network.max_prefixlen:
        raise fail("cidrSubnet", f"the prefix '{prefix}' does not fit into the range '{text}'.")
    count = 1 << (prefix - network.prefixlen)
    if not 0 <= index < count:
        raise fail("cidrSubnet", f"the index '{index}' must be from 0 to '{count - 1}'.")
    size = 1 << (network.max_prefixlen - prefix)
    return f"{network.network_address + index * size}/{prefix}"


def cidr_host(text: str, index: int) -> str:
    """Return the usable address at a position."""
    network = _network("cidrHost", text)
    first, last = _usable(network)
    if not 0 <= index <= last - first:
        raise fail("cidrHost", f"the index '{index}' must be from 0 to '{last - first}'.")
    return str(network.network_address + first + index)


def _network(name: str, text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise fail(name, f"'{text}' is not a range in CIDR notation.") from error


def _usable(network: Network) -> tuple[int, int]:
    """Return the offsets of the first and last usable address."""
    total = network.num_addresses
    if network.prefixlen >= network.max_prefixlen - 1:
        return 0, total - 1
    return 1, total - 2


FUNCTIONS = table(
    function("parseCidr(string)", parse_cidr),
    function("cidrSubnet(string, int, int)", cidr_subnet),
    function("cidrHost(string, int)", cidr_host),
)
