import { type Row, ratio } from './bench.ts';

const COLOURS = ['#2563eb', '#d97706', '#059669', '#9333ea', '#dc2626', '#0891b2', '#64748b'];
const LEFT = 250;
const WIDTH = 900;
const BAR = 11;
const GAP = 14;
/** Bars end here, and say what they would have been. */
const LONGEST = 10;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Ratios to the floor as bars, one group a workload; a line at 1, and a mark at zookit's target. */
export function chartOf(rows: readonly Row[]): string {
  const shown = rows.filter((row) => row.base === 'floor');
  const clients = [...new Set(shown.flatMap((row) => Object.keys(row.samples)))].filter((name) => name !== 'floor');
  const unit = (WIDTH - LEFT - 60) / LONGEST;
  const parts: string[] = [];
  let y = 40;
  for (const [index, client] of clients.entries()) {
    const x = LEFT + index * 150;
    parts.push(`<rect x="${x}" y="12" width="10" height="10" fill="${COLOURS[index % COLOURS.length]}"/>`);
    parts.push(`<text x="${x + 15}" y="21">${escaped(client)}</text>`);
  }
  const top = y;
  for (const row of shown) {
    const present = clients.filter((client) => row.samples[client] !== undefined);
    parts.push(
      `<text x="${LEFT - 8}" y="${y + (present.length * BAR) / 2 + 4}" text-anchor="end">${escaped(row.workload)}</text>`,
    );
    const begin = y;
    for (const client of present) {
      const value = ratio(row, client);
      const width = (Math.min(value, LONGEST) * unit).toFixed(1);
      const colour = COLOURS[clients.indexOf(client) % COLOURS.length];
      parts.push(`<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR - 2}" fill="${colour}"/>`);
      parts.push(
        `<text x="${(LEFT + Number(width) + 4).toFixed(1)}" y="${y + 8}" font-size="9">${value.toFixed(2)}</text>`,
      );
      y += BAR;
    }
    const { target } = row;
    if (target !== undefined && 'ratio' in target) {
      const x = (LEFT + target.ratio * unit).toFixed(1);
      parts.push(`<line x1="${x}" y1="${begin - 2}" x2="${x}" y2="${y}" stroke="#111827" stroke-dasharray="2 2"/>`);
    }
    y += GAP;
  }
  const one = LEFT + unit;
  parts.push(`<line x1="${one}" y1="${top - 6}" x2="${one}" y2="${y - GAP + 4}" stroke="#9ca3af"/>`);
  const height = y + 14;
  parts.push(
    `<text x="${LEFT}" y="${height - 8}" font-size="10">ratio to the floor (solid line); dashes: what zookit is to reach</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>What calls cost, as a ratio to a raw socket</title>
<rect width="100%" height="100%" fill="white"/>
${parts.join('\n')}
</svg>
`;
}
