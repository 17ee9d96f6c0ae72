import { describe, expect, it } from '@jest/globals';
import { Conversation } from '../src/fault-proxy/conversation.ts';
import { opcodesOf } from '../src/fault-proxy/opcodes.ts';
import { RuleBook } from '../src/fault-proxy/rules.ts';
import { FrameSifter } from '../src/fault-proxy/sifter.ts';
import { connectRequest, frame, reply, until } from './framed-peers.ts';
import { create, getData, PING, seen, useProxy } from './use-proxy.ts';

const proxied = useProxy();

describe('once', () => {
  it('cuts a request: the server never gets it, but all before it', async () => {
    const peer = await proxied.client();
    const cut = proxied.proxy.once({ opcode: 'create', direction: 'request', action: 'cut' });
    peer.socket.write(Buffer.concat([getData(1), create(2), getData(3)]));
    const caught = await cut;
    expect(caught.opcode).toBe(1);
    expect(caught.frame).toEqual(create(2).subarray(4));
    expect(proxied.proxy.connections).toBe(0);
    await peer.closed();
    await proxied.server.peer.closed();
    expect(proxied.server.requests).toEqual(['1:4']);
    expect(proxied.server.peer.received).toHaveLength(connectRequest.length + getData(1).length);
  });

  it('cuts a reply: the server has the request, the client gets no byte of the reply', async () => {
    const peer = await proxied.client();
    proxied.server.send = (socket, bytes) => {
      for (const byte of bytes) socket.write(Buffer.from([byte]));
    };
    const cut = proxied.proxy.once({ opcode: 'create', direction: 'reply', action: 'cut' });
    peer.socket.write(Buffer.concat([getData(1), create(2)]));
    await cut;
    await peer.closed();
    expect(proxied.server.requests).toEqual(['1:4', '2:1']);
    expect(peer.xids).toEqual([1]);
    expect(peer.received).toHaveLength(frame('a ConnectResponse').length + reply(1, 'done').length);

    const next = await proxied.client();
    next.socket.write(create(1));
    await until(() => next.xids, seen(1));
  });

  it('drops one request and one reply, and nothing else', async () => {
    const peer = await proxied.client();
    const dropped = proxied.proxy.once({ opcode: 'getData', direction: 'request', action: 'drop' });
    peer.socket.write(Buffer.concat([getData(1), getData(2)]));
    await dropped;
    await until(() => peer.xids, seen(1));
    const unanswered = proxied.proxy.once({ opcode: 'getData', direction: 'reply', action: 'drop' });
    peer.socket.write(Buffer.concat([getData(3), getData(4)]));
    await unanswered;
    await until(() => proxied.server.requests, seen(3));
    expect(proxied.server.requests).toEqual(['2:4', '3:4', '4:4']);
    await until(() => peer.xids, seen(2));
    expect(peer.xids).toEqual([2, 4]);
    expect(proxied.proxy.connections).toBe(1);
  });

  it.each(['request', 'reply'] as const)('holds a %s and what follows it until it is released', async (direction) => {
    const peer = await proxied.client();
    const rule = { opcode: 'create', direction, action: 'hold' } as const;
    const first = proxied.proxy.once(rule);
    const second = proxied.proxy.once(rule);
    peer.socket.write(Buffer.concat([getData(1), create(2), getData(3), create(4), getData(5)]));
    const held = await first;
    await until(() => peer.xids, seen(1));
    expect(peer.xids).toEqual([1]);
    if (direction === 'request') expect(proxied.server.requests).toEqual(['1:4']);
    held.release();
    held.release();
    const heldAgain = await second;
    await until(() => peer.xids, seen(3));
    expect(peer.xids).toEqual([1, 2, 3]);
    heldAgain.release();
    await until(() => peer.xids, seen(5));
    expect(peer.xids).toEqual([1, 2, 3, 4, 5]);
    expect(proxied.server.requests).toEqual(['1:4', '2:1', '3:4', '4:1', '5:4']);
  });

  it.each([
    ['create', [1, 15, 19, 21]],
    ['getChildren', [8, 12]],
    ['children', [8, 12]],
    ['get', [4]],
    ['set', [5]],
    ['setWatches', [101, 105]],
    ['create2', [15]],
    ['setWatches2', [105]],
    ['getChildren2', [12]],
    ['createContainer', [19]],
    ['getChildren*', [8, 12]],
    [1, [1]],
  ] as const)('%p means the requests %p', (opcode, expected) => {
    expect([...opcodesOf(opcode)].sort((a, b) => a - b)).toEqual(expected);
  });

  it.each(['bogus', 'toString', '', 'bogus*'])('refuses the opcode %p', (opcode) => {
    expect(() => proxied.proxy.once({ opcode: opcode as 'create', direction: 'request', action: 'cut' })).toThrow(
      TypeError,
    );
  });

  it("catches a create2 as 'create'", async () => {
    const peer = await proxied.client();
    const cut = proxied.proxy.once({ opcode: 'create', direction: 'request', action: 'cut' });
    peer.socket.write(frame(1, 15, '/a'));
    expect((await cut).opcode).toBe(15);
    await peer.closed();
    expect(proxied.server.requests).toEqual([]);
  });

  it('tells handshakes, pings, auth, setWatches and notifications apart from ordinary replies', async () => {
    const take = (opcode: 'connect' | 'ping' | 'auth' | 'setWatches' | 'setWatches2' | 'notification') =>
      proxied.proxy.once({ opcode, direction: 'reply', action: 'drop' });
    const connected = take('connect');
    const peer = await proxied.client({ handshake: false });
    peer.socket.write(connectRequest);
    expect(String((await connected).frame)).toBe('a ConnectResponse');

    const replies = { ping: take('ping'), auth: take('auth'), watches: take('setWatches2') };
    const plain = take('setWatches');
    peer.socket.write(Buffer.concat([frame(-8, 105), frame(-8, 101), PING, frame(-4, 100), getData(1)]));
    expect((await replies.watches).opcode).toBe(105);
    expect((await plain).opcode).toBe(101);
    expect((await replies.ping).opcode).toBe(11);
    expect((await replies.auth).opcode).toBe(100);
    await until(() => peer.frames, seen(1));
    expect(peer.frames.map((body) => body.readInt32BE(0))).toEqual([1]);

    const notified = take('notification');
    proxied.server.peer.socket.write(Buffer.concat([reply(-1, 'an event'), reply(-1, 'another')]));
    expect((await notified).frame.toString()).toContain('an event');
    await until(() => peer.frames, seen(2));
    expect(peer.frames[1]!.toString()).toContain('another');
  });

  it('lets match choose, and every kind of create', async () => {
    const peer = await proxied.client();
    const chosen = proxied.proxy.once({
      opcode: 'create*',
      direction: 'request',
      action: 'drop',
      match: (body) => body.includes('/mine'),
    });
    peer.socket.write(Buffer.concat([create(1), frame(2, 15, '/yours'), frame(3, 21, '/mine'), frame(4, 19, '/mine')]));
    expect((await chosen).opcode).toBe(21);
    await until(() => peer.xids, seen(3));
    expect(peer.xids).toEqual([1, 2, 4]);

    const broken = proxied.proxy.once({
      opcode: 4,
      direction: 'request',
      action: 'drop',
      match: () => {
        throw new Error('no idea');
      },
    });
    peer.socket.write(getData(5));
    await expect(broken).rejects.toThrow('no idea');
    await until(() => peer.xids, seen(4));
  });

  it('sees a frame that comes in pieces', async () => {
    const peer = await proxied.client();
    const big = frame(7, 5, Buffer.alloc(300_000, 'x'));
    const held = proxied.proxy.once({ opcode: 'setData', direction: 'request', action: 'hold' });
    for (let at = 0; at < big.length; at += 50_000) peer.socket.write(big.subarray(at, at + 50_000));
    const { frame: body, release } = await held;
    expect(body).toHaveLength(big.length - 4);
    expect(proxied.server.requests).toEqual([]);
    release();
    await until(() => peer.xids, seen(1));
  });

  it.each([1, 2, 3, 5, 7, 11, 13, 64])('changes no byte it does not take, in pieces of %i', (size) => {
    const rules = new RuleBook();
    const look = { action: 'drop', match: () => false } as const;
    void rules.add({ ...look, opcode: 'getData', direction: 'request' });
    void rules.add({ ...look, opcode: 'getData', direction: 'reply' });
    const taken = rules.add({ opcode: 'create', direction: 'reply', action: 'drop' });
    const conversation = new Conversation();
    const sift = (direction: 'request' | 'reply', bytes: Buffer): Buffer => {
      const out: Buffer[] = [];
      const unexpected = (): never => {
        throw new Error('neither cut nor hold was asked for');
      };
      const output = { pass: (piece: Buffer) => out.push(piece), cut: unexpected, hold: unexpected };
      const sifter = new FrameSifter(direction, conversation, rules, output);
      for (let at = 0; at < bytes.length; at += size) sifter.push(bytes.subarray(at, at + size));
      sifter.flush();
      return Buffer.concat(out);
    };
    const requests = Buffer.concat([
      connectRequest,
      getData(1),
      create(2),
      frame(''),
      frame(3),
      PING,
      getData(4),
      create(5),
    ]);
    expect(sift('request', requests)).toEqual(requests);
    const before = [frame('a ConnectResponse'), reply(1, 'x'), reply(-1), frame('')];
    const after = [reply(-2), frame('short'), reply(4, 'some data'), reply(5), reply(9), reply(6).subarray(0, 6)];
    expect(sift('reply', Buffer.concat([...before, reply(2, '/a'), ...after]))).toEqual(
      Buffer.concat([...before, ...after]),
    );
    return expect(taken).resolves.toMatchObject({ opcode: 1, frame: reply(2, '/a').subarray(4) });
  });

  it('takes a rule back by signal or time, and refuses unknown names', async () => {
    const controller = new AbortController();
    const byTime = proxied.proxy.once({ opcode: 'create', direction: 'request', action: 'cut', timeout: 5 });
    const rule = { opcode: 'create', direction: 'request', action: 'cut', signal: controller.signal } as const;
    const bySignal = proxied.proxy.once(rule);
    await expect(byTime).rejects.toMatchObject({ code: 'TIMEOUT' });
    controller.abort(new Error('enough'));
    await expect(bySignal).rejects.toThrow('enough');
    await expect(proxied.proxy.once(rule)).rejects.toThrow('enough');
    const unknown = { ...rule, opcode: 'creat' as 'create' };
    expect(() => proxied.proxy.once(unknown)).toThrow(TypeError);

    const peer = await proxied.client();
    peer.socket.write(create(1));
    await until(() => peer.xids, seen(1));
  });
});
