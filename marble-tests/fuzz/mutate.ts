/** Mutations: of bytes, which know nothing, and of values, which know where they are. */
import type { Random } from '../../adapters/testing/simulation/random.js';
import { numbers, texts, tokens, values } from './dictionary.js';

/** Flips, cuts, doubles, inserts and overwrites, one to four times. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let mutated = Buffer.from(bytes);
  for (let times = random.between(1, 4); times > 0; times -= 1) {
    const at = random.below(mutated.length + 1);
    const end = Math.min(mutated.length, at + random.between(1, 8));
    const rest = mutated.subarray(end);
    const head = mutated.subarray(0, at);
    switch (random.below(7)) {
      case 0:
        if (at < mutated.length) mutated[at] = (mutated[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        if (at < mutated.length) mutated[at] = random.below(256);
        break;
      case 2:
        mutated = Buffer.concat([head]);
        break;
      case 3:
        mutated = Buffer.concat([head, rest]);
        break;
      case 4:
        mutated = Buffer.concat([head, mutated.subarray(at, end), mutated.subarray(at)]);
        break;
      case 5:
        mutated = Buffer.concat([head, random.pick(tokens) ?? head, mutated.subarray(at)]);
        break;
      default:
        mutated = Buffer.concat([head, random.pick(tokens) ?? head, rest]);
    }
  }
  return mutated;
}

/** The same value with something else in one to three places of it. */
export function mutateValue(random: Random, value: unknown): unknown {
  let mutated = value;
  for (let times = random.between(1, 3); times > 0; times -= 1) mutated = once(random, mutated);
  return mutated;
}

function once(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.85)) {
    return inList(random, value as unknown[]);
  }
  if (isPlain(value) && random.chance(0.85)) return inObject(random, value);
  if (typeof value === 'number' && random.chance(0.6)) return mutateNumber(random, value);
  if (typeof value === 'string' && random.chance(0.6)) return mutateText(random, value);
  if (value instanceof Uint8Array && random.chance(0.6)) return mutateBytes(random, value);
  return random.pick(values);
}

function inList(random: Random, list: readonly unknown[]): unknown[] {
  const copy = [...list];
  const at = random.below(copy.length);
  switch (random.below(8)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy.splice(at, 0, copy[random.below(copy.length)]);
      break;
    case 2:
      copy.push(random.pick(values));
      break;
    default:
      copy[at] = once(random, copy[at]);
  }
  return copy;
}

function inObject(
  random: Random,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  const [key = '', each] = entries[at] ?? [];
  switch (random.below(8)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.push([random.pick(texts) ?? '', each]);
      break;
    default:
      entries[at] = [key, once(random, each)];
  }
  return Object.fromEntries(entries);
}

export function mutateNumber(random: Random, value: number): number {
  const near = value + random.between(-2, 2);
  return random.chance(0.4) ? near : (random.pick(numbers) ?? near);
}

export function mutateText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const piece = random.pick(texts) ?? '';
  switch (random.below(5)) {
    case 0:
      return piece;
    case 1:
      return text.slice(0, at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random.below(300)) + text.slice(at);
    default:
      return text.slice(0, at) + piece + text.slice(at);
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}
