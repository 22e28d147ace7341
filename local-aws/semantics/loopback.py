"""No socket of this process listens beyond the loopback interface.

Some MiniStack services bind every interface (SFTP, MQTT, database front ends). An emulator with well-known credentials
must not be reachable from the network, so a wildcard address is narrowed here, whoever asks for it.
"""

import socket

_EVERYWHERE = {"", "0.0.0.0"}


def install() -> None:
    original = socket.socket.bind

    def bind(self, address):
        if self.family == socket.AF_INET and address[0] in _EVERYWHERE:
            address = ("127.0.0.1", *address[1:])
        elif self.family == socket.AF_INET6 and address[0] in ("", "::"):
            address = ("::1", *address[1:])
        return original(self, address)

    socket.socket.bind = bind
