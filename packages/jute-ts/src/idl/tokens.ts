import { JuteSyntaxError } from '../errors.ts';
import type { Place } from './schema.ts';

export interface Token {
  readonly kind: 'word' | 'string' | 'mark' | 'end';
  readonly text: string;
  /** The doc comment that stands right before it. */
  readonly doc: string | undefined;
  readonly at: Place;
}

const space = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const string = /"([^"\n]*)"/y;
const mark = /[{}<>;,.]/y;

/** Cuts the text of a Jute file into words, quoted strings and marks; comments and space fall away. */
export function tokenize(source: string, file: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let line = 1;
  let lineStart = 0;
  let doc: string | undefined;

  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(source);
  };
  const here = (): Place => ({ file, line, column: position - lineStart + 1 });
  const push = (kind: Token['kind'], text: string, length: number): void => {
    tokens.push({ kind, text, doc, at: here() });
    doc = undefined;
    position += length;
  };

  while (position < source.length) {
    const blank = match(space)?.[0];
    if (blank !== undefined) {
      if (blank.startsWith('/**') && blank.length > 4) doc = docText(blank);
      for (let at = blank.indexOf('\n'); at >= 0; at = blank.indexOf('\n', at + 1)) {
        line += 1;
        lineStart = position + at + 1;
      }
      position += blank.length;
      continue;
    }
    const name = match(word)?.[0];
    const quoted = match(string);
    const single = match(mark)?.[0];
    if (name !== undefined) push('word', name, name.length);
    else if (quoted) push('string', quoted[1] as string, quoted[0].length);
    else if (single !== undefined) push('mark', single, 1);
    else throw new JuteSyntaxError(unreadable(source, position), here());
  }
  push('end', '', 0);
  return tokens;
}

function unreadable(source: string, position: number): string {
  if (source.startsWith('/*', position)) return 'comment without end';
  if (source[position] === '"') return 'string without end';
  return `unexpected character ${JSON.stringify(String.fromCodePoint(source.codePointAt(position) ?? 0))}`;
}

function docText(comment: string): string {
  return comment
    .slice(3, -2)
    .split('\n')
    .map((text) => text.trim().replace(/^\*\s?/, ''))
    .join(' ')
    .trim();
}
