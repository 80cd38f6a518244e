/** Whatever was thrown, it can be told: what a reducer throws is remembered as words. */
import { expect, it } from 'vitest';
import { causeOf } from '../../adapters/cause.js';

const strange = (message: unknown): Error => Object.assign(new Error(), { message });

it.each<[string, unknown, string]>([
  ['an error', new Error('why'), 'why'],
  ['a text', 'why', 'why'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('why'), 'Symbol(why)'],
  ['an object without words', Object.create(null), 'something that has no words'],
  ['an error whose message is no text', strange({ code: 7 }), '[object Object]'],
  [
    'an error whose message has no words',
    strange(Object.create(null)),
    'something that has no words',
  ],
])('of %s', (_, thrown, words) => {
  expect(causeOf(thrown)).toBe(words);
});
