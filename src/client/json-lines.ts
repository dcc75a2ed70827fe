/** Characters of one line. API servers store objects of 1.5 MB (etcd); what is so much longer has no end. */
const LONGEST_LINE = 64 * 2 ** 20;

/** The values of a stream of JSON lines ended in the middle of one. */
export class BrokenOffError extends Error {}

/** A line of a stream of JSON lines is longer than any that means something. */
export class EndlessLineError extends Error {}

/**
 * The values in a stream of JSON lines, as they come. Empty lines are passed over.
 *
 * @throws SyntaxError for a line that is no JSON, {@link EndlessLineError} for one that is too long, {@link BrokenOffError} where the last has no end;
 * and whatever the stream throws.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    // Only what is new is searched: a long line comes in many pieces.
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    rest += first;
    if (rest.length > LONGEST_LINE) throw new EndlessLineError(`an event of more than ${LONGEST_LINE} characters`);
    for (const next of others) {
      if (rest !== '') yield JSON.parse(rest);
      rest = next;
    }
  }
  if (rest.trim() !== '') throw new BrokenOffError('the stream broke off in the middle of a line');
}
