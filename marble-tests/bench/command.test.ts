import { describe, expect, it } from 'vitest';
import { command, partsNamed, roundsOf } from '../../bench/command.js';

describe('the parts', () => {
  it('are all by default, and those that are named', () => {
    expect(partsNamed([]).map((part) => part.name)).toContain('core');
    expect(partsNamed(['operator', 'core']).map((part) => part.name)).toEqual(['core', 'operator']);
  });

  it('refuse a name that is none, and say which there are', () => {
    expect(() => partsNamed(['cores'])).toThrow(/no part cores: there is core, /);
  });
});

describe('the number of rounds', () => {
  it('is a whole number from 1 on', () => {
    expect(roundsOf('12')).toBe(12);
    for (const text of ['0', '-1', '1.5', 'many', '1e3', '']) {
      expect(() => roundsOf(text), text).toThrow(/a number from 1 on/);
    }
  });
});

it('a quick look does not get into the documentation', async () => {
  const asked = command().parseAsync(['--quick', '--docs', 'operator'], { from: 'user' });
  await expect(asked).rejects.toThrow('leave out --quick');
});
