"""Traffic of the lab: small flows at an even pace, and the frames by which hosts say who they are.

answer PROTO ADDRESS PORT [SILENT]         sends back what comes, but for a peer's first SILENT packets
stream ADDRESS PORT EVERY                  TCP server: sends 256 bytes each EVERY s to whoever connects
talk STATE PROTO FROM FPORT TO TPORT EVERY [BURST]
                                           sends 64 bytes each EVERY s (BURST packets at first); counts in STATE.sent
                                           and STATE.received
fetch STATE FROM FPORT TO TPORT            TCP client that only reads; counts in STATE.received
announce DEVICE MAC ADDRESS [reply|request] one gratuitous ARP; of an IPv6 address, an unsolicited advertisement
vrrp DEVICE MAC ADDRESS VRID               one VRRP advertisement (RFC 5798) of a virtual address
dhcp DEVICE MAC ADDRESS SERVER TYPE CLIENT one DHCP message (RFC 2131) of a server, to say that CLIENT has ADDRESS
send DEVICE HEX                            one frame
"""

import os
import select
import socket
import struct
import sys
import time

# Nothing runs longer than this, whatever happens to the one who started it.
END = time.monotonic() + 600


def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET


class Counter:
    """A number in a file, for those who wait for it to grow."""

    def __init__(self, path):
        self.value = 0
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self.add(0)

    def add(self, n):
        self.value += n
        os.pwrite(self.file, b'%-11d\n' % self.value, 0)


def answer(proto, address, port, silent='0'):
    if proto == 'tcp':
        return answer_tcp(address, int(port))
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    sock.settimeout(1)
    heard = {}
    while time.monotonic() < END:
        try:
            data, peer = sock.recvfrom(2048)
            heard[peer] = heard.get(peer, 0) + 1
            if heard[peer] > int(silent):
                sock.sendto(data, peer)
        except OSError:
            pass


def listener(address, port):
    sock = socket.socket(family(address), socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, int(port)))
    sock.listen(8)
    return sock


def answer_tcp(address, port):
    server = listener(address, port)
    peers = []
    while time.monotonic() < END:
        for sock in select.select([server] + peers, [], [], 1)[0]:
            if sock is server:
                peers.append(server.accept()[0])
                continue
            try:
                data = sock.recv(2048)
                if data:
                    sock.send(data)
                    continue
            except OSError:
                pass
            peers.remove(sock)
            sock.close()


def stream(address, port, every):
    server = listener(address, port)
    peer = server.accept()[0]
    peer.setblocking(False)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while time.monotonic() < END:
        try:
            peer.send(bytes(256))
        except BlockingIOError:
            pass
        except OSError:
            return
        time.sleep(float(every))


def fetch(state, source, sport, target, tport):
    received = Counter(state + '.received')
    sock = socket.socket(family(source), socket.SOCK_STREAM)
    sock.bind((source, int(sport)))
    # Says something each second even when nothing comes, so that a connection that was forgotten is known again.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 100)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.connect((target, int(tport)))
    sock.settimeout(600)
    while time.monotonic() < END:
        if not sock.recv(2048):
            return
        received.add(1)


def talk(state, proto, source, sport, target, tport, every, burst='1'):
    kind = socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM
    sock = socket.socket(family(source), kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((source, int(sport)))
    # A connection attempt that does not block would take an ICMP error after the handshake for its failure.
    sock.connect((target, int(tport)))
    sock.setblocking(False)
    if proto == 'tcp':
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = Counter(state + '.sent')
    received = Counter(state + '.received')
    due = time.monotonic()
    count = int(burst)
    while time.monotonic() < END:
        for _ in range(count):
            try:
                sock.send(b'%-64d' % sent.value)
            except OSError:
                pass
            sent.add(1)
        count = 1
        due = max(due + float(every), time.monotonic())
        while True:
            rest = due - time.monotonic()
            if rest <= 0 or not select.select([sock], [], [], rest)[0]:
                break
            try:
                data = sock.recv(2048)
            except OSError:
                continue
            if not data and proto == 'tcp':
                return
            received.add(1)


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(':', ''))


def send(device, frame):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    sock.send(bytes.fromhex(frame) if isinstance(frame, str) else frame)


def announce(device, mac, address, how='reply'):
    mac = mac_bytes(mac)
    if ':' in address:
        return send(device, advertisement(mac, socket.inet_pton(socket.AF_INET6, address)))
    ip = socket.inet_aton(address)
    everyone = b'\xff' * 6
    operation, target = (2, everyone) if how == 'reply' else (1, bytes(6))
    arp = struct.pack('!HHBBH', 1, 0x0800, 6, 4, operation) + mac + ip + target + ip
    send(device, everyone + mac + b'\x08\x06' + arp)


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advertisement(mac, address):
    """Unsolicited neighbour advertisement with the override flag (RFC 4861 section 4.4)."""
    everyone = socket.inet_pton(socket.AF_INET6, 'ff02::1')
    body = struct.pack('!BBHI', 136, 0, 0, 0x20000000) + address + b'\x02\x01' + mac
    pseudo = address + everyone + struct.pack('!II', len(body), 58)
    body = body[:2] + struct.pack('!H', checksum(pseudo + body)) + body[4:]
    header = struct.pack('!IHBB', 0x60000000, len(body), 58, 255) + address + everyone
    return b'\x33\x33\0\0\0\x01' + mac + b'\x86\xdd' + header + body


def ipv4(source, target, protocol, payload, ttl=64):
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 0, 0, ttl, protocol, 0, source, target)
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + payload


def vrrp(device, source, address, vrid):
    vrid = int(vrid)
    virtual = bytes((0, 0, 0x5E, 0, 1, vrid))
    group = socket.inet_aton('224.0.0.18')
    source = socket.inet_aton(source)
    body = struct.pack('!BBBBHH', 0x31, vrid, 200, 1, 100, 0) + socket.inet_aton(address)
    pseudo = source + group + struct.pack('!BBH', 0, 112, len(body))
    body = body[:6] + struct.pack('!H', checksum(pseudo + body)) + body[8:]
    send(device, b'\x01\0\x5e\0\0\x12' + virtual + b'\x08\0' + ipv4(source, group, 112, body, 255))


def dhcp(device, mac, server, address, kind, client):
    mac, client = mac_bytes(mac), mac_bytes(client)
    server, address = socket.inet_aton(server), socket.inet_aton(address)
    everyone = b'\xff' * 4
    fixed = struct.pack('!BBBBIHH4s4s4s4s', 2, 1, 6, 0, 0x1AB0 + client[5], 0, 0x8000, bytes(4), address, server, bytes(4))
    options = b'\x63\x82\x53\x63\x35\x01' + bytes((int(kind),)) + b'\x36\x04' + server + b'\x33\x04\0\0\x0e\x10\xff'
    message = fixed + client + bytes(10 + 192) + options
    udp = struct.pack('!HHHH', 67, 68, 8 + len(message), 0) + message
    send(device, b'\xff' * 6 + mac + b'\x08\0' + ipv4(server, everyone, 17, udp))


COMMANDS = {f.__name__: f for f in (answer, stream, fetch, talk, announce, vrrp, dhcp, send)}
COMMANDS[sys.argv[1]](*sys.argv[2:])
