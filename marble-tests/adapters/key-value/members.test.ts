/** "Command-line arguments: each an error that names the culprit and the mend." */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultOfAddress, isLoopback, parseAddress } from '../../../adapters/key-value/addresses.js';
import { UsageError } from '../../../adapters/key-value/input.js';
import { clusterName, nodeOptions, startMembers } from '../../../adapters/key-value/members.js';

describe('an address', () => {
  it.each([
    ['127.0.0.1:7101', '127.0.0.1', 7101, true],
    ['127.9.9.9:1', '127.9.9.9', 1, true],
    ['localhost:80', 'localhost', 80, true],
    ['[::1]:65535', '::1', 65_535, true],
    ['[fe80::1]:7101', 'fe80::1', 7101, false],
    ['0.0.0.0:7101', '0.0.0.0', 7101, false],
    ['127.example.org:7101', '127.example.org', 7101, false],
    ['db-1.example.org:7101', 'db-1.example.org', 7101, false],
  ])('%s', (text, host, port, loopback) => {
    expect(faultOfAddress(text)).toBeNull();
    expect(parseAddress(text)).toEqual({ host, port });
    expect(isLoopback(parseAddress(text))).toBe(loopback);
  });

  it.each([
    ...['', 'a', 'a:', ':1', 'a:0', 'a:65536', 'a:1.5', 'a:-1', '::1:7101', '[a]:1', 'a b:1'],
    ...['http://a:1', 'user@a:1', 'a:1/path', 'a?b:1', 'a:1 '],
  ])('is not %j', (text) => {
    expect(faultOfAddress(text)).toContain('is no address: HOST:PORT');
    expect(() => parseAddress(text)).toThrow(RangeError);
  });
});

describe('the members of a cluster', () => {
  it('on this machine are n1, n2, …', () => {
    expect(startMembers('7101, 7102')).toEqual({ n1: '127.0.0.1:7101', n2: '127.0.0.1:7102' });
    for (const ports of ['', '7101,', 'x', '7101,7101', '1,2,3,4,5,6,7,8,9,10']) {
      expect(() => startMembers(ports)).toThrow(UsageError);
    }
  });

  it('give it a name, in whatever order they are listed', () => {
    expect(clusterName({ b: 'x:1', a: 'y:1' })).toBe('a,b');
  });
});

describe('a node', () => {
  const flags = { id: 'a', data: 'd', listen: '127.0.0.1:1', peers: 'b=h:2, c=h:3' };

  it('belongs to the cluster of itself and its peers', () => {
    expect(nodeOptions(flags)).toEqual({
      ...{ id: 'a', cluster: 'a,b,c', folder: resolve('d'), listen: '127.0.0.1:1' },
      members: { a: '127.0.0.1:1', b: 'h:2', c: 'h:3' },
      origins: [],
    });
  });

  it('writes a trace to a file, within a limit in MiB', () => {
    expect(nodeOptions({ ...flags, trace: 't' }).trace).toEqual({ path: resolve('t') });
    const limited = nodeOptions({ ...flags, trace: 't', traceLimit: 2 });
    expect(limited.trace).toEqual({ path: resolve('t'), limitBytes: 2 << 20 });
    for (const wrong of [{ trace: '' }, { traceLimit: 2 }]) {
      expect(() => nodeOptions({ ...flags, ...wrong })).toThrow('--trace: give the file that');
    }
  });

  it('may be listed among the peers, so that all nodes are given the same list', () => {
    const all = nodeOptions({ ...flags, peers: 'a=public:9,b=h:2' });
    expect(all).toMatchObject({ listen: '127.0.0.1:1', members: { a: 'public:9', b: 'h:2' } });
  });

  it('may be called as it likes, without becoming something else', () => {
    const { members } = nodeOptions({ ...flags, id: '__proto__', peers: 'constructor=h:2' });
    expect(Object.entries(members)).toEqual([
      ['__proto__', '127.0.0.1:1'],
      ['constructor', 'h:2'],
    ]);
  });

  it('alone is a cluster by an explicit word only, never by a forgotten list (D19)', () => {
    const one = { id: 'a', data: 'd', listen: '127.0.0.1:1' };
    for (const peers of [undefined, '', ' ,', 'a=127.0.0.1:1']) {
      const forgotten = peers === undefined ? one : { ...one, peers };
      expect(() => nodeOptions(forgotten)).toThrow(UsageError);
      expect(() => nodeOptions(forgotten)).toThrow(/^--peers: .* or say --alone/);
    }
    expect(nodeOptions({ ...one, alone: true }).members).toEqual({ a: '127.0.0.1:1' });
    expect(() => nodeOptions({ ...flags, alone: true })).toThrow(/--peers and --alone/);
  });

  it('is not heard beyond this machine without --insecure, and says why', () => {
    const beyond = { ...flags, listen: '0.0.0.0:1' };
    expect(() => nodeOptions(beyond)).toThrow(/no authentication yet: .* say --insecure/);
    expect(nodeOptions({ ...beyond, insecure: true }).listen).toBe('0.0.0.0:1');
  });

  it.each([
    ['--id', { id: '' }],
    ['--id', { id: 'x'.repeat(65) }],
    ['--listen', { listen: 'x' }],
    ['--peers', { peers: 'b' }],
    ['--peers', { peers: 'b=' }],
    ['--peers', { peers: '=h:1' }],
    ['--peers: b is listed twice', { peers: 'b=h:1,b=h:2' }],
    ['--cluster', { cluster: '' }],
    ['--allow-origin', { allowOrigin: 'cluster.example.org' }],
    ['--cluster', { cluster: 'x'.repeat(257) }],
  ])('names %s when that is wrong: %j', (culprit, wrong) => {
    expect(() => nodeOptions({ ...flags, ...wrong })).toThrow(UsageError);
    expect(() => nodeOptions({ ...flags, ...wrong })).toThrow(culprit);
  });
});

describe('a node that joins', () => {
  const flags = { id: 'n4', data: 'x', listen: '127.0.0.1:4', join: ['127.0.0.1:1'] };

  it('learns from its contacts, or from its folder, which cluster it is', () => {
    expect(nodeOptions(flags)).toMatchObject({
      ...{ cluster: null, contacts: ['127.0.0.1:1'], members: { n4: '127.0.0.1:4' } },
    });
    expect(nodeOptions({ ...flags, cluster: 'x' }).cluster).toBe('x');
    expect(() => nodeOptions({ ...flags, cluster: '' })).toThrow('--cluster');
  });

  it('founds no cluster', () => {
    expect(() => nodeOptions({ ...flags, alone: true })).toThrow('--alone and --join exclude');
    expect(() => nodeOptions({ ...flags, peers: 'a=127.0.0.1:1' })).toThrow('exclude each other');
  });
});
