"""Addresses of machines: which mean this one, and how one is written in a URL."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Nobody outside this machine can reach or be reached by it. Names other than localhost are not looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bracketed(host: str) -> str:
    """As it stands before the colon of a port: `[::1]`."""
    return f"[{host}]" if ":" in host else host
