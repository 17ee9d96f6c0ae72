export { default } from './preset.js';
