/** What the options of every network must keep to. */
import { faultOfNodeId } from '../lib/cluster-config.js';
import type { NodeId } from '../lib/position.js';

/** A timer of more than 2^31 - 1 milliseconds would fire at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** Of a cluster, or of a token, in characters. */
export const maxNameLength = 256;

/**
 * The id is one, words are not too long, and each number is a whole one from 1 on, below what
 * timers can wait for if its name says milliseconds. Throws a RangeError that names the option.
 */
export function checkNetworkSettings(
  settings: { readonly id: NodeId; readonly cluster: string; readonly token?: string },
  pauses: Readonly<Record<string, { readonly minimum: number; readonly maximum: number }>>,
): void {
  const fault = faultOfNodeId(settings.id);
  if (fault !== null) throw new RangeError(`id: ${fault}`);
  for (const name of ['cluster', 'token'] as const) {
    if ((settings[name] ?? '').length > maxNameLength)
      throw new RangeError(`${name}: at most ${maxNameLength} characters`);
  }
  const options: [string, unknown][] = Object.entries(settings);
  for (const [name, { minimum, maximum }] of Object.entries(pauses)) {
    options.push([`${name}.minimum`, minimum], [`${name}.maximum`, maximum]);
  }
  for (const [name, value] of options) {
    if (typeof value !== 'number') continue;
    const most = name.includes('Ms') ? maxTimerMs : Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(value) || value < 1 || value > most) {
      throw new RangeError(`${name}: ${value} is out of range`);
    }
  }
}
