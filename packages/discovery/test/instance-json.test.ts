import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError } from '@zookit/client';
import { JavaDouble, type ServiceInstance, serviceInstance } from '../src/index.ts';
import { readInstance, writeInstance } from '../src/instance-json.ts';

// As Curator 5.4.0 and 5.9.0 write it.
const HEAD = '{"name":"svc","id":"i1","address":"10.0.0.1","port":8080,"sslPort":null,"payload":';
const TAIL = ',"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null}';

function of(payload: unknown, more: Partial<ServiceInstance> = {}): ServiceInstance {
  const init = { name: 'svc', id: 'i1', address: '10.0.0.1', port: 8080, registrationTimeUTC: 1_700_000_000_000 };
  return { ...serviceInstance({ ...init, payload }), ...more };
}

const written = (instance: ServiceInstance, compatible = true): string =>
  writeInstance(instance, compatible).toString();
const read = (json: string): ServiceInstance => readInstance(Buffer.from(json));

describe('an instance', () => {
  const uriSpec = {
    parts: [
      { value: 'scheme', variable: true },
      { value: '://', variable: false },
      { value: 'address', variable: true },
    ],
  };
  const json =
    '{"name":"svc","id":"i1","address":"10.0.0.1","port":8080,"sslPort":null,"payload":"hello",' +
    '"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true},' +
    '{"value":"://","variable":false},{"value":"address","variable":true}]}}';

  it('is written as Curator writes it, without and with enabled', () => {
    expect(written(of('hello', { uriSpec }))).toBe(json);
    expect(written(of('hello', { uriSpec }), false)).toBe(`${json.slice(0, -1)},"enabled":true}`);
    expect(written(of(null))).toBe(`${HEAD}null${TAIL}`);
  });

  it('is read as it was written', () => {
    expect(read(json)).toEqual(of('hello', { uriSpec }));
    expect(read(`${json.slice(0, -1)},"enabled":false}`)).toEqual(of('hello', { uriSpec, enabled: false }));
  });

  it.each(['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'] as const)('may be %s', (serviceType) => {
    const text = written(of(null, { serviceType }));
    expect(text).toContain(`"serviceType":"${serviceType}"`);
    expect(read(text).serviceType).toBe(serviceType);
  });
});

