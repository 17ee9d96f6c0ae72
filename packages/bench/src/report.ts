import { isMet, median, type Row, ratio } from './bench.ts';
import type { Program } from './client-process.ts';

/** What a run was made on and with. */
export interface Circumstances {
  server: string;
  node: string;
  rounds: number;
  programs: readonly Program[];
  /** Clients that are not at hand, and why. */
  missing: readonly string[];
}

/** Three digits that matter. */
function figureText(value: number): string {
  if (!Number.isFinite(value)) return '';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function targetText({ target, base }: Row): string {
  if (target === undefined) return '';
  if ('ratio' in target) return `≤ ${target.ratio} × ${base}`;
  if ('more' in target) return `≤ ${base} + ${target.more}`;
  return `≤ ${target.most}`;
}

/** The rows as a table in Markdown: medians and, in brackets, the ratio to the base. */
export function tableOf(rows: readonly Row[]): string {
  const clients = [...new Set(rows.flatMap((row) => Object.keys(row.samples)))];
  const lines = rows.map((row) => {
    const cells = clients.map((client) => {
      const samples = row.samples[client];
      if (samples === undefined || samples.length === 0) return '';
      const figure = figureText(median(samples));
      return client === row.base || row.samples[row.base] === undefined
        ? figure
        : `${figure} (${ratio(row, client).toFixed(2)})`;
    });
    const met = isMet(row);
    return [`${row.workload}, ${row.unit}`, ...cells, targetText(row), met === null ? '' : met ? 'yes' : '**no**'];
  });
  const table = [
    ['workload', ...clients, 'target', 'reached'],
    ['---', ...clients.map(() => '--:'), '---', '---'],
    ...lines,
  ];
  return table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The page docs/benchmarks.md. */
export function pageOf(rows: readonly Row[], { server, node, rounds, programs, missing }: Circumstances): string {
  const versions = programs.map(({ name, version }) => (version === '' ? name : `${name} ${version}`)).join(', ');
  return `# Benchmarks

Written by \`npm run bench\`. All clients ran on one machine against one ${server}, each in a process of its own (Node.js ${node}, but for
Curator and kazoo), one after the other in each of ${rounds} rounds. A figure is the median of the rounds; in brackets is the median of the
ratios to the row's base in the same round. Absolute figures depend on the machine: compare ratios. Gaps of less than a fifth are noise.

\`floor\` is no client: a raw socket of Node.js that sends requests encoded beforehand, with the same window, and only counts the replies by
their length prefix. CPU time is that of the client's process, all threads, an operation. Calls are measured in three processes of each
client, and right behind a run that is not measured. \`floor\` takes a lock by the same requests in two round trips: [where the time goes](design/where-the-time-goes.md).

Clients: ${versions}.${missing.length === 0 ? '' : ` Not at hand: ${missing.join('; ')}.`}

![CPU time and latency as a ratio to the floor](benchmarks.svg)

${tableOf(rows)}
`;
}
