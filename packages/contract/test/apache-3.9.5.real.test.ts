import { describeContract } from '../src/describe-contract.ts';
import { apache395 } from '../src/profiles/apache-3.9.5.ts';
import { startApache } from '../src/servers/apache.ts';

describeContract(apache395, () => startApache('3.9.5'));