describe('a payload', () => {
  it.each<[string, unknown, string]>([
    ['nothing', null, 'null'],
    ['text', 'hello', '"hello"'],
    ['an Integer', 7, '7'],
    ['the smallest Integer', -2_147_483_648, '-2147483648'],
    ['a Boolean', true, 'true'],
    ['a Double', 2.5, '2.5'],
    ['a large Double', 1.5e21, '1.5E21'],
    ['not a number', Number.NaN, '["java.lang.Double","NaN"]'],
    ['infinity', Number.NEGATIVE_INFINITY, '["java.lang.Double","-Infinity"]'],
    ['a Long', 7n, '["java.lang.Long",7]'],
    ['a Long that a number can not hold', 2n ** 62n, '["java.lang.Long",4611686018427387904]'],
    ['a map', { k: 'v', n: 1, d: 0.5 }, '{"@class":"java.util.LinkedHashMap","k":"v","n":1,"d":0.5}'],
    ['an empty map', {}, '{"@class":"java.util.LinkedHashMap"}'],
    ['a list', ['q', 1], '["java.util.ArrayList",["q",1]]'],
    ['a list of lists', [['q'], []], '["java.util.ArrayList",[["q"],[]]]'],
    ['a list that might look typed', ['example.com', 80], '["java.util.ArrayList",["example.com",80]]'],
    [
      'what is nested',
      { a: { b: [null, 5_000_000_000, 2n ** 60n] } },
      '{"@class":"java.util.LinkedHashMap","a":{"b":[null,5000000000,1152921504606846976]}}',
    ],
  ])('%s: as Jackson writes it, and read back the same', (_, payload, text) => {
    expect(written(of(payload))).toBe(`${HEAD}${text}${TAIL}`);
    expect(read(`${HEAD}${text}${TAIL}`).payload).toEqual(payload);
  });

  it.each<[string, unknown, string]>([
    ['a whole Double', new JavaDouble(5), '5.0'],
    ['a whole Double inside', { d: new JavaDouble(1e7) }, '{"@class":"java.util.LinkedHashMap","d":1.0E7}'],
    ['zero below zero', -0, '-0.0'],
    ['a number beyond 32 bits', 5_000_000_000, '["java.lang.Long",5000000000]'],
    ['a bigint beyond 64 bits', 2n ** 64n, '["java.math.BigInteger",18446744073709551616]'],
    ['bytes', new Uint8Array([1, 2, 255]), '["[B","AQL/"]'],
    ['bytes inside', [new Uint8Array([1])], '["java.util.ArrayList",["AQ=="]]'],
    ['what says how it is written', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['undefined members', { a: undefined, b: [undefined] }, '{"@class":"java.util.LinkedHashMap","b":[null]}'],
    ['a member called __proto__', JSON.parse('{"__proto__":1}'), '{"@class":"java.util.LinkedHashMap","__proto__":1}'],
  ])('%s', (_, payload, text) => {
    expect(written(of(payload))).toBe(`${HEAD}${text}${TAIL}`);
  });

  it.each([
    '{"@class":"com.example.Meta","b":2,"a":"x","10":1,"9":[1.0,2E3]}',
    '{"@class":"java.util.HashMap","k":"v"}',
    '{"@class":"java.util.LinkedHashMap","2":1.0,"1":1}',
    '{"k":"no class"}',
    '["java.lang.Float",2.5]',
    '["java.util.Date",0]',
    '["java.util.UUID","00000000-0000-0000-0000-000000000001"]',
    '["java.util.concurrent.TimeUnit","DAYS"]',
    '["[Ljava.lang.String;",["q"]]',
    '["[I",[1,2]]',
    '["[B","AQI="]',
    '["java.util.HashSet",["q",1]]',
    '["java.lang.Long",9223372036854775807]',
    '[1,2]',
    '5.0',
    '1.0E7',
    '{"@class":"org.springframework.cloud.zookeeper.discovery.ZookeeperInstance","id":"app:8080","name":"app","metadata":{"instance_status":"UP"}}',
    '{ "@class" : "com.example.Spaced" , "\\u0041" : "\\/" }',
  ])('%s is written back unchanged', (text) => {
    const found = read(`${HEAD}${text}${TAIL}`);
    expect(written(found)).toBe(`${HEAD}${text}${TAIL}`);
    if (text.startsWith('{') || text.startsWith('[')) expect(written({ ...found })).toBe(`${HEAD}${text}${TAIL}`);
  });

  it('of an unknown class is handed out as it came, and what is changed in it is written', () => {
    const found = read(`${HEAD}{"@class":"com.example.Meta","zone":"a","weight":1.0}${TAIL}`);
    expect(found.payload).toEqual({ '@class': 'com.example.Meta', zone: 'a', weight: 1 });
    (found.payload as { zone: string }).zone = 'b';
    expect(written(found)).toBe(`${HEAD}{"@class":"com.example.Meta","zone":"b","weight":1}${TAIL}`);
    found.payload = 4;
    expect(written(found)).toBe(`${HEAD}4${TAIL}`);
  });

  it.each<[string, unknown]>([
    ['a function', () => {}],
    ['a Map', new Map()],
    ['a symbol inside', [Symbol('x')]],
    ['a class that is no text', { '@class': 1 }],
  ])('that is %s is refused', (_, payload) => {
    expect(() => written(of(payload))).toThrow(BadArgumentsError);
  });

  it('that holds itself is refused', () => {
    const payload: unknown[] = [];
    payload.push(payload);
    expect(() => written(of(payload))).toThrow('it holds itself');
  });
});

describe('text', () => {
  it('has the escapes of Jackson', () => {
    const payload = '\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028é\u{1f600}';
    const text = '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001F\u007f\u2028é\\uD83D\\uDE00"';
    expect(written(of(payload))).toBe(`${HEAD}${text}${TAIL}`);
    expect(read(`${HEAD}${text}${TAIL}`).payload).toBe(payload);
  });
});

describe('a Double', () => {
  // By the documentation of Double.toString.
  it.each<[number, string]>([
    [1, '1.0'],
    [100, '100.0'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [12_345_678.5, '1.23456785E7'],
    [0.001, '0.001'],
    [0.0012, '0.0012'],
    [0.05, '0.05'],
    [0.000_99, '9.9E-4'],
    [1e-5, '1.0E-5'],
    [-2.5, '-2.5'],
    [123.456, '123.456'],
    [Number.MIN_VALUE, '4.9E-324'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [1e23, '1.0E23'],
    [2 ** 53, '9.007199254740992E15'],
    [0, '0.0'],
  ])('%d is %s', (value, text) => {
    expect(written(of(new JavaDouble(value)))).toBe(`${HEAD}${text}${TAIL}`);
  });
});

describe('what others wrote', () => {
  it('may lack members, have unknown ones, numbers as text, and text behind it', () => {
    expect(read('{"name":"svc","id":"i1","new":[{}],"port":"80","sslPort":443.0}}garbage')).toEqual({
      name: 'svc',
      id: 'i1',
      address: null,
      port: 80,
      sslPort: 443,
      payload: null,
      registrationTimeUTC: 0,
      serviceType: 'DYNAMIC',
      uriSpec: null,
      enabled: true,
    });
  });

  it('null is not missing', () => {
    const found = read(
      '{"name":"svc","id":"i1","serviceType":null,"enabled":null,"registrationTimeUTC":null,"port":""}',
    );
    expect(found).toMatchObject({ serviceType: null, enabled: false, registrationTimeUTC: 0, port: null });
    expect(written(found)).toContain('"serviceType":null');
  });

  it.each<[string, string]>([
    ['', 'no data'],
    ['null', 'unexpected'],
    ['[]', 'unexpected'],
    ['127.0.0.1', 'unexpected'],
    ['{"name":"svc"', 'ends too early'],
    ['{"name":"s\u0001vc"}', 'unexpected'],
    ['{"name":"svc","serviceType":"dynamic"}', 'serviceType is none of'],
    ['{"name":"svc","port":"http"}', 'port is no number'],
    ['{"name":"svc","uriSpec":"{scheme}"}', 'uriSpec is no list of parts'],
    ['{"name":"svc","uriSpec":{"parts":[1]}}', 'uriSpec is no list of parts'],
    ['{"name":{}}', 'name is no text'],
    ['{"name":"svc","enabled":"yes"}', 'enabled is neither'],
    ['{"name":"svc","payload":tru}', 'unexpected'],
  ])('%j is invalid, and the error says why', (json, why) => {
    expect(() => read(json)).toThrow(why);
  });

  it('that is no UTF-8 or nests without end is invalid', () => {
    expect(() => readInstance(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow('not valid');
    expect(() => readInstance(null)).toThrow('no data');
    expect(() => read(`{"payload":${'['.repeat(500_000)}`)).toThrow();
  });
});
