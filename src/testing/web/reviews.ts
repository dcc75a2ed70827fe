import { VIRTUAL, virtualResource } from '../access/index.ts';
import { notFound } from '../api/failures.ts';
import { json } from './answer.ts';
import { readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { writeContext } from './options.ts';
import { methodNotAllowed, PART_RESOURCES } from './parts.ts';
import type { ResourceRoute } from './route.ts';

/** What can be asked, and isn't stored. */
export const DISCOVERED = [...PART_RESOURCES, ...VIRTUAL];

/** Answers a question about users and what they may do, which is put by creating it; nothing where the path is no such question. */
export async function answerReview(
  { request, query, access, visit }: Exchange,
  { group, version, plural, subresource, namespace, name }: ResourceRoute,
): Promise<Response | undefined> {
  const found = virtualResource(group, version, plural, subresource);
  if (found === undefined) return undefined;
  const { type } = found;
  if (name !== undefined && subresource === undefined) throw notFound(type, name);
  if (request.method !== 'POST') throw methodNotAllowed();
  const body = await readBody(request, { type });
  const write = writeContext(query, request.headers, visit.user, undefined);
  return json(
    visit.act(() => access.review(type.kind, body, { user: visit.user, write, namespace, name }), 201),
    201,
  );
}
