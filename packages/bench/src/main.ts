#!/usr/bin/env node
// npm run bench -- [--quick] [--rounds N] [--only SECTION]... [--client NAME]... [--write]: the table on standard output, and in docs/ after
// a whole run or with --write.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RealServer } from '@zookit/testing';
import { ZooKeeper } from 'zookit';
import type { Bench, Row } from './bench.ts';
import { compareCacheLoads } from './cache-load.ts';
import { compareCalls } from './calls.ts';
import { chartOf } from './chart.ts';
import { builtProgram, curatorProgram, kazooProgram, type Program } from './client-process.ts';
import { compareIdleClients } from './idle.ts';
import { compareLocks } from './locks.ts';
import { compareReconnects } from './reconnect.ts';
import { pageOf, tableOf } from './report.ts';
import { compareStartUp } from './start-up.ts';
import { compareWatchMemory } from './watch-memory.ts';

type Section = (bench: Bench, programs: readonly Program[]) => Promise<Row[]>;

const sections: Readonly<Record<string, Section>> = {
  calls: compareCalls,
  'start-up': compareStartUp,
  locks: compareLocks,
  watches: compareWatchMemory,
  idle: compareIdleClients,
  reconnect: compareReconnects,
  'cache-load': compareCacheLoads,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true },
    client: { type: 'string', multiple: true },
    write: { type: 'boolean', default: false },
  },
});
const chosen = values.only ?? Object.keys(sections);
for (const name of chosen) {
  if (sections[name] === undefined) throw new Error(`no section '${name}': ${Object.keys(sections).join(', ')}`);
}

/** All clients that are at hand, and the reasons for the others. */
async function clients(): Promise<{ programs: Program[]; missing: string[] }> {
  const programs = [
    builtProgram('floor', ''),
    builtProgram('zookit', ''),
    builtProgram('node-zookeeper-client', '1.1.3'),
  ];
  const missing: string[] = [];
  for (const [name, find] of Object.entries({ curator: curatorProgram, kazoo: kazooProgram })) {
    if (values.client !== undefined && !values.client.includes(name)) continue;
    try {
      programs.push(await find());
    } catch (error) {
      missing.push(`${name} (${(error as Error).message.split('\n')[0]})`);
    }
  }
  return { programs: programs.filter(({ name }) => values.client?.includes(name) ?? true), missing };
}

const { programs, missing } = await clients();
const server = await RealServer.start();
try {
  const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 10_000 });
  const bench: Bench = {
    server,
    connectString: server.connectString,
    zk,
    rounds: Number(values.rounds ?? (values.quick ? 3 : 9)),
    quick: values.quick,
  };
  const rows: Row[] = [];
  for (const name of chosen) {
    console.error(`${name} …`);
    rows.push(...(await (sections[name] as Section)(bench, programs)));
  }
  await zk.close();
  console.log(tableOf(rows));
  for (const reason of missing) console.log(`not at hand: ${reason}`);
  const isWhole = !values.quick && values.only === undefined && values.client === undefined;
  if (isWhole || values.write) {
    const about = {
      server: `Apache ZooKeeper ${server.version}`,
      node: process.versions.node,
      rounds: bench.rounds,
      programs,
      missing,
    };
    const docs = new URL('../../../docs/', import.meta.url);
    await writeFile(new URL('benchmarks.md', docs), pageOf(rows, about));
    await writeFile(new URL('benchmarks.svg', docs), chartOf(rows));
  }
} finally {
  await server.stop();
}
