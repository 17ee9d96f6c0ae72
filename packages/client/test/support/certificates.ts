import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KIND = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export const PASSPHRASE = 'open sesame';

/** A certificate and its key: as files for a server's configuration, as text for Node. */
export interface Certificate {
  files: { cert: string; key: string; ca: string };
  pem: { cert: string; key: string; ca: string };
  /** Key, certificate and authority as PKCS #12, under PASSPHRASE. */
  pfx: Buffer;
}

/** An authority of a test's own, in a folder that goes with it. Wants openssl. */
export class Authority {
  readonly #folder: string;
  readonly #names = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async found(): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), 'zookit-certificates-'));
    const files = ['-keyout', join(folder, 'ca.key'), '-out', join(folder, 'ca.pem')];
    await run('openssl', ['req', '-x509', ...KIND, '-days', '2', '-subj', '/CN=authority', ...files]);
    return new Authority(folder);
  }

  get ca(): Promise<string> {
    return readFile(join(this.#folder, 'ca.pem'), 'utf8');
  }

  /**
   * Signs a certificate for these subject alternative names, `IP:127.0.0.1` or `DNS:localhost`.
   *
   * @param days how long it is good from now on; below 0 it has expired
   */
  async sign(name: string, subjects: readonly string[], days = 2): Promise<Certificate> {
    if (this.#names.has(name)) throw new Error(`there is a certificate ${name} already`);
    this.#names.add(name);
    const at = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    const files = { cert: at('pem'), key: at('key'), ca: join(this.#folder, 'ca.pem') };
    await run('openssl', ['req', ...KIND, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', at('csr')]);
    await writeFile(at('ext'), subjects.length === 0 ? '' : `subjectAltName=${subjects.join(',')}\n`);
    // Of its own: openssl keeps the last one in a file, which several that sign at once would read half written.
    const serial = `0x${randomBytes(8).toString('hex')}`;
    const signing = [
      '-CA',
      files.ca,
      '-CAkey',
      join(this.#folder, 'ca.key'),
      '-set_serial',
      serial,
      '-days',
      String(days),
    ];
    await run('openssl', ['x509', '-req', '-in', at('csr'), ...signing, '-extfile', at('ext'), '-out', files.cert]);
    const bundle = ['-in', files.cert, '-inkey', files.key, '-certfile', files.ca, '-passout', `pass:${PASSPHRASE}`];
    await run('openssl', ['pkcs12', '-export', ...bundle, '-out', at('p12')]);
    const [cert, key, ca] = await Promise.all([files.cert, files.key, files.ca].map((file) => readFile(file, 'utf8')));
    return { files, pem: { cert, key, ca } as Certificate['pem'], pfx: await readFile(at('p12')) };
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
