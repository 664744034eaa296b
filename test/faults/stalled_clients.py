"""Clients that send one request each and never read: small receive buffers, so that few bytes hide in the kernel.

Usage: stalled_clients.py HOST PORT COUNT REQUEST. Stays until its standard input ends.
"""

import socket
import sys

host, port, count, request = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode()
clients = []
for _ in range(count):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((host, port))
    client.sendall(request)
    clients.append(client)
sys.stdin.read()
