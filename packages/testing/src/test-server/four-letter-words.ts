/** What the four-letter words tell. */
export interface ServerFacts {
  readonly version: string;
  readonly mode: 'standalone' | 'leader' | 'follower' | 'read-only';
  readonly zxid: bigint;
  readonly nodes: number;
  /** Each with the host and port that it comes from. */
  readonly clients: readonly string[];
  /** `connections` and `paths` are those of the data watches alone, as `wchs` counts them; `mntr` adds the child watches. */
  readonly watches: {
    readonly connections: number;
    readonly paths: number;
    readonly data: number;
    readonly child: number;
  };
}

const answers: ReadonlyMap<string, (facts: ServerFacts) => string> = new Map([
  ['ruok', () => 'imok'],
  ['isro', ({ mode }: ServerFacts) => (mode === 'read-only' ? 'ro' : 'rw')],
  ['srvr', (facts: ServerFacts) => versionLine(facts) + summary(facts)],
  ['stat', (facts: ServerFacts) => `${versionLine(facts)}Clients:\n${clients(facts)}\n${summary(facts)}`],
  ['mntr', monitor],
  ['wchs', watchSummary],
]);

const known = 'conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs'.split(' ');

/** The answer to a command; null when the letters are no command. */
export function answerWord(word: string, facts: () => ServerFacts): string | null {
  if (!known.includes(word)) return null;
  const answer = answers.get(word);
  return answer === undefined ? `${word} is not executed because it is not in the whitelist.\n` : answer(facts());
}

function versionLine({ version, mode }: ServerFacts): string {
  const line = `Zookeeper version: ${version}-${'0'.repeat(40)}, built on 2020-01-01 00:00 UTC\n`;
  return mode === 'read-only' ? `${line}READ-ONLY mode; serving only read-only clients\n` : line;
}

function clients(facts: ServerFacts): string {
  return facts.clients.map((client) => ` /${client}[1](queued=0,recved=0,sent=0)\n`).join('');
}

function summary({ clients: list, zxid, mode, nodes }: ServerFacts): string {
  return [
    'Latency min/avg/max: 0/0.0/0',
    'Received: 0',
    'Sent: 0',
    `Connections: ${list.length}`,
    'Outstanding: 0',
    `Zxid: 0x${zxid.toString(16)}`,
    `Mode: ${mode}`,
    `Node count: ${nodes}`,
    '',
  ].join('\n');
}

function monitor({ version, mode, nodes, clients: list, watches }: ServerFacts): string {
  return [
    `zk_version\t${version}-${'0'.repeat(40)}, built on 2020-01-01 00:00 UTC`,
    `zk_server_state\t${mode}`,
    `zk_znode_count\t${nodes}`,
    `zk_watch_count\t${watches.data + watches.child}`,
    `zk_num_alive_connections\t${list.length}`,
    '',
  ].join('\n');
}

function watchSummary({ watches }: ServerFacts): string {
  return `${watches.connections} connections watching ${watches.paths} paths\nTotal watches:${watches.data}\n`;
}
