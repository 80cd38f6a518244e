/** Where nodes live: by the log, by the command line, and by what others say. */
import { describe, expect, it } from 'vitest';
import type { NodeStatus } from '../../../adapters/key-value/client-protocol.js';
import type { AnyCommand } from '../../../adapters/key-value/commands.js';
import { packBlock } from '../../../adapters/key-value/commands.js';
import type { DirectoryOptions } from '../../../adapters/key-value/directory.js';
import { Directory } from '../../../adapters/key-value/directory.js';
import { entriesOf } from '../../../lib/entries.js';
import { origin } from '../../../lib/position.js';

const at = (port: number): string => `127.0.0.1:${port}`;
const address = (id: string, port: number): AnyCommand => ({
  ...{ type: 'address', id, address: at(port) },
});

function directory(options: Partial<DirectoryOptions> = {}): Directory {
  return new Directory({
    ...{ id: 'n1', cluster: 'x', members: { n1: at(1), n2: at(2) }, contacts: [], log: null },
    ...{ applied: () => new Map(), appliedIndex: () => 0, ask: async () => null },
    ...options,
  });
}

function logOf(...commands: AnyCommand[]): DirectoryOptions['log'] {
  const blocks = commands.map((each) => ({ type: 'command', command: packBlock([each]) }) as const);
  return entriesOf(origin, [{ type: 'term', term: 1 }, ...blocks]);
}

describe('an address', () => {
  it('is what the command line says, unless the log knows better', () => {
    expect(directory().addressOf('n2')).toBe(at(2));
    const applied = new Map([['n2', at(12)]]);
    expect(directory({ applied: () => applied }).addressOf('n2')).toBe(at(12));
  });

  it('is none for who is not known, whatever its name', () => {
    for (const id of ['n9', '__proto__', 'constructor']) {
      expect(directory().addressOf(id)).toBe(undefined);
    }
  });

  it('is found in the log of a node that starts, committed or not', () => {
    const log = logOf(address('n3', 3), { type: 'address', id: 'n2', address: null });
    let appliedIndex = 0;
    const found = directory({ log, appliedIndex: () => appliedIndex });
    expect(found.addressOf('n3')).toBe(at(3));
    expect(found.known.sort()).toEqual(['n1', 'n2', 'n3']);
    // From here on the machine has it, or another leader has overwritten it.
    appliedIndex = 3;
    expect(found.addressOf('n3')).toBe(undefined);
  });

  it('that the log has last is newer than what a snapshot has', () => {
    const applied = new Map([['n3', at(13)]]);
    const log = logOf(address('n3', 3));
    expect(directory({ log, applied: () => applied }).addressOf('n3')).toBe(at(3));
  });
});

describe('a stranger', () => {
  const status = (members: Record<string, string>, cluster = 'x'): NodeStatus =>
    ({ cluster, members }) as unknown as NodeStatus;

  it('is looked for at everybody who is known, and not at every message', async () => {
    const asked: string[] = [];
    const ask = async (each: string): Promise<NodeStatus | null> => {
      asked.push(each);
      return each === at(2) ? status({ n4: at(4), n2: at(99) }) : null;
    };
    const some = directory({ ask, contacts: [at(7)] });
    await Promise.all([some.inquire(), some.inquire()]);
    expect(asked.sort()).toEqual([at(2), at(7)]);
    expect(some.addressOf('n4')).toBe(at(4));
    // What others say is hearsay.
    expect(some.addressOf('n2')).toBe(at(2));
  });

  it('of another cluster is none of ours', async () => {
    const some = directory({ ask: async () => status({ n4: at(4) }, 'y') });
    await some.inquire();
    expect(some.addressOf('n4')).toBe(undefined);
  });

  it('says of some that they live where nobody can: they are not remembered', async () => {
    const members = { n4: 'nowhere', n5: '', n6: 'host:99999', ['x'.repeat(65)]: at(5), n7: at(7) };
    const some = directory({ ask: async () => status(members) });
    await some.inquire();
    expect(some.known.sort()).toEqual(['n1', 'n2', 'n7']);
  });

  it('may have many friends, and not all are remembered', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, at(4)]));
    const some = directory({ ask: async () => status(many) });
    await some.inquire();
    expect(some.known.length).toBeLessThan(1100);
  });
});
