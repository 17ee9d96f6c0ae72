import { JuteSyntaxError } from '../errors.ts';
import type { Field, FieldType, JuteSchema, Place, Primitive, RecordType } from './schema.ts';
import { leastBytes, primitives } from './schema.ts';
import { type Token, tokenize } from './tokens.ts';

export interface ParseOptions {
  /** The name that errors are reported with; default `<jute>`. */
  file?: string;
  /** Finds what `include "path"` in `from` means. Without it an include is an error. A file is read once only. */
  include?: (path: string, from: string) => { file: string; source: string };
}

const reserved: ReadonlySet<string> = new Set(['module', 'class', 'include', 'vector', 'map', ...primitives]);
const keyTypes: ReadonlySet<string> = new Set(primitives.filter((primitive) => primitive !== 'buffer'));

// A record as it was read, its types still names.
interface Draft {
  readonly module: readonly string[];
  readonly record: RecordType & { fields: Field[] };
  readonly fields: { name: Token; type: DraftType }[];
}

type DraftType =
  | { kind: 'name'; name: string; at: Place }
  | { kind: 'vector'; of: DraftType }
  | { kind: 'map'; key: DraftType; value: DraftType; keyAt: Place };

/**
 * Reads the Jute language: modules (nested ones too), classes, fields, includes, comments. A class may be used before
 * it is declared. Throws a {@link JuteSyntaxError} that says line and column.
 */
export function parse(source: string, options: ParseOptions = {}): JuteSchema {
  const drafts: Draft[] = [];
  const seen = new Set<string>();

  const read = (file: string, text: string): void => {
    seen.add(file);
    new FileParser(tokenize(text, file), drafts, (path, at) => {
      if (!options.include) throw new JuteSyntaxError(`include "${path}": no files can be read here`, at);
      let included: { file: string; source: string };
      try {
        included = options.include(path, file);
      } catch (cause) {
        const error = new JuteSyntaxError(`include "${path}": ${(cause as Error).message}`, at);
        error.cause = cause;
        throw error;
      }
      if (!seen.has(included.file)) read(included.file, included.source);
    }).file();
  };
  read(options.file ?? '<jute>', source);
  return { records: resolve(drafts) };
}

class FileParser {
  readonly #tokens: Token[];
  readonly #drafts: Draft[];
  readonly #include: (path: string, at: Place) => void;
  #next = 0;

  constructor(tokens: Token[], drafts: Draft[], include: (path: string, at: Place) => void) {
    this.#tokens = tokens;
    this.#drafts = drafts;
    this.#include = include;
  }

