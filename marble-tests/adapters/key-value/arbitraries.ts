/** Commands as clients could send them. */
import fc from 'fast-check';
import type { AddressCommand, Command } from '../../../adapters/key-value/commands.js';

/** Few, so that commands meet. */
export const keys = fc.constantFrom(
  ...['', '__proto__', 'constructor', 'a', 'b', 'ключ'].map((text) => Buffer.from(text)),
  new Uint8Array([0, 255, 128]),
);

export const values = fc.uint8Array({ maxLength: 4, max: 3 });

const conditions = fc.oneof(fc.constant(null), fc.constant('absent' as const), values);

export const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key: keys, value: values, condition: conditions }),
  fc.record({ type: fc.constant('delete' as const), key: keys, condition: conditions }),
);

/** What a leader says of members. */
export const addresses: fc.Arbitrary<AddressCommand> = fc.record({
  type: fc.constant('address' as const),
  id: fc.constantFrom('n1', 'n2', '__proto__', 'ключ'),
  address: fc.constantFrom('127.0.0.1:7101', '[::1]:7102', null),
});
