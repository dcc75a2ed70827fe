import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type Streams, type Terminal, terminalOn } from '../../../src/cli/terminal.ts';
import { Child } from './child.ts';
import { folder, run } from './run.ts';

/** A terminal on streams that are read here. */
function terminal(
  isTTY: boolean,
  columns = 80,
): { readonly on: Terminal; readonly out: () => string; readonly err: () => string } {
  const stream = (): PassThrough =>
    Object.assign(new PassThrough(), { isTTY, columns, getColorDepth: WriteStream.prototype.getColorDepth });
  const [stdout, stderr] = [stream(), stream()];
  const read = (from: PassThrough) => (): string => String(from.read() ?? '');
  return { on: terminalOn({ stdout, stderr } as unknown as Streams), out: read(stdout), err: read(stderr) };
}

beforeEach(() => {
  for (const name of ['FORCE_COLOR', 'NO_COLOR', 'NODE_DISABLE_COLORS', 'CI']) vi.stubEnv(name, undefined);
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => void vi.unstubAllEnvs());

describe('a terminal', () => {
  it('has colour where somebody sees it', () => {
    const { on, out, err } = terminal(true);
    on.print(`a ${on.style('green', 'b')} c`);
    on.complain('d');
    expect(out()).toBe('a \u001b[32mb\u001b[39m c\n');
    expect(err()).toContain('\u001b[31merror:\u001b[39m d\n');
  });

  it('has none in a file, and none with NO_COLOR', () => {
    const file = terminal(false);
    vi.stubEnv('NO_COLOR', '1');
    for (const { on, out, err } of [file, terminal(true)]) {
      on.print(on.style('bold', 'a'));
      on.complain('b');
      expect([out(), err()]).toEqual(['a\n', 'error: b\n']);
    }
  });

  it('shows progress in one line that replaces itself, and never wraps', () => {
    const { on, err, out } = terminal(true, 10);
    on.progress('waiting for something');
    on.progress('waiting for something');
    on.progress('2\n3');
    on.print('done');
    expect(err()).toBe('\r\u001b[2Kwaiting f\r\u001b[2K2 3\n');
    expect(out()).toBe('done\n');
  });

  it('writes progress in plain lines where nobody watches, each once', () => {
    const file = terminal(false);
    vi.stubEnv('TERM', 'dumb');
    for (const { on, err } of [file, terminal(true)]) {
      on.progress('1 of 2');
      on.progress('1 of 2');
      on.progress('2 of 2');
      on.endProgress();
      expect(err()).toBe('1 of 2\n2 of 2\n');
    }
  });

  it.each([
    ['colours', '\u001b[31mred', '\\u001b[31mred'],
    ['a title', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
    ['a line written over', 'all is bad\rall is well', 'all is bad\\u000dall is well'],
    ['control characters of eight bits', '\u009b2J', '\\u009b2J'],
    ['what turns text around', 'a\u202eb\u2066', 'a\\u202eb\\u2066'],
    ['deletions', 'bad\u0008\u0008\u0008\u007f', 'bad\\u0008\\u0008\\u0008\\u007f'],
  ])('shows %s that text brings along as escapes', (_name, evil, shown) => {
    const { on, out, err } = terminal(true);
    on.print(`${on.style('red', evil)} ${evil}`);
    on.say(evil);
    on.complain(evil);
    on.progress(evil);
    expect(out()).toBe(`\u001b[31m${shown}\u001b[39m ${shown}\n`);
    expect(err().replaceAll(shown, '')).toBe('\n\u001b[31merror:\u001b[39m \n\r\u001b[2K');
  });
});

describe('what files hold reaches no terminal raw', () => {
  const evil = '\u001b]0;owned\u0007\u009b2J\u202ex\r\n\u001b[8m';
  const app = `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: evil, namespace: shop }
spec:
  template: { data: { ${JSON.stringify(evil)}: ${JSON.stringify(evil)} } }
  placement: { clusters: [{ name: eu-1 }, { name: us-1 }] }
  overrides:
    - clusterName: us-1
      clusterOverrides: [{ op: add, path: /data/more, value: ${JSON.stringify(evil)} }]
`;
  const planned = (format: string): ReturnType<typeof run> => {
    const path = folder({ 'app.yaml': app, 'fleet.yaml': '- name: eu-1\n- name: us-1\n' });
    return run(['plan', '-f', join(path, 'app.yaml'), '--fleet', join(path, 'fleet.yaml'), '-o', format]);
  };

  it.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ])('and is the same as data (%s)', async (format, read) => {
    const { stdout } = await planned(format);
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    const { objects } = read(stdout) as { objects: { steps: { create: { data: unknown } }[] }[] };
    expect(objects[0]?.steps[1]?.create.data).toEqual({ [evil]: evil, more: evil });
  });

  it('nor in a table', async () => {
    const { on, out } = terminal(false);
    on.print((await planned('table')).stdout);
    const text = out();
    expect(text).toContain('ConfigMap shop/evil');
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  });

  it('nor in errors, which name files and clusters', async () => {
    const { on, err } = terminal(false);
    const { stderr } = await run(['plan', '-f', '\u001b[31mnowhere', '--fleet', 'fleet']);
    on.complain(stderr);
    expect(err()).toContain('\\u001b[31mnowhere: there is no such file or folder');
  });
});

describe('a reader that has had enough', () => {
  it('ends the command without a word, as it ends any other', async () => {
    const objects = Array.from(
      { length: 200 },
      (_, index) => `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: c-${index}, namespace: shop }
spec: { template: { data: { a: ${'b'.repeat(5000)} } }, placement: { clusters: [{ name: eu-1 }] } }
`,
    );
    const path = folder({ 'app.yaml': objects.join('---\n'), 'fleet.yaml': '- name: eu-1\n' });
    await using child = new Child(['plan', '-f', join(path, 'app.yaml'), '--fleet', join(path, 'fleet.yaml'), '-o', 'json']);
    child.process.stdout?.once('data', () => child.process.stdout?.destroy());
    // 128 + SIGPIPE
    expect(await child.ended()).toBe(141);
    expect(child.stderr).toBe('');
  });

  it('of messages does not keep the results back', async () => {
    const path = folder({ 'fleet.yaml': '- name: eu-1\n', 'app.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n' });
    await using child = new Child(['plan', '-f', join(path, 'app.yaml'), '--fleet', join(path, 'fleet.yaml'), '-o', 'json']);
    child.process.stderr?.destroy();
    expect(await child.ended()).toBe(1);
    expect(JSON.parse(child.stdout)).toMatchObject({ objects: [] });
  });
});
