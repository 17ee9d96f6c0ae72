import { describe, expect, it } from '@jest/globals';
import { inspectFrame, OpCode } from '../src/index.ts';
import { bool, bytes, int, long } from './support/bytes.ts';

const header = (xid: number, err: number): Buffer => Buffer.concat([int(xid), long(7n), int(err)]);

describe('inspectFrame', () => {
  it('shows a request: its name, its header, its body', () => {
    const frame = Buffer.concat([int(3), int(OpCode.getData), bytes('/a'), bool(true)]);
    expect(inspectFrame(frame, 'request').split('\n')).toEqual([
      'getData request, 15 bytes',
      '000000  00000003                               RequestHeader.xid = 3',
      '000004  00000004                               RequestHeader.type = 4',
      '000008  00000002 2f61                          GetDataRequest.path = "/a"',
      '00000e  01                                     GetDataRequest.watch = true',
    ]);
  });

  it('shows the list of a multi, and each result by its own type', () => {
    const results = [int(1), bool(false), int(0), bytes('/a'), int(-1), bool(false), int(-110), int(-110)];
    const frame = Buffer.concat([header(1, 0), ...results, int(-1), bool(true), int(-1)]);
    const text = inspectFrame(frame, { answerTo: OpCode.multi });
    const records = [...text.matchAll(/ {2}(\w+)\.(?:xid|type|path|err) = /g)].map(([, record]) => record);
    expect(records.filter((record, index) => record !== records[index - 1])).toEqual([
      ...['ReplyHeader', 'MultiHeader', 'CreateResponse', 'MultiHeader', 'ErrorResponse', 'MultiHeader'],
    ]);
    expect(text).toContain('path = "/a"');
    expect(text).not.toContain('--');
  });

  it.each([
    ['an error', header(1, -101), OpCode.getData, 'getData reply, 16 bytes'],
    ['an answer to addWatch without a body', header(1, 0), OpCode.addWatch, 'addWatch reply, 16 bytes'],
    ['a pong, whatever was awaited', header(-2, 0), OpCode.getData, 'ping reply, 16 bytes'],
    ['an unknown opcode', header(1, -6), 200, 'opcode 200 reply, 16 bytes'],
  ])('knows that there is no body: %s', (_name, frame, opcode, title) => {
    const text = inspectFrame(frame, { answerTo: opcode });
    expect(text.split('\n')[0]).toBe(title);
    expect(text).not.toContain('--');
  });

  it('shows an event for what it is', () => {
    const frame = Buffer.concat([header(-1, 0), int(4), int(3), bytes('/a')]);
    const text = inspectFrame(frame, { answerTo: OpCode.exists });
    expect(text).toContain('watch event, 30 bytes');
    expect(text).toContain('type = 4');
  });

  it('shows a handshake with and without its last byte, and the refusal that stands in for it', () => {
    const grant = Buffer.concat([int(0), int(4_000), long(1n), bytes(Buffer.alloc(16, 0xab))]);
    expect(inspectFrame(grant, 'connect-response')).toContain('passwd = 16 bytes, not shown');
    expect(inspectFrame(grant, 'connect-response')).not.toContain('readOnly');
    expect(inspectFrame(Buffer.concat([grant, bool(true)]), 'connect-response')).toContain('readOnly = true');
    expect(inspectFrame(header(0, -119), 'connect-response')).toContain('err = -119');
  });

  it('keeps credentials to itself, also when they are not whole', () => {
    const auth = Buffer.concat([int(-4), int(OpCode.auth), int(0), bytes('digest'), bytes('user:secret')]);
    for (let cut = 0; cut <= auth.length; cut += 1) {
      expect(inspectFrame(auth.subarray(0, cut), 'request')).not.toMatch(/secret|736563/);
    }
  });
});
