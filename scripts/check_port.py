"""Stop at once, and suggest another port, if the port to be served is in use: ``python3 scripts/check_port.py 8000``."""

import errno
import socket
import sys


def check(text):
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 65535:
        sys.exit(f"error: PORT={text} is not a port; it is a number from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                sys.exit(
                    f"error: port {text} is taken by another program; choose another: make run PORT={int(text) + 1}"
                )
            sys.exit(f"error: port {text} cannot be used ({problem.strerror}); choose another: make run PORT=8000")


if __name__ == "__main__":
    check(sys.argv[1])
