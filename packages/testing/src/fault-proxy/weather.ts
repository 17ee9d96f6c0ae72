/** What the whole proxy does to bytes just now; the connections read it, the proxy writes it. */
export interface Weather {
  /** 'swallow' loses the bytes, 'keep' delivers them when it is over. */
  blackhole: 'off' | 'swallow' | 'keep';
  /** Milliseconds each way. */
  delay: number;
}
