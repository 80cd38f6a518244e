/** "Connects within its time": whatever answers at an address. */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { connect } from '../../../adapters/gateway/connection.js';
import { keyValueProtocol } from '../../../adapters/key-value/client-protocol.js';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Says this again and again to whoever comes. */
async function chatter(first: string, then: string): Promise<{ address: string; said: number[] }> {
  const said: number[] = [];
  const server = createServer((socket: Socket) => {
    const at = said.push(0) - 1;
    const timer = setInterval(() => {
      if (socket.writableLength > 1 << 20) return;
      socket.write(then);
      said[at] = (said[at] ?? 0) + then.length;
    }, 1);
    socket.on('error', () => undefined);
    socket.on('close', () => clearInterval(timer));
    closing.push(() => socket.destroy());
    socket.write(first);
  });
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, said };
}

it('is not held by a refusal without end, and does not gather it (H10)', async () => {
  const { address } = await chatter('HTTP/1.1 503 No\r\n\r\nfull', 'x'.repeat(1 << 16));
  const refused = connect(address, keyValueProtocol, { connectTimeoutMs: 10_000 });
  const error: unknown = await refused.catch((each: unknown) => each);
  expect((error as Error).message).toMatch(/: fullx{496}$/);
});

it('is not held by an answer that comes letter by letter (H10)', async () => {
  const { address } = await chatter('HTTP/1.1 101 Well', 'l');
  const refused = connect(address, keyValueProtocol, { connectTimeoutMs: 100 });
  await expect(refused).rejects.toThrow('no connection in time');
});
