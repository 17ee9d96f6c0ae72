export type { Held } from 'zookit';
