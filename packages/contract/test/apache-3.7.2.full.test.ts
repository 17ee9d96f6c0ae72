import { describeContract } from '../src/describe-contract.ts';
import { apache372 } from '../src/profiles/apache-3.7.2.ts';
import { startApache } from '../src/servers/apache.ts';

describeContract(apache372, () => startApache('3.7.2'));
