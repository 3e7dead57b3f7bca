"""Stop at once, with a way out, where the port that is to be served is taken: ``python3 scripts/check_port.py 8000``."""

import errno
import socket
import sys


def check(text):
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit("error: PORT=%s is not a port; it is a number from 1 to 65535" % text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                sys.exit("error: port %s is taken by another program; choose another: make run PORT=%d" % (text, int(text) + 1))
            sys.exit("error: port %s cannot be used (%s); choose another: make run PORT=8000" % (text, problem.strerror))


if __name__ == "__main__":
    check(sys.argv[1])
