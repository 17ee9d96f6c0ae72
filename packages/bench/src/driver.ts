import { createInterface } from 'node:readline';

/** A workload at a path: so many operations, so many of them under way at once. */
export type Workload = (path: string, count: number, window: number) => Promise<void>;

/** What a driver can do; `watch` calls `armed` when its watches are set, and resolves when all have fired. */
export interface Driver {
  workloads: Readonly<Record<string, Workload>>;
  watch(path: string, count: number, window: number, armed: () => void): Promise<void>;
  close(): void;
}

/** Operations in one multi. */
export const BATCH = 50;

/** Latencies of the present workload, in ms; noted when its window is 1. */
let latencies: number[] = [];

/** Keeps a window of calls under way until all have been answered. */
export function pump(
  count: number,
  window: number,
  call: (index: number, done: (error?: unknown) => void) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    let made = 0;
    let answered = 0;
    const alone = window === 1;
    let began = 0;
    const next = (): void => {
      if (alone) began = performance.now();
      call(made++, done);
    };
    const done = (error?: unknown): void => {
      if (error) {
        reject(error);
        return;
      }
      if (alone) latencies.push(performance.now() - began);
      answered += 1;
      if (made < count) next();
      else if (answered === count) resolve();
    };
    for (let i = 0; i < Math.min(window, count); i += 1) next();
  });
}

/** Obeys lines `WORKLOAD PATH COUNT WINDOW` until the input ends; each is answered by `done CPU WALL P50`, in µs. */
export async function serve(connect: (connectString: string) => Promise<Driver>): Promise<void> {
  const driver = await connect(process.argv[2] as string);
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  say('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [workload = '', path = '', count, window] = line.split(' ');
    const run =
      workload === 'watch'
        ? (at: string, many: number, wide: number) => driver.watch(at, many, wide, () => say('armed'))
        : driver.workloads[workload];
    if (run === undefined) throw new Error(`no workload '${workload}'`);
    latencies = [];
    const before = process.cpuUsage();
    const start = performance.now();
    await run(path, Number(count), Number(window));
    const { user, system } = process.cpuUsage(before);
    const wall = (performance.now() - start) * 1_000;
    latencies.sort((a, b) => a - b);
    say(`done ${user + system} ${wall} ${(latencies[latencies.length >> 1] ?? 0) * 1_000}`);
  }
  driver.close();
}
