/**
 * The names of a node's children, listed in the order in which Java's HashSet would list them. Clients that forget to
 * sort must fail here as they would on a real server, where neither names nor creation decide the order.
 */
export class Children {
  readonly #hashes = new Map<string, number>();
  #buckets = 8;
  #listed: readonly string[] | null = null;

  get size(): number {
    return this.#hashes.size;
  }

  add(name: string): void {
    this.#hashes.set(name, spreadHash(name));
    while (this.#hashes.size > this.#buckets * 0.75) this.#buckets *= 2;
    this.#listed = null;
  }

  remove(name: string): void {
    this.#hashes.delete(name);
    this.#listed = null;
  }

  list(): string[] {
    this.#listed ??= this.#byBucket();
    return [...this.#listed];
  }

  // A counting sort: this is what a crowd of contenders asks for again and again.
  #byBucket(): string[] {
    const mask = this.#buckets - 1;
    const starts = new Uint32Array(this.#buckets + 1);
    for (const hash of this.#hashes.values()) {
      const next = (hash & mask) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= this.#buckets; bucket += 1) {
      starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
    }
    const names = new Array<string>(this.#hashes.size);
    for (const [name, hash] of this.#hashes) {
      const bucket = hash & mask;
      const at = starts[bucket] ?? 0;
      names[at] = name;
      starts[bucket] = at + 1;
    }
    return names;
  }
}

function spreadHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash ^ (hash >>> 16);
}
