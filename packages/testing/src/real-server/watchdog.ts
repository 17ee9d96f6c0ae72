import { type ChildProcess, spawn } from 'node:child_process';

// A process that is killed can't clean up after itself, so two small shells do it, each at the other end of a pipe that
// closes when their owner is gone, however it went. Both live in sessions of their own: Ctrl-C is for the owner.

/** Makes a folder, and removes it when the owner is gone or closes the pipe. */
const janitor = `
mkdir -m 700 "$1" || exit 1
echo ready
while read -r _; do :; done
tries=0
while [ -e "$1" ] && [ "$tries" -lt 100 ]; do
  rm -rf "$1" 2>/dev/null
  # A server that is being killed may still be writing.
  if [ -e "$1" ]; then sleep 0.1; fi
  tries=$((tries + 1))
done
`;

/** Runs a program as its child, says its pid, ends as it ends, and kills it, stopped or not, when the owner is gone. */
const supervisor = `
log=$1
shift
exec 4<&0
"$@" </dev/null >>"$log" 2>&1 4<&- &
program=$!
(
  while read -r _; do :; done
  kill -s CONT "$program"
  kill -s KILL "$program"
) <&4 >/dev/null 2>&1 4<&- &
lifeline=$!
exec 4<&-
echo "$program"
wait "$program"
status=$?
kill "$lifeline"
exit "$status"
`;

function shell(script: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script, 'zookit-watchdog', ...args], {
    ...options,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // It ends when it wants to; the pipe is never written to.
  child.stdin?.on('error', () => {});
  return child;
}

/** Resolves with the exit status. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => {
      child.stdin?.destroy();
      resolve(code ?? 255);
    });
  });
}

/** First line of what the shell prints; null when it ended without any. */
async function firstLine(child: ChildProcess): Promise<string | null> {
  let text = '';
  for await (const piece of child.stdout!) {
    text += String(piece);
    if (text.includes('\n')) return text.split('\n')[0]!;
  }
  return null;
}

/** A folder that goes when it is removed, or when this process ends, by SIGKILL too. */
export class WatchedFolder {
  readonly path: string;
  readonly #janitor: ChildProcess;
  readonly #ended: Promise<number>;

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.#janitor = child;
    this.#ended = ended(child);
  }

  static async create(path: string): Promise<WatchedFolder> {
    const child = shell(janitor, [path]);
    const folder = new WatchedFolder(path, child);
    if ((await firstLine(child)) !== 'ready') throw new Error(`Can't make the folder ${path}`);
    return folder;
  }

  async remove(): Promise<void> {
    this.#janitor.stdin?.destroy();
    await this.#ended;
  }
}

export interface WatchedProcessOptions {
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Gets what the program prints, appended. */
  log: string;
}

/** A program that dies when this process ends, by SIGKILL too, and also while it is stopped. */
export class WatchedProcess {
  /** Of the program itself, not of the shell that watches it. */
  readonly pid: number;
  /** Resolves with the exit status, 128 and more for signals. */
  readonly exited: Promise<number>;
  #isRunning = true;

  private constructor(pid: number, exited: Promise<number>) {
    this.pid = pid;
    this.exited = exited;
    void exited.then(() => {
      this.#isRunning = false;
    });
  }

  static async start({ command, args, cwd, env, log }: WatchedProcessOptions): Promise<WatchedProcess> {
    const child = shell(supervisor, [log, command, ...args], { cwd, env });
    const exited = ended(child);
    const pid = Number(await firstLine(child));
    if (!pid) throw new Error(`Can't start ${command}`);
    return new WatchedProcess(pid, exited);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Does nothing once the program has ended. */
  signal(name: NodeJS.Signals): void {
    if (!this.#isRunning) return;
    try {
      process.kill(this.pid, name);
    } catch (error) {
      // It ended a moment ago, and the news is still on its way.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
