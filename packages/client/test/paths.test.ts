import { describe, expect, it } from '@jest/globals';
import { PathError, ZooKeeper } from '../src/index.ts';
import { checkPath, checkSequentialPath, nameOf, PathRoot, parentOf } from '../src/paths.ts';

const good = [
  '/',
  '/a',
  '/a/b',
  '/a b',
  '/...',
  '/.x',
  '/x.',
  '/..x',
  '/a/.b/c..',
  '/é',
  '/e\u0301',
  '/漢字',
  '/~',
  '/\u00a0',
  '/\ud7ff',
  '/\uf900',
  '/\uffef',
  '/a,b',
  '/a:b',
  '/%2F',
  `/${'x'.repeat(5_000)}`,
];

const bad: [string, RegExp][] = [
  ['', /empty/],
  ['a', /start/],
  ['a/b', /start/],
  [' /a', /start/],
  ['/a/', /end/],
  ['//', /end|empty/],
  ['//a', /empty part/],
  ['/a//b', /empty part/],
  ['/.', /"\."/],
  ['/..', /"\.\."/],
  ['/a/./b', /"\."/],
  ['/a/../b', /"\.\."/],
  ['/a/..', /"\.\."/],
  ['/./a', /"\."/],
  ['/\u0000', /U\+0000/],
  ['/a\u0001', /U\+0001/],
  ['/a\nb', /U\+000A/],
  ['/\u001f', /U\+001F/],
  ['/\u007f', /U\+007F/],
  ['/\u0080', /U\+0080/],
  ['/\u009f', /U\+009F/],
  ['/\ud800', /U\+D800/],
  ['/\udfff', /U\+DFFF/],
  ['/\u{1F600}', /U\+D83D/],
  ['/\u{20000}', /U\+D840/],
  ['/\ue000', /U\+E000/],
  ['/\uf8ff', /U\+F8FF/],
  ['/\ufff0', /U\+FFF0/],
  ['/\uffff', /U\+FFFF/],
];

describe('the path rules', () => {
  it.each(good)('allow %j', (path) => {
    expect(() => checkPath(path)).not.toThrow();
    expect(() => checkSequentialPath(path)).not.toThrow();
  });

  it.each(bad)('refuse %j', (path, why) => {
    const check = () => checkPath(path, 'get');
    expect(check).toThrow(PathError);
    expect(check).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENTS', path, operation: 'get', message: expect.stringMatching(why) }),
    );
  });

  it.each([undefined, null, 5, {}, Buffer.from('/a'), ['/a']])('refuse %p', (value) => {
    expect(() => checkPath(value as string)).toThrow(PathError);
    expect(() => checkSequentialPath(value as string)).toThrow(PathError);
  });

  it('allow a trailing slash where the server appends a number', () => {
    for (const path of ['/', '/queue/', '/a/b/']) expect(() => checkSequentialPath(path)).not.toThrow();
    for (const path of ['//', '/a//', '/../', 'a/', '/\ue000/'])
      expect(() => checkSequentialPath(path)).toThrow(PathError);
  });

  it('are applied by each call, which rejects and never throws', async () => {
    const zk = new ZooKeeper('127.0.0.1:1');
    const calls: ((path: string) => Promise<unknown>)[] = [
      (path) => zk.get(path),
      (path) => zk.exists(path),
      (path) => zk.children(path),
      (path) => zk.set(path, ''),
      (path) => zk.delete(path),
      (path) => zk.create(path),
      (path) => zk.sync(path),
    ];
    for (const call of calls) {
      for (const path of ['', 'a', '/a/', '/a//b', '/\u{1F600}', null as never]) {
        await expect(call(path)).rejects.toThrow(PathError);
      }
    }
    expect(() => zk.namespace('a')).toThrow(PathError);
    await zk.close();
  });
});

describe('the parts of a path', () => {
  it.each([
    ['/', '/', ''],
    ['/a', '/', 'a'],
    ['/a/b', '/a', 'b'],
    ['/a/b/c', '/a/b', 'c'],
    ['/a/', '/a', ''],
  ])('of %j are %j and %j', (path, parent, name) => {
    expect(parentOf(path)).toBe(parent);
    expect(nameOf(path)).toBe(name);
  });
});

describe('a chroot', () => {
  it.each([
    ['/', '/', '/'],
    ['/', '/a', '/a'],
    ['/', '/zookeeper/config', '/zookeeper/config'],
    ['/zoo', '/', '/zoo'],
    ['/zoo', '/a', '/zoo/a'],
    ['/zoo', '/zoo', '/zoo/zoo'],
    ['/zoo', '/zoo/a', '/zoo/zoo/a'],
    ['/a/b', '/c/d', '/a/b/c/d'],
  ])('%j turns %j into %j, and back', (root, view, server) => {
    expect(new PathRoot(root).toServer(view)).toBe(server);
    expect(new PathRoot(root).toView(server)).toBe(view);
  });

  it.each([
    ['/zoo', '/zookeeper/config'],
    ['/zoo', '/zookeeper'],
    ['/zoo', '/zoo2/a'],
    ['/zoo', '/other'],
    ['/zookeeper', '/zookeeperx'],
    ['/a/b', '/a'],
    ['/a/b', '/a/bc'],
  ])('%j leaves %j whole, which lies outside', (root, server) => {
    expect(new PathRoot(root).toView(server)).toBe(server);
  });

  it.each([
    ['/', '/a', true],
    ['/zoo', '/zoo', true],
    ['/zoo', '/zoo/a', true],
    ['/zoo', '/zookeeper/config', false],
    ['/zoo', '/', false],
  ])('%j says of %j whether it lies in it', (root, server, inside) => {
    expect(new PathRoot(root).contains(server)).toBe(inside);
  });

  it('can be taken further down', () => {
    expect(new PathRoot('/a').under('/b/c').path).toBe('/a/b/c');
    expect(new PathRoot('/').under('/b').path).toBe('/b');
    expect(new PathRoot('/a').under('/').path).toBe('/a');
    const zk = new ZooKeeper('zk1/app');
    expect(zk.namespace('/orders').chroot).toBe('/app/orders');
    expect(zk.namespace('/orders').namespace('/today').chroot).toBe('/app/orders/today');
  });
});
