import { jest } from '@jest/globals';
import { ensembleWatches } from './ensemble-watches.ts';

jest.setTimeout(90_000);

ensembleWatches('3.9.5');
