import { describe, expect, it } from '@jest/globals';
import { inspect, type JuteReader, parse, type RecordType } from '../src/index.ts';
import { bytes } from './bytes.ts';

const [, request] = parse(`module m {
  class Id { int perms; ustring id; }
  class Request { ustring path; buffer data; vector<Id> acl; map<byte, long> counts; boolean watch; double ratio; float part; }
}`).records as [RecordType, RecordType];

const whole = bytes()
  .text('/a "b"')
  .buffer([...Array(20).keys()])
  .int(1)
  .int(31)
  .text(null)
  .int(1)
  .raw(0xff)
  .long(-2n)
  .boolean(true)
  .double(0.5)
  .float(-1);

describe('inspect', () => {
  it('shows bytes in groups with offsets and characters', () => {
    expect(inspect(new TextEncoder().encode('ruok, ZooKeeper?\n\x7f'))).toBe(
      [
        '000000  72756f6b 2c205a6f 6f4b6565 7065723f    ruok, ZooKeeper?',
        '000010  0a7f                                   ..',
      ].join('\n'),
    );
    expect(inspect(new Uint8Array())).toBe('');
  });

  it('shows a record field by field', () => {
    expect(inspect(whole.done(), request).split('\n')).toEqual([
      'Request',
      '000000  00000006 2f612022 6222                 path = "/a \\"b\\""',
      '00000a  00000014 00010203 04050607 08090a0b …  data = 20 bytes',
      '000022  00000001                               acl = 1 items',
      '000026  0000001f                               acl[0].perms = 31',
      '00002a  ffffffff                               acl[0].id = null',
      '00002e  00000001                               counts = 1 items',
      '000032  ff                                     counts[0].key = -1',
      '000033  ffffffff fffffffe                      counts[0].value = -2 (0xfffffffffffffffe)',
      '00003b  01                                     watch = true',
      '00003c  3fe00000 00000000                      ratio = 0.5',
      '000044  bf800000                               part = -1',
    ]);
  });

  it('tells null lists from empty ones', () => {
    const text = inspect(bytes().text('').buffer(null).int(-1).int(0).done(), request);
    expect(text).toContain('acl = null');
    expect(text).toContain('counts = 0 items');
    expect(text).toContain('data = null');
  });

  it('says what is wrong, and shows the rest as bytes', () => {
    const text = inspect(bytes().text('/a').int(1000).raw(1, 2).done(), request);
    expect(text.split('\n').slice(2)).toEqual([
      '-- data at byte 6: length 1000, 2 bytes left',
      '000006  000003e8 0102                          ......',
    ]);
  });

  it('never throws, wherever the end is missing', () => {
    const full = whole.done();
    for (let cut = 0; cut < full.length; cut += 1) {
      expect(inspect(full.subarray(0, cut), request)).toMatch(/^-- [\w.[\]]+ at byte \d+: /m);
    }
  });

  it('says that more follows', () => {
    const text = inspect(Buffer.concat([whole.done(), Buffer.from('abc')]), request);
    expect(text).toContain('-- 3 bytes more\n000048  616263');
  });

  it('shows what a function reads, by the names that it reads it by', () => {
    const read = (reader: JuteReader): void => {
      reader.readInt('Id.perms');
      reader.readUstringVector('names');
    };
    expect(inspect(bytes().int(1).int(2).text('a').text(null).done(), read).split('\n')).toEqual([
      '000000  00000001                               Id.perms = 1',
      '000004  00000002                               names = 2 items',
      '000008  00000001 61                            names[0] = "a"',
      '00000d  ffffffff                               names[1] = null',
    ]);
    expect(inspect(bytes().int(1).int(9).done(), read)).toMatch(/\n-- names at byte 4: length 9.*\n000004 {2}00000009/);
  });

  it('hides what it is told to, wherever the end is missing', () => {
    const [secret] = parse('module m { class Secret { int type; buffer word; int after; } }').records as [RecordType];
    const hide = new Set(['word']);
    const full = bytes()
      .int(1)
      .buffer([...Buffer.from('hush')])
      .int(2)
      .done();
    expect(inspect(full, secret, { hide }).split('\n')).toEqual([
      'Secret',
      '000000  00000001                               type = 1',
      '000004  00000004                               word = 4 bytes, not shown',
      '00000c  00000002                               after = 2',
    ]);
    for (let cut = 0; cut <= full.length; cut += 1) {
      expect(inspect(full.subarray(0, cut), secret, { hide })).not.toMatch(/hush|68757368/);
    }
    expect(inspect(bytes().int(1).buffer(null).int(2).done(), secret, { hide })).toContain('word = null');
  });
});
