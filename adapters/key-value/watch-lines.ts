/** How a watch looks: a line for each change, for people or for programs. */
import { textCodec } from '../codec.js';
import type { WatchAnswer } from './client-protocol.js';
import type { KeyChange } from './changes.js';
import { printable } from './terminal.js';

/**
 * Lines without their ends. `isFirst`: of the pieces of the values as they are. For programs those
 * stand between `compacted` and `complete`; without the latter a lost node has left them half.
 */
export function linesOf(answer: WatchAnswer, isJson: boolean, isFirst: boolean): string[] {
  const { index } = answer;
  if (answer.type === 'watching') return [];
  if (answer.type === 'changes') {
    return answer.changes.map((change) => {
      const name = change.value === null ? 'delete' : 'put';
      return isJson ? jsonLine(index, name, change) : textLine(index, name, change);
    });
  }
  const values = answer.values.map((change) =>
    isJson ? jsonLine(index, 'current', change) : textLine(index, 'is', change),
  );
  const text = `${index} what was changed before is not kept any more: the values as they are now`;
  const first = isJson ? JSON.stringify({ index, type: 'compacted' }) : text;
  const last = JSON.stringify({ index, type: 'complete' });
  return [...(isFirst ? [first] : []), ...values, ...(isJson && answer.isLast ? [last] : [])];
}

function textLine(index: number, name: string, { key, value }: KeyChange): string {
  const words = [String(index), name, printable(key)];
  if (value !== null && value.length > 0) words.push(printable(value));
  return words.join(' ');
}

function jsonLine(index: number, type: string, { key, value }: KeyChange): string {
  const change = { index, type, key: readable(key) };
  return JSON.stringify(value === null ? change : { ...change, value: readable(value) });
}

/** Text where the bytes are text, else their base64. */
function readable(bytes: Uint8Array): string | { readonly base64: string } {
  try {
    return textCodec.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}
