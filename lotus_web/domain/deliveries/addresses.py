"""Where a callback may go on the network: public unicast addresses, and private ones that a setting names.

A caller chooses the address of a callback, and Lotus Web stands inside a network: what is reachable from here and not from
outside (loopback, private ranges, link-local with the metadata services of clouds) must not be reachable through it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Public by their number and yet of this network: relays to other address families, and the host services of one cloud.
NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("::/8"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
    IPv6Network("5f00::/16"),
    IPv6Network("fec0::/10"),
)
MOST_NETWORKS = 64


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list such as ``10.2.0.0/16, fd00:7::/64``; raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_NETWORKS:
        raise ValueError("too many networks")
    return tuple(ip_network(part) for part in parts)


def is_public(address: Address) -> bool:
    """Return whether an address is one that anyone on the Internet could reach, and one host's own."""
    if any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_named(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Return whether a setting names the network of this address; a mapped IPv4 address counts as what it maps."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one in network for network in allowed for one in (address, mapped) if one is not None)


def parse_address(text: str) -> Address:
    """Return an address as a resolver writes it, the zone of a link-local one left out."""
    return ip_address(text.partition("%")[0])
