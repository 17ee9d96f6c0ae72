/** A member of an object: its value, and the text that it was read from. */
export interface Member {
  value: unknown;
  source: string;
}

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none of them in strings
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** The members of the object that a text begins with; what comes after it is ignored, as Jackson does. Throws SyntaxError. */
export function readMembers(text: string): Map<string, Member> {
  const reader = new Reader(text);
  const members = new Map<string, Member>();
  reader.object((key, value, source) => members.set(key, { value, source }));
  return members;
}

/** A JSON value. As JSON.parse, but whole numbers that a number can't hold exactly are bigints. Throws SyntaxError. */
export function readValue(text: string): unknown {
  return new Reader(text).value();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    this.#match(SPACE);
    const next = this.#text[this.#at];
    if (next === '{') return this.#plainObject();
    if (next === '[') return this.#array();
    if (next === '"') return this.#string();
    const number = this.#match(NUMBER);
    if (number !== null) return numberOf(number);
    const word = this.#match(WORD);
    if (word === null) throw this.#unexpected();
    return WORDS.get(word[0]);
  }

  object(take: (key: string, value: unknown, source: string) => void): void {
    this.#expect('{');
    if (this.#take('}')) return;
    do {
      this.#match(SPACE);
      const key = this.#string();
      this.#expect(':');
      this.#match(SPACE);
      const from = this.#at;
      const value = this.value();
      take(key, value, this.#text.slice(from, this.#at));
    } while (this.#take(','));
    this.#expect('}');
  }

  #plainObject(): object {
    const members: [string, unknown][] = [];
    this.object((key, value) => members.push([key, value]));
    // Unlike assignment, this takes `__proto__` as a name like others.
    return Object.fromEntries(members);
  }

  #array(): unknown[] {
    this.#expect('[');
    const values: unknown[] = [];
    if (this.#take(']')) return values;
    do values.push(this.value());
    while (this.#take(','));
    this.#expect(']');
    return values;
  }

  #string(): string {
    const found = this.#match(STRING);
    if (found === null) throw this.#unexpected();
    return JSON.parse(found[0]) as string;
  }

  #take(mark: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#take(mark)) throw this.#unexpected();
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #unexpected(): SyntaxError {
    const next = this.#text[this.#at];
    return new SyntaxError(
      next === undefined ? 'the JSON ends too early' : `unexpected ${JSON.stringify(next)} at ${this.#at} of the JSON`,
    );
  }
}

function numberOf([text, fraction, exponent]: RegExpExecArray): number | bigint {
  const value = Number(text);
  return fraction === undefined && exponent === undefined && !Number.isSafeInteger(value) ? BigInt(text) : value;
}
