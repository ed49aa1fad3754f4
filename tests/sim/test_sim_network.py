"""Sockets between the simulated board and the host: clients, servers, select and asyncio."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from wedau.sim.boards import SimBoard

Execute = Callable[[str], str]


@pytest.fixture
def echo_server() -> Iterator[int]:
    """A TCP server on the host that sends everything back in upper case."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def _serve(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(4096):
                    connection.sendall(data.upper())


@pytest.fixture
def start_on_board(shared_board: SimBoard) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Start a program on the board and follow its output."""
    started = []

    def start(source: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "mpremote", "connect", shared_board.port, "exec", source]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def _port_of(program: "subprocess.Popen[str]") -> int:
    assert program.stdout
    return int(program.stdout.readline().split()[-1])


def test_network_client_talks_to_the_host(execute: Execute, echo_server: int) -> None:
    source = f"""
import socket
a = socket.getaddrinfo('localhost', {echo_server})[0][-1]
s = socket.socket()
s.connect(a)
s.sendall(b'hello ' * 5000)
n = 0
while n < 30000:
    d = s.recv(1000)
    assert d and set(d) <= set(b'HELLO ')
    n += len(d)
s.send(b'one\\ntwo\\n')
f = s.makefile('rb')
b = bytearray(4)
print(n, f.readline(), f.readinto(b), b)
s.close()
"""
    assert execute(source) == "30000 b'ONE\\n' 4 bytearray(b'TWO\\n')\n"


def test_network_client_errors_are_oserrors(execute: Execute) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    source = f"""
import socket, errno
def tell(f, *args):
    try:
        f(*args)
    except OSError as e:
        print(e.errno)
s = socket.socket()
tell(s.connect, ('127.0.0.1', {closed}))
tell(socket.getaddrinfo, 'no.such.host', 80)
s.close()
tell(s.send, b'x')
tell(s.read, 1)
"""
    assert execute(source).split() == ["111", "-2", "9", "9"]


def test_network_timeouts(execute: Execute, echo_server: int) -> None:
    source = f"""
import socket, time
s = socket.socket()
s.connect(('127.0.0.1', {echo_server}))
for timeout in (0.2, 0):
    s.settimeout(timeout)
    t = time.ticks_ms()
    try:
        s.recv(1)
    except OSError as e:
        print(e.errno, time.ticks_diff(time.ticks_ms(), t) // 100)
s.setblocking(False)
print(s.read(10))
"""
    assert execute(source) == "110 2\n11 0\nNone\n"


_SERVER = """
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0))
s.listen(2)
print('port', s.getsockname()[1])
c, a = s.accept()
print(a[0])
while True:
    d = c.recv(500)
    if not d:
        break
    c.sendall(bytes(reversed(d)))
print('closed')
"""


def test_network_server_on_the_board(
    start_on_board: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    program = start_on_board(_SERVER)
    with socket.create_connection(("127.0.0.1", _port_of(program)), timeout=10) as connection:
        connection.sendall(b"abc")
        assert connection.recv(10) == b"cba"
    assert program.communicate(timeout=10)[0].split() == ["127.0.0.1", "closed"]


_ASYNCIO = """
import asyncio
async def serve(reader, writer):
    line = await reader.readline()
    await asyncio.sleep_ms(20)
    writer.write(b'got ' + line)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    import socket
    print('port', PORT)
    await asyncio.sleep(30)
asyncio.run(main())
"""


def test_network_asyncio_serves_many_at_once(
    start_on_board: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = _ASYNCIO.replace("'127.0.0.1', 0", f"'127.0.0.1', {port}").replace("PORT", str(port))
    program = start_on_board(source)
    assert _port_of(program) == port
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(5)
        ]
        for i, connection in enumerate(connections):
            connection.sendall(b"%d\n" % i)
        for i, connection in enumerate(connections):
            assert connection.recv(100) == b"got %d\n" % i


def test_network_asyncio_client(execute: Execute, echo_server: int) -> None:
    source = f"""
import asyncio
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', {echo_server})
    writer.write(b'x' * 20000 + b'\\n')
    await writer.drain()
    print(len(await reader.readline()))
asyncio.run(main())
"""
    assert execute(source) == "20001\n"


def test_network_select_tells_what_is_ready(execute: Execute, echo_server: int) -> None:
    source = f"""
import select, socket, time
s = socket.socket()
s.connect(('127.0.0.1', {echo_server}))
p = select.poll()
p.register(s, select.POLLIN)
t = time.ticks_ms()
print(p.poll(100), time.ticks_diff(time.ticks_ms(), t) // 50)
s.send(b'a')
print([e for _, e in p.poll(5000)] == [select.POLLIN], s.recv(1))
print([len(x) for x in select.select([s], [s], [], 0)])
"""
    assert execute(source) == "[] 2\nTrue b'A'\n[0, 1, 0]\n"


def test_network_udp(execute: Execute) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.bind(("127.0.0.1", 0))
        host.settimeout(10)
        answering = threading.Thread(target=_answer, args=(host,))
        answering.start()
        source = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'ping', ('127.0.0.1', {host.getsockname()[1]}))
d, a = s.recvfrom(100)
print(d, a == ('127.0.0.1', {host.getsockname()[1]}))
"""
        assert execute(source) == "b'pong ping' True\n"
        answering.join()


def _answer(host: socket.socket) -> None:
    data, peer = host.recvfrom(100)
    host.sendto(b"pong " + data, peer)


def test_network_soft_reset_frees_the_ports(execute: Execute) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = (
        f"import socket; s = socket.socket(); s.bind(('127.0.0.1', {port})); s.listen(1); print(1)"
    )
    assert execute(source) == "1\n"
    assert execute(source) == "1\n"
