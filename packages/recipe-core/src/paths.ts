/** The path of a child. */
export function childOf(base: string, name: string): string {
  return base === '/' ? `/${name}` : `${base}/${name}`;
}
