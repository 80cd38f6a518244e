import { describe, expect, it } from 'vitest';
import { measuredOf } from '../../bench/cluster/load.js';
import { eventually, freeAddresses } from '../../bench/cluster/node-process.js';
import type { TraceLine } from '../../bench/cluster/traced-run.js';
import { countsOf } from '../../bench/cluster/traced-run.js';

describe('a load', () => {
  it('is told in operations a second, and by its middle and its slow end', () => {
    const latencies = Array.from({ length: 101 }, (_, at) => at);
    expect(measuredOf(latencies, 2000)).toEqual({ perSecond: 50.5, p50Ms: 50, p99Ms: 99 });
  });

  it('in which nothing was answered is an error, not a zero', () => {
    expect(() => measuredOf([], 2000)).toThrow(RangeError);
  });
});

describe('counts in a trace', () => {
  const entries = (...list: readonly unknown[]) => ({ list });
  const lines: readonly TraceLine[] = [
    { event: 'start', entries: entries() },
    { event: 'persist', entries: entries(1, 2) },
    { event: 'send', to: ['b', 'c'], message: { entries: entries(1, 2) } },
    { event: 'send', to: ['b'], message: {} },
    { event: 'persisted' },
    { event: 'persist', entries: null },
    { event: 'persist', entries: entries(3, 4) },
    { event: 'send', to: ['b'], message: { entries: entries(3, 4) } },
    { event: 'persisted' },
    { event: 'apply', entries: entries(1, 2, 3, 4) },
  ];

  it('are syncs of the disk, entries written, and entries sent to each follower', () => {
    expect(countsOf(lines, 20)).toEqual({
      operationsPerSync: 10,
      entriesPerSync: 2,
      shippedPerEntry: 1.5,
    });
  });
});

describe('a start', () => {
  it('finds addresses that nobody listens on, each another one', async () => {
    const addresses = await freeAddresses(3);
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('is asked for until there is an answer, whatever fails before', async () => {
    const answers = [Promise.reject(new Error('not yet')), null, 'here'];
    expect(await eventually(async () => answers.shift() ?? null)).toBe('here');
  });

  it('is waited for in vain for a time only', async () => {
    await expect(eventually(async () => null, 30)).rejects.toThrow('nothing within 30 ms');
  });
});
