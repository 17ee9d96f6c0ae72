import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { onAbort } from '../src/abort.ts';
import { guarded, SafeEmitter } from '../src/emitter.ts';

describe('reactions to an abort signal', () => {
  it('run once, all of them, in order, at the abort', () => {
    const controller = new AbortController();
    const log: number[] = [];
    for (let i = 0; i < 5; i += 1) onAbort(controller.signal, () => log.push(i));
    controller.abort();
    controller.abort();
    expect(log).toEqual([0, 1, 2, 3, 4]);
  });

  it('can be taken back, more than once, also by one another', () => {
    const controller = new AbortController();
    const log: string[] = [];
    const offA = onAbort(controller.signal, () => {
      log.push('a');
      offC();
    });
    const offB = onAbort(controller.signal, () => log.push('b'));
    const offC = onAbort(controller.signal, () => log.push('c'));
    offB();
    offB();
    controller.abort();
    offA();
    expect(log).toEqual(['a']);
  });

  it('run soon when it has aborted before, unless they are taken back', async () => {
    const signal = AbortSignal.abort();
    const log: string[] = [];
    onAbort(signal, () => log.push('a'));
    const off = onAbort(signal, () => log.push('b'));
    off();
    expect(log).toEqual([]);
    await null;
    expect(log).toEqual(['a']);
  });

  it('leave nothing on a signal that lives on, and can come back', () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    for (let round = 0; round < 3; round += 1) {
      const offs = Array.from({ length: 1_000 }, () => onAbort(signal, () => {}));
      expect(listeners).toBe(1);
      for (const off of offs) off();
      expect(listeners).toBe(0);
    }
  });
});

type Events = { told: (value: number) => void; error: (error: unknown) => void };

/** What is warned of. Stands in for Node, which knows the Errors of its own realm alone: Jest's, for one, are refused. */
function warnings(): string[] {
  const texts: string[] = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((warning: unknown) => {
    if (typeof warning !== 'string') throw new TypeError('The "warning" argument must be of type string');
    texts.push(warning);
  });
  return texts;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('an emitter', () => {
  it('tells everybody, whoever throws, and reports it to the error listeners', () => {
    const emitter = new SafeEmitter<Events>();
    const log: unknown[] = [];
    const failure = new Error('listener');
    emitter.on('error', (error) => log.push(error));
    emitter.on('told', () => {
      throw failure;
    });
    emitter.on('told', (value) => log.push(value));
    expect(emitter.emit('told', 5)).toBe(true);
    expect(log).toEqual([failure, 5]);
  });

  it('reports what an async listener rejects with', async () => {
    const emitter = new SafeEmitter<Events>();
    const failure = new Error('later');
    const reported = new Promise((resolve) => emitter.on('error', resolve));
    emitter.on('told', (async () => {
      await null;
      throw failure;
    }) as never);
    emitter.emit('told', 1);
    expect(await reported).toBe(failure);
  });

  it('calls a listener of once once, also when it emits again itself', () => {
    const emitter = new SafeEmitter<Events>();
    let calls = 0;
    emitter.once('told', () => {
      calls += 1;
      emitter.emit('told', 2);
    });
    emitter.emit('told', 1);
    emitter.emit('told', 3);
    expect(calls).toBe(1);
    expect(emitter.listenerCount('told')).toBe(0);
  });

  it('keeps a listener that is there both for once and for good', () => {
    const emitter = new SafeEmitter<Events>();
    let calls = 0;
    const listener = (): void => {
      calls += 1;
    };
    emitter.once('told', listener);
    emitter.on('told', listener);
    emitter.emit('told', 1);
    expect(calls).toBe(2);
    emitter.emit('told', 1);
    expect(calls).toBe(3);
  });

  it('warns when nobody listens for errors, and when an error listener throws itself', () => {
    const warned = warnings();
    const emitter = new SafeEmitter<Events>();
    const first = new Error('nobody hears this');
    emitter.report(first);
    expect(warned).toEqual([expect.stringContaining('nobody hears this')]);
    emitter.on('error', () => {
      throw new Error('from the error listener');
    });
    emitter.report(first);
    expect(warned.slice(1)).toEqual([expect.stringContaining('from the error listener')]);
  });

  it('warns of what is no Error, too', () => {
    const warned = warnings();
    const emitter = new SafeEmitter<Events>();
    emitter.on('told', () => {
      throw 'just text';
    });
    emitter.emit('told', 1);
    expect(warned).toEqual([expect.stringContaining('just text')]);
  });
});

describe('guarded code', () => {
  it('may throw anything, or reject with it', async () => {
    const seen: unknown[] = [];
    guarded(
      () => {
        throw undefined;
      },
      (error) => seen.push(error),
    );
    guarded(
      () => Promise.reject(5),
      (error) => seen.push(error),
    );
    await null;
    await null;
    expect(seen).toEqual([undefined, 5]);
  });
});
