"""Stands in line by kazoo's Lock, led by lines on standard input; the README has the commands.

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


class Contender:
    def __init__(self, name):
        self.name = name
        # Unbuffered: what is written is with the system, and kill -9 takes nothing back.
        self.records = open(os.path.join(folder, name + ".jsonl"), "xb", buffering=0)

    def write(self, **line):
        self.records.write((json.dumps(line) + "\n").encode())

    def acquire(self, path):
        self.lock = client.Lock(path, extra_lock_patterns=patterns)
        self.write(what="queued", at=str(time.monotonic_ns()))
        self.lock.acquire()
        granted = time.monotonic_ns()
        self.node = path + "/" + self.lock.node
        self.token = str(client.exists(self.node).czxid)
        self.write(what="granted", token=self.token, **{"from": str(granted)})

    def release(self):
        self.write(what="ended", token=self.token, to=str(time.monotonic_ns()), why="released")
        self.lock.release()

    def race(self, path, count):
        for _ in range(count):
            self.acquire(path)
            time.sleep(0.001)
            self.release()

    def obey(self, command, *rest):
        try:
            if command == "acquire":
                self.acquire(*rest)
                say("granted", self.name, self.node)
            elif command == "release":
                self.release()
                say("released", self.name)
            elif command == "race":
                self.race(rest[0], int(rest[1]))
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
