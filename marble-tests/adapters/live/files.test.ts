/** The files of the page: what there is, and what they may do in a browser. */
import { describe, expect, it } from 'vitest';
import { clusterFile, pageFile } from '../../../adapters/live/files.js';

describe('the files of the page', () => {
  it('are these, and no path reaches any other', () => {
    for (const path of ['/', '/page.js', '/page.css']) expect(pageFile(path), path).not.toBeNull();
    const others = ['/index.html', '/../key-value/server.js', '//', '', '/constructor', '/PAGE.js'];
    for (const path of others) expect(pageFile(path), path).toBeNull();
  });

  it('load nothing from elsewhere, and are in nobody’s frame', () => {
    const { status, headers } = pageFile('/') ?? {};
    expect(status).toBe(200);
    const policy = headers?.['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('that are not built say so', () => {
    // Tests run from the sources, beside which there is no script for browsers.
    const file = pageFile('/page.js');
    expect(file).toMatchObject({ status: 503 });
    expect(String(file?.body)).toContain('npm run build');
  });

  it('say where the nodes are', () => {
    const { body } = clusterFile({ n1: '127.0.0.1:7101' });
    expect(JSON.parse(String(body))).toEqual({ members: { n1: '127.0.0.1:7101' } });
  });
});
