/** The seeds to try; ZOOKIT_SEED replaces them. They are in the names of the tests. */
export function seeds(...chosen: number[]): number[] {
  const { ZOOKIT_SEED: given } = process.env;
  return given === undefined ? chosen : given.split(',').map(Number);
}
