import { expect } from '@jest/globals';
import { ServiceDiscovery, type ServiceInstance, type ServiceType, serviceInstance } from '@zookit/discovery';
import type { CaseGroup } from '../case.ts';

function instance(id: string, more: { port?: number; serviceType?: ServiceType } = {}): ServiceInstance {
  return serviceInstance({ name: 'svc', id, address: '10.0.0.1', port: 80, registrationTimeUTC: 1, ...more });
}

export const serviceDiscovery: CaseGroup = {
  name: 'ServiceDiscovery',
  cases: [
    {
      name: 'every type is registered as Curator does it, found, updated and taken back',
      run: async (ctx) => {
        const zk = await ctx.connect();
        await using discovery = new ServiceDiscovery(zk, { basePath: ctx.at('services') });
        for (const serviceType of ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'] as const) {
          const one = instance('i1', { serviceType });
          await discovery.register(one);
          const { children } = await zk.children(ctx.at('services/svc'));
          expect(children).toEqual([serviceType === 'DYNAMIC_SEQUENTIAL' ? expect.stringMatching(/^i1\d{10}$/) : 'i1']);
          const { data, stat } = await zk.get(ctx.at(`services/svc/${children[0]}`));
          expect(String(data)).toBe(
            '{"name":"svc","id":"i1","address":"10.0.0.1","port":80,"sslPort":null,"payload":null,"registrationTimeUTC":1,' +
              `"serviceType":"${serviceType}","uriSpec":null}`,
          );
          expect(stat.ephemeralOwner).toBe(serviceType.startsWith('DYNAMIC') ? zk.session?.id : 0n);
          expect(await discovery.instances('svc')).toEqual([one]);
          await discovery.update({ ...one, port: 81 });
          expect(await discovery.instances('svc')).toEqual([{ ...one, port: 81 }]);
          await discovery.unregister(one);
          expect(await discovery.instances('svc')).toEqual([]);
        }
        expect(await discovery.names()).toEqual(['svc']);
      },
    },
    {
      name: 'a provider is complete when start resolves, and follows',
      run: async (ctx) => {
        const basePath = ctx.at('services');
        await using services = new ServiceDiscovery(await ctx.connect(), { basePath });
        await using discovery = new ServiceDiscovery(await ctx.connect(), { basePath });
        await services.register(instance('i1'));
        const provider = discovery.provider('svc');
        const told: string[] = [];
        provider.on('change', ({ added, removed, updated }) => {
          for (const { id } of added) told.push(`+${id}`);
          for (const { id } of removed) told.push(`-${id}`);
          for (const { id } of updated) told.push(`=${id}`);
        });
        await provider.start();
        expect(provider.get()).toEqual(instance('i1'));
        await services.register(instance('i2'));
        await ctx.until('it follows', () => told.length === 1);
        await services.update(instance('i2', { port: 81 }));
        await ctx.until('it follows', () => told.length === 2);
        await services.unregister(instance('i1'));
        await ctx.until('it follows', () => told.length === 3);
        expect(told).toEqual(['+i2', '=i2', '-i1']);
        expect(provider.all()).toEqual([instance('i2', { port: 81 })]);
      },
    },
    {
      name: 'a lost connection makes nobody leave, and the next session has the latest version',
      run: async (ctx) => {
        const basePath = ctx.at('services');
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy, { sessionTimeout: 2_000 });
        await using services = new ServiceDiscovery(zk, { basePath });
        await using discovery = new ServiceDiscovery(await ctx.connect(), { basePath });
        await services.register(instance('i1'));
        const cache = discovery.cache('svc');
        await cache.start();
        let left = 0;
        cache.on('change', ({ removed }) => (left += removed.length));
        const back = new Promise<void>((resolve) => zk.once('reconnected', resolve));
        await proxy.cut();
        await back;
        await services.update(instance('i1', { port: 81 }));
        await ctx.until('it is updated', () => cache.instances[0]?.port === 81);
        expect(left).toBe(0);
        await proxy.blackhole();
        await ctx.until('its session is over', () => left === 1);
        await proxy.restore();
        await ctx.until('it is back', () => cache.instances[0]?.port === 81);
      },
    },
    {
      name: 'taken back during an outage, it is gone for good',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const zk = await ctx.through(proxy);
        await using services = new ServiceDiscovery(zk, { basePath: ctx.at('services') });
        for (const serviceType of ['DYNAMIC', 'DYNAMIC_SEQUENTIAL', 'PERMANENT'] as const) {
          await services.register(instance(serviceType, { serviceType }));
        }
        const cutOff = new Promise<void>((resolve) => zk.once('suspended', resolve));
        await proxy.refuse();
        await proxy.cut();
        await cutOff;
        for (const serviceType of ['DYNAMIC', 'DYNAMIC_SEQUENTIAL', 'PERMANENT'] as const) {
          await services.unregister(instance(serviceType, { serviceType }));
        }
        await proxy.restore();
        const other = await ctx.connect();
        // The server may have taken the emptied container away.
        const left = async (): Promise<number> => (await other.exists(ctx.at('services/svc')))?.numChildren ?? 0;
        await ctx.until('they are gone', async () => (await left()) === 0);
      },
    },
  ],
};
