"""An address -> a socket that is bound to it. Imports nothing heavy: who starts can say the address at once."""

import errno
import ipaddress
import socket

from headstart.errors import ServiceError

BACKLOG = 2048  # connections that wait to be accepted, as far as the system allows
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # stand for all addresses of this machine


def bound_socket(host: str, port: int) -> socket.socket:
    """port: 0 takes a free one.

    Raises:
        ServiceError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ServiceError(
                f"Port {port} of {host} is in use. Stop the program that uses it, or choose another port: "
                f"--port {port + 1}, or --port 0 for a free one."
            ) from None
        reason = getattr(error, "strerror", None) or error
        raise ServiceError(f"The service cannot listen on '{host}', port {port}: {reason}.") from None
    return bound


def address_of(listening: socket.socket) -> str:
    """http://HOST:PORT"""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_private(host: str) -> bool:
    """Whether only this machine can connect to the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
