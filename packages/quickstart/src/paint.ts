import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The text in this style, or as it is where colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;

/** Colours on a terminal that has them, unless `NO_COLOR` or the person says no. */
export function paintFor(stream: NodeJS.WriteStream, noColor: boolean): Paint {
  if (noColor || !stream.isTTY || !stream.hasColors()) return plain;
  return (style, text) => (text === '' ? '' : styleText(style, text, { stream }));
}
