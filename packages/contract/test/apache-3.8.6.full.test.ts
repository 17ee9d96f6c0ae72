import { describeContract } from '../src/describe-contract.ts';
import { apache386 } from '../src/profiles/apache-3.8.6.ts';
import { startApache } from '../src/servers/apache.ts';

describeContract(apache386, () => startApache('3.8.6'));
