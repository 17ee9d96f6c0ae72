import { describe, expect, it } from '@jest/globals';
import { FrameDecoder } from '../src/framing.ts';
import { inspectFrame, OpCode } from '../src/index.ts';
import { framesOf } from './support/bytes.ts';
import { decodeFrame, encodeFrame } from './support/frame-codec.ts';
import { golden, goldenStreams } from './support/golden.ts';
import { replay, type Script, scripts } from './support/replay.ts';

/** Never sent: check ruins servers on its own, deleteContainer deletes other people's znodes. */
const unspoken: readonly number[] = [OpCode.check, OpCode.deleteContainer];

function framesIn(chunks: readonly Buffer[]): Buffer[] {
  const decoder = new FrameDecoder(1 << 20);
  const frames: Buffer[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let decoded = decoder.next(); decoded !== 'more'; decoded = decoder.next()) {
      if (decoded !== 'frame') throw new Error(`${decoded} where a frame was awaited`);
      frames.push(Buffer.from(decoder.buffer.subarray(decoder.start, decoder.end)));
    }
  }
  return frames;
}

describe.each(['apache-3.8.6', 'apache-3.9.5'])('what %s said', (release) => {
  const frames = golden.filter((each) => each.release === release);

  it('answers every opcode, and each that succeeds has an answer of no error', () => {
    const answered = new Set(
      frames.flatMap(({ kind, body }) =>
        typeof kind === 'object' && body.readInt32BE(12) === 0 ? [kind.answerTo] : [],
      ),
    );
    const wanted = Object.values(OpCode).filter((opcode) => !unspoken.includes(opcode) && opcode !== OpCode.reconfig);
    expect(wanted.filter((opcode) => !answered.has(opcode))).toEqual([]);
  });

  it.each(frames.map((each) => [`${each.name} (${kindText(each.kind)})`, each] as const))(
    'is read to its end and written back the same: %s',
    (_name, { kind, body }) => {
      const { parts, left } = decodeFrame(body, kind);
      expect(left).toBe(0);
      expect(encodeFrame(parts).toString('hex')).toBe(body.toString('hex'));
    },
  );

  it('is shown field by field, with nothing wrong and no secrets', () => {
    const passwords = frames.flatMap(({ kind, body }) =>
      kind === 'connect-response' && body.readBigInt64BE(8) !== 0n ? [body.subarray(20, 36).toString('hex')] : [],
    );
    expect(passwords.length).toBeGreaterThan(2);
    for (const { kind, body } of frames) {
      const text = inspectFrame(body, kind);
      expect(text).not.toMatch(/^--/m);
      expect(text).not.toContain('user:secret');
      for (const password of passwords) expect(text.replace(/\s/g, '')).not.toContain(password);
    }
  });
});

function kindText(kind: (typeof golden)[number]['kind']): string {
  return typeof kind === 'string' ? kind : `answer to ${kind.answerTo}`;
}

describe('the stream of a server', () => {
  it.each(goldenStreams)('may be split at any byte: $name', ({ bodies, bytes }) => {
    for (let at = 0; at <= bytes.length; at += 1) {
      const frames = framesIn([bytes.subarray(0, at), bytes.subarray(at)]);
      const same =
        frames.length === bodies.length && frames.every((each, index) => each.equals(bodies[index] as Buffer));
      if (!same) throw new Error(`split at ${at}, other frames come out`);
    }
    expect(framesIn(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(bodies);
  });

  it('may bring more than a hundred frames in one chunk', () => {
    const all = goldenStreams.flatMap(({ bodies }) => bodies);
    expect(all.length).toBeGreaterThan(100);
    expect(framesIn([Buffer.concat(goldenStreams.map(({ bytes }) => bytes))])).toEqual(all);
  });
});

describe('a connection', () => {
  it.each(scripts)(
    'makes of the conversation $name what was asked and answered, in chunks of any size',
    async (script) => {
      const whole = await replay(script, [script.answers]);
      expect(whole.sent).toEqual(script.requests.map(({ body }) => body.toString('hex')));
      expect(whole.heard.length).toBe(framesOf(script.answers).length);
      for (const size of [1, 2, 3, 4, 5, 7, 16, 19, 20, 21, 64, 1_000]) {
        expect((await replay(script, chunksOf(script, size))).heard).toEqual(whole.heard);
      }
    },
  );
});

function chunksOf({ answers }: Script, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(answers.length / size) }, (_, index) =>
    answers.subarray(index * size, (index + 1) * size),
  );
}
