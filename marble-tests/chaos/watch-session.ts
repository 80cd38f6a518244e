/** One sitting of somebody who watches: from an index on, until it ends or is ended. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { WebSocket } from 'ws';
import { Conversation } from '../../adapters/gateway/conversation.js';
import { clientPath } from '../../adapters/gateway/protocol.js';
import type { KeyChange } from '../../adapters/key-value/changes.js';
import type { Answer, Request, StoreAnswer } from '../../adapters/key-value/client-protocol.js';
import { keyValueProtocol } from '../../adapters/key-value/client-protocol.js';
import type { WatchEvent } from '../../adapters/key-value-client.js';
import { keyValueClient } from '../../adapters/key-value-client.js';
import type { Pair, Scope, Told } from '../watches/recording.js';
import type { Sitting } from './visit.js';
import { CommandLines } from './watch-lines.js';

export interface Sought extends Scope {
  /** Null: from now on. */
  readonly from: number | null;
  /** Of all nodes, in the order in which they are asked. */
  readonly nodes: readonly string[];
  readonly hear: (told: Told) => void;
  /** What must not have happened. */
  readonly onFault: (text: string) => void;
}

export type Sit = (sought: Sought) => Sitting;

/** Longer than this no node is silent, unless it is lost: it gives a sign every 5,000. */
const silenceMs = 15_000;

/** By the client of the package, which goes from node to node by itself. */
export const byClient: Sit = ({ nodes, key, isPrefix, from, hear, onFault }) => {
  const client = keyValueClient(nodes, { webSocket: WebSocket });
  const watched = isPrefix ? { prefix: key } : { key };
  let over = (): void => undefined;
  const ended = new Promise<void>((resolve) => (over = resolve));
  client.watch$(watched, from === null ? {} : { from }).subscribe({
    next: (event) => hear(toldByClient(event)),
    error: (error: unknown) => {
      onFault(`a watch of the client has ended: ${String(error)}`);
      over();
    },
    complete: over,
  });
  return { ended, pause: () => undefined, end: client.close };
};

/** By hand, from one node. */
export const bySocket: Sit = ({ nodes, key, isPrefix, from, hear, onFault }) => {
  const address = nodes[0] ?? '';
  const socket = new WebSocket(`ws://${address}${clientPath}`, keyValueProtocol.name, {
    ...{ perMessageDeflate: false, handshakeTimeout: 1500 },
    maxPayload: keyValueProtocol.maxFrameBytes,
  });
  const send = (frames: readonly Uint8Array[]): void => frames.forEach((each) => socket.send(each));
  const talk = new Conversation<Request, StoreAnswer>(keyValueProtocol, { address, send });
  const end = (): void => socket.terminate();
  let silent = setTimeout(end, silenceMs);
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  void ended.then(() => clearTimeout(silent));
  socket.on('error', () => undefined);
  socket.on('message', (data) => talk.onFrame(data as Buffer));
  socket.on('open', () => {
    const request = { type: 'watch', key: Buffer.from(key), isPrefix, from } as const;
    talk.answers(request).subscribe((answer) => {
      clearTimeout(silent);
      silent = setTimeout(end, silenceMs);
      const told = toldBySocket(answer);
      if (told !== null) hear(told);
      else if (answer.type === 'refused' || answer.type === 'unknown') end();
      else onFault(`${answer.type} is no answer to a watch`);
    });
  });
  const pause = (isPaused: boolean): void => {
    if (isPaused && socket.readyState === WebSocket.OPEN) socket.pause();
    if (!isPaused) socket.resume();
    clearTimeout(silent);
    if (!isPaused) silent = setTimeout(end, silenceMs);
  };
  return { ended, pause, end };
};

/** The lines of an entry come together: behind so much silence there is none to come. */
const quietMs = 5000;

/** By the command `watch` of a program. `isKilled`: does it end by SIGKILL? */
export function byCommand(program: string, isKilled: () => boolean): Sit {
  return ({ nodes, key, isPrefix, from, hear, onFault }) => {
    const child = spawn(process.execPath, [
      ...[program, 'watch', '--nodes', nodes.join(), '--json', '--timeout', '20'],
      ...(from === null ? [] : ['--from', String(from)]),
      ...(isPrefix ? ['--prefix', key] : [key]),
    ]);
    const killed = (): boolean => child.kill('SIGKILL');
    process.once('exit', killed);
    const lines = new CommandLines(hear, onFault);
    const quiet = (): NodeJS.Timeout => setTimeout(() => lines.flush(), quietMs);
    let idle = quiet();
    let isReading = true;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      lines.hear(text);
      if (isReading) idle.refresh();
    });
    let said = '';
    child.stderr.on('data', (text) => (said = `${said}${text}`.slice(-1000)));
    let isAsked = false;
    const ended = new Promise<void>((resolve) =>
      child.on('close', (code, signal) => {
        process.off('exit', killed);
        clearTimeout(idle);
        // What was said last may be a part, where a kill has cut it.
        lines.end(signal !== 'SIGKILL');
        const isWell = code === 1 || (isAsked && (code === 0 || signal !== null));
        if (!isWell) onFault(`a watch has ended with ${code ?? signal}: ${said}`);
        resolve();
      }),
    );
    const end = (): void => {
      isAsked = true;
      endOf(child, isKilled());
    };
    const pause = (isPaused: boolean): void => {
      isReading = !isPaused;
      clearTimeout(idle);
      if (isPaused) child.stdout.pause();
      else child.stdout.resume();
      if (!isPaused) idle = quiet();
    };
    return { ended, pause, end };
  };
}

/** Of an orderly end, with a busy machine. */
const endMs = 20_000;

function endOf(child: ChildProcess, isKilled: boolean): void {
  child.stdout?.resume();
  child.kill(isKilled ? 'SIGKILL' : 'SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), endMs);
  child.on('close', () => clearTimeout(late));
}

function toldByClient(event: WatchEvent<string, string>): Told {
  const pairs = (list: readonly { readonly key: string; readonly value: string | undefined }[]) =>
    list.map(({ key, value }): Pair => [key, value ?? null]);
  switch (event.type) {
    case 'lost':
      return { type: 'lost' };
    case 'watching':
      return event;
    case 'changes':
      return { type: 'changes', index: event.index, pairs: pairs(event.changes) };
    case 'current': {
      const { index, isLast, values } = event;
      return { type: 'current', index, isLast, pairs: pairs(values) };
    }
  }
}

function toldBySocket(answer: Answer): Told | null {
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const pairs = (list: readonly KeyChange[]): Pair[] =>
    list.map(({ key, value }) => [textOf(key), value === null ? null : textOf(value)]);
  if (answer.type === 'watching') return answer;
  if (answer.type === 'changes') {
    return { type: 'changes', index: answer.index, pairs: pairs(answer.changes) };
  }
  if (answer.type !== 'current') return null;
  const { index, isLast, values } = answer;
  return { type: 'current', index, isLast, pairs: pairs(values) };
}
