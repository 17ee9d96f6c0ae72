import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { generate } from './idl/generate.ts';
import { parse } from './idl/parse.ts';

const usage = `Usage: jute-ts compile FILE.jute [-o FILE.ts] [--check]

Makes TypeScript of a Jute file: for each record an interface, a read and a write function.

  -o, --output FILE  where to write it; without it, to standard output
      --check        write nothing: exit 1 when FILE is not what would be written
  -h, --help         this text

Exit codes: 0 done, 1 the Jute file is wrong or --check found a difference, 2 wrong usage.
`;

/** Runs the command line and says how it ended; it neither exits nor throws. */
export function run(
  args: readonly string[],
  io: { out: (text: string) => void; err: (text: string) => void },
): 0 | 1 | 2 {
  let request: { input: string; output: string | undefined; check: boolean } | null;
  try {
    request = readArgs(args);
  } catch (error) {
    io.err(`jute-ts: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (!request) {
    io.out(usage);
    return 0;
  }
  const { input, output, check } = request;
  try {
    const code = compile(input, output);
    if (output === undefined) io.out(code);
    else if (!check) writeFileSync(output, code);
    else if (readFileSync(output, 'utf8') !== code) {
      io.err(`jute-ts: ${output} is not what ${input} compiles to\n`);
      return 1;
    }
    return 0;
  } catch (error) {
    io.err(`jute-ts: ${(error as Error).message}\n`);
    return 1;
  }
}

function readArgs(args: readonly string[]): { input: string; output: string | undefined; check: boolean } | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      check: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const [command, input, ...rest] = positionals;
  if (command !== 'compile') throw new Error(command === undefined ? 'no command' : `unknown command '${command}'`);
  if (input === undefined || rest.length > 0) throw new Error('compile takes one file');
  if (values.check && values.output === undefined) throw new Error('--check needs --output');
  return { input, output: values.output, check: values.check ?? false };
}

// The command in the header names files without their folders, so that it does not depend on where it was run.
function compile(input: string, output: string | undefined): string {
  const schema = parse(readFileSync(input, 'utf8'), {
    file: normalize(input),
    include: (path, from) => {
      const file = isAbsolute(path) ? normalize(path) : join(dirname(from), path);
      return { file, source: readFileSync(file, 'utf8') };
    },
  });
  const to = output === undefined ? '' : ` -o ${basename(output)}`;
  return generate(schema, { command: `jute-ts compile ${basename(input)}${to}` });
}
