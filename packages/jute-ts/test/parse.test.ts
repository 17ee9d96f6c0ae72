import { describe, expect, it } from '@jest/globals';
import { type FieldType, JuteSyntaxError, parse } from '../src/index.ts';

function failure(act: () => unknown): JuteSyntaxError {
  try {
    act();
  } catch (error) {
    if (error instanceof JuteSyntaxError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function spell(type: FieldType): string {
  if (type.kind === 'vector') return `vector<${spell(type.of)}>`;
  if (type.kind === 'map') return `map<${spell(type.key)},${spell(type.value)}>`;
  return type.kind === 'record' ? `${type.record.module}.${type.record.name}` : type.kind;
}

/** Each record as `module.Name { field: type; … }`. */
function outline(source: string): string[] {
  return parse(source).records.map(
    ({ module, name, fields }) => `${module}.${name} {${fields.map((f) => ` ${f.name}: ${spell(f.type)};`).join('')} }`,
  );
}

describe('the language', () => {
  it('has primitives, vectors and maps', () => {
    const source = `module m { class C {
      boolean a; byte b; int c; long d; float e; double f; ustring g; buffer h;
      vector<int> i; vector<vector<ustring>> j; map<ustring,long> k; map < int , map<long, buffer> > l;
    } }`;
    expect(outline(source)).toEqual([
      'm.C { a: boolean; b: byte; c: int; d: long; e: float; f: double; g: ustring; h: buffer; ' +
        'i: vector<int>; j: vector<vector<ustring>>; k: map<ustring,long>; l: map<int,map<long,buffer>>; }',
    ]);
  });

  it('has dotted and nested modules, and modules without anything', () => {
    const source = 'module a.b { class X { int i; } module c.d { class Y { int i; } } module e { } } module f {}';
    expect(outline(source)).toEqual(['a.b.X { i: int; }', 'a.b.c.d.Y { i: int; }']);
    expect(parse('').records).toEqual([]);
  });

  it('finds a class by its whole name, its name in the module, or in a module around it', () => {
    const source = `module a { class X { int i; }
      module b { class Y { X near; a.X whole; c.Z down; } module c { class Z { X up; } } } }
      module other { class V { a.b.Y far; } }`;
    expect(outline(source)).toEqual([
      'a.X { i: int; }',
      'a.b.Y { near: a.X; whole: a.X; down: a.b.c.Z; }',
      'a.b.c.Z { up: a.X; }',
      'other.V { far: a.b.Y; }',
    ]);
  });

  it('prefers the nearest of two classes of one name', () => {
    const source = 'module a { class X { int i; } module b { class X { int i; } class Y { X x; } } class Z { X x; } }';
    expect(outline(source).filter((text) => text.includes(' x:'))).toEqual(['a.b.Y { x: a.b.X; }', 'a.Z { x: a.X; }']);
  });

  it('knows classes before they are declared', () => {
    expect(outline('module m { class A { B b; vector<C> c; } class B { C c; } class C { int i; } }')).toEqual([
      'm.A { b: m.B; c: vector<m.C>; }',
      'm.B { c: m.C; }',
      'm.C { i: int; }',
    ]);
  });

  it('passes over comments and any space', () => {
    const source = `/* one // two */ module /**/ m{//{
      class C{int/* * ** */i;// }\r\n\tlong\fj;/* "
      */}} // the end`;
    expect(outline(source)).toEqual(['m.C { i: int; j: long; }']);
  });

  it('keeps doc comments of classes and fields, and no others', () => {
    const [record] = parse(`module m {
      /** What it
       * is. */
      class C {
        /** How many. */ int i; // of them
        /* not this */ int j;
        /** lost: */ /** the last one counts */ int k;
      }
      class D { int i; } }`).records;
    expect(record?.doc).toBe('What it is.');
    expect(record?.fields.map((field) => field.doc)).toEqual(['How many.', undefined, 'the last one counts']);
    expect(parse('module m { /** C */ class C { int i; } class D { int i; } }').records[1]?.doc).toBeUndefined();
  });

  it('remembers where things stand', () => {
    const [record] = parse('module m {\n\n  class C {\n    vector<int>\n      list;\n  }\n}', {
      file: 'a.jute',
    }).records;
    expect(record?.at).toEqual({ file: 'a.jute', line: 3, column: 9 });
    expect(record?.fields[0]?.at).toEqual({ file: 'a.jute', line: 5, column: 7 });
  });
});

describe('includes', () => {
  const files: Record<string, string> = {
    'main.jute': 'include "b.jute" include "a.jute"\nmodule m { class C { a.A a; b.B b; } }',
    'a.jute': 'module a { class A { int i; } }',
    'b.jute': 'include "a.jute" module b { class B { a.A a; } }',
    'circle.jute': 'include "circle.jute" module c { class C { int i; } }',
    'broken.jute': 'module x {\n class }',
    'to-broken.jute': 'include "broken.jute"',
    'nowhere.jute': '// a line\n include "nothing.jute"',
  };
  const read = (name: string) =>
    parse(files[name] ?? '', {
      file: name,
      include: (path) => {
        const source = files[path];
        if (source === undefined) throw new Error('no such file');
        return { file: path, source };
      },
    });

  it('are read once each, before the file itself', () => {
    expect(read('main.jute').records.map((record) => record.name)).toEqual(['A', 'B', 'C']);
    expect(read('circle.jute').records.map((record) => record.name)).toEqual(['C']);
  });

  it('report errors with their own name', () => {
    expect(failure(() => read('to-broken.jute')).message).toBe("broken.jute:2:8: expected a class name, found '}'");
  });

  it('that cannot be read are errors where they stand', () => {
    const error = failure(() => read('nowhere.jute'));
    expect(error.message).toBe('nowhere.jute:2:10: include "nothing.jute": no such file');
    expect(error.cause).toMatchObject({ message: 'no such file' });
    expect(failure(() => parse('include "a.jute"')).message).toBe(
      '<jute>:1:9: include "a.jute": no files can be read here',
    );
  });
});

describe('what is wrong is reported with line and column', () => {
  const inClass = (fields: string): string => `module m {\nclass C {\n${fields}\n} }`;
  const cases: [string, string, number, number, string][] = [
    ['no module', 'class C { int i; }', 1, 1, "expected 'module', found 'class'"],
    ['no name', 'module { }', 1, 8, "expected a module name, found '{'"],
    ['no brace', 'module m class', 1, 10, "expected '{', found 'class'"],
    ['field outside a class', 'module m { int i; }', 1, 12, "expected 'class', 'module' or '}', found 'int'"],
    [
      'nothing after',
      'module m {\n  class C {\n',
      3,
      1,
      'expected a type or a closing brace, found the end of the file',
    ],
    ['one brace too many', 'module m { } }', 1, 14, "expected 'module', found '}'"],
    ['dot at the end', 'module a. { }', 1, 11, "expected a module name, found '{'"],
    ['include after a module', 'module m { } include "a"', 1, 14, "expected 'module', found 'include'"],
    ['include without quotes', 'include a', 1, 9, "expected a file name in double quotes, found 'a'"],
    ['quoted brace', 'module m "{" }', 1, 10, "expected '{', found '{'"],
    ['comment without end', 'module m {\n /* never', 2, 2, 'comment without end'],
    ['string without end', 'include "a\n"', 1, 9, 'string without end'],
    ['strange character', 'module m { class C { int #; } }', 1, 26, 'unexpected character "#"'],
    ['strange character of two units', 'module m { 😀 }', 1, 12, 'unexpected character "😀"'],
    ['name that starts with a digit', inClass('int 1st;'), 3, 5, 'unexpected character "1"'],
    ['no semicolon', inClass('int i\nint j;'), 4, 1, "expected ';', found 'int'"],
    ['no field name', inClass('int ;'), 3, 5, "expected a field name, found ';'"],
    ['unknown type', inClass('int i;\n Strange s;'), 4, 2, "unknown type 'Strange'"],
    ['unknown type in a vector', inClass('vector<a.b.C> s;'), 3, 8, "unknown type 'a.b.C'"],
    ['string, which is ustring here', inClass('string s;'), 3, 1, "unknown type 'string'"],
    ['vector without items', inClass('vector s;'), 3, 8, "expected '<', found 's'"],
    ['vector of two', inClass('vector<int, int> s;'), 3, 11, "expected '>', found ','"],
    ['map without values', inClass('map<int> s;'), 3, 8, "expected ',', found '>'"],
    ['map by buffer', inClass('map<buffer, int> s;'), 3, 5, "a map's key cannot be a buffer"],
    ['map by record', inClass('map<K, int> s; } class K { int i;'), 3, 5, "a map's key cannot be a record"],
    ['map by vector', inClass('map<vector<int>, int> s;'), 3, 5, "a map's key cannot be a vector"],
    ['word as a type', inClass('class s;'), 3, 1, "expected a type, found 'class'"],
    ['type as a field name', inClass('int long;'), 3, 5, "'long' is a word of the language"],
    ['word as a field name', inClass('int module;'), 3, 5, "'module' is a word of the language"],
    ['type as a class name', 'module m { class int { } }', 1, 18, "'int' is a word of the language"],
    ['word as a module name', 'module a.class { }', 1, 10, "'class' is a word of the language"],
    ['field twice', inClass('int i;\nlong i;'), 4, 6, "class C has two fields 'i'"],
    ['class twice', 'module m { class C { } }\nmodule m { class C { } }', 2, 18, 'class m.C is declared twice'],
    ['class in itself', inClass('C c;'), 3, 3, 'class C contains itself'],
    ['classes in each other', inClass('D d; } class D { vector<C> c;'), 3, 28, 'class C contains itself'],
    ['class in itself by a map', inClass('map<int, vector<C>> c;'), 3, 21, 'class C contains itself'],
    ['vector of nothing', inClass('vector<E> e; } class E { '), 3, 11, 'a vector of a class without fields'],
    ['map of vectors of nothing', inClass('map<int, vector<E>> e; } class E {'), 3, 21, 'a vector of a class without'],
  ];

  it.each(cases)('%s', (_name, source, line, column, problem) => {
    const error = failure(() => parse(source, { file: 'x.jute' }));
    expect({ line: error.line, column: error.column, message: error.message }).toEqual({
      line,
      column,
      message: expect.stringContaining(`x.jute:${line}:${column}: ${problem}`),
    });
  });
});
