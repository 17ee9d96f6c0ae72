import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Ports that are free now, from the kernel. Held all at once so that no two are equal; nobody reserves them afterwards. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer());
  try {
    await Promise.all(
      holders.map((holder) => {
        holder.listen(0, '127.0.0.1');
        return once(holder, 'listening');
      }),
    );
    return holders.map((holder) => (holder.address() as AddressInfo).port);
  } finally {
    for (const holder of holders) holder.close();
  }
}
