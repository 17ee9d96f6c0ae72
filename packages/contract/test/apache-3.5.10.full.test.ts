import { describeContract } from '../src/describe-contract.ts';
import { apache3510 } from '../src/profiles/apache-3.5.10.ts';
import { startApache } from '../src/servers/apache.ts';

describeContract(apache3510, () => startApache('3.5.10'));
