import { describe, expect, it } from 'vitest';
import { alternate } from '../../bench/rounds.js';

describe('rounds', () => {
  it('alternate: what the machine does besides falls on all alike', async () => {
    const order: string[] = [];
    const contender = (name: string) => async () => order.push(name);
    await alternate([contender('a'), contender('b')], { rounds: 2, warmUp: 1 });
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('count only when compilers are warm', async () => {
    let time = 100;
    const measured = await alternate([() => (time -= 10)], { rounds: 3, warmUp: 2 });
    expect(measured).toEqual([[70, 60, 50]]);
  });

  it('are told one by one, those before them as none', async () => {
    const told: number[] = [];
    await alternate([() => 1], { rounds: 3, warmUp: 2 }, (round) => told.push(round));
    expect(told).toEqual([0, 0, 1, 2, 3]);
  });

  it('end with the first that fails', async () => {
    const fails = () => Promise.reject(new Error('no answer'));
    await expect(alternate([fails], { rounds: 3, warmUp: 0 })).rejects.toThrow('no answer');
  });
});
