import { BadArgumentsError } from '@zookit/client';

/** A piece of a URI: literal, or the name of a variable. */
export interface UriPart {
  value: string;
  variable: boolean;
}

/** How the URI of an instance is made, in pieces, as Curator keeps it. */
export interface UriSpec {
  parts: UriPart[];
}

/**
 * A specification from its text, such as `{scheme}://{address}:{port}`. Names are trimmed; braces themselves are `{[}` and `{]}`.
 * Throws BadArgumentsError where braces don't match.
 */
export function parseUriSpec(text: string): UriSpec {
  const parts: UriPart[] = [];
  let inside = false;
  for (const token of text.split(/([{}])/)) {
    if (token === '{' || token === '}') {
      if (inside === (token === '{')) throw bad(text, inside ? 'a "{" inside of braces' : 'a "}" without its "{"');
      inside = !inside;
    } else if (token !== '') {
      parts.push({ value: inside ? token.trim() : token, variable: inside });
    }
  }
  if (inside) throw bad(text, 'a "{" without its "}"');
  return { parts };
}

function bad(text: string, why: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { message: `the uriSpec ${JSON.stringify(text)} has ${why}` });
}
