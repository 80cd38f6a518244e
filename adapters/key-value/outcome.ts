/** What a client tells its user about an answer. */
import type { Answer, Request } from './client-protocol.js';
import { harmless, printable } from './terminal.js';

export const exitCodes = { done: 0, refused: 1, usage: 2, unknown: 3 } as const;

export interface Outcome {
  readonly exitCode: (typeof exitCodes)[keyof typeof exitCodes];
  /** For the standard output, byte for byte. */
  readonly value: Uint8Array | null;
  /** For the standard error. */
  readonly text: string | null;
}

export function outcomeOf(request: Request, answer: Answer): Outcome {
  const key = keyOf(request);
  const refused = (text: string): Outcome => ({ exitCode: 1, value: null, text });
  switch (answer.type) {
    case 'done':
      return { exitCode: exitCodes.done, value: null, text: doneText(request) };
    case 'value':
      return { exitCode: exitCodes.done, value: answer.value, text: null };
    case 'missing':
      return refused(`${key}: not found`);
    case 'conflict':
      return refused(`${key}: ${conflictOf(request)}: nothing was changed`);
    case 'refused':
      return refused(`${key}: refused: ${harmless(answer.text)}`);
    case 'unknown': {
      const mend = isOnce(request) ? 'Read the key to find out' : 'Say it again: it does no harm';
      const text = `nobody knows whether it was done: ${harmless(answer.text)}. ${mend}`;
      return { exitCode: exitCodes.unknown, value: null, text: `${key}: ${text}` };
    }
    case 'changeRefused':
      return refused(`${key}: ${harmless(answer.text)}`);
    case 'snapshot':
      return { exitCode: exitCodes.done, value: null, text: `a snapshot up to ${answer.index}` };
    case 'status':
    case 'watching':
    case 'changes':
    case 'current':
      return refused(`${key}: a strange answer`);
  }
}

function isOnce({ type }: Request): boolean {
  return type === 'command' || type === 'get';
}

function doneText(request: Request): string | null {
  if (request.type === 'add') return `${request.id} is a voter at ${request.address}`;
  return request.type === 'remove' ? `${request.id} is no member` : null;
}

function keyOf(request: Request): string {
  switch (request.type) {
    case 'status':
    case 'snapshot':
      return request.type;
    case 'get':
    case 'watch':
      return printable(request.key);
    case 'command':
      return printable(request.command.key);
    case 'add':
    case 'remove':
      return `${request.type} ${printable(Buffer.from(request.id))}`;
  }
}

function conflictOf(request: Request): string {
  const condition = request.type === 'command' ? request.command.condition : null;
  return condition === 'absent' ? 'there is a value already' : 'it has another value, or none';
}
