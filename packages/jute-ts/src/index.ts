export { JuteError, JuteSyntaxError } from './errors.ts';
export { type GenerateOptions, generate } from './idl/generate.ts';
export { type ParseOptions, parse } from './idl/parse.ts';
export type { Field, FieldType, JuteSchema, Place, Primitive, RecordType } from './idl/schema.ts';
export { type InspectOptions, inspect } from './inspect.ts';
export { JuteReader } from './reader.ts';
export { JuteWriter } from './writer.ts';
