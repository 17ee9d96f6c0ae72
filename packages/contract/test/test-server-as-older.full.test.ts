import type { ProfileName } from '@zookit/testing';
import { describeContract } from '../src/describe-contract.ts';
import type { Profile } from '../src/profile.ts';
import { apache3510 } from '../src/profiles/apache-3.5.10.ts';
import { apache364 } from '../src/profiles/apache-3.6.4.ts';
import { apache372 } from '../src/profiles/apache-3.7.2.ts';
import { apache386 } from '../src/profiles/apache-3.8.6.ts';
import { startInProcess } from '../src/servers/in-process.ts';

const older: readonly (readonly [ProfileName, Profile])[] = [
  ['3.5', apache3510],
  ['3.6', apache364],
  ['3.7', apache372],
  ['3.8', apache386],
];

// What is declared of the real ones holds for the one that stands in for them.
for (const [profile, declared] of older) {
  describeContract({ ...declared, name: `TestServer as ${profile}` }, () => startInProcess({ profile }));
}
