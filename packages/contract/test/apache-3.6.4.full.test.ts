import { describeContract } from '../src/describe-contract.ts';
import { apache364 } from '../src/profiles/apache-3.6.4.ts';
import { startApache } from '../src/servers/apache.ts';

describeContract(apache364, () => startApache('3.6.4'));
