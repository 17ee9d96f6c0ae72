declare module 'node-zookeeper-client' {
  type Done = (error: unknown) => void;
  interface Client {
    once(event: 'connected', listener: () => void): void;
    connect(): void;
    close(): void;
    getData(path: string, callback: Done): void;
    getData(path: string, watcher: () => void, callback: Done): void;
    exists(path: string, watcher: () => void, callback: Done): void;
    setData(path: string, data: Buffer, version: number, callback: Done): void;
    getChildren(path: string, callback: Done): void;
    create(path: string, data: Buffer, callback: Done): void;
    remove(path: string, version: number, callback: Done): void;
    transaction(): { create(path: string, data: Buffer, mode: number): unknown; commit(callback: Done): void };
  }
  export function createClient(connectString: string, options?: { sessionTimeout?: number }): Client;
  export const CreateMode: { PERSISTENT_SEQUENTIAL: number };
}
