import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { BadArgumentsError, PathError } from '@zookit/client';
import { buildUri, parseUriSpec, serviceInstance } from '../src/index.ts';

describe('serviceInstance', () => {
  it('fills the defaults in', () => {
    const before = Date.now();
    const made = serviceInstance({ name: 'svc', port: 8080 });
    expect(made).toEqual({
      name: 'svc',
      id: expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      address: made.address,
      port: 8080,
      sslPort: null,
      payload: null,
      registrationTimeUTC: expect.any(Number),
      serviceType: 'DYNAMIC',
      uriSpec: null,
      enabled: true,
    });
    expect(made.registrationTimeUTC).toBeGreaterThanOrEqual(before);
    if (made.address !== null) expect(isIP(made.address)).not.toBe(0);
    expect(serviceInstance({ name: 'svc' }).id).not.toBe(made.id);
  });

  it('keeps what it is given', () => {
    const given = { name: 'svc', id: 'i1', address: null, port: 1, sslPort: 2, payload: { a: 1 }, enabled: false };
    const made = serviceInstance({ ...given, registrationTimeUTC: 3, serviceType: 'STATIC', uriSpec: 'x{port}' });
    expect(made).toEqual({
      ...given,
      registrationTimeUTC: 3,
      serviceType: 'STATIC',
      uriSpec: {
        parts: [
          { value: 'x', variable: false },
          { value: 'port', variable: true },
        ],
      },
    });
  });

  it.each<[string, object]>([
    ['name', { name: '' }],
    ['name', { name: 'a/b' }],
    ['name', { name: undefined }],
    ['id', { name: 'a', id: 'b/c' }],
    ['port', { name: 'a', port: 65_536 }],
    ['sslPort', { name: 'a', sslPort: 1.5 }],
    ['address', { name: 'a', address: 1 }],
    ['serviceType', { name: 'a', serviceType: 'dynamic' }],
    ['registrationTimeUTC', { name: 'a', registrationTimeUTC: new Date() }],
    ['enabled', { name: 'a', enabled: 'yes' }],
    ['uriSpec', { name: 'a', uriSpec: { parts: ['x'] } }],
  ])('says what is wrong with a %s: %j', (what, init) => {
    const make = (): unknown => serviceInstance(init as { name: string });
    expect(make).toThrow(BadArgumentsError);
    expect(make).toThrow(`the instance's ${what} must be`);
  });

  it('refuses what can not be the name of a znode', () => {
    expect(() => serviceInstance({ name: '..' })).toThrow(PathError);
    expect(() => serviceInstance({ name: 'a', id: 'b\u0000' })).toThrow(PathError);
  });
});

describe('a uriSpec', () => {
  const instance = serviceInstance({
    name: 'svc',
    id: 'i1',
    address: '10.0.0.1',
    port: 80,
    sslPort: 443,
    registrationTimeUTC: 5,
    uriSpec: '{scheme}://{address}:{ ssl-port }/{name}/{id}?{port}{[}{]}&{registration-time-utc}&{service-type}{nope}',
  });

  it('is built from the instance; what is unknown is left out', () => {
    expect(buildUri(instance)).toBe('https://10.0.0.1:443/svc/i1?80{}&5&dynamic');
    expect(buildUri({ ...instance, sslPort: null, port: null })).toBe('http://10.0.0.1:/svc/i1?{}&5&dynamic');
    expect(buildUri({ ...instance, uriSpec: null })).toBe('');
  });

  it('takes other variables, which go first', () => {
    expect(buildUri(instance, { scheme: 'ftp', nope: 7 })).toBe('ftp://10.0.0.1:443/svc/i1?80{}&5&dynamic7');
    expect(buildUri({ ...instance, uriSpec: parseUriSpec('{toString}') })).toBe('');
  });

  it('is parsed into pieces', () => {
    expect(parseUriSpec('')).toEqual({ parts: [] });
    expect(parseUriSpec('a{ b }')).toEqual({
      parts: [
        { value: 'a', variable: false },
        { value: 'b', variable: true },
      ],
    });
  });

  it.each(['{a', 'a}', '{{a}}', '{a}}'])('%j is refused', (text) => {
    expect(() => parseUriSpec(text)).toThrow(BadArgumentsError);
  });
});
