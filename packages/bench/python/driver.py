"""kazoo, led by lines `WORKLOAD PATH COUNT WINDOW`; each is answered by `done CPU WALL P50`, in microseconds."""

import sys
import threading
import time

from kazoo.client import KazooClient

DATA = b"\1" * 100
client = KazooClient(hosts=sys.argv[1], timeout=10)
contenders = [client]


def pump(count, window, call):
    free = threading.Semaphore(window)
    failures = []

    def done(result):
        if not result.successful():
            failures.append(result.exception)
        free.release()

    for index in range(count):
        free.acquire()
        call(index).rawlink(done)
    for _ in range(window):
        free.acquire()
    if failures:
        raise failures[0]


def create_delete(path, count, window):
    free = threading.Semaphore(window)
    failures = []

    def deleted(result):
        if not result.successful():
            failures.append(result.exception)
        free.release()

    def create(index):
        child = f"{path}/n{index}"

        def created(result):
            if result.successful():
                client.delete_async(child).rawlink(deleted)
            else:
                deleted(result)

        client.create_async(child, DATA).rawlink(created)

    for index in range(count):
        free.acquire()
        create(index)
    for _ in range(window):
        free.acquire()
    if failures:
        raise failures[0]


def multi(path):
    transaction = client.transaction()
    for _ in range(50):
        transaction.create(f"{path}/n", DATA, sequence=True)
    return transaction.commit_async()


def watch(path, count, window):
    events = threading.Semaphore(0)
    pump(count, window, lambda i: client.get_async(f"{path}/n{i}", watch=lambda event: events.release()))
    print("armed", flush=True)
    for _ in range(count):
        if not events.acquire(timeout=60):
            raise RuntimeError("an event has not come")


def one_by_one(path, count):
    took = []
    for _ in range(count):
        began = time.monotonic()
        client.get(path)
        took.append(time.monotonic() - began)
    return sorted(took)[count // 2]


def lock(path, count, window):
    while len(contenders) < window:
        contender = KazooClient(hosts=sys.argv[1], timeout=10)
        contender.start()
        contenders.append(contender)
    failures = []

    def contend(contender):
        try:
            for _ in range(count // window):
                with contender.Lock(path):
                    pass
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=contend, args=[contender]) for contender in contenders[:window]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def run(workload, path, count, window):
    if workload == "get" and window == 1:
        return one_by_one(path, count)
    if workload == "create-delete":
        create_delete(path, count, window)
    elif workload == "watch":
        watch(path, count, window)
    elif workload == "lock":
        lock(path, count, window)
    else:
        call = {
            "get": lambda _: client.get_async(path),
            "set": lambda _: client.set_async(path, DATA),
            "children": lambda _: client.get_children_async(path),
            "multi": lambda _: multi(path),
        }[workload]
        pump(count, window, call)
    return 0


client.start()
print("ready", flush=True)
for line in sys.stdin:
    workload, path, count, window = line.split()
    cpu = time.process_time()
    began = time.monotonic()
    p50 = run(workload, path, int(count), int(window))
    wall = time.monotonic() - began
    cpu = time.process_time() - cpu
    print(f"done {cpu * 1e6} {wall * 1e6} {p50 * 1e6}", flush=True)
for contender in contenders:
    contender.stop()
    contender.close()
