#!/usr/bin/env node
// Fetches the other clients: so that tests needn't wait for them, or need the network.
import { CURATOR_BEFORE_DOWNGRADE, fetchCurator } from './curator.ts';
import { fetchCuratorDiscovery } from './curator-discovery.ts';
import { fetchKazoo } from './kazoo.ts';

const clients = {
  curator: () => fetchCurator(),
  'curator-5.4': () => fetchCurator(CURATOR_BEFORE_DOWNGRADE),
  'curator-discovery': fetchCuratorDiscovery,
  kazoo: fetchKazoo,
};

async function main(names: readonly string[]): Promise<number> {
  if (names.length === 0 || names.some((name) => !Object.hasOwn(clients, name))) {
    console.error('usage: fetch-cli.js [curator] [curator-5.4] [curator-discovery] [kazoo]');
    return 2;
  }
  let failed = 0;
  for (const name of names as (keyof typeof clients)[]) {
    try {
      const { version, from } = await clients[name]();
      console.log(`${name} ${version}: ${from}`);
    } catch (error) {
      failed += 1;
      console.error((error as Error).message);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
