import { type Channel, channel } from 'node:diagnostics_channel';
import type { Fact, Observe } from '../runtime/index.ts';

/**
 * Publishes facts on channels of `node:diagnostics_channel`, each on `clusterset:` and its name: `clusterset:reconciled`,
 * `clusterset:request`, … The message is the fact as it is. A fact that nobody has subscribed to costs a look-up and nothing else. This is where
 * OpenTelemetry and profilers listen; give it as `observe`, with others through `observers`.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('clusterset:request', (fact) => span(fact));
 * const cluster = await connectContext({ observe: diagnosticsObserver() });
 * ```
 */
export function diagnosticsObserver(): Observe {
  const channels = new Map<Fact['fact'], Channel>();
  return (fact) => {
    let known = channels.get(fact.fact);
    if (known === undefined) {
      known = channel(`clusterset:${fact.fact}`);
      channels.set(fact.fact, known);
    }
    if (known.hasSubscribers) known.publish(fact);
  };
}
