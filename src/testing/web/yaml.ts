import { MOST_LEVELS } from './json.ts';

/** A text that is no YAML. */
export class YamlProblem extends Error {
  override readonly name = 'YamlProblem';
}

/** What readers of YAML 1.1 make objects of, and Go's reader leaves as texts. */
const OBJECTS = /timestamp|binary|omap|pairs|set$/;

/**
 * Reads the first document of a text as Go's reader does (YAML 1.1: `yes` is true, `010` is eight, `<<` merges), and as JSON can have it. The
 * parser is loaded when somebody first sends any.
 *
 * @throws YamlProblem
 */
export async function readYaml(text: string): Promise<unknown> {
  const { parseAllDocuments } = await import('yaml');
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      uniqueKeys: false,
      logLevel: 'silent',
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !OBJECTS.test(tag.tag)),
    });
    const [first] = Array.isArray(documents) ? documents : [];
    const [problem] = first?.errors ?? [];
    if (problem !== undefined) throw problem;
    const value: unknown = first?.toJS({ maxAliasCount: 100 });
    checkValue(value, MOST_LEVELS);
    return value;
  } catch (error) {
    if (error instanceof YamlProblem) throw error;
    throw new YamlProblem(`yaml: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** @throws YamlProblem for numbers that JSON doesn't have, and for what is too deep or holds itself. */
function checkValue(value: unknown, levels: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const infinite = value > 0 ? '+Inf' : '-Inf';
    throw new YamlProblem(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : infinite}`);
  }
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new YamlProblem(`yaml: exceeded max depth of ${MOST_LEVELS}`);
  for (const each of Object.values(value)) checkValue(each, levels - 1);
}
