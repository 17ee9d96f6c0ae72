import { jest } from '@jest/globals';
import { describeOrdeals, ordeals } from './ensemble.ts';

jest.setTimeout(90_000);

describeOrdeals(5, [ordeals.leaderKilled]);
