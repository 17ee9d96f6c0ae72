import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FieldType, JuteReader, JuteWriter, parse, type RecordType } from 'jute-ts';
import { inspectFrame } from '../src/index.ts';
import * as records from '../src/records.ts';
import { golden } from './support/golden.ts';
import { judgeFrame } from './support/judge-frame.ts';
import { mutate, numbers } from './support/mutate.ts';
import { replay, type Script, scripts } from './support/replay.ts';

const schema = parse(readFileSync(new URL('../src/zookeeper.jute', import.meta.url), 'utf8'));
type Read = (reader: JuteReader) => unknown;
type Write = (writer: JuteWriter, value: unknown) => void;
const functions = records as unknown as Record<string, Read & Write>;

function arbitrary(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'byte':
      return fc.integer({ min: -128, max: 127 });
    case 'int':
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case 'long':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'ustring':
      return fc.option(fc.string({ unit: 'binary' }));
    case 'buffer':
      return fc.option(fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)));
    case 'vector':
      return fc.option(fc.array(arbitrary(type.of), { maxLength: 20 }));
    case 'map':
      return fc.option(fc.array(fc.tuple(arbitrary(type.key), arbitrary(type.value))).map((pairs) => new Map(pairs)));
    case 'record':
      return recordOf(type.record);
  }
}

function recordOf(record: RecordType): fc.Arbitrary<object> {
  const fields = record.fields.map(({ name, type }) => fc.tuple(fc.constant(name), arbitrary(type)));
  return fc.tuple(...fields).map((pairs) => Object.fromEntries(pairs as [string, unknown][]));
}

describe('every record', () => {
  it.each(schema.records.map((record) => [record.name, record] as const))(
    '%s comes back as it was written, whatever it holds',
    (name, record) => {
      fc.assert(
        fc.property(recordOf(record), (value) => {
          const writer = new JuteWriter();
          (functions[`write${name}`] as Write)(writer, value);
          const reader = new JuteReader(writer.take());
          expect((functions[`read${name}`] as Read)(reader)).toEqual(value);
          expect(reader.remaining).toBe(0);
        }),
        { seed: 1, numRuns: 60 },
      );
    },
  );
});

describe('bytes of any kind', () => {
  const kinds = [...new Map(golden.map(({ kind }) => [JSON.stringify(kind), kind])).values()];

  it('are read or refused as every kind of frame, and shown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 300 }), (kind, bytes) => {
        judgeFrame(Buffer.from(bytes), kind);
        expect(inspectFrame(bytes, kind)).toMatch(/, \d+ bytes\n/);
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });

  it('made of what servers said are read or refused, and shown', () => {
    const others = golden.map(({ body }) => body);
    const verdicts = { read: 0, refused: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...golden), fc.nat(), ({ body, kind }, seed) => {
        const mutated = mutate(body, numbers(seed), others);
        verdicts[judgeFrame(mutated, kind)] += 1;
        expect(inspectFrame(mutated, kind)).toMatch(/, \d+ bytes\n/);
      }),
      { seed: 1, numRuns: 10_000 },
    );
    // Mutations that refuse everything, or nothing, would test nothing.
    expect(verdicts.read).toBeGreaterThan(500);
    expect(verdicts.refused).toBeGreaterThan(500);
  });
});

describe('a stream that is not what it should be', () => {
  const [script] = scripts as [Script];

  it('ends its connection, or not, and settles every request in the end', async () => {
    let ended = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const pick = numbers(seed);
      const { heard, closed } = await replay(script, [mutate(script.answers, pick, [script.answers])]);
      expect(closed.length).toBeLessThanOrEqual(1);
      // A lost connection, whatever it was that could not be read: never the error of a reader.
      if (closed.length > 0) expect(closed).toEqual(['CONNECTION_LOSS']);
      ended += closed.length;
      const answers = heard.filter((line) => /: (-?\d+ |[A-Z])/.test(line));
      expect(answers.length).toBeLessThanOrEqual(script.requests.length);
      if (closed.length > 0) expect(answers.length).toBe(script.requests.length - 1);
    }
    expect(ended).toBeGreaterThan(100);
  });
});
