import { describeContract } from '../src/describe-contract.ts';
import { apache395Follower } from '../src/profiles/apache-3.9.5-follower.ts';
import { startApacheFollower } from '../src/servers/apache.ts';

describeContract(apache395Follower, () => startApacheFollower('3.9.5'));
