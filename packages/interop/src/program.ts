/** How a process of contenders is started: `command ...before CONNECT-STRING SESSION-TIMEOUT FOLDER ...after`. */
export interface Program {
  /** Of whose locks it speaks. */
  name: 'curator' | 'kazoo' | 'zookit';
  version: string;
  command: string;
  before: readonly string[];
  after: readonly string[];
}
