import { readdirSync, readFileSync } from 'node:fs';
import type { FrameKind } from '../../src/index.ts';
import { frame } from './bytes.ts';

/** A frame as it went over the wire between a client and Apache ZooKeeper, without its length prefix. */
export interface GoldenFrame {
  release: string;
  conversation: string;
  /** The operation. */
  name: string;
  kind: FrameKind;
  fromServer: boolean;
  body: Buffer;
}

interface Recorded {
  name: string;
  kind: 'connect-request' | 'connect-response' | 'request' | 'answer';
  opcode?: number;
  bytes: string;
}

const folder = new URL('../golden/', import.meta.url);

/** All that scripts/record-golden-frames.mjs has recorded, conversation by conversation, each in its order. */
export const golden: readonly GoldenFrame[] = readdirSync(folder).flatMap((file) => {
  const conversations: Record<string, Recorded[]> = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  return Object.entries(conversations).flatMap(([conversation, frames]) =>
    frames.map(({ name, kind, opcode, bytes }) => ({
      release: file.slice(0, -'.json'.length),
      conversation,
      name,
      kind: kind === 'answer' ? { answerTo: opcode as number } : kind,
      fromServer: kind === 'connect-response' || kind === 'answer',
      body: Buffer.from(bytes, 'hex'),
    })),
  );
});

/** What a server said in each conversation, as one stream of bytes. */
export const goldenStreams: readonly { name: string; bodies: Buffer[]; bytes: Buffer }[] = [
  ...new Set(golden.map(({ release, conversation }) => `${release}: ${conversation}`)),
].map((name) => {
  const bodies = golden
    .filter((each) => each.fromServer && `${each.release}: ${each.conversation}` === name)
    .map(({ body }) => body);
  return { name, bodies, bytes: Buffer.concat(bodies.map((body) => frame(body))) };
});
