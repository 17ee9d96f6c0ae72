import { RealServerUnavailableError } from './errors.ts';
import { findProgram } from './find-program.ts';

/** The full path of `java`. Rejects with RealServerUnavailableError, which says what to install. */
export async function findJava(): Promise<string> {
  if (process.platform === 'win32') {
    throw new RealServerUnavailableError('Real servers need signals that Windows does not have');
  }
  const { JAVA_HOME } = process.env;
  const java = await findProgram('java', JAVA_HOME);
  if (java) return java;
  throw new RealServerUnavailableError(
    "Real servers need Java, and there is no 'java' in JAVA_HOME or on PATH (Debian: default-jre-headless)",
  );
}
