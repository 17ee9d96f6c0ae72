import { describe, expect, it } from '@jest/globals';
import { JuteWriter } from 'jute-ts';
import { readHandshake, writeHandshake } from '../src/handshake.ts';
import { bool, bytes, connectResponseBody, frame, int, long, PASSWORD } from './support/bytes.ts';

const granted = { sessionId: 0x1234n, password: PASSWORD, sessionTimeout: 30_000, readOnly: false };

describe('the ConnectRequest', () => {
  it('is 45 bytes behind its length: version, zxid, timeout, id, password, read-only', () => {
    const writer = new JuteWriter();
    writeHandshake(writer, {
      lastZxidSeen: 2n ** 63n - 1n,
      sessionTimeout: 12_345,
      sessionId: BigInt.asIntN(64, 0xfffffffffffffffen),
      password: PASSWORD,
      readOnly: true,
    });
    const body = [int(0), long(2n ** 63n - 1n), int(12_345), long(0xfffffffffffffffen), bytes(PASSWORD), bool(true)];
    expect(Buffer.concat(body)).toHaveLength(45);
    expect(Buffer.from(writer.take())).toEqual(frame(...body));
  });

  it('of a new session has zeros', () => {
    const writer = new JuteWriter();
    writeHandshake(writer, {
      lastZxidSeen: 0n,
      sessionTimeout: 4_000,
      sessionId: 0n,
      password: Buffer.alloc(16),
      readOnly: false,
    });
    const body = [int(0), long(0n), int(4_000), long(0n), bytes(Buffer.alloc(16)), bool(false)];
    expect(Buffer.from(writer.take())).toEqual(frame(...body));
  });
});

describe('the ConnectResponse', () => {
  it('has 37 bytes, or 36 from servers that know no read-only mode', () => {
    const now = connectResponseBody({ readOnly: true });
    expect(now).toHaveLength(37);
    expect(readHandshake(now)).toEqual({ ...granted, readOnly: true });
    const old = connectResponseBody({ readOnly: null });
    expect(old).toHaveLength(36);
    expect(readHandshake(old)).toEqual(granted);
  });

  it('may have bytes behind its end, which mean nothing', () => {
    expect(readHandshake(Buffer.concat([connectResponseBody(), Buffer.from([1, 2, 3])]))).toEqual(granted);
  });

  it('keeps all 64 bits of the id', () => {
    expect(readHandshake(connectResponseBody({ id: 0xfffffffffffffffen })).sessionId).toBe(-2n);
    expect(readHandshake(connectResponseBody({ id: 2n ** 63n - 1n })).sessionId).toBe(2n ** 63n - 1n);
    expect(readHandshake(connectResponseBody({ id: 2n ** 53n + 1n })).sessionId).toBe(2n ** 53n + 1n);
  });

  it.each([
    ['null', null],
    ['empty', Buffer.alloc(0)],
  ])('may have a password that is %s', (_name, password) => {
    expect(readHandshake(connectResponseBody({ password })).password).toEqual(Buffer.alloc(0));
  });

  it.each([1, 8, 20, 255])('may have a password of %i bytes', (length) => {
    const password = Buffer.alloc(length, 7);
    expect(readHandshake(connectResponseBody({ password, readOnly: true }))).toMatchObject({
      password,
      readOnly: true,
    });
  });

  it('owns its password: the chunk it came in may be used again', () => {
    const body = connectResponseBody();
    const { password } = readHandshake(body);
    body.fill(0);
    expect(password).toEqual(PASSWORD);
  });

  it.each([
    ['37 bytes', connectResponseBody({ timeout: 0, id: 0n, password: Buffer.alloc(16) }), 37],
    ['37 bytes of a read-only server', connectResponseBody({ timeout: 0, id: 0n, readOnly: true }), 37],
    ['36 bytes', connectResponseBody({ timeout: 0, id: 0n, readOnly: null }), 36],
    ['34 bytes', connectResponseBody({ timeout: 0, id: 0n, password: Buffer.alloc(14), readOnly: null }), 34],
    ['21 bytes', connectResponseBody({ timeout: 0, id: 0n, password: null }), 21],
    ['20 bytes', connectResponseBody({ timeout: 0, id: 0n, password: null, readOnly: null }), 20],
    ['a negative timeout', connectResponseBody({ timeout: -1 }), 37],
  ])('with timeout 0 says that the session is gone: %s', (_name, body, length) => {
    expect(body).toHaveLength(length);
    expect(() => readHandshake(body)).toThrow(
      expect.objectContaining({ code: 'SESSION_EXPIRED', errno: -112, operation: 'connect' }),
    );
  });

  it('may be a bare reply header of 16 bytes: a read-only server that makes no sessions', () => {
    const refusal = Buffer.concat([int(0), long(0x1_0000_0007n), int(-119)]);
    expect(refusal).toHaveLength(16);
    expect(() => readHandshake(refusal)).toThrow(
      expect.objectContaining({ code: 'NOT_READ_ONLY', errno: -119, operation: 'connect' }),
    );
  });

  it.each([
    ['a timeout', 30_000],
    ['no timeout', 0],
  ])('with version 42 and %s is no expiry, but a server without a leader', (_name, timeout) => {
    expect(() => readHandshake(connectResponseBody({ version: 42, timeout }))).toThrow(
      expect.objectContaining({ code: 'CONNECTION_LOSS', errno: -4 }),
    );
  });

  it('is no grant, and no expiry either, when it ends inside a field', () => {
    const body = connectResponseBody({ readOnly: null });
    for (let length = 0; length < body.length; length += 1) {
      if (length === 16) continue;
      let thrown: unknown;
      try {
        readHandshake(body.subarray(0, length));
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: 'JuteError' });
    }
  });

  it('is refused when its password claims more bytes than there are', () => {
    const body = Buffer.concat([int(0), int(30_000), long(1n), int(1 << 30), Buffer.alloc(16)]);
    expect(() => readHandshake(body)).toThrow(/password|passwd/i);
  });
});
