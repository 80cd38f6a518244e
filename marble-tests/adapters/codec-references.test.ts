/** References within a value (H10): bytes that unfold to more than there is memory are refused. */
import { expect, it } from 'vitest';
import { Packr } from 'msgpackr';
import { DecodeError, valueCodec } from '../../adapters/codec.js';

it('H10: shared references are no values: nothing unfolds', () => {
  let value: unknown = ['laugh'];
  for (let level = 0; level < 30; level += 1) value = [value, value];
  const bytes = new Packr({ useRecords: false, structuredClone: true }).pack(value);
  expect(bytes.length).toBeLessThan(1000);
  expect(() => valueCodec().decode(bytes)).toThrow(DecodeError);
});
