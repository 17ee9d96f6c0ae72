import { describe, expect, it } from '@jest/globals';
import { type Edge, type Input, machine, type State, step } from '../src/session/machine.ts';

const states: State[] = ['connecting', 'connected', 'readonly', 'suspended', 'lost', 'auth-failed', 'closed'];
const inputs: Input[] = [
  'first-session',
  'next-session',
  'resumed',
  'granted-read-only',
  'socket-lost',
  'session-over',
  'renew',
  'auth-refused',
  'close',
];

const edges: [State, Input, Edge][] = states.flatMap((state) =>
  Object.entries(machine[state]).map(([input, edge]): [State, Input, Edge] => [state, input as Input, edge]),
);

// Where each state may lead, as the documentation has it.
const successors: Record<State, State[]> = {
  connecting: ['connected', 'readonly', 'lost', 'auth-failed', 'closed'],
  connected: ['suspended', 'lost', 'auth-failed', 'closed'],
  readonly: ['suspended', 'lost', 'auth-failed', 'closed'],
  suspended: ['connected', 'readonly', 'lost', 'auth-failed', 'closed'],
  lost: ['connecting', 'closed'],
  'auth-failed': ['closed'],
  closed: [],
};

describe('the state machine', () => {
  it('has just these states and inputs', () => {
    expect(Object.keys(machine).sort()).toEqual([...states].sort());
    expect([...new Set(edges.map(([, input]) => input))].sort()).toEqual([...inputs].sort());
  });

  it.each(states)('leads from %s where it should, and nowhere else', (state) => {
    const next = new Set(edges.filter(([from]) => from === state).map(([, , edge]) => edge.next));
    expect([...next].sort()).toEqual([...successors[state]].sort());
  });

  it('has no state that cannot be reached, and none but closed that cannot be left', () => {
    const reached = new Set<State>(['connecting']);
    for (const state of reached) for (const [from, , { next }] of edges) if (from === state) reached.add(next);
    expect([...reached].sort()).toEqual([...states].sort());
    for (const state of states) expect(Object.keys(machine[state]).length === 0).toBe(state === 'closed');
  });

  it('ends: from every state close leads to closed', () => {
    for (const state of states.filter((each) => each !== 'closed')) {
      expect(step(state, 'close')).toMatchObject({ next: 'closed', event: 'closed' });
    }
  });

  it('cannot come back from auth-failed', () => {
    for (const input of inputs.filter((each) => each !== 'close')) expect(() => step('auth-failed', input)).toThrow();
  });

  it.each(states.flatMap((state) => inputs.map((input): [State, Input] => [state, input])))(
    'from %s on %s takes its edge, or throws',
    (state, input) => {
      const edge = machine[state][input];
      if (edge === undefined) expect(() => step(state, input)).toThrow(`no edge from ${state} on ${input}`);
      else expect(step(state, input)).toBe(edge);
    },
  );

  it.each(edges)('explains the edge from %s on %s', (_state, _input, edge) => {
    expect(edge.why.length).toBeGreaterThan(10);
    expect(new Set(edge.effects).size).toBe(edge.effects.length);
  });

  it('tells users of every change but the return from lost to connecting', () => {
    const silent = edges.filter(([, , { event }]) => event === undefined).map(([from, input]) => [from, input]);
    expect(silent).toEqual([['lost', 'renew']]);
    for (const [, , { next, event }] of edges) {
      const expected: Record<State, string[]> = {
        connecting: [],
        connected: ['connected', 'reconnected', 'renewed'],
        readonly: ['readonly'],
        suspended: ['suspended'],
        lost: ['lost'],
        'auth-failed': ['auth-failed'],
        closed: ['closed'],
      };
      if (event !== undefined) expect(expected[next]).toContain(event);
    }
  });

  it('serves whenever a connection is there, seeks whenever one is wanted, and stops at the ends', () => {
    for (const [from, , { next, effects }] of edges) {
      if (next === 'connected' || next === 'readonly') expect(effects).toEqual(['serve']);
      if (next === 'suspended' || next === 'connecting') expect(effects).toEqual(['connect']);
      if (next === 'lost') expect(effects).toEqual(['end-session']);
      if (next === 'auth-failed') expect(effects).toEqual(['stop']);
      if (next === 'closed') expect(effects).toEqual(from === 'auth-failed' ? [] : ['stop']);
    }
  });
});
