import { JuteSyntaxError } from '../errors.ts';
import { type Field, type FieldType, type JuteSchema, leastBytes, type Primitive, type RecordType } from './schema.ts';

export interface GenerateOptions {
  /** The command that the header names, for whoever wants to change the file. */
  command?: string;
}

// For each primitive: its type in TypeScript and the end of the methods' names. `TBuffer` is how the caller has buffers.
const primitiveTypes: Readonly<Record<Primitive, { type: string; method: string }>> = {
  boolean: { type: 'boolean', method: 'Boolean' },
  byte: { type: 'number', method: 'Byte' },
  int: { type: 'number', method: 'Int' },
  long: { type: 'bigint', method: 'Long' },
  float: { type: 'number', method: 'Float' },
  double: { type: 'number', method: 'Double' },
  ustring: { type: 'string | null', method: 'Ustring' },
  buffer: { type: 'TBuffer | null', method: 'Buffer' },
};

// Names that a generated interface cannot have: types that the file itself uses, and words of the language.
const takenNames: ReadonlySet<string> = new Set(
  (
    'Buffer JuteReader JuteWriter Map Record TBuffer Uint8Array any bigint never null number object string symbol ' +
    'undefined unknown void await break case catch const continue debugger default delete do else enum export extends ' +
    'false finally for function if implements import in instanceof interface let new package private protected public ' +
    'return static super switch this throw true try typeof var while with yield'
  ).split(' '),
);

/** Makes the TypeScript of every record: an interface, a function that reads it and one that writes it. */
export function generate(schema: JuteSchema, options: GenerateOptions = {}): string {
  const names = new Map<string, RecordType>();
  for (const record of schema.records) {
    const other = names.get(record.name);
    if (other) {
      const problem = `class ${record.name} is also in module ${other.module}: names must differ in one TypeScript file`;
      throw new JuteSyntaxError(problem, record.at);
    }
    if (takenNames.has(record.name)) {
      throw new JuteSyntaxError(`'${record.name}' cannot be the name of a TypeScript interface here`, record.at);
    }
    names.set(record.name, record);
  }
  const by = options.command ? ` by \`${options.command}\`` : '';
  const header = `// Generated${by}: change the .jute file, not this one.\n`;
  const imports = "import type { JuteReader, JuteWriter } from 'jute-ts';\n";
  return [header + imports, ...schema.records.map(recordCode)].join('\n');
}

function recordCode(record: RecordType): string {
  const { name, fields } = record;
  if (fields.length === 0) return emptyCode(record);
  const generic = fields.some((field) => holdsBuffer(field.type));
  return [
    ...docLines(record.doc, ''),
    `export interface ${name}${generic ? '<TBuffer extends Uint8Array = Buffer>' : ''} {`,
    ...fields.flatMap(property),
    '}',
    '',
    `export function read${name}(r: JuteReader): ${name} {`,
    '  return {',
    ...fields.map(({ name: field, type }) => `    ${field}: ${readCode(type, `'${name}.${field}'`, '    ')},`),
    '  };',
    '}',
    '',
    `export function write${name}(w: JuteWriter, v: ${name}${generic ? '<Uint8Array>' : ''}): void {`,
    ...fields.map(({ name: field, type }) => `  ${writeCode(type, `v.${field}`, '  ')};`),
    '}',
    '',
  ].join('\n');
}

function emptyCode({ name, doc }: RecordType): string {
  return [
    ...docLines(doc, ''),
    `export type ${name} = Record<string, never>;`,
    '',
    `export function read${name}(_r: JuteReader): ${name} {`,
    '  return {};',
    '}',
    '',
    `export function write${name}(_w: JuteWriter, _v: ${name}): void {}`,
    '',
  ].join('\n');
}

function property({ name, type, doc, at }: Field): string[] {
  // In an object literal this one name sets the prototype instead.
  if (name === '__proto__') throw new JuteSyntaxError("a field cannot be called '__proto__'", at);
  return [...docLines(doc, '  '), `  ${name}: ${typeOf(type)};`];
}

function typeOf(type: FieldType): string {
  switch (type.kind) {
    case 'vector': {
      const item = typeOf(type.of);
      return `${item.includes(' ') ? `(${item})` : item}[] | null`;
    }
    case 'map':
      return `Map<${typeOf(type.key)}, ${typeOf(type.value)}> | null`;
    case 'record':
      return holdsBuffer(type) ? `${type.record.name}<TBuffer>` : type.record.name;
    default:
      return primitiveTypes[type.kind].type;
  }
}

// `indent` is that of the line the code starts on, for what takes more than one.
function readCode(type: FieldType, field: string, indent: string): string {
  switch (type.kind) {
    case 'vector':
      if (type.of.kind === 'ustring') return `r.readUstringVector(${field})`;
      return `r.readVector(${field}, ${reader(type.of, indent)}${least(leastBytes(type.of))})`;
    case 'map': {
      const inner = `${indent}  `;
      const bytes = String(leastBytes(type.key) + leastBytes(type.value));
      return call('r.readMap', [field, reader(type.key, inner), reader(type.value, inner), bytes], indent);
    }
    case 'record':
      return `read${type.record.name}(r)`;
    default:
      return `r.read${primitiveTypes[type.kind].method}(${field})`;
  }
}

function writeCode(type: FieldType, value: string, indent: string): string {
  switch (type.kind) {
    case 'vector':
      if (type.of.kind === 'ustring') return `w.writeUstringVector(${value})`;
      return `w.writeVector(${value}, ${writer(type.of, indent)})`;
    case 'map': {
      const inner = `${indent}  `;
      return call('w.writeMap', [value, writer(type.key, inner), writer(type.value, inner)], indent);
    }
    case 'record':
      return `write${type.record.name}(w, ${value})`;
    default:
      return `w.write${primitiveTypes[type.kind].method}(${value})`;
  }
}

function reader(type: FieldType, indent: string): string {
  if (type.kind === 'record') return `read${type.record.name}`;
  return arrow('(r, field) =>', readCode(type, 'field', indent), readCode(type, 'field', `${indent}  `), indent);
}

function writer(type: FieldType, indent: string): string {
  if (type.kind === 'record') return `write${type.record.name}`;
  return arrow('(w, v) =>', writeCode(type, 'v', indent), writeCode(type, 'v', `${indent}  `), indent);
}

function arrow(head: string, body: string, indentedBody: string, indent: string): string {
  return body.includes('\n') ? `${head}\n${indent}  ${indentedBody}` : `${head} ${body}`;
}

// As formatters want it: a call that is given two functions has a line for each argument.
function call(method: string, args: readonly string[], indent: string): string {
  if (args.filter((arg) => arg.includes('=>')).length < 2) return `${method}(${args.join(', ')})`;
  return `${method}(\n${args.map((arg) => `${indent}  ${arg},\n`).join('')}${indent})`;
}

function least(bytes: number): string {
  return bytes > 1 ? `, ${bytes}` : '';
}

function holdsBuffer(type: FieldType): boolean {
  switch (type.kind) {
    case 'vector':
      return holdsBuffer(type.of);
    case 'map':
      return holdsBuffer(type.value);
    case 'record':
      return type.record.fields.some((field) => holdsBuffer(field.type));
    default:
      return type.kind === 'buffer';
  }
}

function docLines(doc: string | undefined, indent: string): string[] {
  return doc ? [`${indent}/** ${doc} */`] : [];
}
