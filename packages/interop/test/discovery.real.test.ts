import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JavaDouble, ServiceDiscovery, type ServiceInstance, type ServiceType, serviceInstance } from 'zookit';
import { curatorDiscoveryProgram } from '../src/curator-discovery.ts';
import { Bench, until } from './support/bench.ts';
import type { ContenderProcess } from './support/contender-process.ts';

const uriSpec = '{scheme}://{address}:{port}';
const map = { k: 'v', n: 1, l: 2n ** 40n, d: 2.5, list: ['x', []], none: null };

/** What Java calls so, and what it is here. */
const payloads: readonly (readonly [string, unknown])[] = [
  ['none', null],
  ['text', 'h\u00e9llo \b\t\n\f\r"\\/\u0000\u001f\u007f\u2028\u{1f600}'],
  ['integer', 7],
  ['boolean', true],
  ['long', 2n ** 62n],
  ['double', 0.1],
  ['large-double', 1.5e21],
  ['small-double', 1.25e-7],
  ['whole-double', new JavaDouble(5)],
  ['nan', Number.NaN],
  ['bean', { '@class': 'Discovery$Meta', zone: 'a', weight: 3, limit: 7, load: new JavaDouble(5), tags: ['x'] }],
  ['map', map],
  ['list', ['q', 1, 2n, 2.5, null, true]],
  ['set', ['java.util.HashSet', ['q']]],
  ['float', ['java.lang.Float', 2.5]],
  ['date', ['java.util.Date', 0]],
  ['uuid', ['java.util.UUID', '00000000-0000-0000-0000-000000000001']],
  ['enum', ['java.util.concurrent.TimeUnit', 'DAYS']],
  ['strings', ['[Ljava.lang.String;', ['q']]],
  ['ints', ['[I', [1, 2]]],
  ['bytes', new Uint8Array([1, 2, 255])],
];
const types: readonly ServiceType[] = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'];

let bench: Bench;
let java: ContenderProcess;

beforeAll(async () => {
  bench = await Bench.start();
  java = await bench.process(await curatorDiscoveryProgram());
}, 120_000);

afterAll(() => bench.end(), 60_000);

function instance(id: string, serviceType: ServiceType, payload: unknown): ServiceInstance {
  const init = { name: 'svc', id, address: '10.0.0.1', port: 8080, registrationTimeUTC: 1_700_000_000_000 };
  return serviceInstance({ ...init, serviceType, payload, uriSpec: payload === null ? null : uriSpec });
}

/** The data of all znodes of a service, by name. */
async function znodes(base: string): Promise<Record<string, string>> {
  const { children } = await bench.zk.children(`${base}/svc`);
  const read = async (name: string): Promise<[string, string]> => {
    const { data } = await bench.zk.get(`${base}/svc/${name}`);
    return [name, data?.toString() ?? ''];
  };
  return Object.fromEntries(await Promise.all(children.sort().map(read)));
}

describe.each(['old', 'new'])("zookit and Curator's ServiceDiscovery, its serializer in the %s mode", (mode) => {
  const compatible = mode === 'old';
  const [theirs, ours, copies] = [`/java-${mode}`, `/node-${mode}`, `/copies-${mode}`];

  it('write the same bytes for every payload and every service type', async () => {
    await using discovery = new ServiceDiscovery(bench.zk, { basePath: ours, compatible });
    for (const [kind, payload] of payloads) {
      await java.ask(`register ${theirs} ${mode} svc ${kind} DYNAMIC ${kind}`, 'registered');
      await discovery.register(instance(kind, 'DYNAMIC', payload));
    }
    for (const type of types) {
      await java.ask(`register ${theirs} ${mode} svc ${type} ${type} text`, 'registered');
      await discovery.register(instance(type, type, payloads[1]?.[1]));
    }
    const expected = await znodes(theirs);
    expect(Object.keys(expected)).toHaveLength(payloads.length + types.length);
    expect(await znodes(ours)).toEqual(expected);
    expect(Object.values(expected).every((json) => json.endsWith(compatible ? '}' : ',"enabled":true}'))).toBe(true);
    // Where their znodes are, and of which kind, they agree too.
    for (const name of Object.keys(expected)) {
      const [stat, other] = await Promise.all([theirs, ours].map((base) => bench.zk.exists(`${base}/svc/${name}`)));
      expect([name, stat?.ephemeralOwner === 0n]).toEqual([name, other?.ephemeralOwner === 0n]);
    }
    await discovery.close();
    expect(Object.keys(await znodes(ours))).toEqual(['PERMANENT']);
  }, 60_000);

  it('Java finds what zookit has registered, and would write it the same', async () => {
    await using discovery = new ServiceDiscovery(bench.zk, { basePath: ours, compatible });
    for (const [kind, payload] of payloads) await discovery.register(instance(kind, 'STATIC', payload));
    const found = (await java.ask(`find ${ours} ${mode} svc`, 'found')).split(' ');
    const written = found.map((each) => Buffer.from(each, 'base64').toString());
    const all = await znodes(ours);
    expect(written.sort()).toEqual(Object.values(all).sort());
    await discovery.close();
  }, 60_000);

  it('zookit finds what Java has registered, and writes it back unchanged', async () => {
    for (const kind of ['hash-map', 'decimal']) {
      await java.ask(`register ${theirs} ${mode} svc ${kind} STATIC ${kind}`, 'registered');
    }
    await using reader = new ServiceDiscovery(bench.zk, { basePath: theirs, compatible });
    await using writer = new ServiceDiscovery(bench.zk, { basePath: copies, compatible });
    const invalid: unknown[] = [];
    reader.on('invalid', (each) => invalid.push(each));
    const found = await reader.instances('svc');
    expect(invalid).toEqual([]);
    expect(found).toHaveLength(payloads.length + types.length + 2);
    for (const each of found) await writer.register(each);
    // The server's numbers aside.
    const bytes = async (base: string): Promise<string[]> => Object.values(await znodes(base)).sort();
    expect(await bytes(copies)).toEqual(await bytes(theirs));
    const of = (id: string): unknown => found.find((each) => each.id === id)?.payload;
    expect(of('map')).toEqual({ ...map, l: 2 ** 40 });
    expect(of('list')).toEqual(['q', 1, 2, 2.5, null, true]);
    expect(of('long')).toBe(2n ** 62n);
    expect(of('hash-map')).toMatchObject({ '@class': 'java.util.HashMap', k: 'v' });
    expect(of('bean')).toMatchObject({ '@class': 'Discovery$Meta', zone: 'a', load: 5 });
    await writer.close();
  }, 60_000);

  it('each sees the other come and go', async () => {
    await using discovery = new ServiceDiscovery(bench.zk, { basePath: `/both-${mode}`, compatible });
    const cache = discovery.cache('svc');
    await cache.start();
    await java.ask(`register /both-${mode} ${mode} svc theirs DYNAMIC map`, 'registered');
    await until('zookit sees theirs', async () => cache.instances.length === 1);
    await discovery.register(instance('ours', 'DYNAMIC', map));
    expect((await java.ask(`find /both-${mode} ${mode} svc`, 'found')).split(' ')).toHaveLength(2);
    await java.ask(`unregister /both-${mode} ${mode} svc theirs DYNAMIC map`, 'unregistered');
    await until('zookit sees theirs go', async () => cache.instances.map(({ id }) => id).join() === 'ours');
    await discovery.unregister(instance('ours', 'DYNAMIC', map));
    expect(await java.ask(`find /both-${mode} ${mode} svc`, 'found')).toBe('');
    await discovery.close();
  }, 60_000);
});
