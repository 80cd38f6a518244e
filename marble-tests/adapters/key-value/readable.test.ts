/** "A peer or a client can't end it at all": what the machine can't read never gets to the log. */
import { expect, it } from 'vitest';
import { DecodeError, readable } from '../../../adapters/codec.js';
import { packBlock, unpackBlock } from '../../../adapters/key-value/commands.js';
import { emptyState, load, save } from '../../../adapters/key-value/reducer.js';

const junk = Uint8Array.of(1, 2, 3);

it('a block of commands that can not be read is no message', () => {
  const block = packBlock([]);
  expect(readable(unpackBlock).decode(block)).toEqual(Uint8Array.from(block));
  expect(() => readable(unpackBlock).decode(junk)).toThrow(DecodeError);
});

it('a snapshot that can not be read is not installed', () => {
  const data = save(emptyState());
  expect(readable(load).decode(data)).toEqual(Uint8Array.from(data));
  expect(() => readable(load).decode(junk)).toThrow(DecodeError);
});
