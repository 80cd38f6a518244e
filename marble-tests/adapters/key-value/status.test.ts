/** "Who leads, and how far each node is", by the word of whoever knows best. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import { clientDoor } from '../../../adapters/gateway/door.js';
import type { NodeStatus } from '../../../adapters/key-value/client-protocol.js';
import { keyValueProtocol } from '../../../adapters/key-value/client-protocol.js';
import { clusterReport } from '../../../adapters/key-value/status.js';

const open: (readonly [Server, Subscription])[] = [];

/** Where a node says this of itself. */
async function node(status: Partial<NodeStatus>): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const said: NodeStatus = {
    ...{ id: 'n1', cluster: 'x', address, pid: 1, role: 'follower', term: 1, leader: null },
    ...{ commit: 0, applied: 0, keys: 0, members: {}, voters: [], nonVoters: [], ...status },
  };
  const answer = async () => ({ type: 'status', status: said }) as const;
  const door = clientDoor(server, { cluster: 'x', protocol: keyValueProtocol, answer }).subscribe();
  open.push([server, door]);
  return address;
}

afterEach(async () => {
  for (const [server, door] of open.splice(0)) {
    door.unsubscribe();
    await new Promise((resolve) => server.close(resolve));
  }
});

const membersOf = async (addresses: readonly string[]): Promise<Record<string, string>> => {
  const { nodes } = await clusterReport(addresses);
  return Object.fromEntries(nodes.map(({ id, membership }) => [id ?? '', membership] as const));
};

it('the leader says who is a member, not a node that stands for election without end', async () => {
  const now = { term: 3, voters: ['n3', 'n4'], nonVoters: ['n5'], commit: 21 };
  const addresses = await Promise.all([
    node({ id: 'n3', role: 'candidate', term: 20, voters: ['n1', 'n2', 'n3'] }),
    node({ ...now, id: 'n4', role: 'leader', leader: 'n4' }),
    node({ ...now, id: 'n5' }),
  ]);
  expect(await membersOf(addresses)).toEqual({ n3: 'voter', n4: 'voter', n5: 'nonVoter' });
});

it('without a leader whoever knows most to be committed does', async () => {
  const now = { term: 3, voters: ['n3', 'n4'], commit: 21 };
  const addresses = await Promise.all([
    node({ id: 'n3', role: 'candidate', term: 20, voters: ['n1', 'n2', 'n3'] }),
    node({ ...now, id: 'n4' }),
  ]);
  expect(await membersOf(addresses)).toEqual({ n3: 'voter', n4: 'voter' });
});

it('a node that names members without end does not make it dial them all', async () => {
  const honest = await node({ id: 'n2' });
  const named = Array.from({ length: 1000 }, (_, at) => [`x${at}`, `127.0.0.1:${at + 1}`]);
  const confused = await node({ members: Object.fromEntries(named) as Record<string, string> });
  const { nodes } = await clusterReport([confused, await node({ members: { n2: honest } })]);
  expect(nodes.length).toBe(64 + 3);
  expect(nodes.find(({ id }) => id === 'n2')).toMatchObject({ reachable: true });
});
