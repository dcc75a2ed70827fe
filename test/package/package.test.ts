import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
const specifiers = subpaths.map((subpath) => join('clusterset', subpath));

/** Puts this Node first, as `npm run` does. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
let project = '';

function inProject(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: project, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function evaluate(code: string): string {
  return inProject(process.execPath, '--input-type=module', '--eval', code).trim();
}

/** Writes down every module that is loaded from here on. */
const TRACE = `import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });`;

describe('the package as npm ships it', { timeout: 180_000 }, () => {
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'clusterset-package-'));
    execFileSync('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root, env });
    const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    writeFileSync(
      join(project, 'kubeconfig'),
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [] }),
    );
    // With what is only needed for some of it.
    const peers = Object.entries(manifest.peerDependencies).map(([name, version]) => `${name}@${version}`);
    const options = ['--silent', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    inProject('npm', 'install', ...options, `./${tarball}`, ...peers);
  }, 180_000);

  afterAll(() => {
    rmSync(project, { recursive: true, force: true });
  });

  it.each(specifiers)('%s can be imported', (specifier) => {
    const names = evaluate(`console.log(Object.keys(await import('${specifier}')).length)`);
    expect(Number(names)).toBeGreaterThan(0);
  });

  it('is typed for a strict consumer', () => {
    const imports = specifiers.map((specifier, index) => `import * as m${index} from '${specifier}';\nvoid m${index};`);
    writeFileSync(join(project, 'consumer.ts'), imports.join('\n'));
    const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext'];
    inProject(
      process.execPath,
      join(root, 'node_modules/typescript/bin/tsc'),
      ...options,
      '--lib',
      'es2023,dom,esnext.disposable',
      'consumer.ts',
    );
  });

  it('brings the command', () => {
    const command = (...args: readonly string[]): string => inProject('npx', '--no-install', 'clusterset', ...args).trim();
    expect(command('--version')).toBe(manifest.version);
    expect(command('--help')).toMatch(/^Usage: clusterset/);
    // What the demonstration shows comes with the package.
    const files = 'node_modules/clusterset/examples/shop';
    const options = ['plan', '-f', `${files}/app`, '--fleet', `${files}/fleet.yaml`];
    const plan = spawnSync(join(project, 'node_modules/.bin/clusterset'), options, { cwd: project, env, encoding: 'utf8' });
    expect([plan.status, plan.stderr]).toEqual([2, '']);
    expect(plan.stdout).toContain('Plan: 21 to create, 0 left as they are.');
    expect(JSON.parse(command('demo', '-o', 'json'))).toMatchObject({ plan: expect.anything() });
  });

  it('loads the Kubernetes client only when a kubeconfig is read', () => {
    for (const specifier of specifiers) {
      const loaded = evaluate(
        `${TRACE}\nawait import('${specifier}'); console.log(loaded.filter((url) => url.includes('@kubernetes/client-node')).length)`,
      );
      expect(loaded, specifier).toBe('0');
    }
    const read = evaluate(
      `${TRACE}\nconst { kubeconfigSource } = await import('clusterset/client'); await kubeconfigSource({ kubeconfig: 'kubeconfig' }); console.log(loaded.some((url) => url.includes('@kubernetes/client-node')))`,
    );
    expect(read).toBe('true');
  });

  it('loads neither a schema library nor a parser with offline clusters: a test starts fast', () => {
    const code = `${TRACE}\nawait import('clusterset/testing'); console.log(loaded.filter((url) => /node_modules\\/(zod|yaml|@marcbachmann|@peculiar)\\//.test(url)).length, loaded.length > 100)`;
    expect(evaluate(code)).toBe('0 true');
  });

  it('loads no network code with the root and the pure subpaths', () => {
    const pure = ['clusterset', 'clusterset/kube', 'clusterset/registry', 'clusterset/scheduling', 'clusterset/federation'];
    for (const specifier of pure.filter((name) => specifiers.includes(name))) {
      const code = `await import('${specifier}'); console.log(process.moduleLoadList.filter((name) => /(?:^| )(?:net|tls|http|https|http2)$/.test(name)).join())`;
      expect(evaluate(code)).toBe('');
    }
  });
});
