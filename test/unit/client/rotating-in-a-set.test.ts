import { connectEntry } from 'clusterset/client';
import type { Cluster } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, staticSource } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, configMap, handMade } from '../runtime/fixtures.ts';
import { certificates } from './certificates.ts';
import { answer, type Outgoing, type Received, startServer } from './server.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** An API server that lets one token in at a time, and keeps its watches open. */
class Gate {
  token = 'old';
  readonly watches: Outgoing[] = [];
  refused = 0;

  handle({ path, headers }: Received, response: Outgoing): void {
    if (headers.authorization !== `Bearer ${this.token}`) {
      this.refused += 1;
      answer(response, 401, { kind: 'Status', status: 'Failure', code: 401, reason: 'Unauthorized', message: 'who are you' });
      return;
    }
    if (!path.includes('watch=')) {
      answer(response, 200, {});
      return;
    }
    response.statusCode = 200;
    response.setHeader('content-type', 'application/json');
    this.watches.push(response);
  }

  tell(name: string, version: number): void {
    for (const watch of this.watches)
      (watch as { write(text: string): unknown }).write(
        `${JSON.stringify({ type: 'ADDED', object: configMap(name, version) })}\n`,
      );
  }
}

describe('a member of a set whose credentials are renewed', () => {
  it('stays the same member: its connection, its signal, its engagement and its watch go on', async () => {
    const known = await certificates();
    const gate = new Gate();
    await using server = await startServer((request, response) => gate.handle(request, response), { certificate: known.server });
    let stored = 'old';
    const get = () => Promise.resolve({ metadata: { name: 'eu-1' }, data: { token: base64(stored) } });
    const host = Object.assign(handMade({}, 'host'), { get }) as Cluster;
    const entry: ClusterEntry = {
      name: 'eu-1',
      endpoints: [{ server: server.url, caData: base64(known.ca) }],
      auth: { secret: { namespace: 'fleet', name: 'eu-1' } },
    };
    await using set = new ClusterSet<ClusterEntry>({
      source: staticSource([entry]),
      connect: (each) => connectEntry(each, { host }),
      connectionOf: ({ endpoints, auth }) => JSON.stringify([endpoints, auth]),
      probe: { intervalMs: 20 },
    });
    const events: string[] = [];
    const seen: string[] = [];
    let engagements = 0;
    set.listen(({ type, member: { state, cluster } }) => events.push(`${type} ${cluster === undefined ? 'unconnected' : state}`));
    set.engage(async ({ cluster }, signal) => {
      engagements += 1;
      for await (const event of cluster.watch(CONFIG_MAPS, { signal }))
        if ('object' in event) seen.push(event.object.metadata.name);
    });
    await set.start();
    await expect.poll(() => gate.watches.length).toBe(1);
    gate.tell('before', 1);
    await expect.poll(() => seen).toEqual(['before']);
    await expect.poll(() => set.get('eu-1')?.state).toBe('ready');
    const before = set.get('eu-1');
    const asked = server.received.length;

    gate.token = 'new';
    stored = 'new';
    await expect.poll(() => server.received.length).toBeGreaterThan(asked + 5);

    expect(gate.refused).toBeGreaterThan(0);
    gate.tell('after', 2);
    await expect.poll(() => seen).toEqual(['before', 'after']);
    const after = set.get('eu-1');
    expect(after?.cluster).toBe(before?.cluster);
    expect(after?.signal).toBe(before?.signal);
    expect(after?.signal.aborted).toBe(false);
    expect([gate.watches.length, engagements]).toEqual([1, 1]);
    expect(events).toEqual(['joined unconnected', 'changed joining', 'changed ready']);
  });
});
