"""Ports of this machine: take one, or say in a sentence why it cannot be taken."""

import socket

from features.errors import InputError


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes a free one.

    Raises:
        InputError: The port is taken, needs more rights, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"cannot listen on {host}:{port}: {reason.lower()}; choose another with --port") from None
    bound.set_inheritable(True)
    return bound


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on right now."""
    with listening_socket(host, 0) as bound:
        return port_of(bound)


def port_of(bound: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port
