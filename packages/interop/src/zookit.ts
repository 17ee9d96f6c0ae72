import { fileURLToPath } from 'node:url';
import { exists } from '@zookit/testing/internal';
import type { Program } from './program.ts';

/** A process of contenders by zookit's locks, as it was built. */
export async function zookitProgram(layout: 'curator' | 'kazoo' = 'curator'): Promise<Program> {
  const script = fileURLToPath(new URL('../dist/contender-cli.js', import.meta.url));
  if (!(await exists(script))) throw new Error('Not built: npx turbo run build --filter=@zookit/interop');
  return { name: 'zookit', version: 'as built', command: process.execPath, before: [script], after: [layout] };
}
