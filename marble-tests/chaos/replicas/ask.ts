/** How the program of a replica is spoken to: JSON over HTTP. */
import type { ReplicaStatus } from '../../../adapters/replica.js';

/** A command of the program, and what comes of it. */
export interface ReplicaCommand {
  readonly type: 'put' | 'cas' | 'delete' | 'refuse' | 'node' | 'fill';
  /** Of the request: the same however often it is sent. */
  readonly id?: string;
  readonly key?: string;
  readonly value?: string;
  readonly expected?: string | null;
  /** What was known before its first try: see `reducer.mjs`. */
  readonly since?: Age;
  /** Of a fill: the bytes that fill its result. */
  readonly size?: number;
  readonly node?: string;
  readonly address?: string;
}

/** So many commands with an id of their own, and so many bytes that fill their results. */
export interface Age {
  readonly version: number;
  readonly bytes: number;
}

/** A state: so many commands, and a digest of all of them. */
export interface Seen {
  readonly version: number;
  readonly digest: string;
}

export type Grown = Seen & Age;

/** A command that was acknowledged. */
export interface Sample extends Grown {
  readonly command: ReplicaCommand & { readonly id: string; readonly size: number };
}

export interface Done extends Grown {
  readonly outcome: 'done';
  /** What the key had. */
  readonly found: string | null;
  /** Of a command: what a cas expected was there. */
  readonly isMet: boolean;
  /** Of a command: it came too late to have an effect. */
  readonly isLate: boolean;
  /** Of a read: the process that has answered. */
  readonly run: string;
  /** Of many fills: some that were done. */
  readonly samples?: readonly Sample[];
}

export interface Failed {
  /** As a MachineError has it; `refused`: nobody was there to be asked. */
  readonly outcome: 'notApplied' | 'failed' | 'unknown' | 'refused';
  readonly name?: string;
  readonly text: string;
}

export type ReplicaAnswer = Done | Failed;

export interface StatusAnswer extends ReplicaStatus, Seen {
  /** A digest of the whole state. */
  readonly whole: string;
  /** So many effects are not done yet. */
  readonly due: number;
  /** How often the limit of the rate has let this process do something. */
  readonly granted: number;
}

/** A call without an answer is given up after so long: its outcome is not known. */
export const patienceMs = 3000;

export async function ask(
  address: string,
  path: 'dispatch' | 'fill' | 'read' | 'voters' | 'quiet',
  body: unknown,
  timeoutMs = patienceMs,
): Promise<ReplicaAnswer> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const init = { method: 'POST', body: JSON.stringify(body), signal };
    const response = await fetch(`http://${address}/${path}`, init);
    return (await response.json()) as ReplicaAnswer;
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const outcome = cause?.code === 'ECONNREFUSED' ? 'refused' : 'unknown';
    return { outcome, text: `${String(error)} ${cause?.code ?? ''}` };
  }
}

/** What a node says of itself, or null. */
export async function statusOf(address: string): Promise<StatusAnswer | null> {
  try {
    const signal = AbortSignal.timeout(2000);
    const response = await fetch(`http://${address}/status`, { signal });
    return (await response.json()) as StatusAnswer;
  } catch {
    return null;
  }
}
