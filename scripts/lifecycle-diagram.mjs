#!/usr/bin/env node
// Writes the state machine of the client, as the built code has it, into docs/internals/connection-lifecycle.md.
// With --check: exits 1 when the document differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { machine } from '../packages/client/dist/internal.js';

const document = new URL('../docs/internals/connection-lifecycle.md', import.meta.url);
const [begin, end] = ['<!-- generated: begin -->\n', '<!-- generated: end -->'];

function describe() {
  const edges = Object.entries(machine).flatMap(([state, inputs]) =>
    Object.entries(inputs).map(([input, edge]) => ({ state, input, ...edge })),
  );
  const name = (state) => state.replace('-', '_');
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> connecting',
    ...edges.map(({ state, input, next }) => `  ${name(state)} --> ${name(next)}: ${input}`),
    '  closed --> [*]',
    '```',
    '',
    '| state | input | next state | event | effects | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...edges.map(
      ({ state, input, next, event = '', effects, why }) =>
        `| ${[state, input, next, event, effects.join(', '), why].join(' | ')} |`,
    ),
    '',
  ].join('\n');
}

const text = readFileSync(document, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (after === undefined) throw new Error('the document has lost its marks of the generated part');
const fresh = `${before}${begin}${describe()}${end}${after}`;
if (!process.argv.includes('--check')) writeFileSync(document, fresh);
else if (fresh !== text) {
  console.error(
    'docs/internals/connection-lifecycle.md differs from the state machine: run scripts/lifecycle-diagram.mjs',
  );
  process.exitCode = 1;
}
