/** "Expiry is driven only by the content of the log" (E13), and by a limit. */
import { expect, it } from 'vitest';
import {
  Answered,
  digestOf,
  rememberedBytes,
  rememberedRequests,
  rememberedWords,
} from '../../../adapters/replica/answered.js';
import { DecodeError } from '../../../adapters/codec.js';

const answer = (text: string) => ({ digest: digestOf(Buffer.from(text)), result: text });

it('forgets the oldest beyond a number, the same with a snapshot in between', () => {
  const whole = new Answered();
  let restored = new Answered();
  for (let i = 0; i < rememberedRequests + 5; i += 1) {
    whole.add(`${i}`, answer(`${i}`));
    restored.add(`${i}`, answer(`${i}`));
    if (i % 4000 === 0) restored = Answered.unpack(restored.pack());
  }
  expect(restored).toEqual(whole);
  expect([whole.find('4'), whole.find('5')]).toEqual([undefined, answer('5')]);
});

it('forgets the oldest beyond so many bytes, and keeps the newest whatever it has', () => {
  const answered = new Answered();
  const half = new Uint8Array(rememberedBytes / 2);
  for (const id of ['a', 'b', 'c']) answered.add(id, { digest: 1, result: half });
  expect([answered.find('a'), answered.find('b')?.digest]).toEqual([undefined, 1]);
  answered.add('d', { digest: 2, result: new Uint8Array(rememberedBytes + 1) });
  expect([answered.find('c'), answered.find('d')?.digest]).toEqual([undefined, 2]);
});

it('remembers words that no bytes can have as they are written', () => {
  const answered = new Answered();
  answered.add('a', answer('no \ud800'.repeat(3)));
  expect(Answered.unpack(answered.pack())).toEqual(answered);
});

it('forgets the same on all nodes, whatever words a version of Node has for an error (E13)', () => {
  const kept = ['no', 'can not read the properties of undefined'.repeat(100)].map((words) => {
    const answered = new Answered();
    answered.add('refused', answer(words));
    answered.add('done', { digest: 1, result: new Uint8Array(rememberedBytes - 1000) });
    return answered.find('refused') !== undefined;
  });
  expect(kept).toEqual([true, true]);
});

it('keeps the beginning of long words, also where a character would be cut', () => {
  const answered = new Answered();
  answered.add('a', answer('no '.repeat(1000)));
  answered.add('b', answer(`${'x'.repeat(rememberedWords - 1)}\u{1f600}`));
  expect(answered.find('a')?.result).toBe('no '.repeat(1000).slice(0, rememberedWords));
  expect(Answered.unpack(answered.pack())).toEqual(answered);
});

it('is not read from anything else', () => {
  expect(() => Answered.unpack(Uint8Array.of(1, 2, 3))).toThrow(DecodeError);
  expect(() => Answered.unpack(Uint8Array.of(0x93, 1, 2, 3))).toThrow(DecodeError);
});
