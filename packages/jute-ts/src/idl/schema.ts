/** What a Jute file says, with every name resolved. */
export interface JuteSchema {
  /** In the order of their declaration, included files first. */
  readonly records: readonly RecordType[];
}

export interface RecordType {
  readonly name: string;
  /** The module it is declared in, dotted. */
  readonly module: string;
  readonly fields: readonly Field[];
  /** The text of the doc comment before it. */
  readonly doc?: string;
  readonly at: Place;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly doc?: string;
  readonly at: Place;
}

export type Primitive = 'boolean' | 'byte' | 'int' | 'long' | 'float' | 'double' | 'ustring' | 'buffer';

export type FieldType =
  | { readonly kind: Primitive }
  | { readonly kind: 'vector'; readonly of: FieldType }
  | { readonly kind: 'map'; readonly key: FieldType; readonly value: FieldType }
  | { readonly kind: 'record'; readonly record: RecordType };

/** Where something stands; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const primitiveBytes: Readonly<Record<Primitive, number>> = {
  boolean: 1,
  byte: 1,
  int: 4,
  long: 8,
  float: 4,
  double: 8,
  ustring: 4,
  buffer: 4,
};

export const primitives: readonly Primitive[] = Object.keys(primitiveBytes) as Primitive[];

/** The least number of bytes that a value of this type takes: what is behind a length may be none. */
export function leastBytes(type: FieldType): number {
  switch (type.kind) {
    case 'vector':
    case 'map':
      return 4;
    case 'record':
      return type.record.fields.reduce((sum, field) => sum + leastBytes(field.type), 0);
    default:
      return primitiveBytes[type.kind];
  }
}
