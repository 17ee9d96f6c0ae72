export { fetchCurator } from './curator.ts';
export { fetchKazoo } from './kazoo.ts';
