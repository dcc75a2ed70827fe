/** Answers a request over HTTP. Whatever listens on a port calls it: Node's `http` through an adapter, Deno, Bun, a test. */
export type Handle = (request: Request) => Response | Promise<Response>;

/**
 * Several handles as one: the first that knows the path answers. Where none does, the answer is 404.
 *
 * ```ts
 * const handle = handlers(metrics.handle, healthHandler({ clock, checks }));
 * ```
 */
export function handlers(...all: readonly Handle[]): (request: Request) => Promise<Response> {
  return async (request) => {
    for (const handle of all) {
      const response = await handle(request);
      if (response.status !== 404) return response;
    }
    return notFound();
  };
}

/** Nothing is at this path. */
export function notFound(): Response {
  return text(404, '404 page not found\n');
}

/** What the request asks for must be asked for with GET, or with HEAD for the answer without its body. */
export function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The method isn't one that reads. */
export function notAllowed(): Response {
  return text(405, 'method not allowed\n', { allow: 'GET, HEAD' });
}

/** Plain text, which no browser may take for anything else. */
export function text(status: number, body: string | null, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
  });
}

/** Text at one path. */
export function textAnswer(request: Request, path: string, type: string, body: () => string): Response {
  if (new URL(request.url).pathname !== path) return notFound();
  if (!isRead(request)) return notAllowed();
  return text(200, request.method === 'HEAD' ? null : body(), { 'content-type': type });
}
