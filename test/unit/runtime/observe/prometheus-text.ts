/** One line of the text format, read. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a scrape holds. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

/** Reads Prometheus' text format 0.0.4 as strictly as its specification writes it; written apart from the code that prints it. */
export function readPrometheusText(text: string): Family[] {
  if (text !== '' && !text.endsWith('\n')) throw new SyntaxError('the last line has no end');
  const families: { name: string; help: string; type: string; samples: Sample[] }[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    const last = families.at(-1);
    if (help) families.push({ name: help[1] ?? '', help: unescaped(help[2] ?? '', /\\(.)/g), type: '', samples: [] });
    else if (type) {
      if (last === undefined || last.name !== type[1] || last.type !== '') throw new SyntaxError(`out of place: ${line}`);
      last.type = type[2] ?? '';
    } else {
      const sample = readSample(line);
      const suffix = last?.type === 'histogram' ? /^_(bucket|sum|count)$/ : /^$/;
      if (last === undefined || !sample.name.startsWith(last.name) || !suffix.test(sample.name.slice(last.name.length)))
        throw new SyntaxError(`out of place: ${line}`);
      last.samples.push(sample);
    }
  }
  return families;
}

function readSample(line: string): Sample {
  const head = /^([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line);
  if (head === null) throw new SyntaxError(`no sample: ${line}`);
  let at = head[0].length;
  const labels: Record<string, string> = {};
  if (line[at] === '{') {
    at += 1;
    const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(,|\})/suy;
    for (let end = ''; end !== '}'; ) {
      label.lastIndex = at;
      const found = label.exec(line);
      if (found === null) throw new SyntaxError(`no label at ${at}: ${line}`);
      const [all, name = '', value = '', more = ''] = found;
      if (Object.hasOwn(labels, name)) throw new SyntaxError(`twice: ${name}`);
      Object.defineProperty(labels, name, { value: unescaped(value, /\\(.)/g), enumerable: true });
      at += all.length;
      end = more;
    }
  }
  const value = /^ ([-+]?Inf|NaN|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/.exec(line.slice(at));
  if (value === null) throw new SyntaxError(`no value: ${line}`);
  return { name: head[0], labels, value: Number((value[1] ?? '').replace('Inf', 'Infinity')) };
}

function unescaped(text: string, pattern: RegExp): string {
  return text.replace(pattern, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** The value of one series; nothing where there is none. */
export function sampleOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels);
  const found = readPrometheusText(text)
    .flatMap(({ samples }) => samples)
    .filter(
      (sample) =>
        sample.name === name &&
        Object.keys(sample.labels).length === wanted.length &&
        wanted.every(([label, value]) => sample.labels[label] === value),
    );
  if (found.length > 1) throw new TypeError(`there are ${found.length} series of ${name}`);
  return found[0]?.value;
}
