"""Stands in line by kazoo's locks, led by lines on standard input; the README has the commands.

Arguments: connect string, session timeout in ms, folder for records, further lock patterns.
"""

import json
import logging
import os
import sys
import threading
import time

from kazoo.client import KazooClient

connect_string, session_timeout, folder, *patterns = sys.argv[1:]
logging.basicConfig(level=logging.ERROR)
said = threading.Lock()
client = KazooClient(hosts=connect_string, timeout=int(session_timeout) / 1000)


def say(*words):
    with said:
        print(*words, flush=True)


KINDS = {"mutex": client.Lock, "read": client.ReadLock, "write": client.WriteLock}


class Contender:
    def __init__(self, name):
        self.name = name
        self.records = {}

    def write(self, kind, **line):
        if kind not in self.records:
            # Unbuffered: what is written is with the system, and kill -9 takes nothing back.
            self.records[kind] = open(os.path.join(folder, f"{self.name}.{kind}.jsonl"), "xb", buffering=0)
        self.records[kind].write((json.dumps(line) + "\n").encode())

    def acquire(self, path, kind):
        self.lock = KINDS[kind](path, extra_lock_patterns=patterns)
        self.write(kind, what="queued", at=str(time.monotonic_ns()))
        self.lock.acquire()
        granted = time.monotonic_ns()
        self.node = path + "/" + self.lock.node
        self.token = str(client.exists(self.node).czxid)
        self.write(kind, what="granted", token=self.token, **{"from": str(granted)})

    def release(self, kind):
        self.write(kind, what="ended", token=self.token, to=str(time.monotonic_ns()), why="released")
        self.lock.release()

    def race(self, path, kind, count):
        for _ in range(count):
            self.acquire(path, kind)
            time.sleep(0.001)
            self.release(kind)

    def obey(self, command, *rest):
        try:
            if command == "acquire":
                self.acquire(*rest)
                say("granted", self.name, self.node)
            elif command == "release":
                self.release(*rest)
                say("released", self.name)
            elif command == "race":
                self.race(rest[0], rest[1], int(rest[2]))
                say("raced", self.name)
            else:
                raise ValueError(command)
        except Exception as error:
            say("failed", self.name, repr(error))


client.start(timeout=15)
say("ready")
contenders = {}
for line in sys.stdin:
    command, *words = line.split()
    if command == "quit":
        break
    if command == "clock":
        say(command, time.monotonic_ns())
        continue
    if words[0] not in contenders:
        contenders[words[0]] = Contender(words[0])
    threading.Thread(target=contenders[words[0]].obey, args=(command, *words[1:]), daemon=True).start()
client.stop()
client.close()
