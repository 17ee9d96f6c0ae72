// A resource that refuses what comes late: node docs/examples/fenced-resource.mjs [connectString]
import { Mutex, ZooKeeper } from 'zookit';

/** Stands for a database that remembers the largest token it has seen. */
class Ledger {
  #largest = 0n;
  #lines = [];

  append(line, token) {
    if (token < this.#largest) throw new Error(`token ${token} is older than ${this.#largest}`);
    this.#largest = token;
    this.#lines.push(line);
  }

  get lines() {
    return this.#lines;
  }
}

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181', { sessionTimeout: 10_000 });
const ledger = new Ledger();
const mutex = new Mutex(zk, '/locks/ledger');

const first = await mutex.acquire();
ledger.append('by the first holder', first.fencingToken);
await first.release();

const second = await mutex.acquire();
ledger.append('by the second holder', second.fencingToken);
await second.release();

try {
  // The first holder was stopped all the while, and now its write arrives.
  ledger.append('too late', first.fencingToken);
} catch (error) {
  console.log(error.message);
}
console.log(ledger.lines);
await zk.close();
