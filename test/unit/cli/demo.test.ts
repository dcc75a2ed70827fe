import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from './child.ts';
import { folder, run } from './run.ts';

interface Story {
  readonly plan: { readonly summary: { readonly create: number } };
  readonly rolledOut: { readonly states: readonly { readonly rollout: string }[] };
  readonly lost: { readonly states: readonly { readonly cluster: string; readonly status?: string }[] };
  readonly back: { readonly states: readonly { readonly rollout: string }[] };
}

describe('demo', () => {
  it('tells its story as data, goes on serving with --keep, and ends with 0 on Ctrl-C', { timeout: 60_000 }, async () => {
    const path = join(folder({}), 'kubeconfig');
    await using child = new Child(['demo', '--keep', '-o', 'json', '--write-kubeconfig', path]);
    await child.until('until Ctrl-C');
    expect(child.stderr).toContain(`kubectl --kubeconfig ${path} --context host`);

    const { code, stdout } = await run(['status', '--host', 'host', '--kubeconfig', path, '-o', 'json']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Story['back']).states).toHaveLength(21);

    child.process.kill('SIGINT');
    expect(await child.ended()).toBe(0);
    expect(existsSync(path)).toBe(false);

    const story = JSON.parse(child.stdout) as Story;
    expect(Object.keys(story)).toEqual(['clusters', 'plan', 'rolledOut', 'lost', 'back']);
    expect(story.plan.summary.create).toBe(21);
    for (const { states } of [story.rolledOut, story.back]) {
      expect(states.every(({ rollout }) => rollout === 'Complete')).toBe(true);
    }
    for (const { cluster, status } of story.lost.states) {
      expect(status).toBe(cluster === 'eu-2' ? 'ClusterNotReady' : undefined);
    }
    for (const output of [child.stdout, child.stderr]) {
      expect(output).not.toContain('not-a-real-key');
      expect(output).not.toContain(Buffer.from('not-a-real-key').toString('base64'));
    }
  });

  it('ends with 130 where Ctrl-C comes in the middle, and leaves nothing behind', async () => {
    const path = join(folder({}), 'kubeconfig');
    const stop = new AbortController();
    const running = run(['demo', '--write-kubeconfig', path], stop.signal);
    await expect.poll(() => existsSync(path)).toBe(true);
    stop.abort();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).not.toContain('error');
    expect(existsSync(path)).toBe(false);
  });

  it('does not start where its kubeconfig would replace a file', async () => {
    const path = join(folder({ kubeconfig: '' }), 'kubeconfig');
    expect(await run(['demo', '--write-kubeconfig', path])).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(path)).toBe(true);
  });
});
