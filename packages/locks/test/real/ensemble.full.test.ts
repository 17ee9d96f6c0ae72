import { jest } from '@jest/globals';
import { describeOrdeals, ordeals } from './ensemble.ts';

jest.setTimeout(180_000);

describeOrdeals(10, [ordeals.leaderKilled, ordeals.leaderStopped, ordeals.leaderStoppedShortly, ordeals.allRestarted]);
