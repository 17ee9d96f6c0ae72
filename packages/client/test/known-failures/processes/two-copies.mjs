// Two copies of the package in one process, as two dependencies of a service may bring them along.
import { pathToFileURL } from 'node:url';

const { connectString, copies } = JSON.parse(process.argv[2]);
const modules = await Promise.all(copies.map((file) => import(pathToFileURL(file).href)));
const clients = await Promise.all(modules.map(({ ZooKeeper }) => ZooKeeper.connect(connectString)));
const [one, two] = clients;
const { path } = await one.create('/copies-', 'x', { mode: 'ephemeral-sequential' });
const missing = await one.get('/missing').catch((error) => error);
const exists = await two.create(path, 'x').catch((error) => error);
const report = {
  copies: new Set(modules.map(({ ZooKeeper }) => ZooKeeper)).size,
  sessions: new Set(clients.map(({ session }) => session.id)).size,
  seen: String((await two.get(path)).data),
  codes: [missing.code, exists.code],
  names: [missing.name, exists.name],
  isOneOfItsOwn: missing instanceof modules[0].NoNodeError,
  isOneOfTheOther: missing instanceof modules[1].NoNodeError,
};
await Promise.all(clients.map((client) => client.close()));
process.stdout.write(JSON.stringify(report));
