// The demo that scripts/quickstart runs.
import { HELP, parseOptions, UsageError } from './arguments.ts';
import { Demo } from './demo.ts';
import { terminalOn } from './terminal.ts';
import { chooseServer } from './which-server.ts';

/** The process's exit code: 0 when all went well, 1 when not, 2 when it was called wrongly, 130 after Ctrl-C. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const server = await chooseServer(options);
  const demo = new Demo(options, server, terminalOn(process.stdout, options.noColor));
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    demo.interrupt();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const isWell = await demo.run();
    return interrupted ? 130 : isWell ? 0 : 1;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await server.stop();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(isUsage ? `${error.message}\nTry --help.\n` : `${(error as Error).stack ?? error}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
