/**
 * Clients at work: each has one request under way, and asks again as soon as it is answered. They
 * share a handful of connections, as the requests that a few application servers serve at once do,
 * and live in the process of the benchmark.
 */
import type { Connection } from '../../adapters/key-value/connection.js';
import { connect } from '../../adapters/key-value/connection.js';
import type { Request } from '../../adapters/key-value/client-protocol.js';
import { quantile } from '../statistics.js';

export type Work = 'put' | 'get';

export interface Load {
  readonly work: Work;
  readonly clients: number;
  readonly seconds: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many keys are written to: as etcd's own tool does it with `--key-space-size`. */
export const keys = 10_000;

export const keyBytes = 8;
export const valueBytes = 128;

/** More clients than these share them. */
export const connectionsAtMost = 8;

/** Before that part of the time nothing is counted: compilers warm up, and windows fill. */
export const warmUpShare = 0.2;

/** Rejects when a request ends in anything but its answer. */
export async function putLoadOn(address: string, load: Load): Promise<Measured> {
  const connections = await Promise.all(
    Array.from({ length: Math.min(load.clients, connectionsAtMost) }, () => connect(address)),
  );
  try {
    const begin = performance.now();
    const from = begin + load.seconds * 1000 * warmUpShare;
    const until = begin + load.seconds * 1000;
    const latencies: number[] = [];
    const clients = Array.from({ length: load.clients }, (_, at) => {
      const connection = connections[at % connections.length] as Connection;
      return client(connection, load.work, { from, until, latencies });
    });
    await Promise.all(clients);
    return measuredOf(latencies, until - from);
  } finally {
    for (const connection of connections) connection.close();
  }
}

interface Period {
  readonly from: number;
  readonly until: number;
  /** Of what was asked and answered within the period, in milliseconds. */
  readonly latencies: number[];
}

async function client(connection: Connection, work: Work, period: Period): Promise<void> {
  for (;;) {
    const asked = performance.now();
    if (asked >= period.until) return;
    const answer = await connection.ask(requestOf(work));
    if (!['done', 'value', 'missing'].includes(answer.type)) {
      throw new Error(`a request ended with ${JSON.stringify(answer)}`);
    }
    const answered = performance.now();
    if (asked >= period.from && answered < period.until) period.latencies.push(answered - asked);
  }
}

function requestOf(work: Work): Request {
  const key = Buffer.alloc(keyBytes);
  key.writeUInt32BE(Math.floor(Math.random() * keys), keyBytes - 4);
  if (work === 'get') return { type: 'get', key, stale: false };
  const value = Buffer.alloc(valueBytes, 1);
  return { type: 'command', command: { type: 'put', key, value, condition: null } };
}

export function measuredOf(latencies: readonly number[], ms: number): Measured {
  return {
    perSecond: (latencies.length / ms) * 1000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}
