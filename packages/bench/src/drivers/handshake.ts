import { connect, type Socket } from 'node:net';

/** A raw socket with a session on it, by a greeting encoded beforehand. */
export async function greet(connectString: string): Promise<Socket> {
  const [host = '', port] = connectString.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  const hello = Buffer.alloc(49);
  hello.writeInt32BE(45, 0);
  hello.writeInt32BE(30_000, 16);
  hello.writeInt32BE(16, 28);
  socket.write(hello);
  await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));
  socket.removeAllListeners('error');
  return socket;
}
