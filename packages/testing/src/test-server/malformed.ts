/** A request that the server cannot make sense of: MARSHALLING_ERROR, and the connection stays. */
export class MalformedRequest extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'MalformedRequest';
  }
}

export function requirePath(path: string | null): string {
  if (path === null) throw new MalformedRequest('null path');
  return path;
}
