import type { ObservedRequest, TestServer, Verdict } from '@zookit/testing';

/** The requests that a server gets, but for pings and handshakes, in order. */
export function recordRequests(
  server: TestServer,
  judge: (request: ObservedRequest) => Verdict | undefined = () => undefined,
): ObservedRequest[] {
  const requests: ObservedRequest[] = [];
  server.intercept((request) => {
    if (request.type !== 'ping' && request.type !== 'connect') requests.push(request);
    return judge(request);
  });
  return requests;
}

export function typesOf(requests: readonly ObservedRequest[]): string[] {
  return requests.map(({ wireType }) => wireType);
}

/** A verdict for the first request that fits, and for no other. */
export function once(
  fits: (request: ObservedRequest) => boolean,
  verdict: Verdict,
): (request: ObservedRequest) => Verdict | undefined {
  let done = false;
  return (request) => {
    if (done || !fits(request)) return undefined;
    done = true;
    return verdict;
  };
}
