#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A smart card and its reader in the place of scdaemon: gpg-agent starts it and speaks to it as it would to that one.

What is on the card stands in card.json in the agent's home: present, serial, pin, forced (the PIN is asked for each signature) and
keys, by keygrip, {n, d}, in hex. What is asked of it goes into card.log there. The agent speaks to it through its standard input
and output, and through a socket where it has more than one thing to do."""
import json
import os
import socket
import sys
import threading

CANCELED, BAD_PIN, NOT_PRESENT, NOT_SUPPORTED = 99, 87, 112, 60
SOURCE = 6 << 24


class Card:
    """What all connections have in common."""

    def __init__(self, home):
        self.home = home
        self.verified = set()
        self.busy = threading.Lock()  # it does one thing at a time
        self.socket = os.path.join(home, "S.scdaemon")

    def read(self):
        with open(os.path.join(self.home, "card.json"), encoding="ascii") as file:
            return json.load(file)

    def log(self, text):
        with open(os.path.join(self.home, "card.log"), "a", encoding="ascii") as file:
            file.write(text + "\n")


def unescape(text):
    out, at = bytearray(), 0
    while at < len(text):
        if text[at:at + 1] == b"%":
            out.append(int(text[at + 1:at + 3], 16))
            at += 3
        else:
            out.append(text[at])
            at += 1
    return bytes(out)


def use_key(contents, name, number):
    key = contents["keys"][name]
    return pow(number, int(key["d"], 16), int(key["n"], 16)).to_bytes(key_length(contents, name), "big")


def key_length(contents, name):
    return (int(contents["keys"][name]["n"], 16).bit_length() + 7) // 8


class Connection:
    def __init__(self, card, reader, writer):
        self.card, self.reader, self.writer = card, reader, writer
        self.data = b""

    def say(self, line):
        self.writer.write(line + b"\n")
        self.writer.flush()

    def fail(self, code):
        self.say(b"ERR %d failed <SCD>" % (SOURCE | code))

    def give(self, data):
        """In lines of at most 900 bytes, escaped as the protocol wants it."""
        for at in range(0, len(data), 300):
            part = data[at:at + 300]
            self.say(b"D " + b"".join(b"%%%02X" % c if c in (0x25, 0x0A, 0x0D) else bytes([c]) for c in part))

    def ask_pin(self, what):
        """The reader has no keys of its own: the agent asks the person. None: nobody said anything."""
        self.card.log("pin " + what)
        self.say(b"INQUIRE NEEDPIN ||Please unlock the card%0A" + what.encode("ascii"))
        pin = None
        for line in self.reader:
            line = line.rstrip(b"\n")
            if line.startswith(b"D "):
                pin = unescape(line[2:]).split(b"\0")[0]
            elif line.startswith(b"END"):
                return pin
            elif line.startswith(b"CAN"):
                return None
        return None

    def unlock(self, contents, what):
        """True where the PIN is known to the card, or was right; else the error has been told."""
        if what in self.card.verified:
            return True
        pin = self.ask_pin(what)
        if pin is None:
            self.fail(CANCELED)
            return False
        if pin != contents["pin"].encode("ascii"):
            self.fail(BAD_PIN)
            return False
        if not (what == "signature" and contents["forced"]):
            self.card.verified.add(what)
        return True

    def sign(self, contents, name):
        if not self.unlock(contents, "signature"):
            return
        padding = b"\xff" * (key_length(contents, name) - 3 - len(self.data))
        padded = b"\0\1" + padding + b"\0" + self.data
        self.card.log("signed")
        self.give(use_key(contents, name, int.from_bytes(padded, "big")))
        self.say(b"OK")

    def decrypt(self, contents, name):
        if not self.unlock(contents, "decryption"):
            return
        plain = use_key(contents, name, int.from_bytes(self.data, "big"))
        self.card.log("decrypted")
        self.say(b"S PADDING 0")
        self.give(plain[plain.index(b"\0", 2) + 1:])
        self.say(b"OK")

    def answer(self, line):
        """False at the connection's end."""
        words = line.decode("ascii").split()
        command, last = words[0].upper(), words[-1]
        contents = self.card.read()
        if command in ("SERIALNO", "PKSIGN", "PKDECRYPT") and not contents["present"]:
            self.card.verified.clear()
            self.fail(NOT_PRESENT)
        elif command == "SERIALNO":
            self.say(b"S SERIALNO " + contents["serial"].encode("ascii"))
            self.say(b"OK")
        elif command == "SETDATA":
            self.data = (self.data if "--append" in words else b"") + bytes.fromhex(last)
            self.say(b"OK")
        elif command == "PKSIGN":
            with self.card.busy:
                self.sign(contents, last)
        elif command == "PKDECRYPT":
            with self.card.busy:
                self.decrypt(contents, last)
        elif command == "GETINFO" and last == "socket_name":
            self.give(self.card.socket.encode())
            self.say(b"OK")
        elif command in ("OPTION", "RESTART", "RESET", "NOP", "LOCK", "UNLOCK"):
            self.say(b"OK")
        elif command in ("BYE", "KILLSCD"):
            self.say(b"OK")
            if command == "KILLSCD":
                os._exit(0)
            return False
        else:
            self.fail(NOT_SUPPORTED)
        return True

    def run(self):
        try:
            self.say(b"OK a card's reader")
            for line in self.reader:
                if line.strip() and not self.answer(line):
                    break
        except (BrokenPipeError, ConnectionResetError):
            pass  # the agent has gone


def listen(card):
    try:
        os.unlink(card.socket)
    except FileNotFoundError:
        pass
    server = socket.socket(socket.AF_UNIX)
    server.bind(card.socket)
    server.listen()

    def accept():
        while True:
            peer = server.accept()[0]
            files = peer.makefile("rb"), peer.makefile("wb")
            threading.Thread(target=Connection(card, *files).run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    card = Card(sys.argv[sys.argv.index("--homedir") + 1])
    listen(card)
    Connection(card, sys.stdin.buffer, sys.stdout.buffer).run()


main()
