import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { generate, JuteSyntaxError, parse } from '../src/index.ts';

const here = (name: string): URL => new URL(name, import.meta.url);

describe('generate', () => {
  it('makes an interface, a read and a write function of a record', () => {
    const schema = parse('module m { /** A point. */ class Point { /** Across. */ int x; long y; } }');
    expect(generate(schema)).toBe(`// Generated: change the .jute file, not this one.
import type { JuteReader, JuteWriter } from 'jute-ts';

/** A point. */
export interface Point {
  /** Across. */
  x: number;
  y: bigint;
}

export function readPoint(r: JuteReader): Point {
  return {
    x: r.readInt('Point.x'),
    y: r.readLong('Point.y'),
  };
}

export function writePoint(w: JuteWriter, v: Point): void {
  w.writeInt(v.x);
  w.writeLong(v.y);
}
`);
  });

  // What this code does is tested by the round trips; here, that it is what the compiler makes today.
  it('makes the code that the other tests run', () => {
    const schema = parse(readFileSync(here('sample.jute'), 'utf8'), {
      include: (path) => ({ file: path, source: readFileSync(here(path), 'utf8') }),
    });
    const command = 'jute-ts compile sample.jute -o sample.ts';
    expect(generate(schema, { command })).toBe(readFileSync(here('sample.ts'), 'utf8'));
  });

  it('says the least that the items of a vector take', () => {
    const code = generate(
      parse(`module m {
        class Item { ustring name; vector<int> list; map<int, int> counts; buffer b; boolean f; }
        class List { vector<Item> items; vector<byte> bytes; map<ustring, Item> byName; }
      }`),
    );
    expect(code).toContain("items: r.readVector('List.items', readItem, 17),");
    expect(code).toContain("bytes: r.readVector('List.bytes', (r, field) => r.readByte(field)),");
    expect(code).toContain("byName: r.readMap('List.byName', (r, field) => r.readUstring(field), readItem, 21),");
  });

  it.each([
    ['a type that the code uses', 'module m { class Buffer { int i; } }', "1:18: 'Buffer' cannot be the name"],
    ['a type of the language', 'module m { class string { int i; } }', "1:18: 'string' cannot be the name"],
    ['a word of the language', 'module m { class enum { int i; } }', "1:18: 'enum' cannot be the name"],
    ['one name twice', 'module a { class C { } } module b { class C { } }', '1:43: class C is also in module a'],
    ['__proto__', 'module m { class C { int __proto__; } }', "1:26: a field cannot be called '__proto__'"],
  ])('refuses %s', (_name, source, problem) => {
    const act = (): string => generate(parse(source));
    expect(act).toThrow(JuteSyntaxError);
    expect(act).toThrow(problem);
  });
});
