import { describeContract } from '../src/describe-contract.ts';
import { testServer } from '../src/profiles/test-server.ts';
import { startInProcess } from '../src/servers/in-process.ts';

describeContract(testServer, () => startInProcess());
