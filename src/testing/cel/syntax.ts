/** A node of the library's syntax tree, as far as it is read here. */
export interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly input: string;
  readonly start: number;
  readonly end: number;
  readonly pos: number;
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'pos' in value;

/** The nodes right below a node. */
export function children({ args }: Node): readonly Node[] {
  const flat = Array.isArray(args) ? args.flat(2) : [args];
  return flat.filter(isNode);
}

/** A node and everything below it. */
export function everyNode(node: Node): readonly Node[] {
  return [node, ...children(node).flatMap(everyNode)];
}

export interface Call {
  readonly name: string;
  /** What the method is called on; absent for functions. */
  readonly target?: Node;
  readonly args: readonly Node[];
}

/** Functions that are called by a name with dots in it: `sets.contains(…)`. */
export const NAMESPACES: ReadonlySet<string> = new Set(['strings', 'sets', 'ip', 'format', 'lists', 'optional']);

/** A call, with the namespace as part of the name. */
export function callOf(node: Node): Call | undefined {
  if (node.op === 'call') {
    const [name, args] = node.args as [string, Node[]];
    return { name, args };
  }
  if (node.op !== 'rcall') return undefined;
  const [name, target, args] = node.args as [string, Node, Node[]];
  const isQualified = target.op === 'id' && NAMESPACES.has(String(target.args));
  return isQualified ? { name: `${String(target.args)}.${name}`, args } : { name, target, args };
}
