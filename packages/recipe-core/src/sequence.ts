/** A child's place in line, as its name tells it. */
export interface Ticket {
  readonly name: string;
  /** The server's sequence number; null for a child that has none and stands in line all the same. */
  readonly number: number | null;
  /** What a child without a number is compared by. */
  readonly text: string;
}

/** Reads a child's name; null when the child does not count. */
export type TicketReader = (name: string) => Ticket | null;

/** How the server writes a sequence number: `%010d` of a signed 32-bit integer. */
const NUMBER = /^(?:\d{10}|-\d{9,10})$/;

/**
 * Curator's order: by the text behind the last occurrence of the token, by the whole name where no token occurs; of
 * several tokens, each in what the one before it has left. Every child counts, whoever made it.
 */
export function curatorTickets(...tokens: readonly string[]): TicketReader {
  return (name) => {
    const text = tokens.reduce((rest, token) => {
      const at = rest.lastIndexOf(token);
      return at < 0 ? rest : rest.slice(at + token.length);
    }, name);
    return { name, text, number: text !== name && NUMBER.test(text) ? Number(text) | 0 : null };
  };
}

/**
 * kazoo's order: by the number at the end of the name, right behind one of the patterns; other children are ignored.
 */
export function kazooTickets(patterns: readonly string[]): TicketReader {
  return (name) => {
    for (const pattern of patterns) {
      const at = name.lastIndexOf(pattern);
      const text = name.slice(at + pattern.length);
      if (at >= 0 && NUMBER.test(text)) return { name, text, number: Number(text) | 0 };
    }
    return null;
  };
}

/**
 * The children that count, first in line first.
 *
 * Numbers are compared with wrap-around: -2147483648 comes right after 2147483647 (servers up to 3.5 go on so). Equal
 * numbers, which later servers give out for ever after 2147483647, keep the order of the list. Between a number and a
 * child without one the text decides, as in Curator, which sorts by nothing else.
 */
export function lineUp(names: Iterable<string>, ticketOf: TicketReader): Ticket[] {
  const numbered: Ticket[] = [];
  const others: Ticket[] = [];
  for (const name of names) {
    const ticket = ticketOf(name);
    if (ticket !== null) (ticket.number === null ? others : numbered).push(ticket);
  }
  const from = numbered[0]?.number ?? 0;
  const steps = ({ number }: Ticket): number => ((number as number) - from) | 0;
  numbered.sort((a, b) => steps(a) - steps(b));
  if (others.length === 0) return numbered;
  others.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return merge(numbered, others);
}

function merge(numbered: readonly Ticket[], others: readonly Ticket[]): Ticket[] {
  const line: Ticket[] = [];
  let next = 0;
  for (const ticket of numbered) {
    const text = unsigned(ticket.number as number);
    for (let other = others[next]; other !== undefined && other.text <= text; other = others[next]) {
      line.push(other);
      next += 1;
    }
    line.push(ticket);
  }
  return [...line, ...others.slice(next)];
}

/** The text of a number, negative ones continued beyond 2147483647, so that the texts of one stretch are in order. */
function unsigned(number: number): string {
  return String(number >>> 0).padStart(10, '0');
}
