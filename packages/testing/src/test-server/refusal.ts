/** Thrown where Apache's server throws a KeeperException: the reply carries the code and no body. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`refused with ${code}`);
    this.name = 'Refusal';
    this.code = code;
  }
}