  file(): void {
    while (this.#accept('include')) {
      const path = this.#peek();
      if (path.kind !== 'string') throw unexpected(path, 'a file name in double quotes');
      this.#next += 1;
      this.#include(path.text, path.at);
    }
    while (this.#peek().kind !== 'end') {
      if (!this.#accept('module')) throw unexpected(this.#peek(), "'module'");
      this.#module([]);
    }
  }

  #module(outer: readonly string[]): void {
    const path = [...outer, this.#name('a module name').text];
    while (this.#accept('.')) path.push(this.#name('a module name').text);
    this.#expect('{');
    while (!this.#accept('}')) {
      const doc = this.#peek().doc;
      if (this.#accept('class')) this.#class(path, doc);
      else if (this.#accept('module')) this.#module(path);
      else throw unexpected(this.#peek(), "'class', 'module' or '}'");
    }
  }

  #class(module: readonly string[], doc: string | undefined): void {
    const { text: name, at } = this.#name('a class name');
    const record = { name, module: module.join('.'), fields: [], ...(doc && { doc }), at };
    const draft: Draft = { module, record, fields: [] };
    this.#expect('{');
    while (!this.#accept('}')) {
      const fieldDoc = this.#peek().doc;
      const type = this.#type();
      const field = this.#name('a field name');
      if (draft.fields.some((other) => other.name.text === field.text)) {
        throw new JuteSyntaxError(`class ${name} has two fields '${field.text}'`, field.at);
      }
      draft.fields.push({ name: { ...field, doc: fieldDoc }, type });
      this.#expect(';');
    }
    this.#drafts.push(draft);
  }

  #type(): DraftType {
    const start = this.#peek();
    if (start.kind !== 'word') throw unexpected(start, 'a type or a closing brace');
    this.#next += 1;
    if (start.text === 'vector') {
      this.#expect('<');
      const of = this.#type();
      this.#expect('>');
      return { kind: 'vector', of };
    }
    if (start.text === 'map') {
      this.#expect('<');
      const keyAt = this.#peek().at;
      const key = this.#type();
      this.#expect(',');
      const value = this.#type();
      this.#expect('>');
      return { kind: 'map', key, value, keyAt };
    }
    let name = start.text;
    if (reserved.has(name) && !isPrimitive(name)) throw unexpected(start, 'a type');
    if (!isPrimitive(name)) while (this.#accept('.')) name += `.${this.#name('a name').text}`;
    return { kind: 'name', name, at: start.at };
  }

  #name(wanted: string): Token {
    const token = this.#peek();
    if (token.kind !== 'word') throw unexpected(token, wanted);
    if (reserved.has(token.text)) throw new JuteSyntaxError(`'${token.text}' is a word of the language`, token.at);
    this.#next += 1;
    return token;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw unexpected(this.#peek(), `'${text}'`);
  }

  #accept(text: string): boolean {
    const token = this.#peek();
    if (token.kind === 'string' || token.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }
}

function resolve(drafts: readonly Draft[]): RecordType[] {
  const byName = new Map<string, Draft>();
  for (const draft of drafts) {
    const name = qualified(draft.record);
    if (byName.has(name)) throw new JuteSyntaxError(`class ${name} is declared twice`, draft.record.at);
    byName.set(name, draft);
  }

  const find = (name: string, module: readonly string[]): Draft | undefined => {
    for (let depth = module.length; depth >= 0; depth -= 1) {
      const found = byName.get([...module.slice(0, depth), name].join('.'));
      if (found) return found;
    }
    return undefined;
  };

  const type = (draft: DraftType, module: readonly string[]): FieldType => {
    if (draft.kind === 'vector') return { kind: 'vector', of: type(draft.of, module) };
    if (draft.kind === 'map') {
      const key = type(draft.key, module);
      if (!keyTypes.has(key.kind)) throw new JuteSyntaxError(`a map's key cannot be a ${key.kind}`, draft.keyAt);
      return { kind: 'map', key, value: type(draft.value, module) };
    }
    if (isPrimitive(draft.name)) return { kind: draft.name };
    const found = find(draft.name, module);
    if (!found) throw new JuteSyntaxError(`unknown type '${draft.name}'`, draft.at);
    return { kind: 'record', record: found.record };
  };

  for (const draft of drafts) {
    for (const field of draft.fields) {
      const { text: name, doc, at } = field.name;
      draft.record.fields.push({ name, type: type(field.type, draft.module), ...(doc && { doc }), at });
    }
  }
  const records = drafts.map((draft) => draft.record);
  refuseCircles(records);
  refuseEmptyItems(records);
  return records;
}

// A record inside itself has no end; through a vector it has one, but bytes from the wire could then exhaust the stack.
function refuseCircles(records: readonly RecordType[]): void {
  const done = new Set<RecordType>();
  const visit = (record: RecordType, open: readonly RecordType[]): void => {
    if (done.has(record)) return;
    for (const field of record.fields) {
      for (const inner of recordsOf(field.type)) {
        if (inner === record || open.includes(inner)) {
          throw new JuteSyntaxError(`class ${inner.name} contains itself`, field.at);
        }
        visit(inner, [...open, record]);
      }
    }
    done.add(record);
  };
  for (const record of records) visit(record, []);
}

// Items that take no bytes would make any count of them believable.
function refuseEmptyItems(records: readonly RecordType[]): void {
  const check = (type: FieldType, at: Place): void => {
    if (type.kind === 'map') check(type.value, at);
    if (type.kind !== 'vector') return;
    if (leastBytes(type.of) === 0) throw new JuteSyntaxError('a vector of a class without fields', at);
    check(type.of, at);
  };
  for (const record of records) for (const field of record.fields) check(field.type, field.at);
}

function recordsOf(type: FieldType): RecordType[] {
  if (type.kind === 'record') return [type.record];
  if (type.kind === 'vector') return recordsOf(type.of);
  if (type.kind === 'map') return recordsOf(type.value);
  return [];
}

function qualified(record: RecordType): string {
  return `${record.module}.${record.name}`;
}

function isPrimitive(name: string): name is Primitive {
  return (primitives as readonly string[]).includes(name);
}

function unexpected(token: Token, wanted: string): JuteSyntaxError {
  const found = token.kind === 'end' ? 'the end of the file' : `'${token.text}'`;
  return new JuteSyntaxError(`expected ${wanted}, found ${found}`, token.at);
}
