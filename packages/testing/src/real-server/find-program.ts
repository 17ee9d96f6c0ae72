import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The full path of a program: in `home`/bin when there is such a home (JAVA_HOME), else on PATH; null if it is nowhere. */
export async function findProgram(name: string, home?: string): Promise<string | null> {
  const { PATH = '' } = process.env;
  const folders = [...(home ? [join(home, 'bin')] : []), ...PATH.split(delimiter)];
  for (const folder of folders.filter((folder) => folder !== '')) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
