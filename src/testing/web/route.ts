/** What the path of a request means. */
export type Route =
  | { readonly to: 'resource'; readonly target: ResourceRoute }
  | { readonly to: 'root' | 'legacyVersions' | 'groups' | 'version' | 'health' | 'openapiRoot' }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'groupVersion'; readonly group: string; readonly version: string }
  | { readonly to: 'openapi'; readonly group: string; readonly version: string }
  /** A path that can't be read. */
  | { readonly to: 'unreadable' }
  | { readonly to: 'nowhere' };

/** A collection, an object, or a part of an object. */
export interface ResourceRoute {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

const HEALTH: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/healthz/ping', '/livez/ping', '/readyz/ping']);

/** Reads a path as an API server does. */
export function routeOf(pathname: string): Route {
  if (HEALTH.has(pathname)) return { to: 'health' };
  if (pathname === '/') return { to: 'root' };
  if (pathname === '/version' || pathname === '/version/') return { to: 'version' };
  if (pathname === '/openapi/v3') return { to: 'openapiRoot' };
  // Only at the end is a slash too many none.
  const parts = pathname.replace(/^\//, '').replace(/\/$/, '').split('/');
  const decoded = parts.map(decode);
  if (decoded.includes(undefined)) return { to: 'unreadable' };
  return routeParts(decoded as string[]);
}

function routeParts(parts: readonly string[]): Route {
  const [root, ...rest] = parts;
  if (root === 'openapi' && rest[0] === 'v3') return openapi(rest.slice(1));
  if (root === 'api') {
    const [version, ...below] = rest;
    if (version === undefined) return { to: 'legacyVersions' };
    return below.length === 0 ? { to: 'groupVersion', group: '', version } : resource('', version, below);
  }
  if (root !== 'apis') return { to: 'nowhere' };
  const [group, version, ...below] = rest;
  if (group === undefined) return { to: 'groups' };
  if (version === undefined) return { to: 'group', group };
  return below.length === 0 ? { to: 'groupVersion', group, version } : resource(group, version, below);
}

function openapi([root, ...rest]: readonly string[]): Route {
  if (root === 'api' && rest.length === 1) return { to: 'openapi', group: '', version: rest[0] ?? '' };
  if (root === 'apis' && rest.length === 2) return { to: 'openapi', group: rest[0] ?? '', version: rest[1] ?? '' };
  return { to: 'nowhere' };
}

/** `namespaces/shop` is an object, and `namespaces/shop/pods` a collection in it. */
function resource(group: string, version: string, parts: readonly string[]): Route {
  const isInNamespace = parts[0] === 'namespaces' && parts.length > 2 && !(group === '' && isPartOfNamespace(parts));
  const [plural = '', name, subresource, ...more] = isInNamespace ? parts.slice(2) : parts;
  return {
    to: 'resource',
    target: {
      group,
      version,
      plural,
      ...(isInNamespace ? { namespace: parts[1] ?? '' } : {}),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource: [subresource, ...more].join('/') }),
    },
  };
}

function isPartOfNamespace(parts: readonly string[]): boolean {
  return parts.length === 3 && (parts[2] === 'status' || parts[2] === 'finalize');
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
