import { describe, expect, it } from '@jest/globals';
import { parseConnectString } from '../src/connect-string.ts';
import { ConnectStringError, ZooKeeper } from '../src/index.ts';

const host = (name: string, port = 2181) => ({ host: name, port });

describe('a connect string', () => {
  it.each([
    ['zk1', [host('zk1')], '/'],
    ['zk1:2182', [host('zk1', 2182)], '/'],
    ['zk1:1', [host('zk1', 1)], '/'],
    ['zk1:65535', [host('zk1', 65_535)], '/'],
    ['zk1:02181', [host('zk1', 2_181)], '/'],
    ['zk1,zk2:2182,zk3', [host('zk1'), host('zk2', 2182), host('zk3')], '/'],
    [' zk1 , zk2:2182 ,\tzk3 ', [host('zk1'), host('zk2', 2182), host('zk3')], '/'],
    ['127.0.0.1:2181,127.0.0.1:2181', [host('127.0.0.1'), host('127.0.0.1')], '/'],
    ['[::1]', [host('::1')], '/'],
    ['[::1]:2182,[2001:db8::5]', [host('::1', 2182), host('2001:db8::5')], '/'],
    ['[fe80::1%eth0]:2181', [host('fe80::1%eth0')], '/'],
    ['zk1/', [host('zk1')], '/'],
    ['zk1:2182/app', [host('zk1', 2182)], '/app'],
    ['zk1/app/', [host('zk1')], '/app'],
    ['zk1/a/b/c', [host('zk1')], '/a/b/c'],
    ['zk1,zk2/a/b', [host('zk1'), host('zk2')], '/a/b'],
    ['[::1]:2182/app', [host('::1', 2182)], '/app'],
    ['zk1 /app ', [host('zk1')], '/app'],
    ['zk1/é', [host('zk1')], '/é'],
    ['my_host-1.example.com.:2181', [host('my_host-1.example.com.')], '/'],
  ])('%j is read', (text, hosts, chroot) => {
    expect(parseConnectString(text)).toEqual({ hosts, chroot });
  });

  it.each([
    ['', /empty/],
    [' ', /empty/],
    [',', /empty/],
    ['zk1,', /empty/],
    [',zk1', /empty/],
    ['zk1,,zk2', /empty/],
    ['/app', /empty/],
    ['zk1:', /port/],
    ['zk1:0', /port/],
    ['zk1:65536', /port/],
    ['zk1:99999999', /port/],
    ['zk1:-1', /port/],
    ['zk1:2181x', /port/],
    ['zk1: 2181', /port/],
    ['zk1:21.5', /port/],
    ['zk1:0x50', /port/],
    ['zk1:1:2', /port|host/],
    ['::1', /brackets/],
    ['::1:2181', /brackets/],
    ['2001:db8::5', /brackets/],
    ['[::1', /host/],
    ['::1]:2181', /host/],
    ['[]:2181', /host/],
    ['[::1]2181', /host/],
    ['[::1]x:2181', /host/],
    ['z k', /host/],
    [':2181', /host/],
    ['zk1//app', /chroot/],
    ['zk1/app//', /chroot/],
    ['zk1/app/../b', /chroot/],
    ['zk1/.', /chroot/],
    ['zk1/a\u0000b', /chroot/],
    ['zk1/\u{1F600}', /chroot/],
    ['zk1/x,zk2/x', /chroot/],
    ['zk1/x,zk2', /chroot/],
    ['zk1,zk2/a,b', /chroot/],
  ])('%j is refused, and says why', (text, why) => {
    const parse = () => parseConnectString(text);
    expect(parse).toThrow(ConnectStringError);
    expect(parse).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS', message: expect.stringMatching(why) }));
    expect(parse).toThrow(JSON.stringify(text));
  });

  it.each([undefined, null, 5, {}, ['zk1']])('%p is refused', (value) => {
    expect(() => parseConnectString(value as string)).toThrow(ConnectStringError);
  });

  it('is looked at when a client is made, before anything else happens', async () => {
    expect(() => new ZooKeeper('zk1:0')).toThrow(ConnectStringError);
    await expect(ZooKeeper.connect('zk1,')).rejects.toThrow(ConnectStringError);
    expect(new ZooKeeper('zk1/app/').chroot).toBe('/app');
  });
});
