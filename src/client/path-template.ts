const SUBRESOURCES_OF_NAMESPACES: ReadonlySet<string> = new Set(['status', 'finalize']);
/** Paths of an API server that hold no names. */
const FIXED: ReadonlySet<string> = new Set(['api', 'apis', 'version', 'healthz', 'readyz', 'livez', 'openapi']);

/**
 * The path of a request with no name in it and no query, as client-go tells its metrics: `/api/v1/namespaces/{namespace}/pods/{name}/log`. What
 * follows a subresource, as the path of a proxy, is `{path}`.
 */
export function pathTemplate(path: string): string {
  const [bare = ''] = path.split('?', 1);
  const parts = bare.split('/').filter((part) => part !== '');
  const [root = ''] = parts;
  const length = root === 'apis' ? 3 : 2;
  if ((root !== 'api' && root !== 'apis') || parts.length <= length) return fixed(root, parts);
  const rest = parts.slice(length);
  return `/${[...parts.slice(0, length), ...resourceOf(rest)].join('/')}`;
}

/** API groups and versions are no names of objects; what else there may be is left out. */
function fixed(root: string, parts: readonly string[]): string {
  if (root === 'api' || root === 'apis') return `/${parts.join('/')}`;
  if (!FIXED.has(root)) return '/{path}';
  return parts.length === 1 ? `/${root}` : `/${root}/{path}`;
}

function resourceOf(rest: readonly string[]): readonly string[] {
  const [first, , third] = rest;
  const isInNamespace = first === 'namespaces' && third !== undefined && !SUBRESOURCES_OF_NAMESPACES.has(third);
  const [plural = '', name, subresource, more] = isInNamespace ? rest.slice(2) : rest;
  return [
    ...(isInNamespace ? ['namespaces', '{namespace}'] : []),
    plural,
    ...(name === undefined ? [] : ['{name}']),
    ...(subresource === undefined ? [] : [subresource]),
    ...(more === undefined ? [] : ['{path}']),
  ];
}
