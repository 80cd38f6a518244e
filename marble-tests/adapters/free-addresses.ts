/** Addresses of this machine that nobody listens on. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const addresses = servers.map(
    (server) =>
      new Promise<string>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`);
        });
      }),
  );
  const found = await Promise.all(addresses);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
