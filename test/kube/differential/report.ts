import type { Mismatch } from './run.ts';
import type { Step } from './step.ts';

const shown = (value: unknown): string => (value === undefined ? '(nothing)' : JSON.stringify(value));

function stepText({ method, path, query, type, accept, body }: Step): string {
  const text = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  const media = [type ?? '', accept ?? ''].filter((each) => each !== '' && each !== 'application/json');
  return [
    `${method} ${path}${text.length > 0 ? `?${text.join('&')}` : ''}`,
    ...media,
    body === undefined ? '' : JSON.stringify(body),
  ].join(' ');
}

/** A mismatch as people read it: the seed, the steps, and what each side said. */
export function reportOf(
  seed: number,
  steps: readonly Step[],
  { index, sent, what, differences, real, offline }: Mismatch,
): string {
  const status = (answer: unknown): string =>
    shown((answer as { readonly body?: { readonly message?: unknown } } | undefined)?.body?.message);
  return [
    `seed ${seed}, step ${index}: ${what} differs`,
    ...steps.map((step, at) => `  ${at === index ? '>' : ' '} ${at} ${stepText(step)}`),
    `  sent: ${sent.method} ${sent.path} ${sent.body ?? ''}`,
    ...differences.flatMap((each) => [
      `  at ${each.path}`,
      `    offline: ${shown(each.offline)}`,
      `    real:    ${shown(each.real)}`,
    ]),
    `  offline said: ${status(offline)}`,
    `  real said:    ${status(real)}`,
  ].join('\n');
}
