#!/usr/bin/env node
// Fetches the jars of the releases named, or of all known ones: so that tests needn't wait for them, or need the network.
import { fetchRelease, REAL_SERVER_VERSIONS } from './release.ts';

const where = { cache: 'is in', maven: 'fetched to', debian: "Debian's, in" } as const;

async function main(args: string[]): Promise<number> {
  if (args.length === 0 || args.includes('--help')) {
    console.log(`usage: fetch-cli.js VERSION… | all\nknown: ${REAL_SERVER_VERSIONS.join(' ')}`);
    return args.length === 0 ? 2 : 0;
  }
  const versions = args.includes('all') ? REAL_SERVER_VERSIONS : args;
  let failed = 0;
  for (const version of versions) {
    try {
      const { from, folder } = await fetchRelease(version);
      console.log(`Apache ZooKeeper ${version} ${where[from]} ${folder}`);
    } catch (error) {
      failed += 1;
      console.error(`Apache ZooKeeper ${version}: ${(error as Error).message}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
