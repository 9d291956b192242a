"""Ports of this machine: take one, or say in a sentence why it cannot be taken."""

import socket

from features.errors import InputError

_BACKLOG = 2_048  # as uvicorn's


def bound_socket(host: str, port: int) -> socket.socket:
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
        raise _refused(host, port, error) from None
    bound.set_inheritable(True)
    return bound


def listen(bound: socket.socket) -> None:
    """Let callers in: from now on they wait for whoever answers, and no other program can listen there.

    Several sockets may be bound to one address as long as nobody listens. A server that came second would find out
    only once it has loaded everything, and its event loop keeps that to itself.

    Raises:
        InputError: Another program listens there.
    """
    host, port = bound.getsockname()[:2]
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        raise _refused(host, port, error) from None


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on right now."""
    with bound_socket(host, 0) as bound:
        return port_of(bound)


def port_of(bound: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def _refused(host: str, port: int, error: OSError | OverflowError) -> InputError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"cannot listen on {host}:{port}: {reason.lower()}; choose another with --port")
